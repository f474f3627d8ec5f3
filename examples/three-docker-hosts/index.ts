import * as pulumi from "@pulumi/pulumi";
import { ClusterImagesArgs, HostArgs, PostgresCluster } from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");

const cluster = new PostgresCluster("postgres-ha", {
    hosts,
    images: config.requireObject<ClusterImagesArgs>("images"),
    dockerHosts: {},
    firewall: {
        clients: config.requireObject<string[]>("clients"),
        monitoring: config.requireObject<string[]>("monitoring"),
    },
    tls: { requireTls: true },
    patroni: { parameters: { log_connections: "on", log_disconnections: "on" } },
    haproxy: { ports: { readWrite: 5000, readOnly: 5001, any: 5002, statistics: 7000 } },
    pgbouncer: { enabled: false },
    applications: { app: {} },
});

/** Where everything answers, the Patroni nodes, and what the command `pgha` needs. */
export const { endpoints, nodes, operations } = cluster;

/** Certificate of the authority that signed the nodes' certificates: what clients verify them with. */
export const caCertificate = cluster.caCertificate;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(cluster.applications);

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);
