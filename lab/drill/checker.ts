import type { Acknowledgement, Answer } from "./journal";

export interface RowCheck {
    /** Acknowledged, yet not there. */
    lost: string[];
    /** There, yet neither acknowledged nor of unknown outcome. */
    unexpected: string[];
    /** There more than once. */
    duplicates: string[];
}

/** Compares what the writers know with the rows that one server holds. */
export function compareRows(acknowledged: Iterable<string>, unknown: Iterable<string>, present: string[]): RowCheck {
    const acknowledgedIds = new Set(acknowledged);
    const unknownIds = new Set(unknown);
    const presentIds = new Set<string>();
    const duplicates = new Set<string>();
    for (const id of present) {
        if (presentIds.has(id)) duplicates.add(id);
        presentIds.add(id);
    }
    return {
        lost: [...acknowledgedIds].filter((id) => !presentIds.has(id)),
        unexpected: [...presentIds].filter((id) => !acknowledgedIds.has(id) && !unknownIds.has(id)),
        duplicates: [...duplicates],
    };
}

export interface Gap {
    /** Last answer before the gap. */
    start: number;
    /** First answer after it. */
    end: number;
}

/**
 * The longest time without an answer, from the last one before to the first one after, of all that overlap `from` to `to`.
 * Answers are in order of time and there is at least one on each side of the interval.
 */
export function longestGap(answers: Answer[], from: number, to: number): Gap {
    let longest: Gap | undefined;
    let previous: Answer | undefined;
    for (const answer of answers) {
        if (previous !== undefined && answer.receivedAt >= from && previous.receivedAt <= to) {
            const gap = { start: previous.receivedAt, end: answer.receivedAt };
            if (longest === undefined || gap.end - gap.start > longest.end - longest.start) longest = gap;
        }
        previous = answer;
    }
    if (longest === undefined) {
        throw new Error("no two answers around the interval: its longest gap is not known");
    }
    return longest;
}

/**
 * Rows that a server of an old timeline acknowledged after a server of a newer one had done so: two servers took writes
 * at the same time.
 */
export function findStaleAcknowledgements(acknowledgements: Acknowledgement[]): Acknowledgement[] {
    let newest = 0;
    const stale: Acknowledgement[] = [];
    for (const acknowledgement of [...acknowledgements].sort((a, b) => a.receivedAt - b.receivedAt)) {
        if (acknowledgement.timeline < newest) stale.push(acknowledgement);
        newest = Math.max(newest, acknowledgement.timeline);
    }
    return stale;
}
