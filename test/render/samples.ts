import { normalizePatroniSettings } from "../../components/patroniSettings";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { HaProxyConfig } from "../../components/render/haproxyCfg";
import { PatroniDynamicConfig, PatroniMemberConfig } from "../../components/render/patroniYaml";
import { PgBouncerConfig, PoolMode } from "../../components/render/pgbouncerIni";
import { EtcdMemberConfig } from "../../components/render/etcdYaml";
import { ApplicationSql, RoleAccess } from "../../components/render/sql";

/** Inputs of the golden files and of the tests with the real programs: a cluster on three hosts. */
const addresses = ["192.0.2.11", "192.0.2.12", "192.0.2.13"];

export const patroniMember: PatroniMemberConfig = {
    scope: "pg",
    name: "patroni-db1",
    address: "192.0.2.11",
    postgresPort: 5432,
    apiPort: 8008,
    dcs: { kind: DcsKind.Etcd3, settings: etcd3Settings(addresses.map((address) => `http://${address}:2379`)) },
    postgresMajor: 17,
    tags: { nofailover: false, clonefrom: true },
};

/** The library's own settings on hosts with 16 GiB. */
export const patroniDynamic: PatroniDynamicConfig = normalizePatroniSettings({}, 16384).dynamic;

export const patroniPasswords = {
    superuser: "superuser-password",
    replication: { username: "replicator", password: "replication-password" },
    rewind: { username: "rewinder", password: "rewind-password" },
    api: "api-password",
};

export const etcdMember: EtcdMemberConfig = {
    name: "etcd-db1",
    members: addresses.map((address, index) => ({
        name: `etcd-db${index + 1}`,
        address,
        clientPort: 2379,
        peerPort: 2380,
    })),
    clusterToken: "pg",
    heartbeatIntervalMilliseconds: 100,
    electionTimeoutMilliseconds: 1000,
    quotaBackendMiB: 2048,
};

export const haProxy: HaProxyConfig = {
    servers: addresses.map((address, index) => ({
        name: `patroni-db${index + 1}`,
        address,
        postgresPort: 5432,
        apiPort: 8008,
    })),
    maxConnections: 4000,
    checkIntervalMilliseconds: 1000,
    downCheckIntervalMilliseconds: 500,
    connectTimeoutSeconds: 1,
    clientTimeoutSeconds: 86400,
    serverTimeoutSeconds: 86400,
    readOnlyMaximumLagMiB: 16,
    enableReadOnlyFallback: true,
};

export const pgBouncer: PgBouncerConfig = {
    authUser: "pgbouncer",
    servers: { addresses, port: 5433 },
    poolMode: PoolMode.Transaction,
    maxClientConnections: 5000,
    defaultPoolSize: 20,
    maxDatabaseConnections: 20,
    maxPreparedStatements: 200,
    queryWaitTimeoutSeconds: 120,
};

export const application: ApplicationSql = {
    key: "shop",
    database: "shop",
    connectionLimit: 50,
    owner: { name: "shop", verifier: "verifier-of-owner", connectionLimit: -1 },
    roles: [
        { name: "shop_reader", verifier: "verifier-of-reader", connectionLimit: 5, access: RoleAccess.ReadOnly },
        { name: "shop_writer", verifier: "verifier-of-writer", connectionLimit: -1, access: RoleAccess.ReadWrite },
        { name: "shop_guest", verifier: "verifier-of-guest", connectionLimit: -1, access: RoleAccess.Connect },
    ],
    schemas: ["public", "orders"],
    extensions: ["pg_trgm"],
};
