import { expect } from "chai";
import { systemRoles, workloadNames } from "../../components/defaults";
import { Lab } from "../../lab/drill/lab";
import type { Login } from "../../lab/drill/session";
import { Application, applicationOf, Cluster, readCluster, readLeader, waitForHealth } from "./helpers/cluster";
import { containerIds } from "./helpers/hosts";
import { assertAnswers, OutageWatch } from "./helpers/outages";
import { makeLeader } from "./helpers/pgha";
import { startUp, up, upFails } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { query } from "./helpers/sql";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

const replacementSeconds = 240;

/** Three attempts to reach a host by ssh, after the Swarm's managers have elected another leader. */
const unreachableSeconds = 120;

/** Time that a replaced node gets to stream again: more than it needs where nothing is in its way. */
const catchUpSeconds = 60;

describe("a roll-out of Patroni's nodes, with clients at work,", function () {
    this.timeout(900_000);

    const lab = new Lab();
    let cluster: Cluster;
    let app: Application;
    // In the order in which they are replaced. The first one is the Swarm's manager, by which up works.
    let [first, second, leader] = ["", "", ""];

    before(async () => {
        cluster = await readCluster();
        app = applicationOf(cluster, "app");
        [first = "", second = "", leader = ""] = Object.keys(cluster.nodes);
    });

    beforeEach("the leader's turn comes last", () => makeLeader(cluster, leader));

    after("pulumi up with the stack's own settings", async () => {
        await lab.healAll();
        await up();
        await waitForHealth(cluster);
    });

    /** Settings that replace all nodes. */
    function replaceNodes(cpuLimit: number): string {
        return editSettings((settings) => {
            const resources = { cpuLimit, memoryLimitMiB: 2048 };
            settings.patroni = { ...settings.patroni, resources, catchUpTimeoutSeconds: catchUpSeconds };
        });
    }

    const nodeOn = (host: string): string => `lab-patroni-${host} on ${host}`;

    it("stops where a host is lost between two of them, and is finished by the next up when the host is back", async function () {
        const configFile = replaceNodes(1.7);
        const before = await containerIds([first, leader]);
        const writers = await Writers.start(cluster, app);
        const update = startUp({ configFile });
        try {
            await eventually(`${first} is replaced`, replacementSeconds, () => {
                expect(update.output()).to.match(new RegExp(`lab-patroni-${first}-replaced updating`));
            });
            // Or the next one's turn could come before its host is gone.
            update.freeze();
            await eventually(`${first} runs anew`, replacementSeconds, async () => {
                expect((await containerIds([first])).get(nodeOn(first))).not.to.be.oneOf([
                    before.get(nodeOn(first)),
                    undefined,
                ]);
            });
            await waitForHealth(cluster);
            const replaced = await containerIds([first, leader]);
            await lab.breakHost("crash", second);
            const lostAt = performance.now();
            update.thaw();
            const { status, output } = await update.ended;
            const seconds = (performance.now() - lostAt) / 1000;

            expect(status, output).not.to.equal(0);
            expect(seconds).to.be.below(unreachableSeconds);
            expect(output).to.include(`(lab-patroni-${second}-prepare)`).and.include(cluster.nodes[second]?.address);
            await writers.waitForAnswers();
            expect(await readLeader(cluster)).to.equal(leader);
            expect(await containerIds([first, leader])).to.deep.equal(replaced);
            expect(replaced.get(nodeOn(leader)), "the leader's turn has not come").to.equal(before.get(nodeOn(leader)));

            await lab.heal(second);
            await up({ configFile });
            await waitForHealth(cluster);
            expect((await containerIds([leader])).get(nodeOn(leader))).not.to.equal(before.get(nodeOn(leader)));
            note(this, `failed after ${inSeconds(seconds)}; ${describeWriters(await writers.stop())}`);
        } finally {
            update.kill();
            await writers.abandon();
        }
    });

    it("stops where one does not stream again, and is finished by the next up when nothing is in its way any more", async function () {
        const configFile = replaceNodes(1.6);
        const hosts = [first, second, leader];
        const before = await containerIds(hosts);
        const others = (containers: Map<string, string>): [string, string][] =>
            [...containers].filter(([name]) => name !== nodeOn(first));
        const writers = await Writers.start(cluster, app);
        const probes = Object.values(cluster.nodes).map(
            ({ name, patroniApi }) => [name, () => assertAnswers(`${patroniApi}/health`)] as const,
        );
        const watch = new OutageWatch(new Map(probes));
        try {
            // Who streams goes on; who was replaced can't begin.
            await letReplicasLogIn(false);
            const { output, seconds } = await upFails({ configFile });

            expect(output).to.match(new RegExp(`patroni-${first} does not stream within ${catchUpSeconds} s`));
            expect(output).to.match(/the nodes after it were left alone\n *next: .*docker service logs lab-patroni-/);
            const after = await containerIds(hosts);
            expect(others(after)).to.have.deep.members(others(before));
            expect(after.get(nodeOn(first))).not.to.be.oneOf([before.get(nodeOn(first)), undefined]);
            expect(await readLeader(cluster)).to.equal(leader);
            await writers.waitForAnswers();

            await letReplicasLogIn(true);
            await up({ configFile });
            await waitForHealth(cluster);
            await watch.stop();
            expect((await containerIds([first])).get(nodeOn(first)), "not replaced again").to.equal(
                after.get(nodeOn(first)),
            );
            expect(watch.together, "nodes that were down at the same time").to.deep.equal([]);
            note(this, `failed after ${inSeconds(seconds)}; ${describeWriters(await writers.stop())}`);
        } finally {
            await letReplicasLogIn(true);
            await watch.stop();
            await writers.abandon();
        }
    });

    it("does not begin where one streams no more, for the first one may be the last other copy", async function () {
        const hosts = [first, second, leader];
        const before = await containerIds(hosts);
        const writers = await Writers.start(cluster, app);
        try {
            await letReplicasLogIn(false);
            await endReplication(second);
            const { output, seconds } = await upFails({ configFile: replaceNodes(1.5) });

            expect(output).to.match(
                new RegExp(
                    `without patroni-${first} the data would be on one node only; not streaming: patroni-${second}`,
                ),
            );
            expect(await containerIds(hosts)).to.deep.equal(before);
            expect(await readLeader(cluster)).to.equal(leader);
            await letReplicasLogIn(true);
            await waitForHealth(cluster);
            note(this, `failed after ${inSeconds(seconds)}; ${describeWriters(await writers.stop())}`);
        } finally {
            await letReplicasLogIn(true);
            await writers.abandon();
        }
    });

    const superuser = (): Login => ({
        user: systemRoles.superuser,
        password: cluster.passwords.postgres ?? "",
        database: "postgres",
    });

    /** Takes the right to log in from the role by which replicas copy the leader's changes, or gives it back. */
    async function letReplicasLogIn(allowed: boolean): Promise<void> {
        const right = allowed ? "LOGIN" : "NOLOGIN";
        await query(
            cluster.endpoints.readWrite[0] ?? "",
            superuser(),
            `ALTER ROLE ${systemRoles.replication} ${right}`,
        );
    }

    async function endReplication(host: string): Promise<void> {
        const name = workloadNames.patroni(host);
        await query(
            cluster.endpoints.readWrite[0] ?? "",
            superuser(),
            `SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = '${name}'`,
        );
    }
});
