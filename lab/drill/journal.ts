/** An answer that a client got. Times are performance.now() of this process: one clock for all of a drill. */
export interface Answer {
    client: number;
    sentAt: number;
    receivedAt: number;
}

/** The answer to an insert: a row that PostgreSQL acknowledged. */
export interface Acknowledgement extends Answer {
    id: string;
    /** WAL timeline of the server that acknowledged; every promotion begins a higher one. */
    timeline: number;
}

/** What the clients of one path saw, in order of time. */
export interface Journal<A extends Answer = Answer> {
    answers: A[];
    /** Statements that were sent and not answered with success. */
    failed: number;
    /** What went wrong, failed attempts to connect included, and how often. */
    reasons: Map<string, number>;
}

export interface WriteJournal extends Journal<Acknowledgement> {
    /** Sent, and lost sight of before an answer came: may be stored or not. */
    unknown: string[];
    refused: number;
}

/** What went wrong, most often first. */
export function describeFailures({ reasons }: Journal): string {
    const sorted = [...reasons].sort(([, a], [, b]) => b - a);
    return sorted.map(([reason, count]) => `${count} x ${reason}`).join("; ") || "no failure";
}
