import { expect } from "chai";
import { connect } from "node:net";
import { Application, applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { inContainer, lines, onHost, scriptOnHost } from "./helpers/hosts";
import { up } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { parseUrl, query, value } from "./helpers/sql";

const updateSeconds = 600;
const connectTimeoutMs = 1500;
const pooled = 6432;

/** Whether somebody takes connections there. */
async function answers(endpoint: string): Promise<boolean> {
    const [host, port] = endpoint.split(":");
    return new Promise((resolve) => {
        const socket = connect({ host, port: Number(port), timeout: connectTimeoutMs });
        const end = (open: boolean) => () => {
            socket.destroy();
            resolve(open);
        };
        socket.once("connect", end(true)).once("timeout", end(false)).once("error", end(false));
    });
}

/** The words of a command that succeeds where somebody takes connections. */
const dial = (host: string, port: number | string): string[] => [
    "timeout",
    "2",
    "bash",
    "-c",
    `</dev/tcp/${host}/${port}`,
];

describe("PgBouncer behind HAProxy, and a firewall around the cluster", () => {
    let cluster: Cluster;
    let app: Application;
    let hosts: string[];
    let machine: string;
    const behindHaProxy = editSettings((settings) => {
        settings.haproxy = { ...settings.haproxy, ports: { pooled } };
    });

    before(async function () {
        this.timeout(updateSeconds * 1000);
        await waitForHealth(await readCluster());
        await up({ configFile: behindHaProxy });
        cluster = await readCluster();
        hosts = Object.keys(cluster.nodes);
        app = applicationOf(cluster, "app");
        machine = await ownAddress(cluster.endpoints.readWrite[0] ?? "");
    });

    after("pulumi up with the stack's own settings", async function () {
        this.timeout(updateSeconds * 1000);
        await up();
        await waitForHealth(cluster);
    });

    describe("three networks", () => {
        /** Runs a program in a container of another stack, on the cluster's network. */
        const asApplication = (host: string, command: string[], input = ""): Promise<string> => {
            const { clusterName, network, images } = readSettings();
            const name = network?.name ?? `${clusterName}-network`;
            const run = ["docker", "run", "--rm", "--interactive", "--network", name, images.patroni, ...command];
            return onHost(host, run, { input });
        };
        const poolerAddress = async (host: string): Promise<string> =>
            (await inContainer(host, `${readSettings().clusterName}-pgbouncer`, ["hostname", "-i"])).trim();

        it("clients write through HAProxy and PgBouncer on every host", async () => {
            const { login, endpoints } = parseUrl(app.urls.pooled);
            expect(endpoints).to.deep.equal(hosts.map((host) => `${cluster.nodes[host]?.address}:${pooled}`));
            for (const endpoint of endpoints) {
                expect(await value(endpoint, login, "SELECT pg_is_in_recovery()"), endpoint).to.equal(false);
                await query(endpoint, login, "CREATE TEMPORARY TABLE networks_test ON COMMIT DROP AS SELECT 1");
            }
        });

        it("an application's container reaches both entry points, and finds no PgBouncer", async () => {
            const [host = ""] = hosts;
            expect(await asApplication(host, asksPostgres("pg-haproxy", 5433))).to.equal("answer\n");
            expect(await asApplication(host, asksPostgres("pg-pgbouncer", pooled))).to.equal("answer\n");
            const names = ["bash", "-c", "getent hosts pg-poolers || echo nobody"];
            expect(await asApplication(host, names)).to.equal("nobody\n");
            for (const other of hosts) {
                const asked = await asApplication(host, asksPostgres(await poolerAddress(other), pooled));
                expect(asked, other).to.equal("silence\n");
            }
        });

        it("a PgBouncer reaches HAProxy and nothing else", async () => {
            const workload = `${readSettings().clusterName}-pgbouncer`;
            for (const host of hosts) {
                await inContainer(host, workload, dial("pg-haproxy", 5433));
                for (const { postgres, patroniApi, address } of Object.values(cluster.nodes)) {
                    for (const endpoint of [postgres, new URL(patroniApi).host, `${address}:2379`, `${address}:22`]) {
                        const [name = "", port = ""] = endpoint.split(":");
                        const tried = await inContainer(host, workload, closedOrOpen(name, port));
                        expect(tried, `${endpoint} from ${host}`).to.equal("closed\n");
                    }
                }
            }
        });

        it("no PgBouncer publishes a port", async () => {
            for (const host of hosts) {
                const list = await onHost(host, ["docker", "ps", "--format", "{{.Names}} {{.Ports}}"]);
                const pgbouncer = lines(list).filter((line) => line.includes("-pgbouncer."));
                expect(pgbouncer, host).to.have.lengthOf(1);
                expect(pgbouncer[0], host).not.to.include("->");
            }
        });
    });

    it("is as it was after a second up that looks at the hosts", async () => {
        await up({ configFile: behindHaProxy, options: ["--refresh", "--expect-no-changes"] });
    }).timeout(updateSeconds * 1000);

    describe("the firewall", () => {
        const members = (): string[] =>
            Object.values(cluster.nodes).flatMap(({ postgres, patroniApi, address }) => [
                postgres,
                new URL(patroniApi).host,
                `${address}:2379`,
            ]);
        const open = (endpoints: string[]): Promise<string[]> => filterOpen(endpoints);

        async function protect(clients: string[], operators: string[]): Promise<void> {
            const configFile = editSettings((settings) => {
                settings.haproxy = { ...settings.haproxy, ports: { pooled } };
                settings.firewall = { clients, operators };
            });
            await up({ configFile });
            await up({ configFile, options: ["--expect-no-changes"] });
        }

        it("shows a client the entry points, and neither members nor statistics", async function () {
            this.timeout(updateSeconds * 1000);
            await protect([machine], []);
            const { readWrite, readOnly, any, pooled: poolers, statistics, metrics } = cluster.endpoints;
            const entries = [...readWrite, ...readOnly, ...any, ...poolers];
            expect(await open(entries)).to.deep.equal(entries);
            expect(await open([...members(), ...statistics, ...metrics])).to.deep.equal([]);
            const { login, endpoints } = parseUrl(app.urls.pooled);
            expect(await value(endpoints[0] ?? "", login, "SELECT 1")).to.equal(1);
        });

        it("shows an operator the members, and a stranger nothing but sshd", async function () {
            this.timeout(updateSeconds * 1000);
            await protect(["192.0.2.1"], [machine]);
            expect(await open(members())).to.deep.equal(members());
            expect(await open([...cluster.endpoints.readWrite, ...cluster.endpoints.pooled])).to.deep.equal([]);
            const sshd = Object.values(cluster.nodes).map(({ address }) => `${address}:22`);
            expect(await open(sshd)).to.deep.equal(sshd);
            await waitForHealth(cluster);
        });

        it("goes when it is no longer asked for", async function () {
            this.timeout(updateSeconds * 1000);
            await up({ configFile: behindHaProxy });
            expect(await open(cluster.endpoints.readWrite)).to.deep.equal(cluster.endpoints.readWrite);
            for (const host of hosts) {
                expect(await scriptOnHost(host, "nft list tables"), host).not.to.include("pgha_");
            }
        });
    });
});

/** The words of a command that says whether PostgreSQL, or PgBouncer, answers there: whoever takes connections may be somebody else. */
function asksPostgres(host: string, port: number): string[] {
    return ["bash", "-c", `pg_isready -q -t 2 -h ${host} -p ${port} && echo answer || echo silence`];
}

/** The words of a command that says whether somebody takes connections there. */
function closedOrOpen(host: string, port: number | string): string[] {
    return ["bash", "-c", `timeout 2 bash -c '</dev/tcp/${host}/${port}' 2>/dev/null && echo open || echo closed`];
}

async function filterOpen(endpoints: string[]): Promise<string[]> {
    const states = await Promise.all(endpoints.map(answers));
    return endpoints.filter((_, index) => states[index]);
}

/** The address with which this machine reaches the hosts. */
async function ownAddress(endpoint: string): Promise<string> {
    const [host, port] = endpoint.split(":");
    return new Promise((resolve, reject) => {
        const socket = connect({ host, port: Number(port) });
        socket.once("error", reject);
        socket.once("connect", () => {
            resolve(socket.localAddress ?? "");
            socket.destroy();
        });
    });
}
