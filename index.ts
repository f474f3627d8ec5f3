import * as pulumi from "@pulumi/pulumi";
import { createDockerProvider, PostgresCluster } from "./components";
import { readSettings } from "./settings";

const settings = readSettings(new pulumi.Config());
const provider = createDockerProvider("swarm", settings.hosts, settings.swarm.manager);
const cluster = new PostgresCluster(settings.clusterName, settings, { providers: [provider] });

/** Where everything answers, as `host:port`. */
export const endpoints = cluster.endpoints;

/** The Patroni nodes, by key. */
export const nodes = cluster.nodes;

/** What the command `pgha` needs. */
export const operations = cluster.operations;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(
    Object.fromEntries(
        Object.entries(cluster.applications).map(
            ([key, { database, owner, password, urls, roles, replicationRoles }]) => [
                key,
                { database, owner, password, urls, roles, replicationRoles },
            ],
        ),
    ),
);

/** Targets and alert rules for Prometheus. */
export const monitoring = cluster.monitoring;

/** Logins of the administrators, by name. */
export const administrators = cluster.administrators;

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);

/** Id of the overlay network on which other stacks reach `pg-haproxy` and `pg-pgbouncer`. */
export const networkId = cluster.networkId;
