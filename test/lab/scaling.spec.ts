import { expect } from "chai";
import { Application, applicationOf, Cluster, readCluster, readLeader, waitForHealth } from "./helpers/cluster";
import { existsOnHost, lines, onHost } from "./helpers/hosts";
import { up } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

/** Time within which clients must be served again when the leader's node is taken out: it hands its role over while it stops. */
const longestGapSeconds = 10;

describe("nodes of Patroni come and go, with clients at work:", () => {
    let cluster: Cluster;
    let app: Application;

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
        app = applicationOf(cluster, "app");
    });

    after("pulumi up with the stack's own settings", async () => {
        await up();
        await waitForHealth(cluster);
    });

    const dataOf = (host: string): string => `/srv/pgha/lab/patroni-${host}`;

    /** The cluster without a node; etcd keeps all its members. */
    async function takeOut(host: string): Promise<{ result: string; seconds: number }> {
        const hosts = Object.keys(cluster.nodes);
        const nodes = Object.fromEntries(Object.entries(cluster.nodes).filter(([key]) => key !== host));
        const remaining = { ...cluster, nodes };
        const configFile = editSettings((settings) => {
            settings.etcd = { ...settings.etcd, members: Object.fromEntries(hosts.map((key) => [key, { host: key }])) };
            settings.patroni = {
                ...settings.patroni,
                nodes: Object.fromEntries(Object.keys(nodes).map((key) => [key, { host: key }])),
            };
        });
        const writers = await Writers.start(remaining, app);
        const { seconds } = await up({ configFile });
        await waitForHealth(remaining);
        const result = await writers.stop();
        expect(Math.max(...Object.values(result.gapSeconds))).to.be.below(longestGapSeconds);
        const left = await onHost(host, [
            "docker",
            "ps",
            "--quiet",
            "--filter",
            `label=pgha.workload=lab-patroni-${host}`,
        ]);
        expect(lines(left)).to.deep.equal([]);
        expect(await existsOnHost(host, `${dataOf(host)}/17/data/PG_VERSION`)).to.equal(true);
        return { result: describeWriters(result), seconds };
    }

    /** The whole cluster again. */
    async function putBack(): Promise<{ result: string; seconds: number }> {
        const writers = await Writers.start(cluster, app);
        const { seconds } = await up();
        await waitForHealth(cluster);
        const result = await writers.stop();
        return { result: describeWriters(result), seconds };
    }

    it("a replica that is taken out leaves its data where it is", async function () {
        const leader = await readLeader(cluster);
        const replica = Object.keys(cluster.nodes).find((key) => key !== leader) ?? "";
        const { result, seconds } = await takeOut(replica);
        expect(await readLeader(cluster), "nobody else was to be replaced").to.equal(leader);
        note(this, `${inSeconds(seconds)}, ${result}`);
    });

    it("a node that comes back goes on with its data", async function () {
        const leader = await readLeader(cluster);
        const { result, seconds } = await putBack();
        expect(await readLeader(cluster), "nobody else was to be replaced").to.equal(leader);
        note(this, `${inSeconds(seconds)}, ${result}`);
    });

    it("the leader that is taken out hands its role over, and a new node in its place copies the data", async function () {
        const leader = await readLeader(cluster);
        const out = await takeOut(leader);
        // As a new host has it.
        await onHost(leader, ["rm", "-rf", dataOf(leader)]);
        const back = await putBack();
        note(this, `out ${inSeconds(out.seconds)}, ${out.result}; back ${inSeconds(back.seconds)}, ${back.result}`);
        expect(await readLeader(cluster)).not.to.equal(leader);
    });
});
