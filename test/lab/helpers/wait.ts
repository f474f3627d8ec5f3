import { waitUntil } from "../../../lab/drill/wait";

/** Repeats `probe` until it returns instead of throwing; says what did not happen when it doesn't in time. */
export function eventually<T>(what: string, timeoutSeconds: number, probe: () => T | Promise<T>): Promise<T> {
    return waitUntil(what, { timeoutMs: timeoutSeconds * 1000, signal: new AbortController().signal }, probe);
}

/** Shows a measured value behind the title of the test that runs. */
export function note(context: Mocha.Context, text: string): void {
    if (context.test !== undefined) {
        context.test.title += ` (${text})`;
    }
}

export function inSeconds(seconds: number): string {
    return `${seconds.toFixed(1)} s`;
}
