import { expect } from "chai";
import { DcsKind, PostgresClusterArgs, SlotType } from "../../components";
import { checkCluster, clusterWarnings } from "../../components/checks/cluster";
import { containerPaths, defaultPorts } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { renderPatroniDynamicJson } from "../../components/render/patroniYaml";
import { parseSettings } from "../../settings";
import { clusterArgs, hostArgs, recordCluster } from "../helpers/cluster";
import { generatedPassword } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, prepareScript, serviceInputs } from "../helpers/service";
import { expectProblems } from "./problems";

/**
 * What the systems that this library replaces claim and don't do, or do and should not: none of it can be written down here. Each test
 * is named after the trap.
 */
describe("A trap of the seeds", () => {
    const check = (changes: Partial<PostgresClusterArgs>) => checkCluster("pg", clusterArgs(changes));
    const given: Partial<PostgresClusterArgs> = {
        patroni: {
            synchronousModeStrict: true,
            synchronousNodeCount: 2,
            parameters: { wal_level: "logical", archive_mode: "on", archive_command: "pgbackrest push %p" },
            slots: { cdc: { type: SlotType.Logical, database: "shop" } },
        },
        applications: { shop: { replicationRoles: { cdc: {} } } },
    };
    let cluster: Recording;

    before(async () => {
        cluster = await recordCluster(given);
    });

    const scriptOf = (name: string): string => String(cluster.custom(name).inputs.stdin);

    describe("1: settings in environment variables that Patroni doesn't read", () => {
        it("can't be, since no container of Patroni has an environment", () => {
            for (const key of ["db1", "db2", "db3"]) {
                expect(serviceInputs(cluster, `pg-patroni-${key}`).taskSpec.containerSpec.env).to.deep.equal({});
            }
        });

        it("reach Patroni's dynamic configuration instead, every one of them", () => {
            const { dynamic } = normalizePatroniSettings(given.patroni ?? {}, 4096);
            const config = JSON.parse(renderPatroniDynamicJson(dynamic)) as { postgresql: { parameters: object } };
            expect(config).to.include({
                synchronous_mode: true,
                synchronous_mode_strict: true,
                synchronous_node_count: 2,
            });
            expect(config.postgresql.parameters).to.include(given.patroni?.parameters);
            expect(scriptOf("pg-patroni-dynamic-config")).to.include('"synchronous_node_count": 2');
        });

        it("are refused where nothing would read them", () => {
            const settings = { ...clusterArgs(), clusterName: "pg", patroni: { PATRONI_SYNCHRONOUS_MODE: "true" } };
            expect(() => parseSettings(settings, "pgha")).to.throw("PATRONI_SYNCHRONOUS_MODE");
            expectProblems(check({ patroni: { synchronousMode: false, synchronousModeStrict: true } }), {
                "patroni.synchronousModeStrict": "Patroni ignores it",
            });
            expectProblems(check({ patroni: { parameters: { synchronous_standby_names: "*" } } }), {
                "patroni.parameters.synchronous_standby_names": "ignores any other value",
            });
        });
    });

    it("2: a password file that the image doesn't read, so that its known default counts: every login's is generated", () => {
        const passwords = fileContent(cluster, "pg-patroni-db1-passwords");
        for (const role of ["postgres", "replicator", "rewinder", "patroni-api"]) {
            expect(passwords, role).to.include(generatedPassword(`pg-credentials-${role}`));
        }
        expect(passwords).not.to.match(/zalando|cola/);
        const files = serviceInputs(cluster, "pg-patroni-db1").taskSpec.containerSpec.secrets.map(
            (file) => file.fileName,
        );
        expect(files).to.include(`${containerPaths.patroniConfigDirectory}/30-passwords.yml`);
    });

    describe("3: seed 004's proxy, addresses, store and placement", () => {
        it("health checks on PostgreSQL's port, where no server is ever up: they ask Patroni", () => {
            const servers = fileContent(cluster, "pg-haproxy-config")
                .split("\n")
                .filter((line) => /^\s*(default-)?server /.test(line));
            expect(servers).to.have.length.above(8);
            for (const line of servers.filter((server) => /^\s*server /.test(server))) {
                expect(line).to.match(/ 192\.0\.2\.1\d:5432 (.*\bcheck\b.* port 8008\b|track read_write\/)/);
            }
        });

        it("timeouts that cut idle sessions", () => {
            expectProblems(check({ haproxy: { clientTimeoutSeconds: 30, serverTimeoutSeconds: 30 } }), {
                "haproxy.clientTimeoutSeconds": "30 was given; a whole number from 60",
                "haproxy.serverTimeoutSeconds": "30 was given; a whole number from 60",
            });
        });

        it("a connect address that leads every node to itself", () => {
            const hosts = { ...hostArgs(), db2: { address: "0.0.0.0", memoryMiB: 4096 } };
            expectProblems(check({ hosts }), { "hosts.db2.address": "can't reach this host there" });
        });

        it("etcd's version 2 API, which etcd 3.5 doesn't serve", () => {
            expect(Object.values(DcsKind)).not.to.include("etcd");
            expect(fileContent(cluster, "pg-patroni-db1-member")).to.match(/^etcd3:$/m);
        });

        it("etcd without volumes", () => {
            for (const key of ["db1", "db2", "db3"]) {
                const [data] = serviceInputs(cluster, `pg-etcd-${key}`).taskSpec.containerSpec.mounts;
                expect(data).to.include({
                    type: "bind",
                    source: `/srv/pgha/pg/etcd-${key}`,
                    target: containerPaths.etcdData,
                });
            }
        });

        it("one label for all members, so that two may land on one host", () => {
            const shared = { labels: { pg: "1" }, placementLabel: "pg" };
            const hosts = Object.fromEntries(
                Object.entries(hostArgs()).map(([key, host]) => [key, { ...host, ...shared }]),
            );
            const paths = new Set(check({ hosts }).map((problem) => problem.path));
            expect([...paths]).to.include.members(["etcd.members.db3", "patroni.nodes.db3"]);
            const constraints = ["db1", "db2", "db3"].map(
                (key) => serviceInputs(cluster, `pg-patroni-${key}`).taskSpec.placement.constraints,
            );
            expect(new Set(constraints.flat()).size).to.equal(3);
        });
    });

    it("4: a primary that is said to go on without a quorum, and is demoted: failsafe mode is on, and off only with a warning", () => {
        expect(scriptOf("pg-patroni-dynamic-config")).to.include('"failsafe_mode": true');
        expectProblems(clusterWarnings(clusterArgs({ patroni: { failsafeMode: false } })), {
            "patroni.failsafeMode": "stops taking writes whenever the store loses its quorum",
        });
    });

    describe("5: a password that is changed in a secret and not in PostgreSQL", () => {
        it("is an application's: one setting changes both", async () => {
            const raised = { shop: { passwordGeneration: 2, replicationRoles: { cdc: {} } } };
            const later = await recordCluster({ ...given, applications: raised }, { previous: cluster });
            expect(later.changedSince(cluster)).to.deep.equal([
                "pg-application-shop-database",
                "pg-application-shop-owner",
                "pg-application-shop-owner-generation-2",
                "pg-generations",
            ]);
            expect(String(later.custom("pg-application-shop-database").inputs.stdin)).to.include(
                'ALTER ROLE "shop_2" WITH LOGIN',
            );
        });

        it("is the cluster's own: none can be given, and what Patroni logs in with is set in PostgreSQL", () => {
            const settings = { ...clusterArgs(), clusterName: "pg", passwords: { postgres: "word" } };
            expect(() => parseSettings(settings, "pgha")).to.throw("passwords");
            for (const role of ["postgres", "replicator", "rewinder"]) {
                const statement = new RegExp(`^ALTER ROLE "${role}" .*PASSWORD 'SCRAM-SHA-256[$]`, "m");
                expect(scriptOf("pg-patroni-db1-settle")).to.match(statement);
            }
        });
    });

    it("6: WAL that is archived to a directory of each node", () => {
        const commands = [
            "cp %p /var/lib/postgresql/wal_archive/%f",
            "test ! -f /archive/%f && cp %p /archive/%f",
            "/bin/true; mv %p /archive",
        ];
        for (const command of commands) {
            expectProblems(check({ patroni: { parameters: { archive_mode: "on", archive_command: command } } }), {
                "patroni.parameters.archive_command": "lost with the node",
            });
        }
        expectProblems(check({ patroni: given.patroni, applications: given.applications }), {});
    });

    it("7: nodes that are updated back to back, and the leader among them: each step waits for the one before", () => {
        const chain = ["db1", "db2", "db3"].flatMap((key) => [
            `pg-patroni-${key}-prepare`,
            `pg-patroni-${key}`,
            `pg-patroni-${key}-replaced`,
            `pg-patroni-${key}-gate`,
        ]);
        expect(cluster.outOfOrder(chain)).to.deep.equal([]);
        expect(prepareScript(cluster, "pg-patroni-db2")).to.include(
            "sh '/srv/pgha/pg/.switchover/patroni-db2' 'patroni-db2'",
        );
        expect(scriptOf("pg-patroni-db2-gate")).to.include("/readiness?lag=");
    });

    it("8: a failover time that the settings can't keep: what Patroni would raise silently is refused", () => {
        expectProblems(check({ patroni: { ttlSeconds: 10, loopWaitSeconds: 2, retryTimeoutSeconds: 3 } }), {
            "patroni.ttlSeconds": "10 was given",
        });
    });

    it("9: logical subscribers on the read-only port: a consumer's only URL leads to the primary", () => {
        const outputs = JSON.stringify(cluster.outputs);
        const password = generatedPassword("pg-application-shop-role-cdc");
        const urls = outputs.match(new RegExp(`postgresql://cdc:${password}@[^"]*`, "g")) ?? [];
        expect(urls.length).to.be.greaterThan(0);
        for (const url of urls) {
            expect(url).to.include(`:${defaultPorts.readWrite}/shop`);
            expect(url).not.to.include(`:${defaultPorts.readOnly}`).and.not.to.include(`:${defaultPorts.pgbouncer}`);
        }
    });
});
