import * as pulumi from "@pulumi/pulumi";
import { ClusterImagesArgs, HostArgs, PostgresCluster } from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const [host = ""] = Object.keys(hosts);
const dashboard = `pg-haproxy.${config.require("domain")}`;

const cluster = new PostgresCluster("pg-ha", {
    hosts,
    images: config.requireObject<ClusterImagesArgs>("images"),
    dockerHosts: { subnet: "172.19.0.0/24" },
    dataVolumes: true,
    etcd: {
        members: {
            "1": { host, address: "172.19.0.50", ports: { client: 2379 } },
            "2": { host, address: "172.19.0.51", ports: { client: 2380 } },
            "3": { host, address: "172.19.0.52", ports: { client: 2381 } },
        },
        resources: { cpuLimit: 0.5, memoryLimitMiB: 256 },
    },
    patroni: {
        nodes: {
            "0": { host, address: "172.19.0.53", ports: { postgres: 5440, api: 8008, exporter: 9187 } },
            "1": { host, address: "172.19.0.54", ports: { postgres: 5441, api: 8009, exporter: 9188 } },
            "2": { host, address: "172.19.0.55", ports: { postgres: 5442, api: 8010, exporter: 9189 } },
        },
        postgresMajor: 17,
        // Three nodes share the host's memory.
        parameters: { shared_buffers: "512MB", effective_cache_size: "1536MB", maintenance_work_mem: "128MB" },
        resources: { cpuLimit: 1, memoryLimitMiB: 2048 },
    },
    haproxy: {
        address: "172.19.0.56",
        ports: { readWrite: 5432, readOnly: 5433 },
        labels: {
            "traefik.enable": "true",
            "traefik.http.routers.pg-haproxy.rule": `Host(\`${dashboard}\`)`,
            "traefik.http.services.pg-haproxy.loadbalancer.server.port": "7000",
            "traefik.http.services.pg-haproxy.loadbalancer.server.scheme": "https",
            // Where Traefik's own configuration has the output caCertificate as rootCAs.
            "traefik.http.services.pg-haproxy.loadbalancer.serverstransport": "pg-haproxy@file",
        },
        resources: { cpuLimit: 0.5, memoryLimitMiB: 256 },
    },
    pgbouncer: { enabled: false },
    exporter: { resources: { cpuLimit: 0.1, memoryLimitMiB: 128 } },
    applications: { app: {} },
});

/** Where everything answers, the Patroni nodes, and what the command `pgha` needs. */
export const { endpoints, caCertificate, nodes, operations } = cluster;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(cluster.applications);

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);
