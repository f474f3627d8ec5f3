import { Problem } from "./problem";

/** Failover timing of Patroni, in seconds. */
export interface PatroniTiming {
    ttlSeconds: number;
    loopWaitSeconds: number;
    retryTimeoutSeconds: number;
    primaryStartTimeoutSeconds: number;
}

/** Named sets of failover timing. */
export enum TimingPreset {
    /** Hosts in one network: a lost host is replaced after about 21 to 28 seconds. */
    Fast = "fast",
    /** A lost host is replaced after about 30 to 34 seconds. */
    Default = "default",
    /** Hosts far apart: a lost host is replaced after about 55 to 65 seconds. */
    Wan = "wan",
}

/**
 * Seconds after its last renewal at which a leader that is cut off has stopped at the latest, beside three times retryTimeout. Patroni does
 * not count them in its rule loopWait + 2 * retryTimeout <= ttl: a renewal may be followed by two writes and the next loop's reading,
 * each with its share of a retryTimeout, the renewal that fails by a look for other members of the store, and that by failsafe
 * mode's two attempts of 2 s (docs/decisions/0024-a-leader-stops-before-the-next-begins.md).
 */
const beyondRetriesSeconds = 6;

/** The presets' values. In each a leader that is cut off has stopped before another is elected. */
export const timingPresets: { [preset in TimingPreset]: PatroniTiming } = {
    [TimingPreset.Fast]: { ttlSeconds: 20, loopWaitSeconds: 2, retryTimeoutSeconds: 4, primaryStartTimeoutSeconds: 5 },
    [TimingPreset.Default]: {
        ttlSeconds: 30,
        loopWaitSeconds: 5,
        retryTimeoutSeconds: 8,
        primaryStartTimeoutSeconds: 15,
    },
    [TimingPreset.Wan]: {
        ttlSeconds: 60,
        loopWaitSeconds: 10,
        retryTimeoutSeconds: 16,
        primaryStartTimeoutSeconds: 45,
    },
};

/** Lower values are raised by Patroni without an error (patroni/config.py), so they are refused here. */
const minimum = { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3, primaryStartTimeoutSeconds: 0 } as const;

/** Checks Patroni's rules for its timing. */
export function checkTiming(path: string, timing: PatroniTiming): Problem[] {
    const problems: Problem[] = [];
    for (const name of Object.keys(minimum) as (keyof PatroniTiming)[]) {
        if (!Number.isInteger(timing[name]) || timing[name] < minimum[name]) {
            problems.push({
                path: `${path}.${name}`,
                reason: `${timing[name]} was given; a whole number of at least ${minimum[name]} is allowed`,
            });
        }
    }
    const { ttlSeconds: ttl, loopWaitSeconds: loop, retryTimeoutSeconds: retry } = timing;
    if (loop + 2 * retry > ttl) {
        problems.push({
            path: `${path}.ttlSeconds`,
            reason:
                `Patroni needs loopWaitSeconds + 2 * retryTimeoutSeconds <= ttlSeconds, but ${loop} + 2 * ${retry} = ` +
                `${loop + 2 * retry} > ${ttl}; raise ttlSeconds or lower one of the others`,
        });
    }
    return problems;
}

/** What Patroni takes, but not in time for a leader that is cut off. */
export function timingWarnings(
    path: string,
    { ttlSeconds: ttl, retryTimeoutSeconds: retry }: PatroniTiming,
): Problem[] {
    const longest = Math.floor((ttl - beyondRetriesSeconds) / 3);
    return retry <= longest
        ? []
        : [
              {
                  path: `${path}.retryTimeoutSeconds`,
                  reason:
                      `${retry} is given with a ttl of ${ttl}; a leader that is cut off may then still run as primary when another ` +
                      `is elected; at most ${longest} keeps them apart`,
              },
          ];
}
