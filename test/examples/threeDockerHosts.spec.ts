import { expect } from "chai";
import { rootCertificates } from "node:tls";
import { attempt, run } from "../lab/helpers/command";
import { inContainer, lines, onHost, scriptOnHost } from "../lab/helpers/hosts";
import { assertListening } from "../lab/helpers/outages";
import { readSettings } from "../lab/helpers/settings";
import { parseUrl, query, refusal, value } from "../lab/helpers/sql";
import { note } from "../lab/helpers/wait";
import { describeWriters } from "../lab/helpers/writers";
import { describeExample } from "./helpers/everyExample";
import { ExampleWriters } from "./helpers/exampleWriters";
import { clientAddress, hostsAs, LabMachines } from "./helpers/labMachines";
import { LiveExample } from "./helpers/liveExample";

const hostKeys = ["vm1", "vm2", "vm3"];
const labHosts = ["db1", "db2", "db3"];

describeExample(
    {
        folder: "three-docker-hosts",
        machines: LabMachines.Plain,
        settings: () => {
            const here = [`${clientAddress()}/32`];
            return { hosts: hostsAs(hostKeys), images: readSettings().images, clients: here, monitoring: here };
        },
        data: {
            isReused: true,
            kept: (node) => ({ file: `/srv/pgha/postgres-ha/${node}/17/data/PG_VERSION` }),
            removal: "rm -rf /srv/pgha/postgres-ha",
        },
    },
    (up) => {
        it("no host is in a Swarm", async () => {
            for (const host of labHosts) {
                const state = await onHost(host, ["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"]);
                expect(state.trim(), host).to.equal("inactive");
            }
        });

        it("HAProxy answers on 5000, 5001 and 5002 of every host", () => {
            const { readWrite, readOnly, any } = up().outputs.endpoints;
            const ports = [readWrite, readOnly, any].map((found) => found.map((endpoint) => endpoint.split(":")[1]));
            expect(ports).to.deep.equal([5000, 5001, 5002].map((port) => hostKeys.map(() => String(port))));
        });

        it("the statistics page at /stats wants the generated login", () => statistics(up()));

        describe("the firewall", () => {
            it("keeps all but the cluster's hosts from etcd, PostgreSQL and Patroni", () => closedPorts(up()));

            it("lets the clients reach the endpoints", async () => {
                const { readWrite, readOnly, any, statistics: pages } = up().outputs.endpoints;
                for (const endpoint of [...readWrite, ...readOnly, ...any, ...pages]) await assertListening(endpoint);
            });
        });

        describe("client TLS", () => {
            it("is verified: psql checks the authority and the host's name", () => verifyFull(up()));

            it("is required: a client without it is refused", async () => {
                const { login, endpoints } = parseUrl(up().urls.direct);
                expect(await refusal(endpoints[0] ?? "", login)).to.match(/^28000 .*no encryption/);
            });
        });

        it("connections are logged", async () => {
            const { login, endpoints } = up().target(up().urls.direct);
            await query(endpoints[0] ?? "", login, "SELECT 1");
            const leader = await up().leader();
            const filter = `label=pgha.workload=${leader.label}`;
            const log = await scriptOnHost(leader.labHost, `docker logs --since 1m $(docker ps -q -f ${filter}) 2>&1`);
            expect(log).to.match(/connection authorized: user=app database=app/);
        });

        it("a logical backup is taken from a replica and brought back", () => dumpAndRestore(up()));

        it("a leader that is cut off is replaced, follows the new one afterwards, and no acknowledged row is lost", async function () {
            note(this, await cutLeaderOff(up()));
        });

        it("a replica that is copied anew streams again", async () => {
            const leader = await up().leader();
            const replica = up()
                .workloads("patroni")
                .find(({ name }) => name !== leader.name);
            await up().pghaSucceeds("reinit", replica?.name ?? "", "--yes");
            await up().waitForHealth();
        });
    },
);

async function statistics(live: LiveExample): Promise<void> {
    for (const endpoint of live.outputs.endpoints.statistics) {
        const url = `https://${endpoint}/stats`;
        expect((await fetch(url)).status, url).to.equal(401);
        const credentials = btoa(`admin:${live.outputs.passwords["haproxy-statistics"]}`);
        const page = await fetch(url, { headers: { Authorization: `Basic ${credentials}` } });
        expect(page.status, url).to.equal(200);
        expect(await page.text()).to.include("Statistics Report");
    }
}

