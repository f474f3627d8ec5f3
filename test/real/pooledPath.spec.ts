import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { containerPaths, defaultPorts, networkAliases, systemRoles } from "../../components/defaults";
import { haproxyOpenFiles, renderHaProxyCfg, renderHaProxyUsers } from "../../components/render/haproxyCfg";
import { withOpenFiles } from "../../components/render/openFiles";
import { renderPgBouncerIni, renderPgBouncerUsers } from "../../components/render/pgbouncerIni";
import { scramVerifier } from "../../components/render/scram";
import { renderApplicationSql } from "../../components/render/sql";
import { renderPgBouncerSql } from "../../components/render/systemRolesSql";
import { NotConnectedError, Session } from "../../lab/drill/session";
import { application, haProxy, pgBouncer } from "../render/samples";
import { Container, Network } from "./container";
import { Postgres } from "./postgres";

const { haproxyConfig, haproxyUsers, pgbouncerConfig, pgbouncerUsers } = containerPaths;
const password = "shop-password";
const poolerPassword = "pooler-password";

/** What Docker gives containers since version 29, with a hard limit that any of them can have. */
const openFiles = ["--ulimit", "nofile=1024:16384"];

/** Clients at the same time: more than the soft limit for HAProxy, and for each PgBouncer. */
const clientCount = 3000;
const atOnce = 50;

/** Clients that work all the time while a PgBouncer stops. */
const steadyClientCount = 20;

const routerConfig = {
    ...haProxy,
    servers: [{ name: "patroni-db1", address: "server", postgresPort: 5432, apiPort: 8008 }],
    poolers: { name: networkAliases.poolers },
};

/** Answers as Patroni of a primary does. */
const primaryConfig = [
    "defaults",
    "  mode http",
    "  timeout client 5s",
    "  timeout server 5s",
    "  timeout connect 5s",
    "listen api",
    "  bind :8008",
    `  http-request return status 200 content-type application/json string '{"state": "running", "role": "primary"}'`,
    "",
].join("\n");

