import * as pulumi from "@pulumi/pulumi";
import { createDockerProvider, PostgresCluster } from "./components";
import { readSettings } from "./settings";

// Whoever means to take the cluster down says so first.
const { protect = true, ...settings } = readSettings(new pulumi.Config());
// Plain Docker hosts get a provider each from the cluster itself.
const providers = settings.swarm ? [createDockerProvider("swarm", settings.hosts, settings.swarm.manager)] : [];
const cluster = new PostgresCluster(settings.clusterName, settings, { providers, protect });

/** Where everything answers, as `host:port`. */
export const endpoints = cluster.endpoints;

/** The Patroni nodes, by key. */
export const nodes = cluster.nodes;

/** What the command `pgha` needs. */
export const operations = cluster.operations;

/** Certificate with which clients verify PostgreSQL and PgBouncer, as PEM. */
export const caCertificate = cluster.caCertificate;

/** Databases, logins and connection URLs, by application. */
export const applications = pulumi.secret(cluster.applications);

/** Targets and alert rules for Prometheus. */
export const monitoring = cluster.monitoring;

/** Logins of the administrators, by name. */
export const administrators = cluster.administrators;

/** Passwords of the cluster's own logins, by name. */
export const passwords = pulumi.secret(cluster.passwords);

/** Network on which other containers reach `pg-haproxy` and `pg-pgbouncer`: id of the Swarm's overlay, or name of each host's bridge. */
export const networkId = cluster.networkId;