async function closedPorts(live: LiveExample): Promise<void> {
    const addresses = Object.values(live.outputs.operations.hosts).map(({ address }) => address);
    const doors = addresses.flatMap((address) => [2379, 2380, 5432, 8008].map((port) => `${address}/${port}`));
    const dial = (door: string): string[] => ["timeout", "2", "bash", "-c", `exec 3<>/dev/tcp/${door}`];
    await Promise.all(
        doors.map(async (door) => {
            expect((await attempt("env", dial(door))).status, `${door} from outside`).not.to.equal(0);
        }),
    );
    for (const host of labHosts) for (const door of doors) await onHost(host, dial(door));
}

async function verifyFull(live: LiveExample): Promise<void> {
    const [client] = live.workloads("patroni");
    if (client === undefined) throw new Error("the example has no node");
    const query = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    const psql = (certificate: string): Promise<string> => {
        const script = `printf %s "$2" >/tmp/ca.pem
psql -XAt -d "$1&sslmode=verify-full&sslrootcert=/tmp/ca.pem" -c "${query}"`;
        return inContainer(client.labHost, client.label, [
            "bash",
            "-euc",
            script,
            "psql",
            live.urls.direct,
            certificate,
        ]);
    };
    expect((await psql(live.outputs.caCertificate)).trim()).to.match(/^t\|TLSv1\.[23]$/);
    const refused = await psql(rootCertificates[0] ?? "").catch(String);
    expect(refused).to.match(/certificate verify failed/);
}

/** Pulls the leader's network cable until somebody else takes writes; tells what the clients saw. */
async function cutLeaderOff(live: LiveExample): Promise<string> {
    const earlier = await live.leader();
    const writers = await ExampleWriters.start(live);
    try {
        await run("lab/host.sh", ["cut", earlier.labHost]);
        try {
            await writers.waitForAnswers();
        } finally {
            await run("lab/host.sh", ["heal", earlier.labHost]);
        }
        await live.waitForHealth();
        const result = await writers.stop();
        const later = await live.leader();
        expect(later.name).not.to.equal(earlier.name);
        return `${earlier.name} cut off, then ${later.name} leads; ${describeWriters(result)}`;
    } finally {
        await writers.abandon();
    }
}

async function dumpAndRestore(live: LiveExample): Promise<void> {
    const [client] = live.workloads("patroni");
    if (client === undefined) throw new Error("the example has no node");
    const { direct, readOnly } = live.urls;
    const { login, endpoints } = live.target(direct);
    const endpoint = endpoints[0] ?? "";
    await query(endpoint, login, "CREATE TABLE backed_up AS SELECT generate_series(1, 1000) AS n");
    const onReplicas = live.target(readOnly);
    await inContainer(client.labHost, client.label, ["bash", "-euc", untilThere, "wait", readOnly]);
    expect(await value(onReplicas.endpoints[0] ?? "", onReplicas.login, "SELECT pg_is_in_recovery()")).to.equal(true);
    const dump = ["pg_dump", "--format=custom", "--file=/tmp/app.dump", readOnly];
    await inContainer(client.labHost, client.label, dump);
    await query(endpoint, login, "DROP TABLE backed_up");
    const restore = ["pg_restore", "--clean", "--if-exists", "--no-owner", `--dbname=${direct}`, "/tmp/app.dump"];
    await inContainer(client.labHost, client.label, restore);
    expect(await value(endpoint, login, "SELECT count(*) FROM backed_up")).to.equal("1000");
    const entries = await inContainer(client.labHost, client.label, ["pg_restore", "--list", "/tmp/app.dump"]);
    expect(lines(entries).filter((line) => line.includes("backed_up"))).not.to.have.lengthOf(0);
    await query(endpoint, login, "DROP TABLE backed_up");
}

/** Waits until a replica has the table. */
const untilThere = 'until psql -XAt -d "$1" -c "SELECT count(*) FROM backed_up" 2>/dev/null; do sleep 0.2; done';
