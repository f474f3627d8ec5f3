import { required } from "./clusterTarget";
import { defaultPorts, workloadNames } from "./defaults";
import type { HaProxy, RouterConnection } from "./haProxy";
import type { PatroniConnection } from "./patroniGroup";
import type { PgBouncer } from "./pgBouncer";
import type { PostgresExporter } from "./postgresExporter";
import type { ClusterPlacement } from "./clusterPlacement";
import { objectName } from "./platform/objectName";
import type { SqlConnection } from "./platform/sqlCommand";
import type { HostConnection, Target } from "./platform/workload";
import type { PostgresClusterArgs } from "./postgresClusterArgs";
import { routerConninfo } from "./render/conninfo";
import { httpScheme } from "./render/http";
import { PoolMode } from "./render/pgbouncerIni";
import type { SwitchoverRouters } from "./render/switchoverScript";
import * as pulumi from "@pulumi/pulumi";

/** Where a cluster's parts answer, each as `host:port`. */
export interface ClusterEndpoints {
    /** To the primary. */
    readWrite: string[];
    /** To a replica within the lag bound. */
    readOnly: string[];
    /** To any node that runs. */
    any: string[];
    /** To the primary through PgBouncer; empty where there is none. */
    pooled: string[];
    /** HAProxy's statistics pages and metrics, with login. */
    statistics: string[];
    /** PostgreSQL's metrics, one for each node; empty without exporters. */
    metrics: string[];
}

/** One Patroni node as others see it. */
export interface ClusterNode {
    /** Its name in Patroni. */
    name: string;
    /** Address under which the others know it: its host's, or its own on a single host's bridge network. */
    address: string;
    /** PostgreSQL itself, as `host:port`. */
    postgres: string;
    /** URL of Patroni's REST API. */
    patroniApi: string;
}

/** Collects where everything answers. */
export function endpointsOf(
    haproxy: HaProxy,
    pgbouncer: PgBouncer | undefined,
    exporter: PostgresExporter | undefined,
): ClusterEndpoints {
    const at = (addresses: string[], port: number): string[] => addresses.map((address) => `${address}:${port}`);
    return {
        readWrite: at(haproxy.addresses, haproxy.readWritePort),
        readOnly: at(haproxy.addresses, haproxy.readOnlyPort),
        any: at(haproxy.addresses, haproxy.anyPort),
        pooled: pgbouncer === undefined ? [] : at(pgbouncer.addresses, pgbouncer.port),
        statistics: at(haproxy.addresses, haproxy.statisticsPort),
        metrics: exporter?.targets ?? [],
    };
}

/** What a switchover needs of HAProxy and PgBouncer, from the settings alone: Patroni's nodes come before both. */
export function entryPointsOf(
    { hosts, haproxy, pgbouncer }: PostgresClusterArgs,
    placement: ClusterPlacement,
): { routers: SwitchoverRouters; poolers?: { addresses: string[]; port: number } } {
    const addressesOf = (keys: string[]): string[] => keys.map((key) => required(hosts, key).address);
    const routers = {
        addresses: addressesOf(placement.haproxy.hosts),
        readWritePort: haproxy?.ports?.readWrite ?? defaultPorts.readWrite,
    };
    const pausable =
        placement.pgbouncer.hosts.length > 0 &&
        // Behind HAProxy they are on a network of their own.
        haproxy?.ports?.pooled === undefined &&
        // A pause waits for the end of each session there.
        pgbouncer?.poolMode !== PoolMode.Session;
    return pausable
        ? {
              routers,
              poolers: {
                  addresses: addressesOf(placement.pgbouncer.hosts),
                  port: pgbouncer?.port ?? defaultPorts.pgbouncer,
              },
          }
        : { routers };
}

/** Describes all Patroni nodes, by key. */
export function nodesOf(patroni: PatroniConnection): { [key: string]: ClusterNode } {
    return Object.fromEntries(
        patroni.nodeEndpoints.map(({ key, name, address, postgresPort, apiPort, apiTls }) => [
            key,
            {
                name,
                address,
                postgres: `${address}:${postgresPort}`,
                patroniApi: `${httpScheme(apiTls)}://${address}:${apiPort}`,
            },
        ]),
    );
}

/** The way to the primary for statements: psql in the first node's container, through the router. */
export function routerSql(
    target: Target,
    hosts: { [key: string]: HostConnection },
    placement: ClusterPlacement,
    router: RouterConnection,
    ready: pulumi.Input<string>[],
): SqlConnection {
    const [key = "", node] = Object.entries(placement.patroni.nodes)[0] ?? [];
    const host = hosts[node?.host ?? ""];
    if (host === undefined) {
        throw new pulumi.RunError("no node's host is known although the checks passed: please report this");
    }
    return {
        host,
        serviceName: objectName(target.clusterName, workloadNames.patroni(key)),
        conninfo: routerConninfo(router.addresses, router.readWritePort, "read-write"),
        ready: pulumi.all(ready),
    };
}
