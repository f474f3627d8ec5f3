import type { HaProxyArgs } from "../haProxy";
import type { HaProxySettingsArgs } from "../haProxyArgs";
import { checkServiceLabels } from "./names";
import { checkSharedLabel } from "./placement";
import { Problem } from "./problem";
import { checkNumbers, checkResources, portBounds } from "./values";

/** Bounds of the time for which a session may be silent, in seconds: at the 30 of seed 004 connection pools lose sessions that only wait. */
const silence = { min: 60, max: 2147483 };

/** Checks HAProxy. */
export function checkHaProxy(path: string, args: HaProxyArgs): Problem[] {
    const { settings } = args;
    const pooled = settings.ports?.pooled;
    const reason = `${pooled} was given without a poolerNetworkId; HAProxy finds PgBouncer on that network`;
    return [
        ...checkHaProxySettings(path, settings),
        ...checkSharedLabel(`${path}.placementLabel`, settings.placementLabel, args.hosts),
        ...checkServiceLabels(`${path}.labels`, settings.labels, args.target.labels),
        ...(pooled !== undefined && args.poolerNetworkId === undefined
            ? [{ path: `${path}.ports.pooled`, reason }]
            : []),
        ...(args.certificate === undefined && args.patroni.nodeEndpoints.some(({ apiTls }) => apiTls)
            ? [{ path: `${path}.certificate`, reason: "none was given; Patroni's REST API takes TLS only" }]
            : []),
    ];
}

/** Checks what can be told without the hosts. */
export function checkHaProxySettings(path: string, settings: HaProxySettingsArgs): Problem[] {
    const ports = settings.ports ?? {};
    return [
        ...checkNumbers(path, settings, {
            maxConnections: { min: 10, max: 1000000 },
            checkIntervalMilliseconds: { min: 100, max: 60000 },
            downCheckIntervalMilliseconds: { min: 100, max: 60000 },
            connectTimeoutSeconds: { min: 1, max: 60 },
            clientTimeoutSeconds: silence,
            serverTimeoutSeconds: silence,
            readOnlyMaximumLagMiB: { min: 1, max: 1048576 },
        }),
        ...checkNumbers(`${path}.ports`, ports, {
            readWrite: portBounds,
            readOnly: portBounds,
            any: portBounds,
            statistics: portBounds,
            pooled: portBounds,
        }),
        ...checkResources(`${path}.resources`, settings.resources),
    ];
}
