import { expect } from "chai";
import { Client } from "pg";
import { clientConfig } from "../../lab/drill/session";
import { attempt, CommandResult } from "../lab/helpers/command";
import { containerIds, inContainer, lines, onHost } from "../lab/helpers/hosts";
import { readSettings } from "../lab/helpers/settings";
import { parseUrl, value } from "../lab/helpers/sql";
import { eventually, inSeconds, note } from "../lab/helpers/wait";
import { describeExample } from "./helpers/everyExample";
import { swarmHostsAs, LabMachines } from "./helpers/labMachines";
import { LiveExample } from "./helpers/liveExample";

const hostKeys = ["node1", "node2", "node3"];
const manager = hostKeys[0];
const labHosts = ["db1", "db2", "db3"];
const clientCount = 10_000;
/** Logins that are under way at one time. */
const concurrentLogins = 200;

/** What seed 002 gives PostgreSQL for 16 GiB and 500 connections. */
const parameters = {
    shared_buffers: "4GB",
    effective_cache_size: "12GB",
    maintenance_work_mem: "1GB",
    work_mem: "10MB",
    max_connections: "500",
};

/**
 * The lab's hosts have less memory and fewer CPUs; PostgreSQL takes memory only as it is used. Where a process may open 20,000 files, as on
 * many machines, one HAProxy can't take 20,000 connections; two of these take more than ten thousand clients.
 */
const settings = (): { [name: string]: unknown } => {
    const { images, network } = readSettings();
    const hosts = swarmHostsAs(hostKeys, (index) => ({
        memoryMiB: 16384,
        labels: { patroni: `node${index + 1}`, etcd: `node${index + 1}` },
    }));
    return {
        manager,
        hosts,
        images,
        enableEncryption: network?.enableEncryption,
        cpus: 2,
        haproxyMaxConnections: 8000,
    };
};

describeExample(
    {
        folder: "swarm-ten-thousand-clients",
        machines: LabMachines.Swarm,
        settings,
        data: {
            isReused: false,
            kept: (node) => ({ file: `/var/lib/patroni/saasodoo-cluster/${node}/17/data/PG_VERSION` }),
            removal: "rm -rf /var/lib/patroni",
        },
    },
    (up, example) => {
        it("PostgreSQL's memory settings are those for 16 GiB", async () => {
            for (const [node, figures] of await up().parameters(Object.keys(parameters))) {
                expect(figures, node).to.deep.equal(parameters);
            }
        });

        it("members are pinned by the labels patroni and etcd", async () => {
            for (const part of ["patroni", "etcd"] as const) {
                for (const [index, { label }] of up().workloads(part).entries()) {
                    const format = '{{join .Spec.TaskTemplate.Placement.Constraints " "}}';
                    const found = await onHost("db1", ["docker", "service", "inspect", "--format", format, label]);
                    expect(found).to.include(`node.labels.${part}==node${index + 1}`);
                }
            }
        });

        it("data directories below the chosen root belong to 999:999", async () => {
            for (const { name, labHost } of [...up().workloads("patroni"), ...up().workloads("etcd")]) {
                const path = `/var/lib/patroni/saasodoo-cluster/${name}`;
                const owner = await onHost(labHost, ["stat", "--format", "%u:%g", path]);
                expect(owner.trim(), `${path} on ${labHost}`).to.equal("999:999");
            }
        });

        it("applications reach the pools through HAProxy on 6432, and PostgreSQL on 5000 and 5001", () => {
            const { pooled, readWrite, readOnly } = up().outputs.endpoints;
            const { haproxy } = up().outputs.operations;
            const ports = [pooled, readWrite, readOnly].map((found) => found.map((one) => one.split(":")[1]));
            expect(ports).to.deep.equal(["6432", "5000", "5001"].map((port) => haproxy.map(() => port)));
        });

        it("each PgBouncer takes ten thousand clients, and may open as many files", async () => {
            for (const { labHost, label } of up().workloads("pgbouncer")) {
                const config = await inContainer(labHost, label, ["cat", "/etc/pgbouncer/pgbouncer.ini"]);
                expect(config)
                    .to.match(/^max_client_conn *= *10000$/m)
                    .and.to.match(/^default_pool_size *= *25$/m);
                const files = await inContainer(labHost, label, ["bash", "-c", "ulimit -n"]);
                expect(Number(files)).to.be.above(10000);
            }
        });

        it(`${clientCount} clients at once share the pools' server connections`, async function () {
            note(this, await connectMany(up()));
        });

        it("an application's container reaches HAProxy, and no pooler", () => reachAsApplication(up()));

        it("pg_basebackup copies the cluster", async () => {
            const [client] = up().workloads("patroni");
            if (client === undefined) expect.fail("no node");
            const { passwords, endpoints } = up().outputs;
            const [host, port] = (endpoints.readWrite[0] ?? "").split(":");
            const conninfo = `host=${host} port=${port} user=replicator password=${passwords.replicator}`;
            // To standard output, in which WAL has no place beside the data: it is fetched at the end.
            const script = 'pg_basebackup -d "$1" -X fetch -c fast -Ft -D - | tar --list';
            const files = await inContainer(client.labHost, client.label, [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                script,
                "copy",
                conninfo,
            ]);
            expect(lines(files)).to.include.members(["backup_label", "PG_VERSION", "global/pg_control"]);
        });

        it("pause stops failover, resume allows it again", async () => {
            await up().pghaSucceeds("pause");
            expect((await up().status()).patroni.paused).to.equal(true);
            await up().pghaSucceeds("resume");
            await up().waitForHealth();
        });

        it("HAProxy and PgBouncer are scaled while they run, and only those restart whose certificates name them", async () => {
            const earlier = await containerIds(labHosts);
            example.configure({ ...settings(), haproxyHosts: hostKeys, pgbouncerHosts: hostKeys.slice(0, 2) });
            await example.up();
            const later = await eventually("the containers are those that are wanted", 60, async () => {
                const found = await containerIds(labHosts);
                const count = (part: string): number => [...found.keys()].filter((key) => key.includes(part)).length;
                expect([count("-haproxy on"), count("-pgbouncer on")]).to.deep.equal([3, 2]);
                return found;
            });
            for (const [name, id] of earlier) {
                if (/-(etcd|exporter)-/.test(name)) expect(later.get(name), name).to.equal(id);
            }
            example.configure(settings());
            await example.up();
            await up().waitForHealth();
        });
    },
);

