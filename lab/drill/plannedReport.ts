import type { Change } from "./changes";
import { isUnnoticed, type PlannedResult } from "./planned";
import { alignColumns, formatRange, formatSeconds, markdownTable } from "./table";

export interface ChangeReport extends Pick<Change, "name" | "description" | "oneWay"> {
    round: number;
    result?: PlannedResult;
    /** Why the round did not get to its end. */
    failure?: string;
}

/** Whether every change got to its end without harm. */
export function unnoticed(reports: ChangeReport[]): boolean {
    return reports.every(({ result, failure }) => failure === undefined && result !== undefined && isUnnoticed(result));
}

const paths = ["read-write", "pooled", "read-only"];

/** One line per round, and the reasons of the rounds that failed. */
export function renderChangesTable(reports: ChangeReport[]): string {
    const columns = [
        ...paths.map((path) => `${path} gap`),
        ...paths.map((path) => `${path} failed`),
        ...["time", "down", "rows", "lost", "verdict"],
    ];
    const rows = reports.map(({ name, round, result }) => [
        name,
        String(round),
        ...(result === undefined ? [...columns.slice(1).map(() => "-"), "failed"] : describe(result)),
    ]);
    const failures = reports
        .filter(({ failure }) => failure !== undefined)
        .map(({ name, round, failure }) => `${name} ${round} failed: ${failure}`);
    const table = alignColumns([["change", "round", ...columns], ...rows]).map((cells) => cells.join("  ").trimEnd());
    return [...table, ...failures, ""].join("\n");
}

function describe(result: PlannedResult): string[] {
    return [
        ...paths.map((path) => formatSeconds(result.paths[path]?.gapMs ?? Number.NaN)),
        ...paths.map((path) => String(result.paths[path]?.failed)),
        formatSeconds(result.seconds * 1000),
        String(result.down),
        String(result.acknowledged),
        String(result.lost),
        isUnnoticed(result) ? "ok" : "not ok",
    ];
}

/** The medians of each change as a Markdown table. */
export function renderChangesMarkdown(reports: ChangeReport[]): string {
    const header = [
        "Change, and the way back where there is one",
        "Rounds",
        "Read-write gap",
        "Pooled gap",
        "Read-only gap",
        "Failed read-write",
        "Failed pooled",
        "Failed read-only",
        "Time",
        "Down at once",
        "Rows",
        "Lost",
    ];
    const rows = [...new Set(reports.map(({ description }) => description))].map((description) => {
        const rounds = reports.filter((report) => report.description === description);
        const results = rounds.flatMap(({ result }) => result ?? []);
        const sum = (figure: (result: PlannedResult) => number): string =>
            String(results.reduce((total, result) => total + figure(result), 0));
        const failed = rounds.length - results.length;
        return [
            rounds.some(({ oneWay }) => oneWay) ? `${description} (one way)` : description,
            failed === 0 ? String(rounds.length) : `${rounds.length} (${failed} failed)`,
            ...paths.map((path) => formatRange(results.map((result) => result.paths[path]?.gapMs ?? Number.NaN))),
            ...paths.map((path) => sum((result) => result.paths[path]?.failed ?? 0)),
            formatRange(results.map(({ seconds }) => seconds * 1000)),
            String(Math.max(0, ...results.map(({ down }) => down))),
            sum(({ acknowledged }) => acknowledged),
            sum(({ lost }) => lost),
        ];
    });
    return markdownTable(header, rows);
}
