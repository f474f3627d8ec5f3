import { assertAnswers, assertListening, OutageWatch } from "../../test/lab/helpers/outages";
import { bringUpSpareHosts } from "../../test/lab/helpers/spareHosts";
import type { Change } from "./changes";
import { findStaleAcknowledgements, longestGap } from "./checker";
import { describeFailures, type Journal } from "./journal";
import { acknowledgements, Load } from "./load";
import { countRows, type Drill, execute, logRows, readLeader, steadyAnswers, steadyTimeoutMs } from "./round";
import { waitForAnswers, waitForHealth } from "./round";
import { checkRows } from "./rows";
import type { Stack } from "./stack";
import { carryOut } from "./update";

/** Clients of a planned change wait longer than any pause should last: an answer that is late is a gap, and no failure. */
const queryTimeoutMs = 30_000;

/** What the clients of one path noticed. */
export interface PlannedPath {
    /** Longest time without an answer. */
    gapMs: number;
    /** Statements that were sent and not answered with success. */
    failed: number;
}

export interface PlannedResult {
    paths: Record<string, PlannedPath>;
    /** Time that the change took, and putting it back where there is a way back. */
    seconds: number;
    /** Most members of a kind that did not answer at the same time, of those that the change leaves where they are. */
    down: number;
    acknowledged: number;
    lost: number;
    unexpected: number;
    duplicates: number;
    stale: number;
}

/** One planned change under load, and the way back where there is one, from a healthy cluster to a healthy cluster. */
export async function runChange(drill: Drill, change: Change): Promise<PlannedResult> {
    const { stack, log, signal } = drill;
    const spareHosts = change.needsSpareHosts ? await bringUpSpareHosts() : {};
    await waitForHealth(drill, "cluster healthy before the change");
    const table = `drill_${Date.now().toString(36)}`;
    await execute(drill, `CREATE TABLE IF NOT EXISTS ${table} (id text NOT NULL)`);
    log(`load begins: ${drill.clients} clients per path at ${drill.rate} transactions per second each, table ${table}`);
    const login = change.verifyServers ? { ...stack.login, caCertificate: stack.caCertificate } : stack.login;
    const settings = { clientsPerPath: drill.clients, ratePerClient: drill.rate, login, table };
    const load = new Load({ ...settings, queryTimeoutMs });
    const watches = watchMembers(stack);
    try {
        load.startWriters({ name: "read-write", endpoints: stack.endpoints.readWrite });
        load.startWriters({ name: "pooled", endpoints: stack.endpoints.pooled, validated: true });
        load.startReaders({ name: "read-only", endpoints: stack.endpoints.readOnly });
        await waitForAnswers("steady load before the change", load, steadyAnswers, steadyTimeoutMs, signal);

        log(`${change.description} (${await readLeader(stack)} leads)`);
        const begunAt = performance.now();
        const between = await carryOut(drill, change, spareHosts);
        await waitForHealth(drill, "cluster healthy after the change");
        const endedAt = performance.now();
        await waitForAnswers("steady load after the change", load, steadyAnswers, steadyTimeoutMs, signal);
        await Promise.all(watches.map((watch) => watch.stop()));
        await load.stop();
        for (const [path, journal] of [...load.writes, ...load.reads]) log(`${path}: ${describeFailures(journal)}`);

        const checks = await checkRows(stack, await readLeader(stack), load, table, signal);
        logRows(drill, checks, table);
        const result: PlannedResult = {
            paths: measure(load, begunAt, endedAt),
            seconds: (endedAt - begunAt) / 1000,
            down: mostDown(watches, awayMeanwhile(stack, between)),
            acknowledged: acknowledgements(load).length,
            lost: countRows(checks, "lost"),
            unexpected: countRows(checks, "unexpected"),
            duplicates: countRows(checks, "duplicates"),
            stale: findStaleAcknowledgements(acknowledgements(load)).length,
        };
        if (isUnnoticed(result)) await execute(drill, `DROP TABLE IF EXISTS ${table}`);
        return result;
    } finally {
        await Promise.all(watches.map((watch) => watch.stop()));
        await load.stop();
    }
}

/** Whether nothing was lost, nobody behind PgBouncer saw an error, and no two members of a kind were down at once. */
export function isUnnoticed({ paths, lost, unexpected, duplicates, stale, down }: PlannedResult): boolean {
    return lost + unexpected + duplicates + stale + (paths.pooled?.failed ?? 0) === 0 && down <= 1;
}

/** What each path's clients noticed between two times. */
export function measure(load: Pick<Load, "writes" | "reads">, from: number, to: number): Record<string, PlannedPath> {
    const journals: [string, Journal][] = [...load.writes, ...load.reads];
    return Object.fromEntries(
        journals.map(([path, { answers, failed }]) => {
            const gap = longestGap(answers, from, to);
            return [path, { gapMs: gap.end - gap.start, failed }];
        }),
    );
}

/** A watch for each kind of members. */
function watchMembers({ nodes, stores, endpoints }: Stack): OutageWatch[] {
    const listening = (addresses: string[]) =>
        addresses.map((address) => [address, () => assertListening(address)] as const);
    const answering = Object.values(nodes).map(
        ({ patroniApi }) => [patroniApi, () => assertAnswers(`${patroniApi}/health`)] as const,
    );
    return [answering, listening(stores), listening(endpoints.readWrite), listening(endpoints.pooled)].map(
        (probes) => new OutageWatch(new Map(probes)),
    );
}

/** Addresses of members that a change takes out or moves: they are silent as planned. */
export function awayMeanwhile(stack: Stack, between: Stack): Set<string> {
    const there = new Set(memberAddresses(between));
    return new Set(memberAddresses(stack).filter((address) => !there.has(address)));
}

function memberAddresses({ nodes, stores, endpoints }: Stack): string[] {
    const answering = Object.values(nodes).map(({ patroniApi }) => patroniApi);
    return [...answering, ...stores, ...endpoints.readWrite, ...endpoints.pooled];
}

/** Most members of one kind that were silent at the same time, but for some. */
export function mostDown(watches: Pick<OutageWatch, "silent" | "together">[], away: Set<string>): number {
    const groups = watches.flatMap(({ silent, together }) => [...[...silent].map((name) => [name]), ...together]);
    return Math.max(0, ...groups.map((names) => names.filter((name) => !away.has(name)).length));
}
