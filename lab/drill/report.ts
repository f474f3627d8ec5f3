import { cpus, release, totalmem } from "node:os";
import { unnoticed, type ChangeReport } from "./plannedReport";
import { isClean, type PathResult, type RoundResult } from "./round";
import { run } from "./run";
import type { Scenario } from "./scenarios";
import { alignColumns, formatRange, formatSeconds, markdownTable } from "./table";

export interface RoundReport extends Scenario {
    round: number;
    result?: RoundResult;
    /** Why the round did not get to its end. */
    failure?: string;
}

export interface Report {
    date: string;
    machine: string;
    command: string;
    rounds: RoundReport[];
    changes: ChangeReport[];
}

export async function describeMachine(): Promise<string> {
    const docker = await run("docker", ["version", "--format", "{{.Server.Version}}"], 10_000);
    const gibibytes = Math.round(totalmem() / 2 ** 30);
    // Without the suffix by which a distribution or provider calls its build.
    const [kernel] = release().split("-");
    return `${cpus().length} cores, ${gibibytes} GiB, Linux ${kernel}, Docker ${docker.trim()}`;
}

export function succeeded(report: Report): boolean {
    return (
        report.rounds.every((round) => round.result !== undefined && isClean(round.result)) && unnoticed(report.changes)
    );
}

/** One line per round, aligned, and the reasons of the rounds that failed. */
export function renderTable(report: Report): string {
    const rows = report.rounds.map((round) => [round.name, String(round.round), ...describeRound(round)]);
    const table = alignColumns([["scenario", "round", ...roundColumns], ...rows]).map((cells) =>
        cells.join("  ").trimEnd(),
    );
    const failures = report.rounds
        .filter((round) => round.failure !== undefined)
        .map((round) => `${round.name} ${round.round} failed: ${round.failure}`);
    return [...table, ...failures, ""].join("\n");
}

const roundColumns = [
    "leader",
    "read-write gap",
    "pooled gap",
    "read-only gap",
    "write after",
    "gap on return",
    "healthy after",
    "rows",
    "unknown",
    "lost",
    "stale",
    "verdict",
];

function describeRound({ result }: RoundReport): string[] {
    if (result === undefined) {
        return [...new Array<string>(roundColumns.length - 1).fill("-"), "failed"];
    }
    return [
        `${result.oldLeader} -> ${result.newLeader}`,
        ...Object.values(figures).map((figure) => formatSeconds(figure(result))),
        String(result.acknowledged),
        String(result.unknown),
        String(result.lost),
        String(result.stale),
        describeVerdict(result),
    ];
}

function describeVerdict(result: RoundResult): string {
    const wrong = (["unexpected", "duplicates"] as const).filter((finding) => result[finding] > 0);
    if (isClean(result)) return "ok";
    return ["not ok", ...wrong.map((finding) => `${result[finding]} ${finding}`)].join(", ");
}

const writePaths = ["read-write", "pooled"];

function worstWrite(result: RoundResult, figure: keyof PathResult): number {
    return Math.max(...writePaths.map((path) => result.paths[path]?.[figure] ?? Number.NaN));
}

/** The measured times of a round, in the order of the columns. */
const figures: Record<string, (result: RoundResult) => number> = {
    readWriteGap: (result) => result.paths["read-write"]?.gapMs ?? Number.NaN,
    pooledGap: (result) => result.paths.pooled?.gapMs ?? Number.NaN,
    readOnlyGap: (result) => result.paths["read-only"]?.gapMs ?? Number.NaN,
    writeAfter: (result) => worstWrite(result, "answeredAfterMs"),
    gapOnReturn: (result) => worstWrite(result, "returnGapMs"),
    healthyAfter: (result) => result.healthyAfterMs,
};

/** The medians of each scenario as a Markdown table. */
export function renderMarkdown(report: Report): string {
    const scenarios = [...new Set(report.rounds.map((round) => round.description))];
    const header = [
        "Fault",
        "Rounds",
        "Read-write gap",
        "Pooled gap",
        "Read-only gap",
        "First write after",
        "Gap on return",
        "Healthy after",
        "Rows",
        "Unknown",
        "Lost",
    ];
    const rows = scenarios.map((description) => {
        const rounds = report.rounds.filter((round) => round.description === description);
        const results = rounds.flatMap((round) => round.result ?? []);
        const sum = (figure: (result: RoundResult) => number) =>
            String(results.reduce((n, result) => n + figure(result), 0));
        const failed = rounds.length - results.length;
        return [
            description,
            failed === 0 ? String(rounds.length) : `${rounds.length} (${failed} failed)`,
            ...Object.values(figures).map((figure) => formatRange(results.map(figure))),
            sum((result) => result.acknowledged),
            sum((result) => result.unknown),
            sum((result) => result.lost),
        ];
    });
    return markdownTable(header, rows);
}

/** Where, when and how the results came about. */
export function renderOrigin(report: Report): string {
    return `Measured ${report.date} on ${report.machine}, with \`${report.command}\`. Median (smallest to largest).\n\n`;
}

/** The generated sections of a document. */
export type Section = "drill" | "drill-planned";

/** Puts a section between its markers of a document, or behind it when it has none yet. */
export function replaceSection(document: string, section: string, name: Section): string {
    const beginMarker = `<!-- ${name}:begin (written by make drill) -->`;
    const endMarker = `<!-- ${name}:end -->`;
    const generated = `${beginMarker}\n\n${section}\n${endMarker}`;
    const begin = document.indexOf(beginMarker);
    const end = document.indexOf(endMarker);
    if (begin === -1 && end === -1) {
        return `${document}${document === "" ? "" : "\n"}${generated}\n`;
    }
    if (begin === -1 || end < begin) {
        throw new Error(`the document needs "${beginMarker}" before "${endMarker}"`);
    }
    return document.slice(0, begin) + generated + document.slice(end + endMarker.length);
}
