import { truncateSync } from "node:fs";
import { expect } from "chai";
import { defaultDataRoot } from "../../components/defaults";
import { Cluster, readCluster, readSystemIdentifier, waitForHealth } from "./helpers/cluster";
import { run } from "./helpers/command";
import { onHost, scriptOnHost } from "./helpers/hosts";
import { backendDirectory } from "./helpers/inspection";
import { destroy, startUp, up, upFails } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { eventually, inSeconds, note } from "./helpers/wait";

const maximumSecondsToFailure = 60;
const unchanged = ["--expect-no-changes"];

/** Every message of a step that fails ends with what to do about it. */
const remedy = /\n *next: .+/;

describe("what is wrong at run time", () => {
    let cluster: Cluster;

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
    });

    it("a lost node label is put right by the next up, and the one after it changes nothing", async function () {
        await onHost("db1", ["docker", "node", "update", "--label-rm", "pgha.host", "db2"]);
        const { seconds } = await up();
        note(this, inSeconds(seconds));
        const label = await onHost("db1", [
            "docker",
            "node",
            "inspect",
            "--format",
            '{{index .Spec.Labels "pgha.host"}}',
            "db2",
        ]);
        expect(label.trim()).to.equal("db2");
        await waitForHealth(cluster);
        await up({ options: unchanged });
    });

    describe("fails naming the host and the remedy:", () => {
        after("pulumi up with the stack's own settings finishes, and the one after it changes nothing", async () => {
            await up();
            await up({ options: unchanged });
            await waitForHealth(cluster);
        });

        it("a wrong host key", async function () {
            const configFile = editSettings(({ hosts }) => {
                const { db2, db3 } = hosts;
                if (db2 === undefined || db3 === undefined) throw new Error("the stack has no hosts db2 and db3");
                db2.ssh = { ...db2.ssh, hostKey: db3.ssh?.hostKey };
            });
            const { output, seconds } = await upFails({ configFile });
            note(this, inSeconds(seconds));
            expect(seconds).to.be.at.most(maximumSecondsToFailure);
            expect(output).to.match(/10\.77\.0\.12.*\bkey\b/);
        });

        it("a new host that can't be reached", async function () {
            const configFile = editSettings((settings) => {
                const { db3 } = settings.hosts;
                if (db3 === undefined) throw new Error("the stack has no host db3");
                const nodes = Object.fromEntries(Object.keys(settings.hosts).map((host) => [host, { host }]));
                settings.patroni = { ...settings.patroni, nodes };
                settings.hosts.db4 = { ...db3, address: "10.77.0.99", labels: { infra_node: "4" } };
            });
            const { output, seconds } = await upFails({ configFile });
            note(this, inSeconds(seconds));
            expect(seconds).to.be.at.most(maximumSecondsToFailure);
            expect(output).to.include("10.77.0.99");
        });

        it("a disk that is too full", async function () {
            const configFile = editSettings((settings) => {
                settings.patroni = { ...settings.patroni, minimumFreeMiB: 1_000_000_000 };
            });
            const { output, seconds } = await upFails({ configFile });
            note(this, inSeconds(seconds));
            expect(output).to.match(/host db\d \(10\.77\.0\.\d+\): \d+ MiB free under .*, 1000000000 MiB needed/);
            expect(output).to.match(remedy);
        });

        it("a data directory of another cluster", async () => {
            const { clusterName, dataRoot = defaultDataRoot } = readSettings();
            const marker = `${dataRoot}/${clusterName}/patroni-db3/.pgha-identity`;
            const own = await onHost("db3", ["cat", marker]);
            // The directory is looked at again when something about it changes.
            const configFile = editSettings((settings) => {
                settings.patroni = { ...settings.patroni, minimumFreeMiB: 1025 };
            });
            await scriptOnHost("db3", `echo other-patroni-db3 >${marker}`);
            try {
                const { output } = await upFails({ configFile });
                expect(output).to.match(
                    /host db3 \(10\.77\.0\.13\): .* belongs to other-patroni-db3, not to lab-patroni-db3/,
                );
                expect(output).to.match(remedy);
            } finally {
                await scriptOnHost("db3", `cat >${marker}`, { input: own });
            }
        });
    });

    it("an up that was killed in the middle is finished by repair-stack.sh and the next up", async function () {
        const identifier = await readSystemIdentifier(cluster);
        await destroy();
        const killed = startUp();
        await eventually("pulumi up makes the first services", 60, () => {
            expect(killed.output()).to.match(/docker:index:Service .* creating/);
        });
        killed.kill();
        expect((await killed.ended).status).to.equal("SIGKILL");

        const locked = await upFails();
        expect(locked.output).to.include("pulumi cancel");
        // As a kill in just that moment leaves it.
        truncateSync(`${backendDirectory()}/.pulumi/stacks/pulumi-postgres-ha/lab.json.attrs`);
        expect((await upFails()).output).to.include("failed to load checkpoint");
        await run("scripts/repair-stack.sh", ["lab"], { timeoutSeconds: 120 });
        const { seconds } = await up();
        note(this, inSeconds(seconds));
        cluster = await readCluster();
        await waitForHealth(cluster);
        expect(await readSystemIdentifier(cluster)).to.equal(identifier);
        await up({ options: unchanged });
    });
});
