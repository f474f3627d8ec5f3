import { expect } from "chai";
import { z } from "zod";
import { SlotType } from "../../components";
import { Cluster, readCluster, readLeader, waitForHealth } from "./helpers/cluster";
import { RunningCommand, start } from "./helpers/command";
import { inContainer, lines, scriptOnHost } from "./helpers/hosts";
import { pulumi, up } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { parseUrl, query, Target, value } from "./helpers/sql";
import { eventually, inSeconds, note } from "./helpers/wait";

const slot = "cdc_test";
const table = "logical_test";
const passwordFile = "/tmp/cdc-test.pgpass";
const consumerTimeoutSeconds = 900;
const insertPauseMs = 50;

const logins = z.object({ app: z.object({ replicationRoles: z.object({ app_cdc: z.object({ url: z.string() }) }) }) });

/** `pg_recvlogical` in a node's container, with what it wrote. It connects again by itself. */
class Consumer {
    private constructor(private readonly command: RunningCommand) {}

    static async start(host: string, url: string): Promise<Consumer> {
        const { login, endpoints } = parseUrl(url);
        const conninfo = [
            `host=${endpoints.map((endpoint) => endpoint.split(":")[0]).join(",")}`,
            `port=${endpoints.map((endpoint) => endpoint.split(":")[1]).join(",")}`,
            `user=${login.user}`,
            `dbname=${login.database}`,
            "connect_timeout=3",
            `passfile=${passwordFile}`,
        ].join(" ");
        const container = `$(docker ps --quiet --filter label=pgha.workload=lab-patroni-${host})`;
        const keep = `docker exec --interactive ${container} sh -c 'umask 077; cat >${passwordFile}'`;
        await scriptOnHost(host, keep, { input: `*:*:*:${login.user}:${login.password}\n` });
        // What runs in a container outlives the client that started it: it ends with its standard input.
        const receive = `pg_recvlogical -d "${conninfo}" --slot ${slot} --start -f - --status-interval 1 & cat >/dev/null; kill $!; wait`;
        const script = `docker exec --interactive ${container} bash -c '${receive}'`;
        return new Consumer(
            start("lab/host.sh", ["exec", host, "bash", "-euc", script], {
                holdInput: true,
                timeoutSeconds: consumerTimeoutSeconds,
            }),
        );
    }

    /** Ids of the rows whose insertion it was told of. */
    seen(): Set<number> {
        const ids = [...this.command.output().matchAll(/table public\.logical_test: INSERT: id\[integer\]:(\d+)/g)];
        return new Set(ids.map((match) => Number(match[1])));
    }

    output(): string {
        return this.command.output();
    }

    async stop(): Promise<void> {
        this.command.endInput();
        await this.command.ended;
    }
}

/** A client that inserts rows one after the other, and remembers which were acknowledged. */
class Inserter {
    readonly acknowledged: number[] = [];
    private running = true;
    private readonly done: Promise<void>;

    constructor(
        private readonly target: Target,
        first: number,
    ) {
        this.done = this.run(first);
    }

    /** Waits until so many more rows are acknowledged. */
    async waitForMore(count: number, timeoutSeconds: number): Promise<void> {
        const wanted = this.acknowledged.length + count;
        await eventually("rows are acknowledged", timeoutSeconds, () => {
            if (this.acknowledged.length < wanted) throw new Error(`${this.acknowledged.length} of ${wanted}`);
        });
    }

    async stop(): Promise<void> {
        this.running = false;
        await this.done;
    }

    private async run(first: number): Promise<void> {
        for (let id = first; this.running; id++) {
            const endpoint = this.target.endpoints[id % this.target.endpoints.length] ?? "";
            try {
                await query(endpoint, this.target.login, `INSERT INTO ${table} VALUES ($1)`, [id]);
                this.acknowledged.push(id);
            } catch {
                // Nobody promised that this row is there.
            }
            await new Promise((fulfil) => setTimeout(fulfil, insertPauseMs));
        }
    }
}

