import { expect } from "chai";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { ScriptResult } from "../../cli/hosts";
import { containersProbe } from "../../cli/probes";
import { ClusterStatus, describeStatus, HostAnswer, readHostAnswer, readPatroni, readStatus } from "../../cli/status";
import { renderStatus, styleFor } from "../../cli/table";
import { goldenFiles } from "../helpers/golden";
import { fixture, healthyAnswers, operations } from "./fixtures";

const expectGolden = goldenFiles(join(__dirname, "golden"));
const plain = (_: string, text: string): string => text;

type Answers = ReturnType<typeof healthyAnswers>;

/** The status of a cluster in which some answers aren't those of a healthy one. */
function statusWith(change: (answers: Answers) => void): ClusterStatus {
    const answers = healthyAnswers();
    change(answers);
    return describeStatus(operations, answers);
}

/** Changes the answer to a probe on one host, or on all. */
function edit(answers: Answers, name: RegExp, change: (text: string) => string): void {
    for (const { answers: probes } of answers.values()) {
        for (const [probe, answer] of probes) {
            if (name.test(probe)) answer.stdout = change(answer.stdout);
        }
    }
}

function fail(answers: Answers, name: RegExp, stderr: string): void {
    for (const { answers: probes } of answers.values()) {
        for (const [probe, answer] of probes) {
            if (name.test(probe)) Object.assign(answer, { status: 1, stdout: "", stderr });
        }
    }
}

function editMembers(answers: Answers, change: (members: { [field: string]: unknown }[]) => object): void {
    edit(answers, /\/cluster$/, (text) => {
        const view = JSON.parse(text) as { members: { [field: string]: unknown }[] };
        return JSON.stringify({ ...view, ...change(view.members) });
    });
}

function setMember(answers: Answers, name: string, fields: object): void {
    editMembers(answers, (members) => ({
        members: members.map((member) => (member.name === name ? { ...member, ...fields } : member)),
    }));
}

