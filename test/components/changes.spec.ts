import { expect } from "chai";
import { PostgresClusterArgs, SlotType } from "../../components";
import { image, images, recordCluster } from "../helpers/cluster";
import { Recording } from "../helpers/recording";
import { fileContent } from "../helpers/service";

/** A cluster with an application, as it is before each change. */
const given: Partial<PostgresClusterArgs> = { applications: { shop: { roles: { reader: {} } } } };

describe("A change", () => {
    let earlier: Recording;

    before(async () => {
        earlier = await recordCluster(given);
    });

    /** Names of the resources that a change of the cluster's arguments reaches. */
    async function changedBy(changes: Partial<PostgresClusterArgs>): Promise<string[]> {
        const later = await recordCluster({ ...given, ...changes }, { previous: earlier });
        return later.changedSince(earlier);
    }

    it("of nothing reaches nothing", async () => {
        expect(await changedBy({})).to.deep.equal([]);
    });

    it("of a PostgreSQL parameter reaches the dynamic configuration and no container", async () => {
        expect(await changedBy({ patroni: { parameters: { work_mem: "11MB" } } })).to.deep.equal([
            "pg-patroni-dynamic-config",
        ]);
    });

    it("of slots and of wal_level reaches the dynamic configuration and no container", async () => {
        const slots = { cdc: { type: SlotType.Logical, database: "shop" } };
        expect(await changedBy({ patroni: { slots, parameters: { wal_level: "logical" } } })).to.deep.equal([
            "pg-patroni-dynamic-config",
        ]);
    });

    it("of failover timing reaches the dynamic configuration and no container", async () => {
        expect(await changedBy({ patroni: { ttlSeconds: 40 } })).to.deep.equal(["pg-patroni-dynamic-config"]);
    });

    it("of an HAProxy timeout reaches HAProxy", async () => {
        expect(await changedBy({ haproxy: { clientTimeoutSeconds: 60 } })).to.deep.equal([
            "pg-haproxy",
            "pg-haproxy-clients",
            "pg-haproxy-config",
            "pg-haproxy-running",
        ]);
    });

    it("of a pool size reaches PgBouncer", async () => {
        expect(await changedBy({ pgbouncer: { defaultPoolSize: 7 } })).to.deep.equal([
            "pg-pgbouncer",
            "pg-pgbouncer-config",
            "pg-pgbouncer-running",
        ]);
    });

    it("of etcd's election timeout reaches etcd, with all its gates", async () => {
        expect(await changedBy({ etcd: { electionTimeoutMilliseconds: 2000 } })).to.deep.equal([
            ...["db1", "db2", "db3"].flatMap((key) => [
                `pg-etcd-${key}`,
                `pg-etcd-${key}-config`,
                `pg-etcd-${key}-gate`,
                `pg-etcd-${key}-prepare`,
                `pg-etcd-${key}-replaced`,
            ]),
            "pg-etcd-ready",
            "pg-etcd-running",
        ]);
    });

    it("of an image reaches the services that run it, with all their steps", async () => {
        const changed = await changedBy({ images: { ...images, patroni: image("newer") } });
        expect(changed).to.deep.equal([
            ...["db1", "db2", "db3"].flatMap((key) => [
                `pg-patroni-${key}`,
                `pg-patroni-${key}-gate`,
                `pg-patroni-${key}-prepare`,
                `pg-patroni-${key}-replaced`,
            ]),
            "pg-patroni-ready",
            "pg-patroni-running",
        ]);
    });

    it("of one node's tags reaches that node", async () => {
        const nodes = { db1: { host: "db1" }, db2: { host: "db2" }, db3: { host: "db3", tags: { nofailover: true } } };
        expect(await changedBy({ patroni: { nodes } })).to.deep.equal([
            "pg-patroni-db3",
            "pg-patroni-db3-gate",
            "pg-patroni-db3-member",
            "pg-patroni-db3-prepare",
            "pg-patroni-db3-replaced",
            "pg-patroni-ready",
            "pg-patroni-running",
        ]);
    });

    it("of an application's password generation reaches its password and its database", async () => {
        const applications = { shop: { roles: { reader: {} }, passwordGeneration: 2 } };
        expect(await changedBy({ applications })).to.deep.equal([
            "pg-application-shop-database",
            "pg-application-shop-owner",
            "pg-application-shop-owner-generation-2",
            "pg-generations",
        ]);
    });

    it("of the exporter's password generation reaches the exporters and their role", async () => {
        expect(await changedBy({ passwordGenerations: { exporter: 2 } })).to.deep.equal([
            "pg-credentials-exporter",
            "pg-credentials-exporter-generation-2",
            ...["db1", "db2", "db3"].flatMap((key) => [
                `pg-exporter-${key}`,
                `pg-exporter-${key}-password`,
                `pg-exporter-${key}-replaced`,
            ]),
            "pg-exporter-refusal",
            "pg-exporter-role",
            "pg-exporter-running",
            "pg-generations",
        ]);
    });

    it("of the statistics page's password generation reaches HAProxy, and keeps the one before", async () => {
        expect(await changedBy({ passwordGenerations: { statistics: 2 } })).to.deep.equal([
            "pg-credentials-haproxy-statistics-generation-2",
            "pg-generations",
            "pg-haproxy",
            "pg-haproxy-clients",
            "pg-haproxy-running",
            "pg-haproxy-users",
        ]);
        const both = await recordCluster({ passwordGenerations: { statistics: 2 } });
        expect(fileContent(both, "pg-haproxy-users").match(/user admin/g)).to.have.length(2);
        const one = await recordCluster({ passwordGenerations: { statistics: 2, oldestStatistics: 2 } });
        expect(fileContent(one, "pg-haproxy-users").match(/user admin/g)).to.have.length(1);
    });

    it("of all password generations at once has each login there before its users, and refuses the old one after them", async () => {
        const recording = await recordCluster({ passwordGenerations: { all: 2 } });
        const patroni = [
            "pg-patroni-db3-logins-db3",
            "pg-patroni-db1-prepare",
            "pg-patroni-db1",
            "pg-patroni-db3-gate",
            "pg-patroni-db1-settle",
            "pg-patroni-ready",
        ];
        for (const chain of [
            patroni,
            ["pg-pgbouncer-role", "pg-pgbouncer-users", "pg-pgbouncer", "pg-pgbouncer-running", "pg-pgbouncer-refusal"],
            ["pg-exporter-role", "pg-exporter-db1-password", "pg-exporter-db1", "pg-exporter-refusal"],
        ]) {
            expect(recording.outOfOrder(chain)).to.deep.equal([]);
        }
    });

    it("to one more application reaches the new one", async () => {
        expect(await changedBy({ applications: { ...given.applications, wiki: {} } })).to.deep.equal([
            "pg-application-wiki",
            "pg-application-wiki-database",
            "pg-application-wiki-owner",
            "pg-generations",
        ]);
    });

    it("in the order of settings reaches nothing", async () => {
        const parameters = { work_mem: "8MB", random_page_cost: 1.1 };
        const first = await recordCluster({ patroni: { parameters }, labels: { b: "1", a: "2" } });
        const reversed = Object.fromEntries(Object.entries(parameters).reverse());
        const second = await recordCluster({ patroni: { parameters: reversed }, labels: { a: "2", b: "1" } });
        expect(second.changedSince(first)).to.deep.equal([]);
    });
});
