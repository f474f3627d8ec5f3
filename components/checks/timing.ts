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

/** Time that Patroni's failsafe mode has for nodes that don't answer: two attempts of 2 s. */
const failsafeSeconds = 4;

/**
 * Seconds for which a leader that is cut off may run as primary after its last renewal of the lock, with three members of etcd: its status and
 * its own key are written, or the loop waits; the store is read, the lock is not renewed, other members are looked for, and the nodes
 * are asked (docs/decisions/0024-a-leader-stops-before-the-next-begins.md, which says what is left out).
 */
function demotionSeconds({ loopWaitSeconds: loop, retryTimeoutSeconds: retry }: PatroniTiming): number {
    const oneMember = Math.max(1, retry / 3);
    const renewal = retry + 2 * Math.max(1, retry / 6);
    // A write that takes longer than a loop is followed by a renewal for the next one.
    const writes = oneMember < loop ? 2 * oneMember : oneMember + renewal;
    return Math.max(loop, writes) + retry + renewal + failsafeSeconds;
}

/** What Patroni takes, but not in time for a leader that is cut off. */
export function timingWarnings(path: string, timing: PatroniTiming): Problem[] {
    const { ttlSeconds: ttl, loopWaitSeconds: loop, retryTimeoutSeconds: retry } = timing;
    const isInTime = (retryTimeoutSeconds: number) => demotionSeconds({ ...timing, retryTimeoutSeconds }) <= ttl;
    if (isInTime(retry)) {
        return [];
    }
    let longest = retry;
    while (longest >= minimum.retryTimeoutSeconds && !isInTime(longest)) {
        longest -= 1;
    }
    const lower =
        longest < minimum.retryTimeoutSeconds
            ? "take another loopWaitSeconds"
            : `lower retryTimeoutSeconds to ${longest}`;
    return [
        {
            path: `${path}.ttlSeconds`,
            reason:
                `${ttl} is less than the ${Math.ceil(demotionSeconds(timing))} seconds for which a leader that is cut off may run as primary ` +
                `with loopWaitSeconds ${loop} and retryTimeoutSeconds ${retry}; raise it, or ${lower}`,
        },
    ];
}