describe("cli/status", () => {
    it("finds nothing wrong with a healthy cluster", () => {
        const status = describeStatus(operations, healthyAnswers());
        expect(status.reasons).to.deep.equal([]);
        expect(status.healthy).to.equal(true);
    });

    it("has this shape as JSON", () => {
        const status = describeStatus(operations, healthyAnswers());
        expectGolden("status.json", `${JSON.stringify(status, null, 2)}\n`);
    });

    it("is shown as tables", () => {
        expectGolden("status.txt", renderStatus(describeStatus(operations, healthyAnswers()), plain));
    });

    it("is shown as tables where much is wrong", () => {
        const status = statusWith((answers) => {
            editMembers(answers, (members) => ({
                pause: true,
                members: members.filter(({ name }) => name !== "patroni-db3"),
            }));
            setMember(answers, "patroni-db1", { pending_restart: true, tags: { nofailover: true }, lag: 5_000_000 });
            edit(answers, /^containers$/, (text) =>
                text.replace(/(lab-exporter-db1\t)running\tUp.*/, "$1exited\tExited (1)"),
            );
            edit(answers, /etcd-db1\/status/, (text) =>
                text.replace('"dbSize"', '"errors":["memberID:1 alarm:NOSPACE "],"dbSize"'),
            );
            fail(answers, /etcd-db1\/health/, "unhealthy");
            edit(answers, /db2\/local/, (text) => text.replace('"primary"', '"replica"'));
            (answers as Map<string, HostAnswer>).set("db3", { error: "Connection timed out" });
        });
        expectGolden("status-unhealthy.txt", renderStatus(status, plain));
    });

    const reasons: { [title: string]: { change: (answers: Answers) => void; reasons: string[] } } = {
        "a host that doesn't answer, and its members that have gone": {
            change: (answers) => {
                editMembers(answers, (members) => ({ members: members.slice(0, 2) }));
                (answers as Map<string, HostAnswer>).set("db3", { error: "Connection refused" });
            },
            reasons: [
                "host db3 (192.0.2.13) can't be asked: Connection refused",
                "patroni-db3 is no member at the moment: its Patroni doesn't report to the DCS",
            ],
        },
        "a container that doesn't run, while the DCS still has its member": {
            change: (answers) =>
                edit(answers, /^containers$/, (text) =>
                    text.replace(/(lab-patroni-db3\t)running.*/, "$1exited\tExited (1)"),
                ),
            reasons: ["patroni-db3 on db3: its container is stopped"],
        },
        "a container that isn't there": {
            change: (answers) => edit(answers, /^containers$/, (text) => text.replace(/lab-etcd-db1\t.*\n/, "")),
            reasons: ["etcd-db1 on db1: its container is missing"],
        },
        "a container that fails its health check": {
            change: (answers) =>
                edit(answers, /^containers$/, (text) => text.replace(/(lab-pgbouncer.*)\(healthy\)/, "$1(unhealthy)")),
            reasons: ["db1", "db2", "db3"].map((host) => `pgbouncer on ${host}: its container is unhealthy`),
        },
        "a container that runs and doesn't answer": {
            change: (answers) => fail(answers, /patroni-db1/, "curl: (7) Failed to connect\n"),
            reasons: ["patroni-db1 on db1: curl: (7) Failed to connect"],
        },
        "an answer that can't be read": {
            change: (answers) => edit(answers, /haproxy/, () => "<html>"),
            reasons: ["db1", "db2", "db3"].map(
                (host) => `haproxy on ${host}: an answer that can't be read: not the statistics of HAProxy`,
            ),
        },
        "maintenance mode": {
            change: (answers) => editMembers(answers, () => ({ pause: true })),
            reasons: ["Patroni is paused: nothing fails over (pgha resume)"],
        },
        "two nodes that accept writes": {
            change: (answers) => edit(answers, /patroni-db3\/local/, (text) => text.replace('"replica"', '"primary"')),
            reasons: ["2 nodes accept writes: patroni-db2, patroni-db3"],
        },
        "no leader": {
            change: (answers) => {
                editMembers(answers, (members) => ({
                    members: members.map((member) => ({
                        ...member,
                        role: member.role === "leader" ? "replica" : member.role,
                        state: "streaming",
                    })),
                }));
                edit(answers, /patroni-db2\/local/, (text) => text.replace('"primary"', '"replica"'));
                edit(answers, /haproxy/, (text) => text.replace(/(read_write,patroni-db2.*?),UP,/, "$1,DOWN,"));
            },
            reasons: [
                "there is no leader",
                ...["patroni-db1", "patroni-db2", "patroni-db3"].map(
                    (name) => `${name} doesn't follow the leader: "streaming"`,
                ),
                ...["db1", "db2", "db3"].map((host) => `haproxy on ${host} sends writes to no node`),
            ],
        },
        "a leader that doesn't run": {
            change: (answers) => setMember(answers, "patroni-db2", { state: "crashed" }),
            reasons: ['patroni-db2 leads and is "crashed"'],
        },
        "a leader that accepts no writes": {
            change: (answers) => edit(answers, /patroni-db2\/local/, (text) => text.replace('"primary"', '"replica"')),
            reasons: ["patroni-db2 leads and accepts no writes"],
        },
        "a replica that doesn't stream": {
            change: (answers) => setMember(answers, "patroni-db3", { state: "running" }),
            reasons: [`patroni-db3 doesn't follow the leader: "running"`],
        },
        "a replica on another timeline": {
            change: (answers) => setMember(answers, "patroni-db3", { timeline: 55 }),
            reasons: [`patroni-db3 doesn't follow the leader: "streaming" on timeline 55`],
        },
        "a replica too far behind to take over": {
            change: (answers) => setMember(answers, "patroni-db3", { lag: 1048577 }),
            reasons: ["patroni-db3 lags 1048577 bytes: more than maximum_lag_on_failover (1048576)"],
        },
        "a synchronous standby too few": {
            change: (answers) => setMember(answers, "patroni-db1", { role: "replica" }),
            reasons: ["0 of 1 synchronous standbys are there"],
        },
        "a member that nobody declared": {
            change: (answers) =>
                editMembers(answers, (members) => ({
                    members: [...members, { name: "other", role: "replica", state: "streaming", timeline: 56, lag: 0 }],
                })),
            reasons: ["other is a member that the stack doesn't know"],
        },
        "a DCS that no node reaches": {
            change: (answers) => fail(answers, /patroni-db\d\/(cluster|config)/, "curl: (22) 503"),
            reasons: ["no node can read the cluster's state from the DCS"],
        },
        "a member of etcd without a quorum": {
            change: (answers) => {
                fail(answers, /etcd-db1\/health/, "unhealthy cluster");
                edit(answers, /etcd-db1\/status/, (text) => text.replace(/"leader": \d+,/, ""));
            },
            reasons: ["etcd-db1 can't commit"],
        },
        "etcd without a leader": {
            change: (answers) => edit(answers, /etcd-db\d\/status/, (text) => text.replace(/"leader": \d+,/, "")),
            reasons: ["etcd has no leader"],
        },
        "an alarm of etcd": {
            change: (answers) => {
                fail(answers, /etcd-db1\/health/, "unhealthy cluster");
                edit(answers, /etcd-db1\/status/, (text) =>
                    text.replace('"dbSize"', '"errors":["memberID:1 alarm:NOSPACE "],"dbSize"'),
                );
            },
            reasons: ["etcd-db1 has the alarm NOSPACE"],
        },
        "an HAProxy that sends writes elsewhere": {
            change: (answers) =>
                edit(answers, /haproxy/, (text) => text.replace(/(read_write,patroni-db3.*?),DOWN,/, "$1,UP,")),
            reasons: ["db1", "db2", "db3"].map((host) => `haproxy on ${host} sends writes to patroni-db2, patroni-db3`),
        },
        "an HAProxy without a replica": {
            change: (answers) =>
                edit(answers, /haproxy/, (text) => text.replaceAll(/(replicas,patroni.*?),UP,/g, "$1,DOWN,")),
            reasons: ["db1", "db2", "db3"].map((host) => `haproxy on ${host} has no replica for reads`),
        },
        "a paused PgBouncer": {
            change: (answers) => edit(answers, /pgbouncer\/state/, (text) => text.replace("paused,no", "paused,yes")),
            reasons: ["db1", "db2", "db3"].map((host) => `pgbouncer on ${host} is paused`),
        },
        "an exporter without its PostgreSQL": {
            change: (answers) => edit(answers, /exporter-db2\/up/, () => "pg_up 0\n"),
            reasons: ["exporter-db2 on db2 doesn't reach its PostgreSQL"],
        },
    };
    for (const [title, { change, reasons: expected }] of Object.entries(reasons)) {
        it(`says why: ${title}`, () => {
            const status = statusWith(change);
            expect(status.reasons).to.deep.equal(expected);
            expect(status.healthy).to.equal(false);
        });
    }

    for (const [title, { daysBefore, reasons: expected }] of Object.entries({
        "that nobody has renewed for long": {
            daysBefore: 12.5,
            reasons: [
                "certificates end within 13 days (pulumi up renews them; the certificate of an authority of your own is yours to renew): patroni-db1 on db1, patroni-db2 on db2, patroni-db3 on db3",
            ],
        },
        "past their end": {
            daysBefore: -40,
            reasons: [
                "certificates have ended (pulumi up renews them; the certificate of an authority of your own is yours to renew): patroni-db1 on db1, patroni-db2 on db2, patroni-db3 on db3",
            ],
        },
        "that the next up renews": { daysBefore: 31, reasons: [] },
    })) {
        it(`looks at the end of certificates ${title}`, () => {
            const alone = { ...operations, etcd: [], haproxy: [], pgbouncer: [] };
            const end = Date.parse(new X509Certificate(fixture("server.crt")).validTo);
            const now = new Date(end - daysBefore * 86_400_000);
            expect(describeStatus(alone, healthyAnswers(), now).reasons).to.deep.equal(expected);
        });
    }

    it("doesn't mind what the user asked for: nodes that read archived WAL or are never synchronous", () => {
        const status = statusWith((answers) => {
            setMember(answers, "patroni-db3", { state: "in archive recovery", tags: { nostream: true } });
            for (const name of ["patroni-db1", "patroni-db3"]) {
                setMember(answers, name, { role: "replica" });
            }
            setMember(answers, "patroni-db1", { tags: { nosync: true } });
            setMember(answers, "patroni-db3", { tags: { nosync: true, nostream: true } });
        });
        expect(status.reasons).to.deep.equal([]);
    });

    it("shows what nodes say of themselves where the DCS can't be read", () => {
        const { patroni } = statusWith((answers) => fail(answers, /patroni-db\d\/(cluster|config)/, "503"));
        expect(patroni.members.map(({ role, state, acceptsWrites }) => [role, state, acceptsWrites])).to.deep.equal([
            [null, "running", false],
            [null, "running", true],
            [null, "running", false],
        ]);
        expect(patroni.paused).to.equal(false);
    });

    it("judges no part that isn't there", () => {
        const alone = { ...operations, etcd: [], pgbouncer: [], exporters: [] };
        const status = describeStatus(alone, healthyAnswers());
        expect(status.healthy).to.equal(true);
        expect(renderStatus(status, plain)).not.to.match(/etcd|PgBouncer|Exporters/);
    });

    it("looks at certificates for itself, and not while something is waited for", async () => {
        const asked: string[] = [];
        const run = (_host: string, script: string): Promise<ScriptResult> => {
            asked.push(script);
            return Promise.resolve({ status: 1, stdout: "", stderr: "" });
        };
        await readPatroni(operations, run);
        expect(asked.splice(0).join("\n")).to.include("/cluster").and.not.to.include("CERTIFICATE");
        await readStatus(operations, run);
        expect(asked.join("\n")).to.include("/cluster").and.to.include("CERTIFICATE");
    });

    it("takes a host without a working Docker for one that can't be asked", () => {
        const message = Buffer.from("Cannot connect to the Docker daemon\n").toString("base64");
        const stdout = `${containersProbe} 1 : :${message}\n`;
        expect(readHostAnswer({ status: 0, stdout, stderr: "" })).to.deep.equal({
            error: "Cannot connect to the Docker daemon",
        });
        const sudo = { status: 1, stdout: "", stderr: "sudo: a password is required\n" };
        expect(readHostAnswer(sudo)).to.deep.equal({ error: "sudo: a password is required" });
    });

    it("uses colours on a terminal only, and not where they aren't wanted", () => {
        const red = "\u001b[31mx\u001b[39m";
        expect(styleFor({ isTTY: true }, {})("red", "x")).to.equal(red);
        expect(styleFor({ isTTY: true }, { NO_COLOR: "" })("red", "x")).to.equal(red);
        expect(styleFor({ isTTY: true }, { NO_COLOR: "1" })("red", "x")).to.equal("x");
        expect(styleFor({ isTTY: true }, { TERM: "dumb" })("red", "x")).to.equal("x");
        expect(styleFor({}, {})("red", "x")).to.equal("x");
    });
});
