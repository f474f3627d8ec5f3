import { expect } from "chai";
import { PostgresClusterArgs, SlotType } from "../../components";
import { image, images, recordCluster } from "../helpers/cluster";
import { Recording } from "../helpers/recording";

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
        ]);
    });

    it("to one more application reaches the new one", async () => {
        expect(await changedBy({ applications: { ...given.applications, wiki: {} } })).to.deep.equal([
            "pg-application-wiki",
            "pg-application-wiki-database",
            "pg-application-wiki-owner",
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
