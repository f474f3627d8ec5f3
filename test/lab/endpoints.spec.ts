import { expect } from "chai";
import { rootCertificates } from "node:tls";
import { Application, applicationOf, Cluster, readCluster } from "./helpers/cluster";
import { lines, onHost } from "./helpers/hosts";
import { readSettings } from "./helpers/settings";
import { parseUrl, query, refusal, value } from "./helpers/sql";
import { eventually } from "./helpers/wait";

const table = "endpoints_test";
const replicationSeconds = 10;

const readOnlyTransaction = /^25006 /;
const insufficientPrivilege = /^42501 /;
/** PgBouncer has one SQLSTATE for all that it refuses. */
const wrongPassword = /^(28P01|08P01) .*(authentication failed|no such user)/;

describe("endpoints, from outside the Swarm", () => {
    let cluster: Cluster;
    let app: Application;
    let anyNode = "";

    before(async () => {
        cluster = await readCluster();
        app = applicationOf(cluster, "app");
        anyNode = cluster.endpoints.any[0] ?? "";
        const { login, endpoints } = parseUrl(app.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE IF EXISTS ${table}`);
        await query(endpoints[0] ?? "", login, `CREATE TABLE ${table} (endpoint text PRIMARY KEY)`);
    });

    after(async () => {
        const { login, endpoints } = parseUrl(app.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE ${table}`);
    });

    describe("SQL", () => {
        for (const path of ["direct", "pooled"] as const) {
            it(`${path}: takes the owner's writes on every host`, async () => {
                const { login, endpoints } = parseUrl(app.urls[path]);
                expect(endpoints).to.have.lengthOf(Object.keys(cluster.nodes).length);
                for (const endpoint of endpoints) {
                    await query(endpoint, login, `INSERT INTO ${table} VALUES ($1)`, [endpoint]);
                    const count = await value(endpoint, login, `SELECT count(*) FROM ${table} WHERE endpoint = $1`, [
                        endpoint,
                    ]);
                    expect(count, endpoint).to.equal("1");
                }
            });
        }

        for (const path of ["direct", "readOnly", "pooled"] as const) {
            it(`${path}: every host is verified with the cluster's authority`, async () => {
                const { login, endpoints } = parseUrl(app.urls[path]);
                const { caCertificate } = cluster;
                for (const endpoint of endpoints) {
                    expect(await value(endpoint, { ...login, caCertificate }, "SELECT 1"), endpoint).to.equal(1);
                }
                const stranger = { ...login, caCertificate: rootCertificates[0] ?? "" };
                const unverified = await query(endpoints[0] ?? "", stranger, "SELECT 1").catch(String);
                expect(unverified).to.match(/unable to (verify|get).*certificate|self-signed certificate/);
            });
        }

        it("read-only: shows those rows on every host, and refuses writes", async () => {
            const { login, endpoints } = parseUrl(app.urls.readOnly);
            const written = cluster.endpoints.readWrite.length + cluster.endpoints.pooled.length;
            for (const endpoint of endpoints) {
                expect(await value(endpoint, login, "SELECT pg_is_in_recovery()"), endpoint).to.equal(true);
                await eventually(`all rows are on the replica behind ${endpoint}`, replicationSeconds, async () => {
                    const count = await value(endpoint, login, `SELECT count(*) FROM ${table}`);
                    expect(count).to.equal(String(written));
                });
                const insert = `INSERT INTO ${table} VALUES ('read-only')`;
                expect(await refusal(endpoint, login, insert), endpoint).to.match(readOnlyTransaction);
            }
        });

        it("any: answers on every host", async () => {
            const { login } = parseUrl(app.urls.direct);
            for (const endpoint of cluster.endpoints.any) {
                expect(await value(endpoint, login, "SELECT current_user"), endpoint).to.equal(app.owner);
            }
        });

        it("a wrong password is refused on every path", async () => {
            const login = { ...parseUrl(app.urls.direct).login, password: "wrong" };
            const { readWrite, readOnly, any, pooled } = cluster.endpoints;
            const nodes = Object.values(cluster.nodes).map((node) => node.postgres);
            for (const endpoint of [...readWrite, ...readOnly, ...any, ...pooled, ...nodes]) {
                expect(await refusal(endpoint, login), endpoint).to.match(wrongPassword);
            }
        });

        it("the superuser is refused by PgBouncer, whatever the password", async () => {
            const login = { user: "postgres", password: cluster.passwords.postgres ?? "", database: "postgres" };
            expect(await value(cluster.endpoints.readWrite[0] ?? "", login, "SELECT current_user")).to.equal(
                "postgres",
            );
            expect(await refusal(cluster.endpoints.pooled[0] ?? "", login)).to.match(wrongPassword);
        });
    });

    describe("the application's database", () => {
        it("a role with read access reads, also tables made later, and can't write", async () => {
            const { urls } = app.roles.app_reader ?? expect.fail("the stack has no role app_reader");
            const owner = parseUrl(app.urls.direct);
            const later = `${table}_later`;
            await query(owner.endpoints[0] ?? "", owner.login, `CREATE TABLE ${later} AS SELECT 1 AS n`);
            try {
                for (const path of ["direct", "pooled"] as const) {
                    const { login, endpoints } = parseUrl(urls[path]);
                    const endpoint = endpoints[0] ?? "";
                    expect(await value(endpoint, login, `SELECT n FROM ${later}`), endpoint).to.equal(1);
                    for (const write of [`INSERT INTO ${table} VALUES ('reader')`, "CREATE TABLE mine (n int)"]) {
                        expect(await refusal(endpoint, login, write), `${endpoint}: ${write}`).to.match(
                            insufficientPrivilege,
                        );
                    }
                }
                const { login, endpoints } = parseUrl(urls.readOnly);
                await eventually(`the reader sees ${later} on a replica`, replicationSeconds, () =>
                    query(endpoints[0] ?? "", login, `SELECT n FROM ${later}`),
                );
            } finally {
                await query(owner.endpoints[0] ?? "", owner.login, `DROP TABLE ${later}`);
            }
        });

        it("has its extensions", async () => {
            const { login, endpoints } = parseUrl(app.urls.pooled);
            for (const extension of readSettings().applications?.app?.extensions ?? []) {
                const found = await value(
                    endpoints[0] ?? "",
                    login,
                    "SELECT true FROM pg_extension WHERE extname = $1",
                    [extension],
                );
                expect(found, extension).to.equal(true);
            }
            expect(await value(endpoints[0] ?? "", login, "SELECT similarity('word', 'words') > 0.5")).to.equal(true);
        });

        it("has its connection limit", async () => {
            const limits = Object.entries(readSettings().applications ?? {});
            expect(limits.some(([, { connectionLimit }]) => connectionLimit !== undefined)).to.equal(true);
            const { login } = parseUrl(app.urls.direct);
            for (const [key, { connectionLimit = -1 }] of limits) {
                const { database } = applicationOf(cluster, key);
                const statement = "SELECT datconnlimit FROM pg_database WHERE datname = $1";
                expect(await value(anyNode, login, statement, [database]), database).to.equal(connectionLimit);
            }
        });

        it("is closed to other applications", async () => {
            const { login } = parseUrl(app.urls.direct);
            const other = { ...login, database: applicationOf(cluster, "homeassistant").database };
            expect(await refusal(cluster.endpoints.readWrite[0] ?? "", other)).to.match(insufficientPrivilege);
        });
    });

    describe("HTTP", () => {
        const basic = (user: string, password = ""): RequestInit => ({
            headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
        });
        const status = async (url: string, request?: RequestInit): Promise<number> =>
            (await fetch(url, request)).status;

        it("HAProxy's statistics and metrics want the generated login", async () => {
            const login = basic("admin", cluster.passwords["haproxy-statistics"]);
            for (const endpoint of cluster.endpoints.statistics) {
                for (const [path, content] of [
                    ["/", "read_write"],
                    ["/metrics", "haproxy_server_status{"],
                ] as const) {
                    const url = `https://${endpoint}${path}`;
                    expect(await status(url), url).to.equal(401);
                    expect(await status(url, basic("admin", "wrong")), url).to.equal(401);
                    const answer = await fetch(url, login);
                    expect(answer.status, url).to.equal(200);
                    expect(await answer.text(), url).to.include(content);
                }
            }
        });

        it("each node's exporter says that PostgreSQL is up", async () => {
            expect(cluster.endpoints.metrics).to.have.lengthOf(Object.keys(cluster.nodes).length);
            for (const endpoint of cluster.endpoints.metrics) {
                // The first answer after a restart of PostgreSQL may come from a connection that has ended with it.
                await eventually(`the exporter ${endpoint} sees PostgreSQL`, 10, async () => {
                    const text = await (await fetch(`https://${endpoint}/metrics`)).text();
                    expect(text, endpoint).to.match(/^pg_up 1$/m);
                });
            }
        });

        it("Patroni shows its state, and refuses unsafe calls without the password", async () => {
            for (const { patroniApi } of Object.values(cluster.nodes)) {
                expect(await status(`${patroniApi}/cluster`)).to.equal(200);
                for (const [method, path] of [
                    ["POST", "/restart"],
                    ["POST", "/switchover"],
                    ["PATCH", "/config"],
                ] as const) {
                    const call = `${method} ${patroniApi}${path}`;
                    expect(await status(patroniApi + path, { method, body: "{}" }), call).to.equal(401);
                    const wrong = { method, body: "{}", ...basic("patroni", "wrong") };
                    expect(await status(patroniApi + path, wrong), call).to.equal(401);
                }
            }
        });
    });

    describe("another stack's container on the overlay network", () => {
        const inContainer = async (host: string, command: string[], input = ""): Promise<string> => {
            const { clusterName, network, images } = readSettings();
            const name = network?.name ?? `${clusterName}-network`;
            const run = ["docker", "run", "--rm", "--interactive", "--network", name, images.patroni, ...command];
            return (await onHost(host, run, { input })).trim();
        };

        for (const [alias, path] of [
            ["pg-haproxy", "direct"],
            ["pg-pgbouncer", "pooled"],
        ] as const) {
            it(`reaches ${alias} from every host`, async () => {
                const { endpoints } = parseUrl(app.urls[path]);
                const port = endpoints[0]?.split(":").at(-1) ?? "";
                const url = app.urls[path].replace(endpoints.join(","), `${alias}:${port}`);
                const psql = ["bash", "-c", 'psql -X -A -t -d "$(cat)" -c "SELECT current_user"'];
                for (const host of Object.keys(cluster.nodes)) {
                    expect(await inContainer(host, psql, url), host).to.equal(app.owner);
                }
            });
        }

        it("finds every replica of the entry points under their names", async () => {
            const [host = ""] = Object.keys(cluster.nodes);
            const { readWrite, pooled } = cluster.endpoints;
            for (const [alias, replicas] of [
                ["pg-haproxy", readWrite],
                ["pg-pgbouncer", pooled],
            ] as const) {
                const answer = lines(await inContainer(host, ["getent", "ahostsv4", alias]));
                const addresses = new Set(answer.map((line) => line.split(" ")[0]));
                expect(addresses.size, alias).to.equal(replicas.length);
            }
        });
    });
});
