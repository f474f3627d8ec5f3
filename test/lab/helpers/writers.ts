import { expect } from "chai";
import { findStaleAcknowledgements, longestGap } from "../../../lab/drill/checker";
import { describeFailures, type WriteJournal } from "../../../lab/drill/journal";
import { acknowledgements, Load } from "../../../lab/drill/load";
import { checkRows } from "../../../lab/drill/rows";
import { Application, Cluster, readLeader } from "./cluster";
import { parseUrl, query } from "./sql";
import { eventually } from "./wait";

const table = "writers_test";
const clientsPerPath = 2;
const ratePerClient = 20;
/** For clients that have to wait without an error: longer than any pause should last. */
export const patientMs = 30_000;
const steadySeconds = 30;
const steadyAnswers = 5;

export interface WritersResult {
    acknowledged: number;
    /** Ids that some node lacks though they were acknowledged. */
    lost: string[];
    /** Rows that an old leader acknowledged after a new one had done so. */
    stale: number;
    /** Transactions that were sent and not acknowledged, by path. */
    failed: { [path: string]: number };
    /** What went wrong, by path. */
    reasons: { [path: string]: string };
    /** Longest time without an acknowledgement, by path. */
    gapSeconds: { [path: string]: number };
}

/**
 * Clients outside the cluster that insert rows through HAProxy and PgBouncer, and remember each acknowledgement. Those behind PgBouncer
 * validate their connections, as many pools do.
 */
export class Writers {
    private readonly startedAt = performance.now();

    private constructor(
        private readonly cluster: Cluster,
        private readonly app: Application,
        private readonly load: Load,
    ) {}

    /** Starts them, and waits until all are served. An answer that takes longer than `queryTimeoutMs` is a failed transaction. */
    public static async start(cluster: Cluster, app: Application, queryTimeoutMs?: number): Promise<Writers> {
        const { login, endpoints } = parseUrl(app.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE IF EXISTS ${table}`);
        await query(endpoints[0] ?? "", login, `CREATE TABLE ${table} (id text NOT NULL)`);
        const load = new Load({ clientsPerPath, ratePerClient, login, table, queryTimeoutMs });
        load.startWriters({ name: "direct", endpoints });
        load.startWriters({ name: "pooled", endpoints: parseUrl(app.urls.pooled).endpoints, validated: true });
        const writers = new Writers(cluster, app, load);
        await writers.waitForAnswers();
        return writers;
    }

    /**
     * Waits until all are served again, ends them, and compares what they know with what each node holds, of those that there are now.
     * Fails where {@link assertNothingLost} does.
     */
    public async stop(cluster = this.cluster): Promise<WritersResult> {
        await this.waitForAnswers();
        const stoppedAt = performance.now();
        await this.load.stop();
        const { login, endpoints } = parseUrl(this.app.urls.direct);
        const { nodes } = cluster;
        const leader = await readLeader(cluster);
        const checks = await checkRows({ nodes, login }, leader, this.load, table, new AbortController().signal);
        await query(endpoints[0] ?? "", login, `DROP TABLE ${table}`);
        const lost = [...checks.values()].flatMap((check) => check.lost);
        return assertNothingLost(summarize(this.load, this.startedAt, stoppedAt, lost));
    }

    /** Ends them without a word, where a test has failed already. */
    public abandon(): Promise<void> {
        return this.load.stop();
    }

    /** Waits until all are served, from now on. */
    public async waitForAnswers(): Promise<void> {
        const since = performance.now();
        await eventually("all writers are served", steadySeconds, () => this.load.assertAnswered(since, steadyAnswers));
    }
}

/** What the clients noticed between two times. */
export function summarize(load: Load, startedAt: number, stoppedAt: number, lost: string[]): WritersResult {
    const byPath = <T>(of: (journal: WriteJournal) => T): { [path: string]: T } =>
        Object.fromEntries([...load.writes].map(([path, journal]) => [path, of(journal)]));
    return {
        acknowledged: acknowledgements(load).length,
        lost,
        stale: findStaleAcknowledgements(acknowledgements(load)).length,
        failed: byPath(({ failed }) => failed),
        reasons: byPath(describeFailures),
        gapSeconds: byPath(({ answers }) => {
            const gap = longestGap(answers, startedAt, stoppedAt);
            return (gap.end - gap.start) / 1000;
        }),
    };
}

/** Fails where a row that was acknowledged is not there, or where an old leader acknowledged one beside the new one. */
export function assertNothingLost(result: WritersResult): WritersResult {
    expect(result.lost, describeWriters(result)).to.deep.equal([]);
    expect(result.stale, "rows that an old leader acknowledged beside the new one").to.equal(0);
    return result;
}

export function describeWriters({ acknowledged, lost, failed, reasons, gapSeconds }: WritersResult): string {
    const failures = Object.entries(failed).map(([path, count]) =>
        count === 0 ? `${path} 0` : `${path} ${count} (${reasons[path] ?? ""})`,
    );
    const gaps = Object.entries(gapSeconds).map(([path, seconds]) => `${path} ${seconds.toFixed(1)} s`);
    return `${acknowledged} rows acknowledged, ${lost.length} lost, failed: ${failures.join(", ")}, longest gaps: ${gaps.join(", ")}`;
}
