import { expect } from "chai";
import { Application, applicationOf, Cluster, readCluster, readLeader, waitForHealth } from "./helpers/cluster";
import { run } from "./helpers/command";
import { containerIds, inContainer } from "./helpers/hosts";
import { startUp, up, upFails } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

/** Time of the guard that resumes PgBouncers, and some more. */
const guardedSeconds = 160;

describe("a roll-out", () => {
    let cluster: Cluster;
    let app: Application;
    const hosts = (): string[] => Object.keys(cluster.nodes);

    before(async () => {
        cluster = await readCluster();
        app = applicationOf(cluster, "app");
        await waitForHealth(cluster);
    });

    after("pulumi up with the stack's own settings", async () => {
        await up();
        await waitForHealth(cluster);
    });

    /** What each PgBouncer says of itself. */
    async function assertNonePaused(): Promise<void> {
        for (const host of hosts()) {
            const console = [
                "psql",
                "-h",
                "/tmp",
                "-p",
                "6432",
                "-U",
                "pgbouncer",
                "-At",
                "-c",
                "SHOW STATE",
                "pgbouncer",
            ];
            expect(await inContainer(host, "lab-pgbouncer", console), host).to.match(/^paused\|no$/m);
        }
    }

    it("of a parameter with which PostgreSQL doesn't start stops at the first replica, and can be put back", async function () {
        const containers = await containerIds(hosts());
        const leader = await readLeader(cluster);
        const configFile = editSettings((settings) => {
            const parameters = { ...settings.patroni?.parameters, shared_preload_libraries: "no_such_library" };
            settings.patroni = { ...settings.patroni, parameters };
        });
        const { output, seconds } = await upFails({ configFile });
        note(this, inSeconds(seconds));
        expect(output).to.match(/can't restart patroni-db\d|patroni-db\d does not stream again/);
        expect(await readLeader(cluster), "the leader").to.equal(leader);
        const show = ["psql", "-X", "-t", "-A", "-U", "postgres", "-c", "SHOW shared_preload_libraries"];
        expect(await inContainer(leader, `lab-patroni-${leader}`, show)).not.to.include("no_such_library");
        await up();
        await waitForHealth(cluster);
        // Swarm replaces the one whose PostgreSQL did not start when it has been unhealthy for long enough.
        const after = [...(await containerIds(hosts()))];
        const replaced = after.filter(([name, id]) => containers.get(name) !== id).map(([name]) => name);
        expect(replaced.length, replaced.join(", ")).to.be.at.most(1);
        for (const name of replaced)
            expect(name)
                .to.match(/^lab-patroni-db\d/)
                .and.not.include(leader);
    });

    // It leaves another setting behind, which the end puts back.
    it("that is killed while the leader's role is handed over is finished by the next one", async function () {
        const writers = await Writers.start(cluster, app);
        try {
            const leader = await readLeader(cluster);
            const configFile = editSettings((settings) => {
                settings.patroni = { ...settings.patroni, resources: { cpuLimit: 1.8, memoryLimitMiB: 2048 } };
            });
            const killed = startUp({ configFile });
            await eventually("the leader's turn comes", 240, () => {
                expect(killed.output()).to.match(new RegExp(`lab-patroni-${leader}-prepare updating`));
            });
            killed.kill();
            await killed.ended;
            await eventually("no PgBouncer is paused", guardedSeconds, assertNonePaused);
            await run("scripts/repair-stack.sh", ["lab"], { timeoutSeconds: 120 });
            const { seconds } = await up({ configFile });
            await waitForHealth(cluster);
            await assertNonePaused();
            const result = await writers.stop();
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
        } finally {
            await writers.abandon();
        }
    });
});
