import { expect } from "chai";
import { defaultDataRoot, workloadNames } from "../../components/defaults";
import { etcdctl } from "../../components/render/etcdYaml";
import { Application, applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { inContainer, lines, scriptOnHost } from "./helpers/hosts";
import { pulumi, readState, up, upFails } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

/** Clients write to PostgreSQL, which needs no etcd for that. */
const longestGapSeconds = 3;

const joinSeconds = 120;
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

    function serviceOf(host: string): string {
        return `${clusterName}-${workloadNames.etcd(host)}`;
    }

    /** A member's row in the quorum's list. */
    async function memberOf(host: string): Promise<{ id: string; votes: boolean }> {
        const list = await inContainer(witness, serviceOf(witness), [...etcdctl(true), "member", "list"]);
        const rows = lines(list).map((line) => line.split(", "));
        expect(rows).to.have.length(Object.keys(cluster.nodes).length);
        const row = rows.find(([, , name]) => name === workloadNames.etcd(host));
        if (row === undefined) throw new Error(`${host} is not in the quorum:\n${list}`);
        return { id: row[0] ?? "", votes: row[5]?.trim() === "false" && row[4] !== "" };
    }

    /** Takes data away under the member, and waits until it votes again, as another member. */
    async function loses(lossScript: string, repair: () => Promise<void>): Promise<string> {
        const before = await memberOf(loser);
        const writers = await Writers.start(cluster, app);
        const since = performance.now();
        await scriptOnHost(
            loser,
            `${lossScript}; docker kill $(docker ps -q -f label=pgha.workload=${serviceOf(loser)})`,
        );
        await repair();
        await eventually(`${loser} votes again`, joinSeconds, async () => {
            const { id, votes } = await memberOf(loser);
            expect(id).not.to.equal(before.id);
            expect(votes).to.equal(true);
        });
        const seconds = (performance.now() - since) / 1000;
        await waitForHealth(cluster);
        const result = await writers.stop();
        expect(result.lost).to.deep.equal([]);
        expect(result.stale).to.equal(0);
        expect(Math.max(...Object.values(result.gapSeconds))).to.be.below(longestGapSeconds);
        return `${inSeconds(seconds)}, ${describeWriters(result)}`;
    }

    it("one whose directory was emptied joins anew by itself", async function () {
        note(this, await loses(`find ${directory} -mindepth 1 -delete`, () => Promise.resolve()));
        await up({ options: unchanged });
    });

    it("one whose directory is gone, as on a new disk, joins anew when up makes the directory", async function () {
        const repair = async (): Promise<void> => {
            const suffix = `::${clusterName}-etcd-${loser}-data`;
            const urn = (await readState()).resources?.find((resource) => resource.urn.endsWith(suffix))?.urn;
            await pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs", "--replace", urn ?? ""], {
                timeoutSeconds: 600,
            });
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
