import { findStaleAcknowledgements, longestGap, type RowCheck } from "./checker";
import type { Journal } from "./journal";
import type { Lab } from "./lab";
import { acknowledgements, Load } from "./load";
import { assertNodesAnswer, assertReplicating, findLeader, readCluster, readTtlSeconds } from "./patroni";
import { checkRows } from "./rows";
import type { Scenario } from "./scenarios";
import { Session } from "./session";
import type { Stack } from "./stack";
import { waitUntil } from "./wait";
import { bringLeadersTogether } from "./worstCut";

export const steadyTimeoutMs = 30_000;
const failoverTimeoutMs = 120_000;
const healthyTimeoutMs = 180_000;
/** Answers that each client must have before the fault and after the recovery: what was measured lies between them. */
export const steadyAnswers = 10;

export interface Drill {
    stackName: string;
    stack: Stack;
    lab: Lab;
    clients: number;
    rate: number;
    /** What a healthy cluster of this stack has. */
    synchronousStandbys: number;
    signal: AbortSignal;
    log: (message: string) => void;
}

export interface PathResult {
    /** Longest time without an answer from the fault until every client had answers again. */
    gapMs: number;
    /** From the fault to the end of that gap. */
    answeredAfterMs: number;
    /** Longest time without an answer while the lost member came back. */
    returnGapMs: number;
}

export interface RoundResult {
    oldLeader: string;
    newLeader: string;
    paths: Record<string, PathResult>;
    /** From the beginning of the repair (of the fault itself where nothing is to be repaired) to full health. */
    healthyAfterMs: number;
    acknowledged: number;
    unknown: number;
    lost: number;
    unexpected: number;
    duplicates: number;
    /** Rows acknowledged by an old leader after a new one had acknowledged some. */
    stale: number;
}

/** One fault under load, from a healthy cluster to a healthy cluster. */
export async function runRound(drill: Drill, scenario: Scenario): Promise<RoundResult> {
    const { stack, lab, log, signal } = drill;
    await waitForHealth(drill, "cluster healthy before the fault");
    const table = `drill_${Date.now().toString(36)}`;
    await execute(drill, `CREATE TABLE IF NOT EXISTS ${table} (id text NOT NULL)`);
    log(`load begins: ${drill.clients} clients per path at ${drill.rate} transactions per second each, table ${table}`);
    const load = new Load({ clientsPerPath: drill.clients, ratePerClient: drill.rate, login: stack.login, table });
    try {
        load.startWriters({ name: "read-write", endpoints: stack.endpoints.readWrite });
        load.startWriters({ name: "pooled", endpoints: stack.endpoints.pooled });
        load.startReaders({ name: "read-only", endpoints: stack.endpoints.readOnly });
        await waitForAnswers("steady load before the fault", load, steadyAnswers, steadyTimeoutMs, signal);

        const oldLeader = await readLeader(stack);
        if (scenario.hostFault === "cut") await bringLeadersTogether(oldLeader);
        signal.throwIfAborted();
        log(`${scenario.description} (${oldLeader})`);
        const brokenAt = performance.now();
        await injectFault(drill, scenario, oldLeader);
        if (scenario.hostFault !== undefined) {
            const election = waitForLeader(drill, oldLeader);
            await (scenario.hostFault === "cut" ? assertDemotedBefore(election, drill, oldLeader, brokenAt) : election);
        }
        await waitForAnswers("answers for every client after the fault", load, 1, failoverTimeoutMs, signal);
        const newLeader = await waitForLeader(drill);
        log(`leader is ${newLeader}, all clients are served`);

        const servedAt = performance.now();
        if (scenario.hostFault !== undefined) {
            await lab.heal(oldLeader);
            log(`host ${oldLeader} is back`);
        }
        await waitForHealth(drill, "cluster healthy after the fault");
        const healthyAt = performance.now();
        log("cluster is healthy");
        await waitForAnswers("steady load after the recovery", load, steadyAnswers, steadyTimeoutMs, signal);
        await load.stop();

        const leader = await readLeader(stack);
        const checks = await checkRows(stack, leader, load, table, signal);
        const result: RoundResult = {
            oldLeader,
            newLeader,
            paths: measurePaths(load, brokenAt, servedAt, healthyAt),
            healthyAfterMs: healthyAt - (scenario.hostFault === undefined ? brokenAt : servedAt),
            acknowledged: acknowledgements(load).length,
            unknown: [...load.writes.values()].reduce((sum, journal) => sum + journal.unknown.length, 0),
            lost: countRows(checks, "lost"),
            unexpected: countRows(checks, "unexpected"),
            duplicates: countRows(checks, "duplicates"),
            stale: findStaleAcknowledgements(acknowledgements(load)).length,
        };
        logRows(drill, checks, table);
        if (isClean(result)) await execute(drill, `DROP TABLE IF EXISTS ${table}`);
        return result;
    } finally {
        await load.stop();
    }
}

export function isClean(result: RoundResult): boolean {
    return result.lost + result.unexpected + result.duplicates + result.stale === 0;
}

