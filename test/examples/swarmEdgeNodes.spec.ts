import { expect } from "chai";
import { parse } from "yaml";
import { run } from "../lab/helpers/command";
import { Example } from "../lab/helpers/example";
import { inContainer, lines, onHost, scriptOnHost } from "../lab/helpers/hosts";
import { readSettings } from "../lab/helpers/settings";
import { query, value } from "../lab/helpers/sql";
import { eventually, inSeconds, note } from "../lab/helpers/wait";
import { describeExample } from "./helpers/everyExample";
import { bringUpLab, swarmHostsAs, labHostsByAddress, LabMachines } from "./helpers/labMachines";
import { LiveExample } from "./helpers/liveExample";

const hostKeys = ["swarm-node-1", "swarm-node-2", "swarm-node-3"];
const manager = hostKeys[0];
const edges = hostKeys.slice(0, 2);
const removal = "rm -rf /srv/pgha/pgprod";
const timeoutMs = 900_000;

/** What seed 004 asks for. */
const parameters = {
    max_connections: "400",
    shared_buffers: "1GB",
    wal_level: "logical",
    max_wal_senders: "20",
    max_replication_slots: "20",
    hot_standby: "on",
    wal_keep_size: "512MB",
    effective_cache_size: "3GB",
    maintenance_work_mem: "256MB",
};

/** The lab has three hosts, so two data nodes are edge nodes, too, and PostgreSQL leaves 5432 to HAProxy. */
const settings = (): { [name: string]: unknown } => {
    const { images, network } = readSettings();
    const labels = (index: number): object => ({ pg: "1", ...(index < edges.length ? { edge: "1" } : {}) });
    const hosts = swarmHostsAs(hostKeys, (index) => ({ labels: labels(index) }));
    return { manager, hosts, images, enableEncryption: network?.enableEncryption, postgresPort: 5442 };
};

describeExample(
    {
        folder: "swarm-edge-nodes",
        machines: LabMachines.Swarm,
        settings,
        data: { isReused: false, kept: (node) => ({ file: `/srv/pgha/pgprod/${node}/17/data/PG_VERSION` }), removal },
    },
    (up) => {
        it("HAProxy runs on the edge nodes only, in host mode", async () => {
            const found = up()
                .workloads("haproxy")
                .map(({ labHost }) => labHost);
            expect(found).to.deep.equal(["db1", "db2"]);
            const { readWrite, readOnly } = up().outputs.endpoints;
            const ports = [readWrite, readOnly].map((endpoints) => endpoints.map((one) => one.split(":")[1]));
            expect(ports).to.deep.equal([
                ["5432", "5432"],
                ["5433", "5433"],
            ]);
            const format = "{{range .Endpoint.Ports}}{{.PublishMode}} {{end}}";
            const modes = await onHost("db1", ["docker", "service", "inspect", "--format", format, "pgprod-haproxy"]);
            expect(new Set(modes.trim().split(" "))).to.deep.equal(new Set(["host"]));
        });

        it("a commit waits for one replica, strictly", async () => {
            const [node] = up().workloads("patroni");
            if (node === undefined) expect.fail("no node");
            const text = await inContainer(node.labHost, node.label, ["patronictl", "show-config"]);
            expect(lines(text)).to.include.members([
                "synchronous_mode: true",
                "synchronous_mode_strict: true",
                "synchronous_node_count: 1",
            ]);
            const synchronous = await up().onNode(
                await up().leader(),
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'",
            );
            expect(synchronous).to.deep.equal(["1"]);
        });

        it("PostgreSQL has the figures of its settings", async () => {
            for (const [node, figures] of await up().parameters(Object.keys(parameters))) {
                expect(figures, node).to.deep.equal(parameters);
            }
        });

        it("the database is in UTF8", async () => {
            const encoding = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'app'";
            expect(await up().onNode(await up().leader(), encoding)).to.deep.equal(["UTF8"]);
        });

        it("data checksums are on, and passwords are SCRAM verifiers", async () => {
            for (const [node, [checksums]] of await up().onEachNode("SHOW data_checksums")) {
                expect(checksums, node).to.equal("on");
            }
            const verifiers = await up().onNode(
                await up().leader(),
                "SELECT DISTINCT left(rolpassword, 13) FROM pg_authid WHERE rolpassword IS NOT NULL",
            );
            expect(verifiers).to.deep.equal(["SCRAM-SHA-256"]);
        });

        it("Patroni's REST API answers on 8001, 8002 and 8003, and refuses unsafe calls without its login", () =>
            restApi(up()));

        it("a subscription goes on after a switchover, and misses no row", async function () {
            note(this, await followChanges(up()));
        });

        it("the alert rules are a file for Prometheus", () => {
            const { groups } = parse(up().outputs.alertRules ?? "") as {
                groups: { rules: { alert: string; expr: string }[] }[];
            };
            const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
            expect(alerts.length).to.be.above(5);
        });
    },
);

