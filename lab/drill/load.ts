import { setTimeout as sleep } from "node:timers/promises";
import { type Acknowledgement, describeFailures, type Journal, type WriteJournal } from "./journal";
import { classifyFailedInsert, NotConnectedError, Session, type Login } from "./session";
import { errorText } from "./wait";

export interface LoadSettings {
    clientsPerPath: number;
    ratePerClient: number;
    login: Login;
    table: string;
    /** @default 2000 */
    queryTimeoutMs?: number;
}

/** The load ends by itself after this time, whatever became of the drill around it. */
const maximumLoadMs = 20 * 60 * 1000;
const pauseAfterFailureMs = 100;

/** A way into the cluster, with the addresses that serve it. */
export interface Path {
    name: string;
    endpoints: string[];
    /** Clients validate their connection before each transaction. */
    validated?: boolean;
}

/** Clients outside the cluster at a bounded rate: writers on some paths, readers on others. */
export class Load {
    public readonly writes = new Map<string, WriteJournal>();
    public readonly reads = new Map<string, Journal>();
    private readonly clients: Promise<void>[] = [];
    private readonly stopping = new AbortController();
    private readonly endsAt = performance.now() + maximumLoadMs;

    public constructor(private readonly settings: LoadSettings) {}

    public startWriters(path: Path): void {
        const journal: WriteJournal = { answers: [], failed: 0, unknown: [], refused: 0, reasons: new Map() };
        this.writes.set(path.name, journal);
        this.startClients(path, (session, client, sequence) =>
            this.insertRow(session, journal, client, `${path.name}/${client}/${sequence}`),
        );
    }

    public startReaders(path: Path): void {
        const journal: Journal = { answers: [], failed: 0, reasons: new Map() };
        this.reads.set(path.name, journal);
        this.startClients(path, (session, client) => readRow(session, journal, client));
    }

    public async stop(): Promise<void> {
        this.stopping.abort();
        await Promise.all(this.clients);
    }

    /** Throws unless every client of every path has `count` answers to questions asked after `since`. */
    public assertAnswered(since: number, count = 1): void {
        for (const [path, journal] of [...this.writes, ...this.reads]) {
            const answered = new Array<number>(this.settings.clientsPerPath).fill(0);
            for (let i = journal.answers.length - 1; i >= 0; i--) {
                const answer = journal.answers[i];
                if (answer === undefined || answer.receivedAt < since) break;
                if (answer.sentAt >= since) answered[answer.client] = (answered[answer.client] ?? 0) + 1;
            }
            const waiting = answered.filter((n) => n < count).length;
            if (waiting > 0) {
                throw new Error(`${path}: ${waiting} clients without an answer; ${describeFailures(journal)}`);
            }
        }
    }

    private startClients(
        path: Path,
        step: (session: Session, client: number, sequence: number) => Promise<boolean>,
    ): void {
        for (let client = 0; client < this.settings.clientsPerPath; client++) {
            const session = new Session(path.endpoints, this.settings.login, client, this.settings.queryTimeoutMs);
            const run = async (sequence: number): Promise<boolean> => {
                if (path.validated) await session.validate();
                return step(session, client, sequence);
            };
            this.clients.push(this.runClient(session, run));
        }
    }

    private async runClient(session: Session, step: (sequence: number) => Promise<boolean>): Promise<void> {
        const intervalMs = 1000 / this.settings.ratePerClient;
        let due = performance.now();
        for (let sequence = 1; !this.stopping.signal.aborted && performance.now() < this.endsAt; sequence++) {
            const succeeded = await step(sequence);
            // An outage is not followed by a burst: what was due meanwhile is left out.
            due = Math.max(due + intervalMs, performance.now() + (succeeded ? 0 : pauseAfterFailureMs));
            await sleep(Math.max(0, due - performance.now()), undefined, { signal: this.stopping.signal }).catch(
                () => undefined,
            );
        }
        session.close();
    }

    private async insertRow(session: Session, journal: WriteJournal, client: number, id: string): Promise<boolean> {
        const sentAt = performance.now();
        try {
            const [row] = await session.query<{ timeline: number }>(
                `INSERT INTO ${this.settings.table} (id) VALUES ($1)
                 RETURNING ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int AS timeline`,
                [id],
            );
            if (row === undefined) throw new Error("the insert returned no row");
            journal.answers.push({ client, id, sentAt, receivedAt: performance.now(), timeline: row.timeline });
            return true;
        } catch (error) {
            const outcome = classifyFailedInsert(error);
            if (outcome === "unknown") journal.unknown.push(id);
            if (outcome === "refused") journal.refused += 1;
            if (outcome !== "unsent") journal.failed += 1;
            noteReason(journal, error);
            return false;
        }
    }
}

async function readRow(session: Session, journal: Journal, client: number): Promise<boolean> {
    const sentAt = performance.now();
    try {
        await session.query("SELECT 1");
        journal.answers.push({ client, sentAt, receivedAt: performance.now() });
        return true;
    } catch (error) {
        if (!(error instanceof NotConnectedError)) journal.failed += 1;
        noteReason(journal, error);
        return false;
    }
}

function noteReason({ reasons }: Journal, error: unknown): void {
    const text = errorText(error);
    reasons.set(text, (reasons.get(text) ?? 0) + 1);
}

/** All acknowledgements of all write paths. */
export function acknowledgements(load: Load): Acknowledgement[] {
    return [...load.writes.values()].flatMap((journal) => journal.answers);
}
