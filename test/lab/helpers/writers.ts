import { findStaleAcknowledgements, longestGap } from "../../../lab/drill/checker";
import { acknowledgements, Load } from "../../../lab/drill/load";
import { checkRows } from "../../../lab/drill/rows";
import { Application, Cluster, readLeader } from "./cluster";
import { parseUrl, query } from "./sql";
import { eventually } from "./wait";

const table = "writers_test";
export const clientsPerPath = 2;
const ratePerClient = 20;
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
    /** Longest time without an acknowledgement, by path. */
    gapSeconds: { [path: string]: number };
}

/** Clients outside the cluster that insert rows through HAProxy and PgBouncer, and remember each acknowledgement. */
export class Writers {
    private readonly startedAt = performance.now();

    private constructor(
        private readonly cluster: Cluster,
        private readonly app: Application,
        private readonly load: Load,
    ) {}

    /** Starts them, and waits until all are served. */
    public static async start(cluster: Cluster, app: Application): Promise<Writers> {
        const { login, endpoints } = parseUrl(app.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE IF EXISTS ${table}`);
        await query(endpoints[0] ?? "", login, `CREATE TABLE ${table} (id text NOT NULL)`);
        const load = new Load({ clientsPerPath, ratePerClient, login, table });
        load.startWriters({ name: "direct", endpoints });
        load.startWriters({ name: "pooled", endpoints: parseUrl(app.urls.pooled).endpoints });
        const writers = new Writers(cluster, app, load);
        await writers.waitForAnswers();
        return writers;
    }

    /** Waits until all are served again, ends them, and compares what they know with what each node holds. */
    public async stop(): Promise<WritersResult> {
        await this.waitForAnswers();
        const stoppedAt = performance.now();
        await this.load.stop();
        const { login, endpoints } = parseUrl(this.app.urls.direct);
        const { endpoints: all, nodes, caCertificate } = this.cluster;
        const stack = { endpoints: all, nodes, caCertificate, login };
        const leader = await readLeader(this.cluster);
        const checks = await checkRows(stack, leader, this.load, table, new AbortController().signal);
        await query(endpoints[0] ?? "", login, `DROP TABLE ${table}`);
        const gaps = [...this.load.writes].map(([path, { answers }]) => {
            const gap = longestGap(answers, this.startedAt, stoppedAt);
            return [path, (gap.end - gap.start) / 1000] as const;
        });
        return {
            acknowledged: acknowledgements(this.load).length,
            lost: [...checks.values()].flatMap((check) => check.lost),
            stale: findStaleAcknowledgements(acknowledgements(this.load)).length,
            failed: failedTransactions(this.load),
            gapSeconds: Object.fromEntries(gaps),
        };
    }

    /** Ends them without a word, where a test has failed already. */
    public abandon(): Promise<void> {
        return this.load.stop();
    }

    private async waitForAnswers(): Promise<void> {
        const since = performance.now();
        await eventually("all writers are served", steadySeconds, () => this.load.assertAnswered(since, steadyAnswers));
    }
}

/** Transactions that were sent and not acknowledged, by path. */
export function failedTransactions(load: Load): { [path: string]: number } {
    return Object.fromEntries([...load.writes].map(([path, { unknown, refused }]) => [path, unknown.length + refused]));
}

export function describeWriters({ acknowledged, lost, failed, gapSeconds }: WritersResult): string {
    const failures = Object.entries(failed).map(([path, count]) => `${path} ${count}`);
    const gaps = Object.entries(gapSeconds).map(([path, seconds]) => `${path} ${seconds.toFixed(1)} s`);
    return `${acknowledged} rows acknowledged, ${lost.length} lost, failed: ${failures.join(", ")}, longest gaps: ${gaps.join(", ")}`;
}
