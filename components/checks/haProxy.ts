import type { HaProxyArgs, HaProxySettingsArgs } from "../haProxy";
import { Problem } from "./problem";
import { checkNumbers, checkResources, portBounds } from "./values";

/** Bounds of the time for which a session may be silent, in seconds: at the 30 of seed 004 connection pools lose sessions that only wait. */
const silence = { min: 60, max: 2147483 };

/** Checks HAProxy. */
export function checkHaProxy(path: string, args: HaProxyArgs): Problem[] {
    return checkHaProxySettings(path, args.settings);
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
        }),
        ...checkResources(`${path}.resources`, settings.resources),
    ];
}
