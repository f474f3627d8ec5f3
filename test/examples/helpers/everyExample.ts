import { expect } from "chai";
import { Example } from "../../lab/helpers/example";
import { existsOnHost, inContainer, onHost } from "../../lab/helpers/hosts";
import { query, refusal, value } from "../../lab/helpers/sql";
import { eventually, inSeconds, note } from "../../lab/helpers/wait";
import { describeWriters } from "../../lab/helpers/writers";
import { ExampleWriters } from "./exampleWriters";
import { bringUpLab, labHosts, labHostsByAddress, LabMachines } from "./labMachines";
import { LiveExample, Workload } from "./liveExample";

/** An example, and how it is brought up in the lab. */
export interface Topology {
    /** Folder below `examples/`. */
    folder: string;
    machines: LabMachines;
    /** Settings of its stack; asked for when the lab is up. */
    settings: () => { [name: string]: unknown };
    /** Where its data is on each host of the lab, and which of it has to be there after `destroy`. */
    data: ExampleData;
}

export interface ExampleData {
    /** Whether a later `up` is tried on what `destroy` left: once for each way to keep data. */
    isReused: boolean;
    /** What is on a host that has a node. */
    kept: (node: string) => { file: string } | { volume: string };
    /** Removes all data of the example from a host: a script. */
    removal: string;
}

const timeoutMs = 900_000;
const table = "every_example";
const replicationSeconds = 10;
const benchmarkSeconds = 5;

/** Tests what every example must show, with those of `ownPoints` in the middle. */
export function describeExample(
    topology: Topology,
    ownPoints: (up: () => LiveExample, example: Example) => void,
): void {
    describe(`the example ${topology.folder}`, function () {
        this.timeout(timeoutMs);
        const example = new Example(topology.folder);
        let live: LiveExample;
        const up = (): LiveExample => live;

        before(async () => {
            await bringUpLab(topology.machines);
            await removeData(topology);
            await example.install(topology.settings());
        });

        after(async () => {
            await example.remove();
            await removeData(topology);
        });

        describe("as every example:", () => {
            it("comes up", async function () {
                note(this, inSeconds(await example.up()));
                live = await LiveExample.read(example, labHostsByAddress());
            });

            it("pgha status finds it healthy", () => live.waitForHealth());

            it("a second up changes nothing, nor does one that refreshes", async () => {
                await example.upChangesNothing();
                await example.upChangesNothing("--refresh");
            });

            it("its application writes and reads on every path", () => writeAndRead(live));

            it("pgbench runs against every path that takes writes", async function () {
                note(this, await benchmark(live));
            });
        });

        describe("as its topology wants:", () => ownPoints(up, example));

        describe("in the end:", () => {
            it("a leader that is killed once comes back or is replaced, and no acknowledged row is lost", async function () {
                await breakLeader(live, this, async (leader) => {
                    await live.kill(leader);
                    await eventually("writes are accepted again", 60, () => write(live, "after the leader's end"));
                    await live.waitForHealth();
                    return live.leader();
                });
            });

            it("a leader that is killed and stays away is replaced, and no acknowledged row is lost", async function () {
                await breakLeader(live, this, async (leader) => {
                    const next = await live.keepDeadUntilReplaced(leader);
                    await eventually("writes are accepted again", 60, () => write(live, "after its replacement"));
                    await live.waitForHealth();
                    expect((await live.leader()).name).to.equal(next.name);
                    return next;
                });
            });

            it("destroy leaves nothing but the data", async () => {
                await example.destroy();
                await findOnlyData(live, topology);
            });

            if (topology.data.isReused) {
                it("a later up finds the rows again", async function () {
                    note(this, inSeconds(await example.up()));
                    live = await LiveExample.read(example, labHostsByAddress());
                    const { login, endpoints } = live.target(live.urls.direct);
                    const kept = `SELECT count(*) FROM ${table} WHERE path = 'after the leader''s end'`;
                    expect(await value(endpoints[0] ?? "", login, kept)).to.equal("1");
                });
            }
        });
    });
}