describe("Clients through HAProxy and PgBouncer to PostgreSQL", () => {
    const network = new Network("pooled");
    const containers: Container[] = [];
    const clients: Client[] = [];
    let poolers: Container[] = [];
    let address = "";

    const start = (...args: Parameters<typeof Container.start>): Container => {
        const container = Container.start(...args);
        containers.push(container);
        return container;
    };

    before(() => {
        const postgres = new Postgres(network.as("server"));
        containers.push(postgres.container);
        const owner = { name: "shop", verifier: scramVerifier(password, "shop"), connectionLimit: -1 };
        postgres.apply(renderPgBouncerSql({ verifier: scramVerifier(poolerPassword, "salt"), generation: 1 }));
        postgres.apply(renderApplicationSql({ ...application, connectionLimit: -1, owner, roles: [] }));
        start("haproxy", ["haproxy", "-db", "-f", haproxyConfig], {
            networkOf: postgres.container,
            files: { [haproxyConfig]: primaryConfig },
        });
        poolers = [1, 2].map(() => startPooler(networkAliases.poolers, networkAliases.haproxy));
        address = startRouter(networkAliases.haproxy).address();
    });

    after(async () => {
        await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
        containers.reverse().forEach((container) => container.remove());
        network.remove();
    });

    /** Starts a PgBouncer that is found under a name, and that finds HAProxy under another. */
    function startPooler(name: string, routerName: string): Container {
        const servers = { addresses: [routerName], port: defaultPorts.readWrite, dnsTtlSeconds: 1 };
        return start("pgbouncer", withOpenFiles(6024, ["pgbouncer", pgbouncerConfig]), {
            options: [...network.as(name), ...openFiles],
            files: {
                [pgbouncerConfig]: renderPgBouncerIni({ ...pgBouncer, servers }),
                [pgbouncerUsers]: renderPgBouncerUsers(pgBouncer.authUser, poolerPassword),
            },
        });
    }

    /** Starts a HAProxy that is found under a name, and waits until it has found all others. */
    function startRouter(name: string): Container {
        const command = ["haproxy", "-W", "-db", "-f", haproxyConfig, "-f", haproxyUsers];
        const router = start("haproxy", withOpenFiles(haproxyOpenFiles(routerConfig), command), {
            options: [...network.as(name), ...openFiles],
            files: {
                [haproxyConfig]: renderHaProxyCfg(routerConfig),
                [haproxyUsers]: renderHaProxyUsers("admin", "x"),
            },
        });
        const statistics = `curl -fsS -u admin:x 'http://127.0.0.1:${defaultPorts.haproxyStats}/;csv'`;
        const up = `[ "$(${statistics} | grep -cE '^(pooled,pgbouncer[0-9]+|read_write,patroni-db1),.*,UP,')" = 3 ]`;
        router.waitFor(["bash", "-c", up]);
        return router;
    }

    const connect = async (host = address): Promise<Client> => {
        const port = defaultPorts.pgbouncer;
        const client = new Client({ host, port, user: "shop", password, database: "shop" });
        client.on("error", () => undefined);
        await client.connect();
        return client;
    };
    const ask = async (client: Client): Promise<unknown> =>
        (await client.query<{ n: number }>("SELECT 1 AS n")).rows[0]?.n;

    it(`lets ${clientCount} of them in at the same time, and answers each`, async () => {
        while (clients.length < clientCount) {
            clients.push(...(await Promise.all(Array.from({ length: atOnce }, () => connect()))));
        }
        for (let first = 0; first < clientCount; first += atOnce) {
            const answers = await Promise.all(clients.slice(first, first + atOnce).map(ask));
            expect(answers).to.deep.equal(Array.from({ length: atOnce }, () => 1));
        }
    });

    it("has shared them out among the PgBouncers", () => {
        const shares = poolers.map((pooler) => {
            const conninfo = `host=127.0.0.1 port=${defaultPorts.pgbouncer} user=${systemRoles.pgbouncer} dbname=pgbouncer`;
            const { stdout } = pooler.exec(["psql", "-XAtc", "SHOW LISTS", conninfo], "", {
                PGPASSWORD: poolerPassword,
            });
            return Number(/^used_clients\|(\d+)$/m.exec(stdout)?.[1]);
        });
        for (const share of shares) {
            expect(share).to.be.within(0.4 * clientCount, 0.6 * clientCount + 1);
        }
    });

    it("serves them within seconds when HAProxy's name is there again", async () => {
        const pooler = startPooler("late-pooler", "late-router");
        const host = pooler.address();
        const tryToConnect = (): Promise<Client | undefined> => connect(host).catch(() => undefined);
        pooler.waitFor(["pg_isready", "-q", "-h", "127.0.0.1", "-p", String(defaultPorts.pgbouncer)]);
        const first = tryToConnect();
        for (let look = 0; look < 50 && !pooler.logs().includes("DNS lookup failed"); look += 1) await sleep(200);
        expect(pooler.logs()).to.include("DNS lookup failed");
        startRouter("late-router");
        const end = performance.now() + 5000;
        let client = await first;
        while (client === undefined && performance.now() < end) {
            await sleep(200);
            client = await tryToConnect();
        }
        expect(client && (await ask(client))).to.equal(1);
        expect(performance.now()).to.be.below(end);
        await client?.end();
    });

    it("turns no client away while a PgBouncer stops, but for a session that is open on it just then", async () => {
        const state = { stopped: false };
        const stopping = poolers[0]?.stop().then(() => {
            state.stopped = true;
        });
        const lost: string[] = [];
        for (let served = 0; !state.stopped || served < 50; served += 1) {
            try {
                const client = await connect();
                expect(await ask(client)).to.equal(1);
                await client.end();
            } catch (error) {
                lost.push(String(error));
            }
        }
        await stopping;
        expect(lost.length, lost.join("\n")).to.be.at.most(1);
    });

    it("leaves clients that stay connected between two of their transactions when a PgBouncer stops", async () => {
        const login = { user: "shop", password, database: "shop" };
        const endpoint = `${address}:${defaultPorts.pgbouncer}`;
        const state = { answered: 0, ending: false };
        const failed: string[] = [];
        const failedValidated: string[] = [];
        const work = async (validates: boolean): Promise<void> => {
            const session = new Session([endpoint], login);
            while (!state.ending) {
                if (validates) await session.validate();
                await session.query("SELECT pg_sleep(0.005)").then(
                    () => (state.answered += 1),
                    (error: unknown) => {
                        if (error instanceof NotConnectedError) return;
                        (validates ? failedValidated : failed).push(String(error));
                    },
                );
                await sleep(20 + 20 * Math.random());
            }
            session.close();
        };
        const working = Array.from({ length: steadyClientCount }, (_, client) => work(client % 2 === 0));
        await sleep(1000);
        await poolers[1]?.stop();
        const answered = state.answered;
        state.ending = true;
        await Promise.all(working);
        expect(answered).to.be.greaterThan(10 * steadyClientCount);
        expect(failedValidated).to.deep.equal([]);
        // A query that crosses the goodbye on its way is lost.
        expect(failed.length, failed.join("\n")).to.be.at.most(2);
    });

    it("ends at once, and says why, where the host allows too few open files", () => {
        const { status, stderr } = Container.run("pgbouncer", withOpenFiles(4096, ["pgbouncer"]), {
            options: ["--ulimit", "nofile=1024:2048"],
        });
        expect(status).to.equal(1);
        expect(stderr).to.include("pgbouncer needs 4096 open files; raise LimitNOFILE of Docker's service");
    });
});
