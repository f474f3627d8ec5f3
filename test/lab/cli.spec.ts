import { expect } from "chai";
import type { ClusterStatus, PatroniMemberStatus } from "../../cli/status";
import { Cluster, readCluster, readLeader, waitForHealth } from "./helpers/cluster";
import { attempt, CommandResult, run } from "./helpers/command";
import { lines, onHost } from "./helpers/hosts";
import { pgha, readStatus } from "./helpers/pgha";
import { eventually, inSeconds, note } from "./helpers/wait";

const frozenHost = "db3";

describe("the command pgha", () => {
    let cluster: Cluster;

    const succeed = async (words: string[], input?: string): Promise<CommandResult> => {
        const result = await pgha(words, input);
        expect(result.status, result.output).to.equal(0);
        return result;
    };

    /** Only a synchronous standby can take over, and after a switchover there is none for a moment. */
    const synchronousStandby = (): Promise<PatroniMemberStatus> =>
        eventually("a standby is synchronous", 60, async () => {
            const { patroni } = await readStatus();
            const found = patroni.members.find(({ role }) => role === "sync_standby");
            if (found === undefined) throw new Error("there is no synchronous standby");
            return found;
        });

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
    });

    it("status finds the cluster healthy, with every part of it", async function () {
        // HAProxy sees a new role a moment after Patroni.
        const { stdout, seconds } = await eventually("it is healthy", 30, () => succeed(["status", "--json"]));
        note(this, inSeconds(seconds));
        const status = JSON.parse(stdout) as ClusterStatus;
        const nodes = Object.keys(cluster.nodes).length;
        expect(status).to.deep.include({ cluster: "lab", healthy: true, reasons: [] });
        for (const part of [status.patroni.members, status.etcd, status.haproxy, status.pgbouncer, status.exporters]) {
            for (const { name, certificateEndsAt } of part) {
                expect(Date.parse(certificateEndsAt ?? ""), name).to.be.above(Date.now() + 90 * 86_400_000);
            }
            expect(part.map(({ container }) => container)).to.deep.equal(Array<string>(nodes).fill("healthy"));
        }
        const leader = `patroni-${await readLeader(cluster)}`;
        expect(status.patroni.members.filter(({ role }) => role === "leader").map(({ name }) => name)).to.deep.equal([
            leader,
        ]);
        expect(status.haproxy.map(({ up }) => up?.read_write)).to.deep.equal(Array(nodes).fill([leader]));
    });

    it("status shows the same as tables", async () => {
        // A store that has just elected a leader isn't healthy for a moment.
        const { stdout } = await eventually("it is healthy", 30, () => succeed(["status"]));
        for (const title of ["lab: healthy", "Patroni", "etcd", "HAProxy", "PgBouncer", "Exporters"]) {
            expect(stdout).to.match(new RegExp(`^${title}`, "m"));
        }
    });

    it("status names the reason while a node is frozen, and is healthy again after it", async () => {
        // A container that is killed would be started again before anybody has looked.
        const [id = ""] = lines(
            await onHost(frozenHost, ["docker", "ps", "-q", "-f", `label=pgha.workload=lab-patroni-${frozenHost}`]),
        );
        await onHost(frozenHost, ["docker", "pause", id]);
        try {
            await eventually("it is not healthy", 90, async () => {
                const { healthy, reasons } = await readStatus();
                expect(healthy).to.equal(false);
                expect(reasons.join("\n")).to.include(`patroni-${frozenHost}`);
            });
            expect((await pgha(["status"])).status).to.equal(1);
        } finally {
            await onHost(frozenHost, ["docker", "unpause", id]);
        }
        await waitForHealth(cluster);
        await eventually("it is healthy again", 60, async () => expect((await readStatus()).reasons).to.deep.equal([]));
    });

    it("switchover moves the leader to the node that Patroni chooses, and to a named one", async function () {
        const before = await readLeader(cluster);
        const { output } = await succeed(["switchover", "--yes"]);
        expect(output).to.match(/all members follow it after/);
        note(this, output.trim().replaceAll("\n", ", "));
        expect(await readLeader(cluster)).not.to.equal(before);

        const standby = await synchronousStandby();
        await succeed(["switchover", "--yes", "--candidate", standby.name]);
        expect(await readLeader(cluster)).to.equal(standby.host);
    });

    it("switchover refuses the leader, and a confirmation that nobody can give", async () => {
        await synchronousStandby();
        const leader = await readLeader(cluster);
        const leading = await pgha(["switchover", "--yes", "--candidate", leader]);
        expect(leading.status, leading.output).to.equal(1);
        expect(leading.output).to.match(/leads already/);
        const unanswered = await pgha(["switchover"]);
        expect(unanswered.status, unanswered.output).to.equal(2);
        expect(await readLeader(cluster)).to.equal(leader);
    });

    it("pause is noticed by all members, and resume takes it back", async () => {
        await succeed(["pause"]);
        try {
            const { patroni, reasons } = await readStatus();
            expect(patroni.members.map(({ paused }) => paused)).to.deep.equal([true, true, true]);
            expect(reasons.join("\n")).to.match(/Patroni is paused/);
        } finally {
            await succeed(["resume"]);
        }
        await waitForHealth(cluster);
    });

    it("reinit copies a replica anew, and refuses the leader", async function () {
        const leader = await readLeader(cluster);
        expect((await pgha(["reinit", leader, "--yes"])).output).to.match(/leads/);
        const replica = Object.keys(cluster.nodes).find((key) => key !== leader) ?? "";
        const { seconds } = await succeed(["reinit", replica, "--yes"]);
        note(this, inSeconds(seconds));
        await waitForHealth(cluster);
    });

    it("psql reaches the primary, a replica and a certain node, as superuser", async () => {
        const sql = "SELECT current_user, pg_is_in_recovery()";
        const ask = async (...options: string[]): Promise<string> =>
            (await succeed(["psql", ...options, "--", "-A", "-t", "-c", sql])).stdout.trim();
        expect(await ask()).to.equal("postgres|f");
        expect(await ask("--read-only")).to.equal("postgres|t");
        expect(await ask("--node", await readLeader(cluster))).to.equal("postgres|f");
        const piped = await succeed(["psql", "--", "-A", "-t"], `${sql};\n`);
        expect(piped.stdout.trim()).to.equal("postgres|f");
        expect((await pgha(["psql", "--", "-c", "SELECT 1/0"])).status).to.equal(1);
    });

    it("works from a file of outputs, without Pulumi", async () => {
        const { stdout } = await run("pulumi", ["stack", "output", "--json", "--stack", "lab"]);
        // The exporter beside a node that was copied anew connects again with its next query.
        await eventually("it is healthy", 60, async () => {
            const { status, output } = await attempt(
                "node",
                ["--import", "tsx", "cli/main.ts", "--outputs", "-", "status"],
                { input: stdout, env: { ...process.env, PULUMI_BACKEND_URL: undefined } },
            );
            expect(status, output).to.equal(0);
        });
    });
});
