import { expect } from "chai";
import { prepareFile } from "../../components/patroniSwitchover";
import { defaultDataRoot, workloadNames } from "../../components/defaults";
import { Lab } from "../../lab/drill/lab";
import { applicationOf, readCluster, readLeader, readSystemIdentifier, waitForHealth } from "./helpers/cluster";
import { readEtcdMember, waitForNewMember } from "./helpers/etcd";
import { existsOnHost } from "./helpers/hosts";
import { makeLeader } from "./helpers/pgha";
import { replacing, up } from "./helpers/pulumi";
import { readSettings } from "./helpers/settings";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

const failoverSeconds = 120;

describe("a host that comes back with an empty disk", function () {
    this.timeout(900_000);

    const { clusterName, dataRoot = defaultDataRoot } = readSettings();
    // The manager is not lost: with it the operator would have to name another one.
    const [witness, lost] = ["db1", "db3"];
    const scripts = prepareFile(dataRoot, clusterName, lost);
    const lab = new Lab();

    after(() => lab.healAll());

    // As docs/operations.md has it under "A host is gone for good".
    it("gets etcd's member and Patroni's node anew from the others, though it led, when up makes its directories", async function () {
        const cluster = await readCluster();
        await makeLeader(cluster, lost);
        const identifier = await readSystemIdentifier(cluster);
        const member = await readEtcdMember(witness, lost);
        const writers = await Writers.start(cluster, applicationOf(cluster, "app"));
        try {
            await lab.breakHost("crash", lost);
            await lab.wipe(lost);
            await eventually("another node leads", failoverSeconds, async () => {
                expect(await readLeader(cluster)).not.to.equal(lost);
            });
            await lab.heal(lost);
            expect(await existsOnHost(lost, `${dataRoot}/${clusterName}`)).to.equal(false);

            const directories = `${clusterName}-*-${lost}-data`;
            const switchover = `${clusterName}-patroni-${lost}-switchover`;
            const { seconds } = await up({ options: replacing(directories, switchover) });

            await waitForNewMember(witness, lost, member);
            await waitForHealth(cluster);
            const result = await writers.stop();
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
            expect(result.lost).to.deep.equal([]);
            expect(result.stale).to.equal(0);
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