async function restApi(live: LiveExample): Promise<void> {
    const addresses = [...labHostsByAddress().keys()];
    for (const [index, address] of addresses.entries()) {
        const api = `https://${address}:${8001 + index}`;
        const response = await fetch(`${api}/cluster`);
        const { members } = (await response.json()) as { members: unknown[] };
        expect(members, api).to.have.lengthOf(3);
        const unsafe = await fetch(`${api}/switchover`, { method: "POST", body: "{}" });
        expect(unsafe.status, api).to.equal(401);
        const credentials = btoa(`patroni:${live.outputs.passwords["patroni-api"]}`);
        const headers = { Authorization: `Basic ${credentials}` };
        const known = await fetch(`${api}/switchover`, { method: "POST", body: "{}", headers });
        expect(known.status, api).to.equal(400);
    }
}

/** Follows the permanent slot as the subscriber does, with a switchover in the middle; gives how many rows it saw. */
async function followChanges(live: LiveExample): Promise<string> {
    const { images } = readSettings();
    const owner = live.target(live.urls.direct);
    const endpoint = owner.endpoints[0] ?? "";
    const [application] = Object.values(live.outputs.applications);
    const url = application?.replicationRoles?.app_subscriber?.url ?? "";
    await query(endpoint, owner.login, "CREATE TABLE changes (n int PRIMARY KEY)");
    await query(endpoint, owner.login, "CREATE PUBLICATION app_pub FOR TABLE changes");
    // Changes from before the publication can't be read with it, and the slot is older.
    await query(
        endpoint,
        live.target(url).login,
        "SELECT pg_replication_slot_advance('app_changes', pg_current_wal_lsn())",
    );

    const subscriber = await startSubscriber(images.patroni, url);
    try {
        const insert = async (from: number): Promise<void> => {
            for (let n = from; n < from + 50; n++) {
                await eventually(`row ${n} is accepted`, 60, () =>
                    query(endpoint, owner.login, "INSERT INTO changes VALUES ($1) ON CONFLICT DO NOTHING", [n]),
                );
            }
        };
        await insert(1);
        await live.pghaSucceeds("switchover", "--yes");
        await insert(51);
        await eventually("the subscriber has every row", 90, async () => {
            expect(await subscriber.count()).to.equal(100);
        });
        return "100 rows";
    } finally {
        await subscriber.stop();
        await query(endpoint, owner.login, "DROP PUBLICATION app_pub");
        await query(endpoint, owner.login, "DROP TABLE changes");
    }
}

/** A PostgreSQL of its own that subscribes to the example's publication. */
async function startSubscriber(
    image: string,
    url: string,
): Promise<{ count: () => Promise<number>; stop: () => Promise<void> }> {
    const name = "pgha-subscriber";
    const host = "db3";
    const psql = `docker exec --interactive ${name} psql -XAt -v ON_ERROR_STOP=1 -h /tmp -d postgres`;
    const start = `
docker rm --force ${name} >/dev/null 2>&1 || true
docker run --detach --name ${name} --tmpfs /data:uid=999,gid=999,mode=0700 ${image} bash -euc '
  export PATH=/usr/lib/postgresql/17/bin:$PATH
  initdb --pgdata /data --auth trust --username postgres >/dev/null
  exec postgres -D /data -k /tmp -c listen_addresses='
for i in $(seq 100); do docker exec ${name} pg_isready -q -h /tmp && break; sleep 0.2; done
${psql}`;
    const statements = `
CREATE TABLE changes (n int PRIMARY KEY);
CREATE SUBSCRIPTION app_sub CONNECTION '${url}' PUBLICATION app_pub
    WITH (create_slot = false, slot_name = 'app_changes', copy_data = true);`;
    await scriptOnHost(host, start, { input: statements });
    return {
        count: async () => Number(await scriptOnHost(host, psql, { input: "SELECT count(*) FROM changes;" })),
        stop: async () => {
            await onHost(host, ["docker", "rm", "--force", name]);
        },
    };
}

/** Settings of the stores that may take the place of the example's own etcd. Consul's image takes minutes to build. */
const stores: { [name: string]: () => Promise<object> } = {
    "an external etcd": async () => ({ externalEtcd: await startEtcd() }),
    "Consul @consul": async () => ({
        consul: {},
        images: { ...readSettings().images, consul: await buildConsul() },
    }),
};

