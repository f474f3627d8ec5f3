import { parser } from "@prometheus-io/lezer-promql";
import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { AlertRulesConfig, scrapeJobs } from "../../components/render/alertRule";
import { renderAlertRules } from "../../components/render/alertRules";
import { expectGolden } from "./golden";

/** Metrics with their labels, by job, as each program of the images showed them. */
const recorded = JSON.parse(readFileSync(join(__dirname, "metrics/recorded.json"), "utf8")) as {
    [job: string]: { [metric: string]: string[] };
};

/** Prometheus' own: the metric that says whether a scrape worked, and the labels of every target. */
const everywhere = { metric: "up", labels: ["job", "instance"] };

const config: AlertRulesConfig = {
    clusterName: "pg",
    nodeCount: 3,
    ttlSeconds: 30,
    primaryStartTimeoutSeconds: 15,
    maximumLagOnFailoverBytes: 1048576,
    synchronousCount: 1,
    synchronousStrict: false,
    slots: ["cdc", "warehouse"],
    etcd: { memberCount: 3, electionTimeoutMilliseconds: 1000 },
    consul: { memberCount: 3 },
};

interface Alert {
    alert: string;
    expr: string;
    for: string;
    labels: { severity: string; cluster: string };
    annotations: { summary: string; description: string };
}

function alerts(changes: Partial<AlertRulesConfig> = {}): Alert[] {
    const { groups } = parse(renderAlertRules({ ...config, ...changes })) as { groups: { rules: Alert[] }[] };
    return groups.flatMap((group) => group.rules);
}

function names(changes: Partial<AlertRulesConfig> = {}): string[] {
    return alerts(changes).map((rule) => rule.alert);
}

/** What an expression asks for: metrics, each with the labels it is narrowed down by. */
function selectorsOf(expression: string): { metric: string; labels: string[] }[] {
    const selectors: { metric: string; labels: string[] }[] = [];
    parser.parse(expression).iterate({
        enter: (node) => {
            const text = expression.slice(node.from, node.to);
            if (node.type.isError) {
                throw new Error(`not PromQL at "${expression.slice(node.from)}": ${expression}`);
            }
            if (node.name === "VectorSelector") {
                selectors.push({ metric: /^[\w:]*/.exec(text)?.[0] ?? "", labels: [] });
            } else if (node.name === "LabelName" && /^\w+\s*(=|!)/.test(expression.slice(node.from))) {
                selectors.at(-1)?.labels.push(text);
            }
        },
    });
    return selectors;
}

function unknownIn(expression: string): string[] {
    return selectorsOf(expression).flatMap(({ metric, labels }) => {
        const known =
            metric === everywhere.metric
                ? [[]]
                : Object.values(recorded).flatMap((job) => (job[metric] ? [job[metric]] : []));
        const [given] = known;
        if (given === undefined) {
            return [metric];
        }
        return labels
            .filter((label) => ![...everywhere.labels, ...given].includes(label))
            .map((label) => `${metric}{${label}}`);
    });
}

describe("render/alertRules", () => {
    it("renders the rules of a cluster", () => expectGolden("alert-rules.yml", renderAlertRules(config)));

    for (const rule of alerts()) {
        it(`${rule.alert}: asks for metrics and labels that the programs show`, () => {
            expect(selectorsOf(rule.expr)).not.to.deep.equal([]);
            expect(unknownIn(rule.expr)).to.deep.equal([]);
        });

        it(`${rule.alert}: says how bad it is, what is wrong and what to do`, () => {
            expect(rule.labels).to.deep.equal({ severity: rule.labels.severity, cluster: "pg" });
            expect(["critical", "warning"]).to.include(rule.labels.severity);
            expect(rule.annotations.summary).to.match(/^pg: ./);
            expect(rule.annotations.description).to.match(/\.$/);
            expect(rule.for).to.match(/^[1-9]\d*s$/);
        });
    }

    it("has no two rules of one name", () => expect(names()).to.have.length(new Set(names()).size));

    it("finds a metric, a label and a syntax that don't exist", () => {
        expect(unknownIn('sum(patroni_primary{scope="pg"}) > no_such_metric')).to.deep.equal(["no_such_metric"]);
        expect(unknownIn('pg_up{cluster="pg"} == 0')).to.deep.equal(["pg_up{cluster}"]);
        expect(() => unknownIn("sum(pg_up")).to.throw("not PromQL");
    });

    it("selects this cluster's targets only", () => {
        const jobs = Object.values(scrapeJobs("pg")).map((job) => `job="${job}"`);
        for (const { alert, expr } of alerts()) {
            const selections = expr.match(/\{[^}]*\}/g) ?? [];
            expect(selections.length, alert).to.equal(selectorsOf(expr).length);
            for (const selection of selections) {
                expect(
                    [...jobs, 'scope="pg"'].some((own) => selection.includes(own)),
                    `${alert}: ${selection}`,
                ).to.equal(true);
            }
        }
    });

    it("leaves out what a single node can't have", () => {
        const single = names({ nodeCount: 1, synchronousCount: 0 });
        expect(single).to.include("PostgresNoLeader");
        expect(single).not.to.include.members(["PostgresReplicasMissing"]);
        expect(single).not.to.include.members(["HaproxyNoReplica"]);
        expect(single).not.to.include.members(["PostgresSynchronousReplicaMissing"]);
    });

    it("speaks of the store that the cluster has", () => {
        const external = names({ etcd: undefined, consul: undefined });
        expect(external.filter((name) => /^(Etcd|Consul)/.test(name))).to.deep.equal([]);
        expect(external).to.include("PatroniStoreUnreachable");
        expect(names({ etcd: undefined })).to.include("ConsulQuorumLost");
    });

    it("calls a missing synchronous replica critical where commits wait for it", () => {
        const severity = (synchronousStrict: boolean): string | undefined =>
            alerts({ synchronousStrict }).find((rule) => rule.alert === "PostgresSynchronousReplicaMissing")?.labels
                .severity;
        expect([severity(false), severity(true)]).to.deep.equal(["warning", "critical"]);
    });

    it("gives a failover its time before it calls anybody", () => {
        const noLeader = alerts({ ttlSeconds: 60 }).find((rule) => rule.alert === "PostgresNoLeader");
        expect(noLeader?.for).to.equal("120s");
    });
});
