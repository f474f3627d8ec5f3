import * as pulumi from "@pulumi/pulumi";
import { ClusterImagesArgs, createDockerProvider, HostArgs, PoolMode, PostgresCluster } from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const manager = config.require("manager");
const hostKeys = Object.keys(hosts);

const provider = createDockerProvider("swarm", hosts, manager);
const cluster = new PostgresCluster(
    "saasodoo-cluster",
    {
        hosts,
        images: config.requireObject<ClusterImagesArgs>("images"),
        swarm: { manager },
        network: { name: "saasodoo-database-network", enableEncryption: config.getBoolean("enableEncryption") },
        dataRoot: "/var/lib/patroni",
        etcd: {
            placementLabel: "etcd",
            resources: { cpuLimit: 1, memoryLimitMiB: 2048, cpuReservation: 0.1, memoryReservationMiB: 128 },
        },
        patroni: {
            placementLabel: "patroni",
            parameters: { max_connections: 500 },
            resources: { cpuLimit: config.getNumber("cpus") ?? 4, cpuReservation: 0.5, memoryReservationMiB: 512 },
        },
        haproxy: {
            hosts: config.getObject<string[]>("haproxyHosts") ?? hostKeys.slice(0, 2),
            ports: { pooled: 6432, readWrite: 5000, readOnly: 5001, statistics: 7000 },
            maxConnections: config.getNumber("haproxyMaxConnections") ?? 20000,
            resources: { cpuLimit: 1, memoryLimitMiB: 1024, cpuReservation: 0.1, memoryReservationMiB: 64 },
        },
        pgbouncer: {
            hosts: config.getObject<string[]>("pgbouncerHosts") ?? hostKeys,
            poolMode: PoolMode.Transaction,
            maxClientConnections: 10000,
            defaultPoolSize: 25,
            resources: { cpuLimit: 2, memoryLimitMiB: 4096, cpuReservation: 0.1, memoryReservationMiB: 64 },
        },
        applications: { odoo: {} },
    },
    { providers: [provider] },
);

/** Where everything answers, the Patroni nodes, the network that applications join, and what the command `pgha` needs. */
export const { endpoints, caCertificate, nodes, networkId, operations } = cluster;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(cluster.applications);

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);
