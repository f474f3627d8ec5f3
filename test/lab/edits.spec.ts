import { expect } from "chai";
import { z } from "zod";
import { ApplicationArgs, HbaMethod, HbaType } from "../../components";
import type { Login } from "../../lab/drill/session";
import { Application, applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { containerIds, inContainer, lines, onHost } from "./helpers/hosts";
import { assertAnswers, assertListening, OutageWatch } from "./helpers/outages";
import { up } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { parseUrl, query, refusal, value } from "./helpers/sql";
import { inSeconds, note } from "./helpers/wait";
import { describeWriters, patientMs, Writers } from "./helpers/writers";

/** What a pause of PgBouncer may take on a busy machine; two seconds are usual. */
const longestPauseSeconds = 10;

const dynamicConfig = z.object({ ttl: z.number() });

describe("a change of the settings arrives at the running cluster:", () => {
    let cluster: Cluster;
    let app: Application;
    let containers: Map<string, string>;
    let workMem: unknown[];
    const hosts = (): string[] => Object.keys(cluster.nodes);

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
        app = applicationOf(cluster, "app");
        containers = await containerIds(hosts());
        workMem = await show("work_mem");
    });

    after("pulumi up with the stack's own settings", async () => {
        await up();
        await waitForHealth(cluster);
    });

    /** What each node says of a parameter. */
    async function show(parameter: string): Promise<unknown[]> {
        const { login } = parseUrl(app.urls.direct);
        return Promise.all(
            Object.values(cluster.nodes).map((node) => value(node.postgres, login, `SHOW ${parameter}`)),
        );
    }

    async function onEachNode(statement: string): Promise<string[]> {
        const { login } = parseUrl(app.urls.direct);
        const answers = Object.values(cluster.nodes).map((node) => value(node.postgres, login, statement));
        return (await Promise.all(answers)).map(String);
    }

    const times = <T>(one: T): T[] => hosts().map(() => one);

    describe("what needs no restart", () => {
        let earlierTtl = 0;

        const readTtl = async ({ patroniApi }: { patroniApi: string }): Promise<number> => {
            const response = await fetch(`${patroniApi}/config`);
            return dynamicConfig.parse(await response.json()).ttl;
        };

        before(async () => {
            const [node] = Object.values(cluster.nodes);
            earlierTtl = node === undefined ? 0 : await readTtl(node);
            await up({
                configFile: editSettings((settings) => {
                    settings.labels = { team: "data" };
                    settings.patroni = {
                        ...settings.patroni,
                        ttlSeconds: earlierTtl + 5,
                        parameters: { ...settings.patroni?.parameters, work_mem: "13MB" },
                        hbaRules: [
                            { type: HbaType.Host, roles: ["app_reader"], address: "all", method: HbaMethod.Reject },
                            { type: HbaType.Host, address: "all" },
                        ],
                    };
                }),
            });
        });

        it("a parameter of PostgreSQL, on all nodes", async () => {
            expect(workMem).not.to.include("13MB");
            expect(await show("work_mem")).to.deep.equal(times("13MB"));
        });

        it("Patroni's ttl, in its dynamic configuration", async () => {
            for (const node of Object.values(cluster.nodes)) {
                expect(await readTtl(node), node.name).to.equal(earlierTtl + 5);
            }
        });

        it("a rule of pg_hba.conf: the role that it rejects can't log in, others can", async () => {
            const { login } = parseUrl(app.roles.app_reader?.urls.direct ?? "");
            for (const { postgres } of Object.values(cluster.nodes)) {
                expect(await refusal(postgres, login), postgres).to.match(/^28000 .*pg_hba.conf rejects/);
            }
            expect(await onEachNode("SELECT current_user")).to.deep.equal(times(app.owner));
        });

        it("a label, on all services", async () => {
            const [host = ""] = hosts();
            const count = async (filter: string): Promise<number> =>
                lines(await onHost(host, ["docker", "service", "ls", "--quiet", "--filter", filter])).length;
            expect(await count("label=team=data"))
                .to.equal(await count("label=pgha.cluster=lab"))
                .and.above(0);
        });

        it("and no container was restarted", async () => {
            expect(await containerIds(hosts())).to.deep.equal(containers);
        });
    });

    describe("what needs a restart of PostgreSQL, node by node, without a lost row:", () => {
        let maxConnections = 0;

        /** Changes max_connections under load, and checks that the nodes restarted one at a time. */
        async function changeMaxConnections(wanted: number): Promise<string> {
            const startedBefore = await onEachNode("SELECT pg_postmaster_start_time()::text");
            // Clients behind PgBouncer may have to wait, but none may see an error.
            const writers = await Writers.start(cluster, app, patientMs);
            const probes = Object.values(cluster.nodes).map(
                ({ name, patroniApi }) => [name, () => assertAnswers(`${patroniApi}/health`)] as const,
            );
            const watch = new OutageWatch(new Map(probes));
            try {
                const { seconds } = await up({
                    configFile: editSettings((settings) => {
                        const parameters = { ...settings.patroni?.parameters, max_connections: wanted };
                        settings.patroni = { ...settings.patroni, parameters };
                    }),
                });
                await waitForHealth(cluster);
                await watch.stop();
                const result = await writers.stop();
                expect(await show("max_connections")).to.deep.equal(times(String(wanted)));
                const startedAfter = await onEachNode("SELECT pg_postmaster_start_time()::text");
                expect(startedAfter.filter((time, index) => time === startedBefore[index])).to.deep.equal([]);
                expect(watch.together, "nodes that were down at the same time").to.deep.equal([]);
                expect(result.failed.pooled, result.reasons.pooled).to.equal(0);
                expect(result.gapSeconds.pooled, "the longest wait behind PgBouncer").to.be.below(longestPauseSeconds);
                return `${inSeconds(seconds)}; ${describeWriters(result)}`;
            } finally {
                await watch.stop();
                await writers.abandon();
            }
        }

        before(async () => {
            maxConnections = Number((await show("max_connections"))[0]);
        });

        it("a raised max_connections", async function () {
            note(this, await changeMaxConnections(maxConnections + 10));
            expect(await show("work_mem"), "put back").to.deep.equal(workMem);
        });

        it("a lowered max_connections", async function () {
            note(this, await changeMaxConnections(maxConnections));
        });

        it("and no container was restarted", async () => {
            expect(await containerIds(hosts())).to.deep.equal(containers);
        });
    });

    describe("what needs new containers", () => {
        it("a timeout of HAProxy, one container after another", async function () {
            const probes = cluster.endpoints.readWrite.map(
                (endpoint) => [endpoint, () => assertListening(endpoint)] as const,
            );
            const watch = new OutageWatch(new Map(probes));
            const configFile = editSettings((settings) => {
                settings.haproxy = { ...settings.haproxy, connectTimeoutSeconds: 3 };
            });
            const { seconds } = await up({ configFile }).finally(() => watch.stop());
            note(this, inSeconds(seconds));
            for (const host of hosts()) {
                const config = await inContainer(host, "lab-haproxy", ["cat", "/etc/haproxy/haproxy.cfg"]);
                expect(config, host).to.match(/^ *timeout connect 3s$/m);
            }
            expect(watch.silent.size, "entry points that were replaced").to.equal(cluster.endpoints.readWrite.length);
            expect(watch.together, "entry points that were down at the same time").to.deep.equal([]);
        });
    });

    describe("applications", () => {
        const kept = { database: `Kept "Shop" 1`, owner: "Kept's owner" };
        const dropped = { database: `Dropped "Shop" 2`, owner: "Dropped; owner", allowDrop: true };

        const superuser = (): Login => ({
            user: "postgres",
            password: cluster.passwords.postgres ?? "",
            database: "postgres",
        });
        const entryPoint = (): string => cluster.endpoints.readWrite[0] ?? "";
        const exists = (catalog: "pg_database" | "pg_roles", column: string, name: string): Promise<unknown> =>
            value(entryPoint(), superuser(), `SELECT EXISTS (SELECT FROM ${catalog} WHERE ${column} = $1)`, [name]);

        /** Runs `up` with one more application. */
        const upWith = async (key: string, application: ApplicationArgs): Promise<Cluster> => {
            const configFile = editSettings(({ applications = {} }) => {
                applications[key] = application;
            });
            await up({ configFile });
            return readCluster();
        };

        const usable = async ({ urls, database }: Application): Promise<void> => {
            for (const path of ["direct", "pooled"] as const) {
                const { login, endpoints } = parseUrl(urls[path]);
                const endpoint = endpoints[0] ?? "";
                expect(await value(endpoint, login, "SELECT current_database()"), endpoint).to.equal(database);
                await query(endpoint, login, `CREATE TABLE made_by_${path} (n int)`);
            }
        };

        let changed: Cluster;
        let old: Login;

        before(async () => {
            old = parseUrl(applicationOf(await upWith("kept", kept), "kept").urls.direct).login;
            changed = await upWith("kept", { ...kept, passwordGeneration: 2, oldestPasswordGeneration: 2 });
        });

        it("a new password works on every path, and the old one is refused", async () => {
            const { readWrite, readOnly, any, pooled } = cluster.endpoints;
            const { login } = parseUrl(applicationOf(changed, "kept").urls.direct);
            expect(login.password).not.to.equal(old.password);
            for (const endpoint of [...readWrite, ...readOnly, ...any, ...pooled]) {
                expect(await value(endpoint, login, "SELECT current_user"), endpoint).to.equal(kept.owner);
                expect(await refusal(endpoint, old), endpoint).to.match(
                    /^(28000|28P01|08P01) .*(not permitted to log in|authentication failed|no such user)/,
                );
            }
        });

        it("an added one, whose names need quoting, can be used", () => usable(applicationOf(changed, "kept")));

        it("one that is taken out keeps its database and its login", async () => {
            const { urls } = applicationOf(changed, "kept");
            changed = await upWith("dropped", dropped);
            const { login, endpoints } = parseUrl(urls.direct);
            expect(await value(endpoints[0] ?? "", login, "SELECT count(*) FROM made_by_direct")).to.equal("0");
        });

        it("one that may be dropped is dropped", async () => {
            await usable(applicationOf(changed, "dropped"));
            expect(await exists("pg_database", "datname", dropped.database)).to.equal(true);
            await up();
            expect(await exists("pg_database", "datname", dropped.database)).to.equal(false);
            expect(await exists("pg_roles", "rolname", dropped.owner)).to.equal(false);
        });

        after("drop what was kept", async () => {
            const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
            await query(entryPoint(), superuser(), `DROP DATABASE IF EXISTS ${quoted(kept.database)} WITH (FORCE)`);
            for (const role of [`${kept.owner}_2`, kept.owner]) {
                await query(entryPoint(), superuser(), `DROP ROLE IF EXISTS ${quoted(role)}`);
            }
        });
    });
});