/** Waits until every client has answers to questions asked from now on. */
export function waitForAnswers(what: string, load: Load, count: number, timeoutMs: number, signal: AbortSignal) {
    const since = performance.now();
    return waitUntil(what, { timeoutMs, signal }, () => load.assertAnswered(since, count));
}

/** Waits until one node leads, all others stream, and every service is complete. A change may have other nodes. */
export async function waitForHealth(drill: Drill, what: string, nodes = drill.stack.nodes): Promise<void> {
    await waitUntil(what, { timeoutMs: healthyTimeoutMs, signal: drill.signal }, async () => {
        assertReplicating(await readCluster(nodes), nodes, drill.synchronousStandbys);
        await assertNodesAnswer(nodes);
        await drill.lab.assertServicesComplete();
    });
}

/** Runs an idempotent statement on the leader. */
export async function execute({ stack, signal }: Drill, statement: string): Promise<void> {
    const session = new Session(stack.endpoints.readWrite, stack.login);
    try {
        await waitUntil(statement, { timeoutMs: steadyTimeoutMs, signal }, () => session.query(statement));
    } finally {
        session.close();
    }
}

async function injectFault({ stack, lab }: Drill, scenario: Scenario, leader: string): Promise<void> {
    if (scenario.hostFault !== undefined) {
        await lab.breakHost(scenario.hostFault, leader);
        return;
    }
    const port = stack.nodes[leader]?.postgres.split(":").at(-1) ?? "";
    await lab.killContainer(leader, port);
}

/** The name of the node that leads. */
export async function readLeader({ nodes }: Stack): Promise<string> {
    return findLeader(await readCluster(nodes), nodes);
}

function waitForLeader({ stack, signal }: Drill, lostLeader?: string): Promise<string> {
    return waitUntil("a leader after the fault", { timeoutMs: failoverTimeoutMs, signal }, async () => {
        const leader = await readLeader(stack);
        if (leader === lostLeader) throw new Error(`${lostLeader} still holds the leader key`);
        return leader;
    });
}

/** Throws if a server that is cut off runs as a primary when another leader is known, or for longer than it holds the lock. */
async function assertDemotedBefore(
    election: Promise<string>,
    drill: Drill,
    host: string,
    cutAt: number,
): Promise<void> {
    const { stack, lab, signal } = drill;
    const url = `${stack.nodes[host]?.patroniApi}/patroni`;
    let electedAt = Infinity;
    let lastPrimary = cutAt;
    const watch = waitUntil(`${host} says what it is`, { timeoutMs: failoverTimeoutMs, signal }, async () => {
        const askedAt = performance.now();
        // Not verified, because the host asks itself.
        const answer = await lab.exec(host, "curl", "--silent", "--show-error", "--insecure", "--max-time", "2", url);
        const { role, state } = JSON.parse(answer) as { role: string; state: string };
        // Its state is unknown where PostgreSQL gives Patroni no answer.
        if (["primary", "master"].includes(role) && ["running", "unknown"].includes(state)) lastPrimary = askedAt;
        if (askedAt < electedAt) throw new Error("no other leader is elected");
    });
    await Promise.all([watch, election.then(() => (electedAt = performance.now()))]);
    const seconds = (lastPrimary - cutAt) / 1000;
    const ttlSeconds = await readTtlSeconds(stack.nodes);
    if (lastPrimary > electedAt || seconds > ttlSeconds) {
        throw new Error(
            `split brain: ${host} ran as primary for ${seconds.toFixed(1)} s, with a lock of ${ttlSeconds} s`,
        );
    }
    drill.log(`${host} ran as primary for ${seconds.toFixed(1)} s, and accepts no writes while it is cut off`);
}

function measurePaths(load: Load, brokenAt: number, servedAt: number, healthyAt: number): Record<string, PathResult> {
    const journals: [string, Journal][] = [...load.writes, ...load.reads];
    return Object.fromEntries(
        journals.map(([path, journal]) => {
            const gap = longestGap(journal.answers, brokenAt, servedAt);
            const returnGap = longestGap(journal.answers, servedAt, healthyAt);
            return [
                path,
                {
                    gapMs: gap.end - gap.start,
                    answeredAfterMs: gap.end - brokenAt,
                    returnGapMs: returnGap.end - returnGap.start,
                },
            ];
        }),
    );
}

/** Distinct rows with a finding: one that is lost on two nodes is one lost row. */
export function countRows(checks: Map<string, RowCheck>, finding: keyof RowCheck): number {
    return new Set([...checks.values()].flatMap((check) => check[finding])).size;
}

/** Says which rows have a finding. */
export function logRows(drill: Drill, checks: Map<string, RowCheck>, table: string): void {
    for (const [node, check] of checks) {
        for (const [finding, ids] of Object.entries(check) as [string, string[]][]) {
            if (ids.length > 0) {
                drill.log(`${node}: ${ids.length} ${finding} rows in ${table}, such as ${ids.slice(0, 5).join(", ")}`);
            }
        }
    }
}
