import { compareRows } from "../../../lab/drill/checker";
import { acknowledgements, Load } from "../../../lab/drill/load";
import { query } from "../../lab/helpers/sql";
import { eventually } from "../../lab/helpers/wait";
import { assertNothingLost, summarize, WritersResult } from "../../lab/helpers/writers";
import { LiveExample } from "./liveExample";

const table = "writers_test";
const clientsPerPath = 2;
const ratePerClient = 20;
const answerSeconds = 60;
const steadyAnswers = 5;
const replaySeconds = 60;

/** Clients outside the cluster that insert rows on every path that takes writes, and remember each acknowledgement. */
export class ExampleWriters {
    private readonly startedAt = performance.now();

    private constructor(
        private readonly live: LiveExample,
        private readonly load: Load,
    ) {}

    /** Starts them, and waits until all are served. */
    public static async start(live: LiveExample): Promise<ExampleWriters> {
        const { login, endpoints } = live.target(live.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE IF EXISTS ${table}`);
        await query(endpoints[0] ?? "", login, `CREATE TABLE ${table} (id text NOT NULL)`);
        const load = new Load({ clientsPerPath, ratePerClient, login, table });
        load.startWriters({ name: "direct", endpoints });
        const { pooled } = live.urls;
        if (pooled !== undefined) load.startWriters({ name: "pooled", endpoints: live.target(pooled).endpoints });
        const writers = new ExampleWriters(live, load);
        await writers.waitForAnswers();
        return writers;
    }

    /** Waits until every client is served, whatever became of its connections. */
    public async waitForAnswers(): Promise<void> {
        const since = performance.now();
        await eventually("all writers are served", answerSeconds, () => this.load.assertAnswered(since, steadyAnswers));
    }

    /** Ends them when all are served, compares what they know with what each node holds, and fails where a row is lost. */
    public async stop(): Promise<WritersResult> {
        await this.waitForAnswers();
        const stoppedAt = performance.now();
        await this.load.stop();
        const lost = await this.findLost();
        const { login, endpoints } = this.live.target(this.live.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE ${table}`);
        return assertNothingLost(summarize(this.load, this.startedAt, stoppedAt, lost));
    }

    /** Ends them without a word, where a test has failed already. */
    public abandon(): Promise<void> {
        return this.load.stop();
    }

    /** A replica may replay the last rows a moment later. */
    private async findLost(): Promise<string[]> {
        const acknowledged = acknowledgements(this.load).map(({ id }) => id);
        const unknown = [...this.load.writes.values()].flatMap((journal) => journal.unknown);
        const { database } = this.live.target(this.live.urls.direct).login;
        let lost = acknowledged;
        await eventually("every node has every acknowledged row", replaySeconds, async () => {
            const rows = await this.live.onEachNode(`SELECT id FROM ${table}`, database);
            lost = [...rows.values()].flatMap((present) => compareRows(acknowledged, unknown, present).lost);
            if (lost.length > 0) throw new Error(`${lost.length} rows are missing`);
        }).catch(() => undefined);
        return lost;
    }
}
