/** How a command ends. `pgha psql` ends as psql does. */
export enum ExitStatus {
    /** Done; for `status`: healthy. */
    Success = 0,
    /** Refused or failed; for `status`: reachable, and not healthy. */
    Failure = 1,
    /** Wrong use, or outputs that can't be read. */
    Usage = 2,
    /** No host answered. */
    Unreachable = 3,
}

/** What ends a command: what went wrong, and what to do next. */
export class CommandFailure extends Error {
    constructor(
        message: string,
        public readonly next: string,
        public readonly status: ExitStatus = ExitStatus.Failure,
    ) {
        super(message);
    }
}

/** An error's message, whatever was thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
