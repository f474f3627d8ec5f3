import { expect } from "chai";
import { defaultDataRoot, workloadNames } from "../../components/defaults";
import { Application, applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { etcdService, readEtcdMember, waitForNewMember } from "./helpers/etcd";
import { scriptOnHost } from "./helpers/hosts";
import { replacing, up, upFails } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

/** Clients write to PostgreSQL, which needs no etcd for that. */
const longestGapSeconds = 3;

const unchanged = ["--expect-no-changes"];

describe("members of etcd lose their data, with clients at work:", () => {
    const { clusterName, dataRoot = defaultDataRoot } = readSettings();
    const [witness, loser] = ["db1", "db3"];
    const directory = `${dataRoot}/${clusterName}/${workloadNames.etcd(loser)}`;
    let cluster: Cluster;
    let app: Application;

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
        app = applicationOf(cluster, "app");
    });

    after("the next up changes nothing", async () => {
        await waitForHealth(cluster);
        await up({ options: unchanged });
    });

    /** Takes data away under the member, and waits until it votes again, as another member. */
    async function loses(lossScript: string, repair: () => Promise<void>): Promise<string> {
        const before = await readEtcdMember(witness, loser);
        const writers = await Writers.start(cluster, app);
        const since = performance.now();
        await scriptOnHost(
            loser,
            `${lossScript}; docker kill $(docker ps -q -f label=pgha.workload=${etcdService(loser)})`,
        );
        await repair();
        await waitForNewMember(witness, loser, before);
        const seconds = (performance.now() - since) / 1000;
        await waitForHealth(cluster);
        const result = await writers.stop();
        expect(Math.max(...Object.values(result.gapSeconds))).to.be.below(longestGapSeconds);
        return `${inSeconds(seconds)}, ${describeWriters(result)}`;
    }

    it("one whose directory was emptied joins anew by itself", async function () {
        note(this, await loses(`find ${directory} -mindepth 1 -delete`, () => Promise.resolve()));
        await up({ options: unchanged });
    });

    it("one whose directory is gone, as on a new disk, joins anew when up makes the directory", async function () {
        const repair = async (): Promise<void> => {
            await up({ options: replacing(`${clusterName}-etcd-${loser}-data`) });
        };
        note(this, await loses(`rm -rf ${directory}`, repair));
    });

    it("a change that would cost the quorum is refused before anything is touched", async () => {
        const configFile = editSettings((settings) => {
            settings.etcd = { ...settings.etcd, members: { [witness]: { host: witness } } };
        });
        const { output } = await upFails({ configFile });
        expect(output).to.match(/loss of the quorum: of etcd's 3 members .* would leave with their data/);
        await waitForHealth(cluster);
    });
});
