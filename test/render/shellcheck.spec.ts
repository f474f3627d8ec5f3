import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { healthCommand } from "../../components/render/healthScript";
import { renderEtcdStartScript } from "../../components/render/etcdStartScript";
import { renderLabelCheckScript } from "../../components/render/hostScripts";
import { renderMajorChangeScript, renderMajorSettled } from "../../components/render/majorChange";
import { MajorChange, renderMajorNodeScript } from "../../components/render/majorNodeScript";
import { createCluster, recordCluster, singleHostArgs } from "../helpers/cluster";
import { record } from "../helpers/mocks";
import { etcdMember } from "./samples";
import { ScriptRunner } from "./scriptRunner";

/** What is meant: `$` inside single quotes, functions that not every script calls, loops over lists that may have one word. */
const accepted = ["SC2016", "SC2317", "SC2329", "SC2043"];

describe("All scripts of a cluster", () => {
    let runner: ScriptRunner;

    before(() => {
        runner = new ScriptRunner();
    });
    after(() => runner.remove());

    it("pass shellcheck as POSIX shell", async () => {
        const recording = await recordCluster({
            firewall: { clients: ["10.0.0.0/8"] },
            applications: { shop: { allowDrop: true, roles: { shop_reader: {} } } },
            administrators: { admin: {} },
        });
        const withConsul = await recordCluster({ consul: {} });
        const onHosts = await record(() => createCluster(singleHostArgs()));
        const recorded = [
            ...recording.ofType("Command"),
            withConsul.custom("pg-consul-db1-gate"),
            ...onHosts.ofType("Command"),
        ];
        const commands = recorded.map(({ name, inputs }, index) => [`${index}-${name}`, String(inputs.stdin)] as const);
        const scripts = [
            ...commands,
            ...majorChangeScripts(),
            ["label-check", renderLabelCheckScript({ nodeName: "db1", labels: { "pgha.host": "db1" } })] as const,
            ["health-check", healthScript()] as const,
            ["etcd-start", renderEtcdStartScript({ ...etcdMember, tls: true })] as const,
        ];
        expect(scripts.map(([name]) => name.replace(/^\d+-/, ""))).to.include.members([
            "pg-host-db1-system",
            "pg-host-db1-labels",
            "pg-firewall-db1",
            "pg-etcd-db1-data",
            "pg-etcd-ready",
            "pg-consul-db1-gate",
            "pg-administrators-roles",
            "pg-patroni-db1-prepare",
            "pg-patroni-db1-gate",
            "pg-patroni-dynamic-config",
            "pg-patroni-handover",
            "pg-patroni-db1-move",
            "pg-application-shop-database",
            "pg-patroni-a-passwords",
            "pg-etcd-running-db1",
        ]);
        const files = scripts.map(([name, script]) => {
            runner.write(`${name}.sh`, script);
            return `${runner.directory}/${name}.sh`;
        });
        const options = ["--shell=sh", "--format=gcc", `--exclude=${accepted.join(",")}`];
        const { error, stdout } = spawnSync("shellcheck", [...options, ...files], { encoding: "utf8" });
        expect(error?.message, "shellcheck is missing: apt-get install shellcheck").to.equal(undefined);
        expect(stdout.replaceAll(`${runner.directory}/`, "")).to.equal("");
    }).timeout(40000);
});

function healthScript(): string {
    const limits = { timeoutSeconds: 3, retries: 3, startPeriodSeconds: 10, stopGraceSeconds: 30 };
    return healthCommand({ command: ["true"], ...limits })[3] ?? "";
}

/** The scripts of a major upgrade, and what differs on the way back. */
function majorChangeScripts(): [string, string][] {
    const change = { from: 15, to: 17 };
    const common = { scope: "pg", change, timeoutSeconds: 60 };
    const functions = ["fail() { exit 1; }", "in_container() { :; }", "api() { :; }"];
    const gate = (direction: MajorChange): string =>
        [...functions, ...renderMajorSettled(direction, "pg", 60)].join("\n");
    return [
        [
            "major-change",
            renderMajorChangeScript({
                ...common,
                host: { key: "db1", sshAddress: "192.0.2.11" },
                node: "patroni-db1",
                serviceName: "pg-patroni-db1",
                others: ["patroni-db2"],
                switchoverScript: "/srv/switchover",
                synchronousMode: true,
                synchronousNodeCount: 1,
            }),
        ],
        ["major-node", renderMajorNodeScript(common)],
        ["major-gate", gate(change)],
        ["major-gate-back", gate({ from: 17, to: 15 })],
    ];
}
