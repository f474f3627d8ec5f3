import { compareRows, type RowCheck } from "./checker";
import type { Load } from "./load";
import { Session } from "./session";
import type { Stack } from "./stack";
import { waitUntil } from "./wait";

/** The nodes whose rows are read. */
type Databases = Pick<Stack, "nodes" | "login">;

const readTimeoutMs = 60_000;
const replayTimeoutMs = 60_000;

/** Compares what the writers of a load know with what the leader and each replica hold, node by node. */
export async function checkRows(
    stack: Databases,
    leader: string,
    load: Load,
    table: string,
    signal: AbortSignal,
): Promise<Map<string, RowCheck>> {
    const journals = [...load.writes.values()];
    const acknowledged = journals.flatMap((journal) => journal.answers.map((answer) => answer.id));
    const unknown = journals.flatMap((journal) => journal.unknown);
    const flushedTo = await onNode(stack, leader, async (session) => {
        const [row] = await session.query<{ lsn: string }>("SELECT pg_current_wal_flush_lsn()::text AS lsn");
        return row?.lsn;
    });
    const checks = new Map<string, RowCheck>();
    for (const node of Object.keys(stack.nodes)) {
        const present = await onNode(stack, node, async (session) => {
            if (node !== leader) {
                await waitUntil(
                    `replica ${node} replays up to ${flushedTo}`,
                    { timeoutMs: replayTimeoutMs, signal },
                    () => assertReplayed(session, flushedTo),
                );
            }
            return (await session.query<{ id: string }>(`SELECT id FROM ${table}`)).map((row) => row.id);
        });
        checks.set(node, compareRows(acknowledged, unknown, present));
    }
    return checks;
}

async function assertReplayed(session: Session, lsn: string | undefined): Promise<void> {
    const [row] = await session.query<{ replayed: string; reached: boolean }>(
        "SELECT pg_last_wal_replay_lsn()::text AS replayed, pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached",
        [lsn],
    );
    if (row?.reached !== true) {
        throw new Error(`it is at ${row?.replayed}`);
    }
}

async function onNode<T>(stack: Databases, node: string, action: (session: Session) => Promise<T>): Promise<T> {
    const session = new Session([stack.nodes[node]?.postgres ?? ""], stack.login, 0, readTimeoutMs);
    try {
        return await action(session);
    } finally {
        session.close();
    }
}
