import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Change } from "./changes";
import { Lab } from "./lab";
import { parseOptions, roundsOf, usage, UsageError, type Options } from "./options";
import { readSynchronousStandbys } from "./patroni";
import {
    describeMachine,
    renderMarkdown,
    renderOrigin,
    renderTable,
    replaceSection,
    succeeded,
    type Report,
    type RoundReport,
} from "./report";
import { renderChangesMarkdown, renderChangesTable, type ChangeReport } from "./plannedReport";
import { runChange } from "./planned";
import { runRound, type Drill } from "./round";
import type { Scenario } from "./scenarios";
import { readLabStack } from "./stack";
import { startAnew } from "./update";
import { errorText } from "./wait";

/** Clients per path. */
const defaultClients = { fault: 4, change: 10 };

const startedAt = performance.now();

function log(message: string): void {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stderr.write(`[${seconds.padStart(6)} s] ${message}\n`);
}

async function prepareDrill(options: Options, lab: Lab, signal: AbortSignal): Promise<Drill> {
    log(`reading the outputs of stack ${options.stack}`);
    const stack = await readLabStack(options.stack);
    return {
        stackName: options.stack,
        stack,
        lab,
        clients: options.clients ?? defaultClients.fault,
        rate: options.rate,
        synchronousStandbys: await readSynchronousStandbys(stack.nodes),
        signal,
        log,
    };
}

async function runRounds(options: Options, drill: Drill): Promise<Report> {
    const report: Report = {
        date: new Date().toISOString().slice(0, 10),
        machine: await describeMachine(),
        command: process.argv.length > 2 ? `make drill ARGS="${process.argv.slice(2).join(" ")}"` : "make drill",
        rounds: [],
        changes: [],
    };
    for (const scenario of options.scenarios) {
        for (let round = 1; round <= options.rounds; round++) {
            log(`${scenario.name}, round ${round} of ${options.rounds}`);
            report.rounds.push({ ...scenario, round, ...(await tryRound(drill, scenario)) });
        }
    }
    const changeDrill = { ...drill, clients: options.clients ?? defaultClients.change };
    for (const change of options.changes) {
        const rounds = roundsOf(options, change);
        for (let round = 1; round <= rounds; round++) {
            log(`${change.name}, round ${round} of ${rounds}`);
            report.changes.push({ ...change, round, ...(await tryChange(changeDrill, change)) });
        }
    }
    return report;
}

async function tryChange(drill: Drill, change: Change): Promise<Pick<ChangeReport, "result" | "failure">> {
    const report: Pick<ChangeReport, "result" | "failure"> = {};
    const attempt = async (action: () => Promise<void>): Promise<void> => {
        try {
            await action();
        } catch (error) {
            log(`failed: ${errorText(error)}`);
            report.failure ??= errorText(error);
        }
    };
    await attempt(async () => {
        report.result = await runChange(drill, change);
    });
    if (change.oneWay) await attempt(() => startAnew(drill));
    drill.signal.throwIfAborted();
    return report;
}

async function tryRound(drill: Drill, scenario: Scenario): Promise<Pick<RoundReport, "result" | "failure">> {
    try {
        return { result: await runRound(drill, scenario) };
    } catch (error) {
        drill.signal.throwIfAborted();
        log(`failed: ${errorText(error)}`);
        // A host that can't be healed fails the rounds that follow with a word on what is missing.
        await drill.lab.healAll().catch((healError: unknown) => log(errorText(healError)));
        return { failure: errorText(error) };
    }
}

function renderTables(report: Report): string {
    return [
        ...(report.rounds.length > 0 ? [renderTable(report)] : []),
        ...(report.changes.length > 0 ? [renderChangesTable(report.changes)] : []),
    ].join("\n");
}

/** Replaces the sections of what has been measured, and leaves the other one. */
function recordIn(document: string, report: Report): string {
    const origin = renderOrigin(report);
    const faults =
        report.rounds.length > 0 ? replaceSection(document, origin + renderMarkdown(report), "drill") : document;
    return report.changes.length > 0
        ? replaceSection(faults, origin + renderChangesMarkdown(report.changes), "drill-planned")
        : faults;
}

async function main(): Promise<number> {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) {
        process.stdout.write(usage);
        return 0;
    }
    const readRecord = () => (options.record && existsSync(options.record) ? readFileSync(options.record, "utf8") : "");
    // Tried before anything is broken: a document that can't take the results is found out now, not at the end.
    replaceSection(replaceSection(readRecord(), "", "drill"), "", "drill-planned");

    const interruption = new AbortController();
    const interrupt = () => {
        log("interrupted: healing the lab before the end");
        interruption.abort(new Error("interrupted"));
    };
    process.on("SIGINT", interrupt).on("SIGTERM", interrupt);

    const lab = new Lab();
    try {
        const report = await runRounds(options, await prepareDrill(options, lab, interruption.signal));
        process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : renderTables(report));
        if (options.record !== undefined) {
            writeFileSync(options.record, recordIn(readRecord(), report));
        }
        return succeeded(report) ? 0 : 1;
    } catch (error) {
        if (interruption.signal.aborted) return 130;
        throw error;
    } finally {
        await lab.healAll();
    }
}

main().then(
    (status) => (process.exitCode = status),
    (error: unknown) => {
        const isUsage = error instanceof UsageError;
        process.stderr.write(isUsage ? `${error.message}\n\n${usage}` : `drill: ${errorText(error)}\n`);
        process.exitCode = isUsage ? 2 : 1;
    },
);
