import { expect } from "chai";
import { applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { readStatus } from "./helpers/pgha";
import { destroy, up } from "./helpers/pulumi";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

const yearSeconds = 365 * 86_400;

/** From the start of the update that issues the certificates to their end: time to come up, and to be seen healthy. */
const lifeSeconds = 180;

const updateSeconds = 600;

describe("certificates that nobody has renewed", function () {
    this.timeout(2 * updateSeconds * 1000);
    let cluster: Cluster;
    let writers: Writers | undefined;

    async function ends(): Promise<number[]> {
        const { patroni, etcd, haproxy, pgbouncer, exporters } = await readStatus();
        const all = [...patroni.members, ...etcd, ...haproxy, ...pgbouncer, ...exporters];
        return all.map(({ certificateEndsAt }) => Date.parse(certificateEndsAt ?? ""));
    }

    before("pulumi destroy and up, on the same data, with certificates of a year ago", async () => {
        const began = Date.now();
        await destroy();
        const PULUMI_TLS_CLOCK_OFFSET_SECONDS = String(lifeSeconds - yearSeconds);
        await up({ env: { ...process.env, PULUMI_TLS_CLOCK_OFFSET_SECONDS } });
        cluster = await readCluster();
        await waitForHealth(cluster);
        const all = await ends();
        expect(Math.min(...all)).to.be.above(began);
        expect(Math.max(...all)).to.be.below(began + 2 * lifeSeconds * 1000);
        writers = await Writers.start(cluster, applicationOf(cluster, "app"));
    });

    after(async () => {
        await writers?.abandon();
        await up();
        await waitForHealth(await readCluster());
    });

    it("are named by pgha status, before their end and after it", async () => {
        const before = await readStatus();
        expect(before.healthy).to.equal(false);
        expect(before.reasons.join("\n")).to.match(/^certificates end within a day \(.*\): patroni-/m);
        const last = Math.max(...(await ends()));
        await eventually("they have ended", 2 * lifeSeconds, async () => {
            expect(Date.now()).to.be.above(last);
            expect((await readStatus()).reasons.join("\n")).to.match(/^certificates have ended /m);
        });
    });

    it("are renewed by the next up, after which all is well, and no acknowledged row is lost", async function () {
        if (writers === undefined) throw new Error("nothing was written");
        const { seconds } = await up();
        await waitForHealth(cluster);
        const result = await writers.stop();
        note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
        expect(result.lost).to.deep.equal([]);
        expect(result.stale).to.equal(0);
        expect(Math.min(...(await ends()))).to.be.above(Date.now() + (yearSeconds - updateSeconds) * 1000);
        await eventually("pgha status finds it healthy", 60, async () => {
            expect((await readStatus()).reasons).to.deep.equal([]);
        });
        await up({ options: ["--expect-no-changes"] });
    });
});