for (const [variant, store] of Object.entries(stores)) {
    describe(`the example swarm-edge-nodes with ${variant}`, function () {
        this.timeout(timeoutMs);
        const example = new Example("swarm-edge-nodes");
        let live: LiveExample;

        before(async () => {
            await bringUpLab(LabMachines.Swarm);
            await removeData();
            await example.install({ ...settings(), ...(await store()) });
        });

        after(async () => {
            await example.remove();
            await onHost("db3", ["docker", "rm", "--force", "pgha-external-etcd"]);
            await removeData();
        });

        it("comes up without an etcd of its own", async function () {
            note(this, inSeconds(await example.up()));
            live = await LiveExample.read(example, labHostsByAddress());
            expect(live.workloads("etcd")).to.deep.equal([]);
            await live.waitForHealth();
        });

        it("a second up changes nothing", () => example.upChangesNothing());

        it("takes writes, before and after the leader is killed", async () => {
            const { login, endpoints } = live.target(live.urls.direct);
            await query(endpoints[0] ?? "", login, "CREATE TABLE variant AS SELECT 1 AS n");
            await live.kill(await live.leader());
            await eventually("a write is accepted", 90, () =>
                query(endpoints[0] ?? "", login, "INSERT INTO variant VALUES (2)"),
            );
            await live.waitForHealth();
            expect(await value(endpoints[0] ?? "", login, "SELECT count(*) FROM variant")).to.equal("2");
        });

        if (variant.includes("Consul")) {
            it("an update begins with no server that the quorum needs, and goes on when all are well", async () => {
                const server = (number: number): string => `pgprod-consul-${hostKeys[number - 1]}`;
                const autopilot = ["curl", "-sS", "http://127.0.0.1:8500/v1/operator/autopilot/health"];
                const identity = (): Promise<string> =>
                    onHost("db1", ["docker", "ps", "--quiet", "--filter", `label=pgha.workload=${server(1)}`]);
                const before = await identity();
                await onHost("db1", ["docker", "service", "scale", "--detach", `${server(3)}=0`]);
                try {
                    await eventually("Consul misses a server", 60, async () => {
                        expect(await inContainer("db1", server(1), autopilot)).to.include('"FailureTolerance":0');
                    });
                    const consul = { resources: { memoryLimitMiB: 600 } };
                    example.configure({
                        ...settings(),
                        consul,
                        images: { ...readSettings().images, consul: await buildConsul() },
                    });
                    const refused = await example.up().then(
                        () => "nothing",
                        (error: unknown) => String(error),
                    );
                    expect(refused).to.include("without this server Consul would have no quorum");
                    expect(await identity()).to.equal(before);
                } finally {
                    await onHost("db1", ["docker", "service", "scale", "--detach", `${server(3)}=1`]);
                }
                await eventually("Consul has all servers", 60, async () => {
                    expect(await inContainer("db1", server(1), autopilot)).to.include('"FailureTolerance":1');
                });
                await example.up();
                expect(await identity()).not.to.equal(before);
                await live.waitForHealth();
            });
        }
    });
}

/** Builds Consul's image, pushes it to the lab's registry, and gives its reference. */
async function buildConsul(): Promise<string> {
    const script = `
source lab/lab.env.sh
file=$(mktemp)
images/build.sh --push "$LAB_REGISTRY_PUSH" --name "$LAB_REGISTRY" --json "$file" consul >&2
jq -r .consul "$file"
rm "$file"`;
    return (await run("bash", ["-euc", script], { timeoutSeconds: timeoutMs / 1000 })).stdout.trim();
}

async function removeData(): Promise<void> {
    await Promise.all([...labHostsByAddress().values()].map((host) => scriptOnHost(host, removal)));
}

/** An etcd that the library knows nothing of: one member, on a host of the lab. */
async function startEtcd(): Promise<{ endpoints: string[] }> {
    const [address] = [...labHostsByAddress()].find(([, name]) => name === "db3") ?? [];
    const url = `http://${address}:12379`;
    const options = `--data-dir /tmp/etcd --listen-client-urls http://0.0.0.0:12379 --advertise-client-urls ${url}`;
    const start = `docker run --detach --name pgha-external-etcd --publish 12379:12379`;
    await onHost("db3", ["docker", "rm", "--force", "pgha-external-etcd"]);
    await scriptOnHost("db3", `${start} ${readSettings().images.etcd} etcd ${options}`);
    return { endpoints: [url] };
}
