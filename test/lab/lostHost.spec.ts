import { expect } from "chai";
import { prepareFile } from "../../components/patroniSwitchover";
import { defaultDataRoot, workloadNames } from "../../components/defaults";
import { Lab } from "../../lab/drill/lab";
import {
    applicationOf,
    Cluster,
    readCluster,
    readLeader,
    readSystemIdentifier,
    waitForHealth,
} from "./helpers/cluster";
import { readEtcdMember, waitForNewMember } from "./helpers/etcd";
import { existsOnHost } from "./helpers/hosts";
import { makeLeader } from "./helpers/pgha";
import { replacing, up } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { bringUpSpareHosts } from "./helpers/spareHosts";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

const failoverSeconds = 120;

const { clusterName, dataRoot = defaultDataRoot } = readSettings();
// The manager is not lost: with it the operator would have to name another one.
const [witness, lost] = ["db1", "db3"];
const lab = new Lab();

async function waitForAnotherLeader(cluster: Cluster): Promise<void> {
    await eventually("another node leads", failoverSeconds, async () => {
        expect(await readLeader(cluster)).not.to.equal(lost);
    });
}

// Both as docs/operations.md has them under "A host is gone for good".
describe("a host that comes back with an empty disk", function () {
    this.timeout(900_000);

    const scripts = prepareFile(dataRoot, clusterName, lost);

    after(() => lab.healAll());

    it("gets etcd's member and Patroni's node anew from the others, though it led, when up makes its directories", async function () {
        const cluster = await readCluster();
        await makeLeader(cluster, lost);
        const identifier = await readSystemIdentifier(cluster);
        const member = await readEtcdMember(witness, lost);
        const writers = await Writers.start(cluster, applicationOf(cluster, "app"));
        try {
            await lab.breakHost("crash", lost);
            await lab.wipe(lost);
            await waitForAnotherLeader(cluster);
            await lab.heal(lost);
            expect(await existsOnHost(lost, `${dataRoot}/${clusterName}`)).to.equal(false);

            const directories = `${clusterName}-*-${lost}-data`;
            const switchover = `${clusterName}-patroni-${lost}-switchover`;
            const { seconds } = await up({ options: replacing(directories, switchover) });

            await waitForNewMember(witness, lost, member);
            await waitForHealth(cluster);
            const result = await writers.stop();
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
        } finally {
            await writers.abandon();
        }
        expect(
            await readSystemIdentifier(cluster),
            `a copy of the others', not ${workloadNames.patroni(lost)}'s own`,
        ).to.equal(identifier);
        expect(await existsOnHost(lost, scripts), scripts).to.equal(true);
    });

    it("is then as the settings want it", async () => {
        await up({ options: ["--expect-no-changes"] });
    });
});

describe("a host that never comes back", function () {
    this.timeout(900_000);

    const other = "db4";

    after("pulumi up with the stack's own settings, when the host is back all the same", async () => {
        await lab.healAll();
        await up();
        await waitForHealth(await readCluster());
    });

    it("is replaced by another one, which gets its member of etcd and its node of Patroni, though it led", async function () {
        const cluster = await readCluster();
        await makeLeader(cluster, lost);
        const identifier = await readSystemIdentifier(cluster);
        const member = await readEtcdMember(witness, lost);
        const { [other]: spare } = await bringUpSpareHosts();
        const configFile = editSettings((settings) => {
            settings.hosts = Object.fromEntries(
                Object.entries({ ...settings.hosts, [other]: spare }).filter(([host]) => host !== lost),
            ) as typeof settings.hosts;
            const places = Object.fromEntries(
                Object.keys(cluster.nodes).map((key) => [key, { host: key === lost ? other : key }]),
            );
            const elsewhere = (hosts: string[] = []): string[] => hosts.map((host) => (host === lost ? other : host));
            settings.haproxy = { ...settings.haproxy, hosts: elsewhere(settings.haproxy?.hosts) };
            settings.pgbouncer = { ...settings.pgbouncer, hosts: elsewhere(settings.pgbouncer?.hosts) };
            settings.etcd = { ...settings.etcd, members: places };
            settings.patroni = { ...settings.patroni, nodes: places, absentNodes: [lost] };
        });
        const writers = await Writers.start(cluster, applicationOf(cluster, "app"));
        try {
            await lab.breakHost("crash", lost);
            await waitForAnotherLeader(cluster);

            const { seconds } = await up({ configFile });

            const replaced = await readCluster();
            await waitForNewMember(witness, lost, member);
            await waitForHealth(replaced);
            expect(replaced.nodes[lost]?.address).not.to.equal(cluster.nodes[lost]?.address);
            expect(await readSystemIdentifier(replaced)).to.equal(identifier);
            const result = await writers.stop(replaced);
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
        } finally {
            await writers.abandon();
        }
    });
});
