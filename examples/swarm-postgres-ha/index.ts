import * as pulumi from "@pulumi/pulumi";
import { ClusterImagesArgs, createDockerProvider, HostArgs, PostgresCluster } from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const images = config.requireObject<ClusterImagesArgs>("images");
const manager = config.require("manager");

const provider = createDockerProvider("swarm", hosts, manager);
const cluster = new PostgresCluster(
    "postgres-ha",
    {
        hosts,
        images,
        swarm: { manager },
        network: {
            name: "postgres-network",
            subnet: "10.0.20.0/24",
            enableEncryption: config.getBoolean("enableEncryption"),
        },
        patroni: {
            ttlSeconds: 30,
            loopWaitSeconds: 10,
            retryTimeoutSeconds: 6,
            maximumLagOnFailoverBytes: 1048576,
            synchronousMode: true,
            synchronousModeStrict: false,
            usePgRewind: true,
            useSlots: true,
            parameters: {
                shared_buffers: "512MB",
                effective_cache_size: "1536MB",
                work_mem: "16MB",
                maintenance_work_mem: "128MB",
                max_connections: 200,
                wal_keep_size: "2GB",
                synchronous_commit: "on",
                wal_level: "replica",
                max_wal_senders: 10,
                max_replication_slots: 10,
            },
            resources: { cpuLimit: 2, memoryLimitMiB: 2048, cpuReservation: 0.5, memoryReservationMiB: 512 },
        },
        haproxy: { hosts: Object.keys(hosts).slice(0, 2) },
        pgbouncer: { enabled: false },
        administrators: { admin: {} },
        applications: { homeassistant: {} },
    },
    { providers: [provider] },
);

/** Where everything answers, how clients verify it, the Patroni nodes, the network that other stacks join, and what the command `pgha` needs. */
export const { endpoints, caCertificate, nodes, networkId, operations } = cluster;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(cluster.applications);

/** Logins that make databases and roles, by name. */
export const administrators = pulumi.secret(cluster.administrators);

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);
