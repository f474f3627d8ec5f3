import { expect } from "chai";
import { applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { readStatus } from "./helpers/pgha";
import { destroy, up } from "./helpers/pulumi";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, patientMs, Writers, WritersResult } from "./helpers/writers";

const yearSeconds = 365 * 86_400;

const updateSeconds = 600;

/** When the certificates of all servers end. */
async function ends(): Promise<number[]> {
    const { patroni, etcd, haproxy, pgbouncer, exporters } = await readStatus();
    const all = [...patroni.members, ...etcd, ...haproxy, ...pgbouncer, ...exporters];
    return all.map(({ certificateEndsAt }) => Date.parse(certificateEndsAt ?? ""));
}

/** The cluster on the same data, with certificates that were made so long ago that they end after this time. */
async function bringUpWith(lifeSeconds: number): Promise<Cluster> {
    const began = Date.now();
    await destroy();
    const PULUMI_TLS_CLOCK_OFFSET_SECONDS = String(lifeSeconds - yearSeconds);
    await up({ env: { ...process.env, PULUMI_TLS_CLOCK_OFFSET_SECONDS } });
    const cluster = await readCluster();
    await waitForHealth(cluster);
    const all = await ends();
    expect(Math.min(...all)).to.be.above(began + (lifeSeconds - 1) * 1000);
    expect(Math.max(...all)).to.be.below(Date.now() + lifeSeconds * 1000);
    return cluster;
}

/** Brings the cluster up to date under load, and makes sure that nothing was lost. */
async function renew(test: Mocha.Context, cluster: Cluster, writers: Writers): Promise<WritersResult> {
    const { seconds } = await up();
    await waitForHealth(cluster);
    const result = await writers.stop();
    note(test, `${inSeconds(seconds)}; ${describeWriters(result)}`);
    return result;
}

async function assertRenewed(): Promise<void> {
    expect(Math.min(...(await ends()))).to.be.above(Date.now() + (yearSeconds - updateSeconds) * 1000);
    await eventually("pgha status finds it healthy", 60, async () => {
        expect((await readStatus()).reasons).to.deep.equal([]);
    });
    await up({ options: ["--expect-no-changes"] });
}

async function backToOwnSettings(): Promise<void> {
    await up();
    await waitForHealth(await readCluster());
}

describe("certificates that are about to end", function () {
    this.timeout(2 * updateSeconds * 1000);

    after(backToOwnSettings);

    it("are renewed by a plain up, one server after the other, and no client behind PgBouncer notices", async function () {
        const cluster = await bringUpWith(20 * 86_400);
        const writers = await Writers.start(cluster, applicationOf(cluster, "app"), patientMs);
        try {
            const result = await renew(this, cluster, writers);
            expect(result.failed.pooled, result.reasons.pooled).to.equal(0);
        } finally {
            await writers.abandon();
        }
        await assertRenewed();
    });
});

/** From the start of the update that issues the certificates to their end: time to come up, and to be seen healthy. */
const shortLifeSeconds = 180;

describe("certificates that nobody has renewed", function () {
    this.timeout(2 * updateSeconds * 1000);
    let cluster: Cluster;
    let writers: Writers | undefined;

    before("pulumi destroy and up, on the same data, with certificates of a year ago", async () => {
        cluster = await bringUpWith(shortLifeSeconds);
        writers = await Writers.start(cluster, applicationOf(cluster, "app"));
    });

    after(async () => {
        await writers?.abandon();
        await backToOwnSettings();
    });

    it("are named by pgha status, before their end and after it", async () => {
        const before = await readStatus();
        expect(before.healthy).to.equal(false);
        expect(before.reasons.join("\n")).to.match(/^certificates end within a day \(.*\): patroni-/m);
        const last = Math.max(...(await ends()));
        await eventually("they have ended", 2 * shortLifeSeconds, async () => {
            expect(Date.now()).to.be.above(last);
            expect((await readStatus()).reasons.join("\n")).to.match(/^certificates have ended /m);
        });
    });

    it("are renewed by the next up, after which all is well, and no acknowledged row is lost", async function () {
        if (writers === undefined) throw new Error("nothing was written");
        await renew(this, cluster, writers);
        await assertRenewed();
    });
});
