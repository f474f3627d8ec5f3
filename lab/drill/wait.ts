import { setTimeout as sleep } from "node:timers/promises";

export interface WaitLimits {
    timeoutMs: number;
    intervalMs?: number;
    signal: AbortSignal;
}

/**
 * Repeats `probe` until it returns instead of throwing. What it threw last becomes the reason in the error, so that a
 * wait that fails says both what did not happen and what was there instead.
 */
export async function waitUntil<T>(what: string, limits: WaitLimits, probe: () => T | Promise<T>): Promise<T> {
    const deadline = performance.now() + limits.timeoutMs;
    for (;;) {
        limits.signal.throwIfAborted();
        try {
            return await probe();
        } catch (error) {
            if (performance.now() > deadline) {
                throw new Error(`${what}: not within ${limits.timeoutMs / 1000} s (${errorText(error)})`);
            }
        }
        await sleep(limits.intervalMs ?? 200, undefined, { signal: limits.signal });
    }
}

export function errorText(error: unknown): string {
    if (error instanceof AggregateError) {
        return error.errors.map(errorText).join("; ");
    }
    if (error instanceof Error) {
        // fetch() says only "fetch failed" and keeps the reason in its cause
        return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`;
    }
    return String(error);
}