describe("a consumer of changes, on a permanent logical slot", () => {
    let cluster: Cluster;
    let owner: Target;
    let consumer: Consumer | undefined;
    let url = "";
    let nextId = 1;

    const hosts = (): string[] => Object.keys(cluster.nodes);
    const onEachNode = (sql: string): Promise<unknown[]> =>
        Promise.all(Object.values(cluster.nodes).map((node) => value(node.postgres, owner.login, sql)));
    const nodeOf = (host: string) => {
        const node = cluster.nodes[host];
        if (node === undefined) throw new Error(`no node on ${host}`);
        return node;
    };

    before("pulumi up with the slot, its consumer, and wal_level logical", async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
        owner = parseUrl(cluster.applications.app?.urls.direct ?? "");
        const configFile = editSettings((settings) => {
            settings.patroni = {
                ...settings.patroni,
                slots: { [slot]: { type: SlotType.Logical, database: "app", plugin: "test_decoding" } },
                parameters: { ...settings.patroni?.parameters, wal_level: "logical" },
            };
            const { app } = settings.applications ?? {};
            settings.applications = { ...settings.applications, app: { ...app, replicationRoles: { app_cdc: {} } } };
        });
        await up({ configFile });
        await waitForHealth(cluster);
        await query(owner.endpoints[0] ?? "", owner.login, `CREATE TABLE ${table} (id int PRIMARY KEY)`);
    });

    after("pulumi up with the stack's own settings", async () => {
        await consumer?.stop();
        await query(owner.endpoints[0] ?? "", owner.login, `DROP TABLE IF EXISTS ${table}`);
        await up();
        await waitForHealth(cluster);
    });

    it("wal_level is in force on every node: each was restarted for it", async () => {
        expect(await onEachNode("SHOW wal_level")).to.deep.equal(hosts().map(() => "logical"));
        expect(await onEachNode("SELECT count(*)::int FROM pg_settings WHERE pending_restart")).to.deep.equal(
            hosts().map(() => 0),
        );
    });

    it("the slot is on every node, so that it outlives each of them", async function () {
        const sql = `SELECT count(*)::int FROM pg_replication_slots WHERE slot_name = '${slot}' AND slot_type = 'logical'`;
        const startedAt = performance.now();
        await eventually("the slot is on every node", 60, async () => {
            const counts = await onEachNode(sql);
            if (counts.some((count) => count !== 1)) throw new Error(`slots by node: ${counts.join(", ")}`);
        });
        note(this, inSeconds((performance.now() - startedAt) / 1000));
    });

    it("the consumer's login leads to the primary, and reads", async () => {
        const { stdout } = await pulumi(["stack", "output", "applications", "--json", "--show-secrets"]);
        url = logins.parse(JSON.parse(stdout)).app.replicationRoles.app_cdc.url;
        expect(parseUrl(url).endpoints).to.deep.equal(cluster.endpoints.readWrite);
        consumer = await Consumer.start(hosts()[0] ?? "", url);
        const inserter = new Inserter(owner, nextId);
        await eventually("the consumer sees a row", 30, () => {
            if (consumer?.seen().size === 0) throw new Error(consumer.output().slice(-500));
        });
        await inserter.stop();
        nextId = Math.max(...inserter.acknowledged) + 1000;
    });

    const faults: { [what: string]: (leader: string) => Promise<unknown> } = {
        "a switchover": (leader) =>
            inContainer(leader, `lab-${nodeOf(leader).name}`, [
                "patronictl",
                "switchover",
                "lab",
                "--leader",
                nodeOf(leader).name,
                "--force",
            ]),
        "a crash of the primary": (leader) =>
            scriptOnHost(
                leader,
                `docker kill "$(docker ps --quiet --filter label=pgha.workload=lab-patroni-${leader})"`,
            ),
    };
    for (const [what, happen] of Object.entries(faults)) {
        it(`it goes on after ${what}, and misses no acknowledged change`, async function () {
            const leader = await readLeader(cluster);
            await consumer?.stop();
            consumer = await Consumer.start(hosts().find((host) => host !== leader) ?? "", url);
            const inserter = new Inserter(owner, nextId);
            try {
                await inserter.waitForMore(20, 30);
                await happen(leader);
                await inserter.waitForMore(20, 90);
            } finally {
                await inserter.stop();
            }
            nextId = Math.max(...inserter.acknowledged) + 1000;
            const startedAt = performance.now();
            await eventually("the consumer has caught up", 60, () => {
                const seen = consumer?.seen() ?? new Set();
                const missing = inserter.acknowledged.filter((id) => !seen.has(id));
                if (missing.length > 0) {
                    const last = lines(consumer?.output() ?? "").slice(-3);
                    throw new Error(
                        `${missing.length} rows are missing, the first is ${missing[0]}; ${last.join("; ")}`,
                    );
                }
            });
            const caughtUp = (performance.now() - startedAt) / 1000;
            note(this, `${inserter.acknowledged.length} rows, caught up ${inSeconds(caughtUp)} later`);
            await waitForHealth(cluster);
        });
    }
});