/** What a container on the application's network gets at, and what not. */
async function reachAsApplication(live: LiveExample): Promise<void> {
    const { images } = readSettings();
    const run = ["docker", "run", "--rm", "--network", "saasodoo-database-network", images.patroni];
    // Asks for an answer, because networks between here and the Internet may take every connection.
    const connect = (host: string, port: number): Promise<CommandResult> =>
        attempt("lab/host.sh", ["exec", "db1", ...run, "pg_isready", "-t", "2", "-h", host, "-p", String(port)]);
    for (const port of [6432, 5433, 5434]) {
        expect((await connect("pg-haproxy", port)).status, `pg-haproxy:${port}`).to.equal(0);
    }
    // By this name HAProxy itself is found; the poolers' own is known on their network only.
    expect((await connect("pg-pgbouncer", 6432)).status, "pg-pgbouncer").to.equal(0);
    expect((await connect("pg-poolers", 6432)).status, "pg-poolers").not.to.equal(0);
    for (const { labHost, label } of live.workloads("pgbouncer")) {
        const [id = ""] = lines(await onHost(labHost, ["docker", "ps", "-q", "-f", `label=pgha.workload=${label}`]));
        const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        const addresses = (await onHost(labHost, ["docker", "inspect", "--format", format, id])).trim().split(" ");
        expect(addresses, label).not.to.have.lengthOf(0);
        for (const address of addresses) {
            expect((await connect(address, 6432)).status, `${label} at ${address}`).not.to.equal(0);
        }
    }
}

/** Holds pooled connections, all at once, each of which is served; gives how many server connections that took. */
async function connectMany(live: LiveExample): Promise<string> {
    // Without TLS, which the example leaves to its clients: ten thousand handshakes would test the lab's processors.
    const { login, endpoints } = parseUrl(live.urls.pooled ?? "");
    const clients = Array.from(
        { length: clientCount },
        (_, index) => new Client(clientConfig(endpoints[index % endpoints.length] ?? "", login)),
    );
    let lost = 0;
    for (const client of clients) client.on("error", () => lost++);
    const since = performance.now();
    try {
        const waiting = [...clients];
        const logIn = async (): Promise<void> => {
            for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next.connect();
        };
        await Promise.all(Array.from({ length: concurrentLogins }, logIn));
        const seconds = (performance.now() - since) / 1000;
        const answers = await Promise.all(clients.map((client) => client.query("SELECT 1 AS one")));
        expect(answers).to.have.lengthOf(clientCount);
        expect(lost, "clients that were cut off").to.equal(0);
        const direct = live.target(live.urls.direct);
        const servers = await value(
            direct.endpoints[0] ?? "",
            direct.login,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        const poolers = live.workloads("pgbouncer").length;
        expect(Number(servers)).to.be.within(1, 25 * poolers);
        return `logged in within ${inSeconds(seconds)}, ${Number(servers)} server connections`;
    } finally {
        await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    }
}
