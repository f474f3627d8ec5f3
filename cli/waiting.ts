import { setTimeout as sleep } from "node:timers/promises";

/** How often something is looked at while it is waited for: each look is a login on the hosts. */
const pauseMilliseconds = 500;

/** Looks again and again until there is a value; gives up after a time, where there is one. */
export async function waitFor<T>(look: () => Promise<T | undefined>, timeoutSeconds?: number): Promise<T | undefined> {
    const began = performance.now();
    for (;;) {
        const value = await look();
        if (value !== undefined) {
            return value;
        }
        if (timeoutSeconds !== undefined && secondsSince(began) > timeoutSeconds) {
            return undefined;
        }
        await sleep(pauseMilliseconds);
    }
}

/** Seconds since a reading of `performance.now()`. */
export function secondsSince(began: number): number {
    return (performance.now() - began) / 1000;
}
