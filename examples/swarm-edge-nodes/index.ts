import * as pulumi from "@pulumi/pulumi";
import {
    ClusterConsulArgs,
    ClusterImagesArgs,
    createDockerProvider,
    ExternalEtcdArgs,
    HostArgs,
    PostgresCluster,
    SlotType,
} from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const manager = config.require("manager");
const [data1, data2, data3] = Object.keys(hosts).filter((key) => hosts[key].labels?.pg === "1");

const provider = createDockerProvider("swarm", hosts, manager);
const cluster = new PostgresCluster(
    "pgprod",
    {
        hosts,
        images: config.requireObject<ClusterImagesArgs>("images"),
        swarm: { manager },
        network: { name: "patroni-net", enableEncryption: config.getBoolean("enableEncryption") },
        // Without either of them the cluster brings its own etcd, a member on each data node.
        externalEtcd: config.getObject<ExternalEtcdArgs>("externalEtcd"),
        consul: config.getObject<ClusterConsulArgs>("consul"),
        patroni: {
            placementLabel: "pg",
            nodes: {
                "1": { host: data1, ports: { api: 8001 } },
                "2": { host: data2, ports: { api: 8002 } },
                "3": { host: data3, ports: { api: 8003 } },
            },
            postgresPort: config.getNumber("postgresPort"),
            synchronousMode: true,
            synchronousModeStrict: true,
            synchronousNodeCount: 1,
            enableDataChecksums: true,
            slots: { app_changes: { type: SlotType.Logical, database: "app", plugin: "pgoutput" } },
            // A subscription's first copy of a table holds a slot of its own, which Patroni would drop.
            ignoreSlots: [{ type: SlotType.Logical, database: "app", plugin: "pgoutput" }],
            parameters: {
                max_connections: 400,
                shared_buffers: "1GB",
                wal_level: "logical",
                max_wal_senders: 20,
                max_replication_slots: 20,
                hot_standby: "on",
                wal_keep_size: "512MB",
                effective_cache_size: "3GB",
                maintenance_work_mem: "256MB",
            },
        },
        haproxy: {
            placementLabel: "edge",
            ports: { readWrite: 5432, readOnly: 5433, statistics: 7000 },
        },
        pgbouncer: { enabled: false },
        applications: { app: { replicationRoles: { app_subscriber: {} } } },
    },
    { providers: [provider] },
);

/** Where everything answers, the Patroni nodes, the network that applications join, and what the command `pgha` needs. */
export const { endpoints, caCertificate, nodes, networkId, operations } = cluster;

/** Alert rules for Prometheus, as YAML. */
export const alertRules = cluster.monitoring.alertRules;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(cluster.applications);

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);