/** Does something to the leader while clients write, and finds every row that was acknowledged. `fault` gives the node that leads in the end. */
async function breakLeader(
    live: LiveExample,
    context: Mocha.Context,
    fault: (leader: Workload) => Promise<Workload>,
): Promise<void> {
    const writers = await ExampleWriters.start(live);
    try {
        const leader = await live.leader();
        const next = await fault(leader);
        const result = await writers.stop();
        note(context, `${leader.name} killed, then ${next.name} leads; ${describeWriters(result)}`);
    } finally {
        await writers.abandon();
    }
}

async function removeData({ machines, data }: Topology): Promise<void> {
    await Promise.all(labHosts(machines).map((host) => onHost(host, ["bash", "-euc", data.removal])));
}

/** After `destroy`. */
async function findOnlyData(live: LiveExample, { data }: Topology): Promise<void> {
    const ofCluster = `label=pgha.cluster=${live.outputs.operations.clusterName}`;
    for (const { name, labHost } of live.workloads("patroni")) {
        // A Swarm removes what is left of a killed task a moment after its service.
        await eventually(`no container is left on ${labHost}`, 30, async () => {
            const containers = await onHost(labHost, ["docker", "ps", "--all", "--quiet", "--filter", ofCluster]);
            expect(containers.trim()).to.equal("");
        });
        const kept = data.kept(name);
        if ("file" in kept) {
            expect(await existsOnHost(labHost, kept.file), `${kept.file} on ${labHost}`).to.equal(true);
        } else {
            await onHost(labHost, ["docker", "volume", "inspect", kept.volume]);
        }
    }
}

async function write(live: LiveExample, path: string): Promise<void> {
    const { login, endpoints } = live.target(live.urls.direct);
    await query(endpoints[0] ?? "", login, `INSERT INTO ${table} VALUES ($1) ON CONFLICT DO NOTHING`, [path]);
}

/** Writes through every entry point that takes writes, and finds the rows behind every one that reads. */
async function writeAndRead(live: LiveExample): Promise<void> {
    const { direct, pooled, readOnly } = live.urls;
    const first = live.target(direct);
    await query(first.endpoints[0] ?? "", first.login, `CREATE TABLE ${table} (path text PRIMARY KEY)`);
    let written = 0;
    for (const url of [direct, ...(pooled === undefined ? [] : [pooled])]) {
        const { login, endpoints } = live.target(url);
        for (const endpoint of endpoints) {
            await query(endpoint, login, `INSERT INTO ${table} VALUES ($1)`, [endpoint]);
            written++;
        }
    }
    const { login, endpoints } = live.target(readOnly);
    for (const endpoint of [...endpoints, ...live.outputs.endpoints.any]) {
        await eventually(`all rows are behind ${endpoint}`, replicationSeconds, async () => {
            expect(await value(endpoint, login, `SELECT count(*) FROM ${table}`)).to.equal(String(written));
        });
    }
    for (const endpoint of endpoints) {
        expect(await value(endpoint, login, "SELECT pg_is_in_recovery()"), endpoint).to.equal(true);
        expect(await refusal(endpoint, login, `INSERT INTO ${table} VALUES ('read-only')`)).to.match(/^25006 /);
    }
}

/** Runs pgbench in a node's container, as a client of the entry points; gives its figures. */
async function benchmark(live: LiveExample): Promise<string> {
    const [node] = live.workloads("patroni");
    if (node === undefined) throw new Error("the example has no node");
    const { direct, pooled } = live.urls;
    const pgbench = async (url: string, ...options: string[]): Promise<string> =>
        inContainer(node.labHost, node.label, ["pgbench", ...options, url]);
    await pgbench(direct, "--initialize", "--quiet");
    const figures: string[] = [];
    for (const [path, url] of Object.entries({ direct, pooled })) {
        if (url === undefined) continue;
        const text = await pgbench(url, "--client=4", `--time=${benchmarkSeconds}`);
        expect(text).to.match(/number of failed transactions: 0 /);
        figures.push(`${path} ${/^tps = (\d+)/m.exec(text)?.[1]} transactions/s`);
    }
    return figures.join(", ");
}
