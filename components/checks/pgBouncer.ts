import type { PgBouncerArgs, PgBouncerSettingsArgs } from "../pgBouncer";
import { pgbouncerDefaults, reservedConnections } from "../defaults";
import { checkSharedLabel } from "./placement";
import { Problem } from "./problem";
import { checkNumber, checkNumbers, checkResources, portBounds } from "./values";

/** Checks PgBouncer. */
export function checkPgBouncer(path: string, args: PgBouncerArgs): Problem[] {
    const { settings, router } = args;
    const reason = `none was given, but the router has the pooled port ${router.pooledPort}; both meet on that network`;
    return [
        ...checkPgBouncerSettings(path, settings),
        ...checkSharedLabel(`${path}.placementLabel`, settings.placementLabel, args.hosts),
        ...(args.requireTls && args.certificate === undefined
            ? [{ path: `${path}.requireTls`, reason: "true was given, but no certificate; nobody could connect" }]
            : []),
        ...(router.pooledPort !== undefined && args.poolerNetworkId === undefined
            ? [{ path: `${path}.poolerNetworkId`, reason }]
            : []),
    ];
}

/** Checks what can be told without the hosts. */
export function checkPgBouncerSettings(path: string, settings: PgBouncerSettingsArgs): Problem[] {
    return [
        ...checkNumbers(path, settings, {
            maxClientConnections: { min: 1, max: 1000000 },
            defaultPoolSize: { min: 1, max: 100000 },
            maxPreparedStatements: { min: 0, max: 100000 },
            queryWaitTimeoutSeconds: { min: 1, max: 86400 },
        }),
        ...checkNumber(`${path}.port`, settings.port, portBounds),
        ...checkResources(`${path}.resources`, settings.resources),
    ];
}

/** Checks that all poolers together leave PostgreSQL the connections that it needs besides. */
export function checkPoolSizes(
    path: string,
    settings: PgBouncerSettingsArgs,
    poolers: number,
    databases: number,
    maxConnections: number,
): Problem[] {
    const poolSize = settings.defaultPoolSize ?? pgbouncerDefaults.defaultPoolSize;
    const wanted = poolers * databases * poolSize;
    const allowed = maxConnections - reservedConnections;
    if (wanted <= allowed) {
        return [];
    }
    const most = Math.floor(allowed / Math.max(poolers * databases, 1));
    const remedy = most >= 1 ? `at most ${most} is allowed, or raise max_connections` : "raise max_connections";
    const reason =
        `${poolSize} was given; ${poolers} PgBouncers with ${databases} databases could then open ${wanted} connections, ` +
        `but max_connections ${maxConnections} less ${reservedConnections} for the cluster itself is ${allowed}; ${remedy}`;
    return [{ path: `${path}.defaultPoolSize`, reason }];
}
