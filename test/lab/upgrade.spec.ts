import { expect } from "chai";
import { Application, applicationOf, Cluster, readCluster, readLeader, waitForHealth } from "./helpers/cluster";
import { run } from "./helpers/command";
import { inContainer, scriptOnHost } from "./helpers/hosts";
import { destroy, up, upFails } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

/** Builds the image with both versions where it is not there yet, and prints its reference in the lab's registry. */
const buildImage = [
    "source lab/lab.env.sh",
    "file=$(mktemp); trap 'rm -f \"$file\"' EXIT",
    'images/build.sh --push "$LAB_REGISTRY_PUSH" --name "$LAB_REGISTRY" --json "$file" upgrade >&2',
    'jq -r .upgrade "$file"',
].join("\n");

/** Time within which clients must be served again: little data, one container replaced, and Patroni's start. */
const longestOutageSeconds = 120;

/** Makes the stack anew on PostgreSQL 15, and leaves the lab empty. */
describe("a major upgrade", function () {
    this.timeout(1_500_000);
    this.bail(true);
    let image: string;
    let cluster: Cluster;
    let app: Application;

    const settings = (postgresMajor: number, previousPostgresMajor?: number): string =>
        editSettings((settings) => {
            settings.images = { ...settings.images, patroni: image };
            settings.patroni = { ...settings.patroni, postgresMajor, previousPostgresMajor };
        });
    const empty = async (): Promise<void> => {
        await destroy();
        for (const host of ["db1", "db2", "db3"]) await scriptOnHost(host, "rm -rf /srv/pgha/lab");
    };
    const psql = (host: string, sql: string): Promise<string> =>
        inContainer(host, `lab-patroni-${host}`, ["psql", "-X", "-q", "-t", "-A", "-U", "postgres", "-c", sql]);
    const versions = async (): Promise<string[]> => {
        const asked = Object.keys(cluster.nodes).map((host) => psql(host, "SHOW server_version_num"));
        return (await Promise.all(asked)).map((version) => version.trim().slice(0, 2));
    };
    const sql = (statement: string) => async () => psql(await readLeader(cluster), statement);

    before("a cluster of PostgreSQL 15", async () => {
        image = (await run("bash", ["-euc", buildImage], { timeoutSeconds: 900 })).stdout.trim();
        await empty();
        await up({ configFile: settings(15) });
        cluster = await readCluster();
        app = applicationOf(cluster, "app");
        await waitForHealth(cluster);
        await sql("CREATE TABLE kept AS SELECT n FROM generate_series(1, 100000) n")();
    });

    after("an empty lab", empty);

    it("is refused without consent", async () => {
        const { output } = await upFails({ configFile: settings(17) });
        expect(output).to.match(/major upgrade: PostgreSQL 15 would become 17/);
        expect(await versions()).to.deep.equal(["15", "15", "15"]);
    });

    it("is rehearsed without a failed transaction", async function () {
        const writers = await Writers.start(cluster, app);
        try {
            const { output, seconds } = await run(
                "node",
                ["--import", "tsx", "cli/main.ts", "--stack", "lab", "rehearse-upgrade", "17"],
                { timeoutSeconds: 600 },
            );
            const result = await writers.stop();
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}\n${output}`);
            expect(output).to.match(/upgraded to PostgreSQL 17/);
            expect(Object.values(result.failed)).to.deep.equal([0, 0]);
        } finally {
            await writers.abandon();
        }
    });

    it("leads to 17 with all rows", async function () {
        const writers = await Writers.start(cluster, app);
        try {
            const { seconds } = await up({ configFile: settings(17, 15), timeoutSeconds: 1200 });
            await waitForHealth(cluster);
            const result = await writers.stop();
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
            expect(Math.max(...Object.values(result.gapSeconds))).to.be.below(longestOutageSeconds);
        } finally {
            await writers.abandon();
        }
        expect(await versions()).to.deep.equal(["17", "17", "17"]);
        expect((await sql("SELECT count(*) FROM kept")()).trim()).to.equal("100000");
    });

    it("is done once", async () => {
        const { output } = await up({ configFile: settings(17, 15), options: ["--expect-no-changes"] });
        expect(output).to.match(/unchanged/);
    });

    it("can be taken back, to the data of before", async function () {
        await sql("DROP TABLE kept")();
        const { seconds } = await up({ configFile: settings(15, 17), timeoutSeconds: 1200 });
        note(this, inSeconds(seconds));
        await waitForHealth(cluster);
        expect(await versions()).to.deep.equal(["15", "15", "15"]);
        expect((await sql("SELECT count(*) FROM kept")()).trim()).to.equal("100000");
    });
});
