import * as pulumi from "@pulumi/pulumi";
import { ApplicationConnection, ApplicationDatabase, ApplicationEndpoints } from "./applicationDatabase";
import { ClusterAdministrators } from "./clusterAdministrators";
import type { HaProxy } from "./haProxy";
import type { PgBouncer } from "./pgBouncer";
import type { SqlConnection } from "./platform/sqlCommand";
import type { PostgresClusterArgs } from "./postgresClusterArgs";

/** What logins are made through, and where they lead. */
export interface LoginContext {
    haproxy: HaProxy;
    pgbouncer?: PgBouncer;
    sql: SqlConnection;
    /** Salt of their SCRAM verifiers. */
    salt: pulumi.Input<string>;
}

/** Makes the logins that make databases and roles. */
export function createAdministrators(
    name: string,
    { administrators, tls }: PostgresClusterArgs,
    { haproxy, sql, salt }: LoginContext,
    opts: pulumi.ComponentResourceOptions,
): ClusterAdministrators | undefined {
    if (administrators === undefined) {
        return undefined;
    }
    const endpoint = { addresses: haproxy.addresses, port: haproxy.readWritePort, requireTls: tls?.requireTls };
    return new ClusterAdministrators(`${name}-administrators`, { administrators, sql, endpoint, salt }, opts);
}

/** Makes the applications' databases and logins. */
export function createApplications(
    name: string,
    { applications, tls }: PostgresClusterArgs,
    { haproxy, pgbouncer, sql, salt }: LoginContext,
    opts: pulumi.ComponentResourceOptions,
): { [key: string]: ApplicationDatabase } {
    const { addresses } = haproxy;
    const requireTls = tls?.requireTls;
    const endpoints: ApplicationEndpoints = {
        direct: { addresses, port: haproxy.readWritePort, requireTls },
        readOnly: { addresses, port: haproxy.readOnlyPort, requireTls },
        pooled: pgbouncer && { addresses: pgbouncer.addresses, port: pgbouncer.port, requireTls },
    };
    return Object.fromEntries(
        Object.entries(applications ?? {}).map(([key, application]) => [
            key,
            new ApplicationDatabase(`${name}-application-${key}`, { ...application, key, sql, endpoints, salt }, opts),
        ]),
    );
}

/** The applications as plain data: secrets inside a resource that a program exports as a secret can't be read by another stack. */
export function connectionsOf(applications: { [key: string]: ApplicationDatabase }): {
    [key: string]: ApplicationConnection;
} {
    return Object.fromEntries(
        Object.entries(applications).map(([key, application]) => {
            const { database, owner, username, password, urls, roles, replicationRoles } = application;
            return [key, { database, owner, username, password, urls, roles, replicationRoles }];
        }),
    );
}
