import { isIPv4 } from "node:net";
import { Problem } from "./problem";

/** Bounds of a number, both included. */
export interface Bounds {
    min: number;
    max: number;
    /** Whether fractions are allowed. */
    fraction?: boolean;
}

/** Checks a number that may be left out. */
export function checkNumber(path: string, value: number | undefined, bounds: Bounds): Problem[] {
    if (value === undefined) {
        return [];
    }
    const whole = bounds.fraction === true || Number.isInteger(value);
    if (Number.isFinite(value) && whole && value >= bounds.min && value <= bounds.max) {
        return [];
    }
    const kind = bounds.fraction === true ? "a number" : "a whole number";
    const range = bounds.max === Infinity ? `of at least ${bounds.min}` : `from ${bounds.min} to ${bounds.max}`;
    return [{ path, reason: `${value} was given; ${kind} ${range} is allowed` }];
}

/** Checks several numbers of one settings object. */
export function checkNumbers<T extends object>(
    path: string,
    settings: T,
    bounds: { [name in keyof T]?: Bounds },
): Problem[] {
    return (Object.keys(bounds) as (keyof T & string)[]).flatMap((name) => {
        const value = settings[name];
        const limit = bounds[name];
        return limit === undefined ? [] : checkNumber(`${path}.${name}`, value as number | undefined, limit);
    });
}

/** Bounds of a TCP port that a user without privileges may listen on. */
export const portBounds: Bounds = { min: 1, max: 65535 };

/** Checks an address: an IPv4 address or a host name, without port, scheme or spaces. */
export function checkAddress(path: string, address: string): Problem[] {
    const label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    const name = new RegExp(`^${label}(\\.${label})*$`);
    if (!isIPv4(address) && (!name.test(address) || /^[0-9.]+$/.test(address))) {
        return [{ path, reason: `"${address}" was given; an IPv4 address or a host name is allowed` }];
    }
    if (/^127\.|^localhost$|^0\.0\.0\.0$/.test(address)) {
        return [{ path, reason: `"${address}" was given; the other hosts and clients can't reach this host there` }];
    }
    return [];
}

/** Checks CPU and memory of a container. */
export function checkResources(
    path: string,
    resources:
        | { cpuLimit?: number; memoryLimitMiB?: number; cpuReservation?: number; memoryReservationMiB?: number }
        | undefined,
): Problem[] {
    if (resources === undefined) {
        return [];
    }
    const { cpuLimit, cpuReservation, memoryLimitMiB, memoryReservationMiB } = resources;
    const problems = checkNumbers(path, resources, {
        cpuLimit: { min: 0.01, max: 1024, fraction: true },
        cpuReservation: { min: 0.01, max: 1024, fraction: true },
        memoryLimitMiB: { min: 6, max: Infinity },
        memoryReservationMiB: { min: 1, max: Infinity },
    });
    if (cpuLimit !== undefined && cpuReservation !== undefined && cpuReservation > cpuLimit) {
        const reason = `${cpuReservation} was given; at most the limit of ${cpuLimit} is allowed`;
        problems.push({ path: `${path}.cpuReservation`, reason });
    }
    if (memoryLimitMiB !== undefined && memoryReservationMiB !== undefined && memoryReservationMiB > memoryLimitMiB) {
        const reason = `${memoryReservationMiB} was given; at most the limit of ${memoryLimitMiB} is allowed`;
        problems.push({ path: `${path}.memoryReservationMiB`, reason });
    }
    return problems;
}

/** Values that stand more than once, each with the places where it stands. */
export function duplicated<T>(places: { path: string; value: T }[]): { value: T; paths: string[] }[] {
    const groups = new Map<T, string[]>();
    for (const { path, value } of places) {
        groups.set(value, [...(groups.get(value) ?? []), path]);
    }
    return [...groups].filter(([, paths]) => paths.length > 1).map(([value, paths]) => ({ value, paths }));
}
