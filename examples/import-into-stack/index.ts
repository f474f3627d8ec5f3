import * as pulumi from "@pulumi/pulumi";
import { ClusterImagesArgs, createDockerProvider, HostArgs, PostgresCluster, RoleAccess } from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const images = config.requireObject<ClusterImagesArgs>("images");
const manager = config.require("manager");
const enableEncryption = config.getBoolean("enableEncryption");

const provider = createDockerProvider("swarm", hosts, manager);
const cluster = new PostgresCluster(
    "orders-db",
    {
        hosts,
        images,
        swarm: { manager },
        network: { enableEncryption },
        applications: { orders: { roles: { reporting: { access: RoleAccess.ReadOnly } } } },
    },
    { providers: [provider] },
);

/** Where everything answers, as `host:port`. */
export const endpoints = cluster.endpoints;

/** What the command `pgha` needs. */
export const operations = cluster.operations;

/** Id of the overlay network on which the application's own services reach `pg-haproxy` and `pg-pgbouncer`. */
export const networkId = cluster.networkId;

/** Connection URLs of the application's owner: direct, read-only and pooled. */
export const urls = cluster.applications.orders.urls;

/** Login of the reporting role. */
export const reporting = cluster.applications.orders.roles.apply((roles) => roles.reporting);
