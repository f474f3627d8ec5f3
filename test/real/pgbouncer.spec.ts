import { expect } from "chai";
import { containerPaths, defaultPorts, systemRoles } from "../../components/defaults";
import { renderPgBouncerIni, renderPgBouncerUsers } from "../../components/render/pgbouncerIni";
import { scramVerifier } from "../../components/render/scram";
import { renderApplicationSql } from "../../components/render/sql";
import { renderExporterSql, renderPgBouncerSql } from "../../components/render/systemRolesSql";
import { application, pgBouncer } from "../render/samples";
import { Container } from "./container";
import { Login, Postgres, SqlError } from "./postgres";

const poolerPassword = 'its "own" password';
const names = ["shop", 'we"ird; name', "ünï 'x'", "host=evil"];
const password = "the owner's password";
const port = defaultPorts.pgbouncer;

describe("PgBouncer itself", () => {
    let postgres: Postgres;
    let pooler: Container;
    let startLog: string;

    const owner = (user: string): Login => ({ user, password, port });
    const pgbouncer: Login = { user: systemRoles.pgbouncer, password: poolerPassword };

    before(() => {
        postgres = new Postgres();
        postgres.apply(renderPgBouncerSql({ verifier: scramVerifier(poolerPassword, "salt"), generation: 1 }));
        postgres.apply(renderPgBouncerSql({ verifier: scramVerifier(poolerPassword, "salt"), generation: 1 }));
        postgres.apply(renderExporterSql({ verifier: scramVerifier(password, "salt"), generation: 1 }));
        postgres.apply(renderExporterSql({ verifier: scramVerifier(password, "salt"), generation: 1 }));
        for (const name of names) {
            const login = { name, verifier: scramVerifier(password, name), connectionLimit: -1 };
            postgres.apply(
                renderApplicationSql({ ...application, key: name, database: name, owner: login, roles: [] }),
            );
        }
        const servers = { addresses: ["127.0.0.1", "127.0.0.1"], port: 5432 };
        pooler = Container.start("pgbouncer", ["pgbouncer", containerPaths.pgbouncerConfig], {
            networkOf: postgres.container,
            files: {
                [containerPaths.pgbouncerConfig]: renderPgBouncerIni({ ...pgBouncer, servers }),
                [containerPaths.pgbouncerUsers]: renderPgBouncerUsers(pgBouncer.authUser, poolerPassword),
            },
        });
        // A name that PgBouncer doesn't know would be a warning in its log.
        const asItself = ["-U", pgbouncer.user, "-d", "pgbouncer"];
        pooler.waitFor(["pg_isready", "-q", "-h", "127.0.0.1", "-p", String(port), ...asItself]);
        startLog = pooler.logs();
    });
    after(() => {
        pooler.remove();
        postgres.remove();
    });

    for (const name of names) {
        it(`lets the owner of ${name} in with the verifier that PostgreSQL has`, () => {
            const sql = "SELECT current_database() || '|' || current_user";
            expect(postgres.query(name, sql, owner(name))).to.deep.equal([`${name}|${name}`]);
            expect(() => postgres.query(name, sql, { ...owner(name), password: "wrong" })).to.throw(SqlError);
        });
    }

    it("has taken every setting over", () => {
        const shown = postgres.query("pgbouncer", "SHOW CONFIG", { ...pgbouncer, port });
        const values = new Map(shown.map((line) => line.split("|")).map(([key, value]) => [key, value]));
        const given =
            renderPgBouncerIni({ ...pgBouncer })
                .split("[pgbouncer]\n")[1]
                ?.trimEnd()
                .split("\n") ?? [];
        expect(given.length).to.be.greaterThan(20);
        for (const line of given) {
            const [, key = "", value] = /^(\w+) = (.*)$/.exec(line) ?? [];
            expect(values.get(key), key).to.equal(value);
        }
        expect(startLog).to.include("process up");
        expect(startLog.split("\n").filter((line) => /WARNING|ERROR/.test(line))).to.deep.equal([]);
    });

    it("shows its console without a password to its own user, and only by the socket in its container", () => {
        const psql = ["psql", "-X", "-w", "-p", String(port), "-d", "pgbouncer", "-c", "SHOW STATE"];
        const bySocket = ["-h", containerPaths.pgbouncerSocket];
        expect(pooler.exec([...psql, ...bySocket, "-U", pgbouncer.user]).stdout).to.include("paused");
        expect(pooler.exec([...psql, "-h", "127.0.0.1", "-U", pgbouncer.user]).status).to.equal(2);
        expect(pooler.exec([...psql, ...bySocket, "-U", "shop"]).status).to.equal(2);
    });

    it("lets nobody but its own role see its console", () => {
        expect(() => postgres.query("pgbouncer", "SHOW CONFIG", owner("shop"))).to.throw(SqlError);
    });

    it("can't be used as superuser or for replication, even with the right password", () => {
        postgres.apply(
            "CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'known'; CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'known';",
        );
        for (const user of ["boss", "replicator"]) {
            expect(postgres.query("postgres", "SELECT 1", { user, password: "known" })).to.deep.equal(["1"]);
            expect(() => postgres.query("postgres", "SELECT 1", { user, password: "known", port })).to.throw(SqlError);
        }
    });

    it("doesn't ask for a role that can't log in or whose password has expired", () => {
        postgres.apply(
            "CREATE ROLE retired NOLOGIN PASSWORD 'x'; CREATE ROLE expired LOGIN PASSWORD 'x' VALID UNTIL '2000-01-01';",
        );
        const sql =
            "SELECT role_name FROM unnest(ARRAY['shop', 'retired', 'expired', 'boss', 'nobody']) AS name, pgbouncer.verifier_of(name)";
        expect(postgres.query("postgres", sql, pgbouncer)).to.deep.equal(["shop"]);
    });

    it("keeps verifiers from everybody else", () => {
        expect(() =>
            postgres.query("postgres", "SELECT pgbouncer.verifier_of('shop')", { user: "shop", password }),
        ).to.throw(SqlError, "permission denied");
        expect(() => postgres.query("postgres", "SELECT rolpassword FROM pg_authid", pgbouncer)).to.throw(
            SqlError,
            "permission denied",
        );
    });

    it("leaves the exporter the statistics and no data", () => {
        const exporter: Login = { user: systemRoles.exporter, password };
        expect(
            postgres.query("postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE query IS NOT NULL", exporter),
        ).to.deep.equal(["t"]);
        expect(postgres.query("postgres", "SELECT pg_has_role('pg_monitor', 'member')", exporter)).to.deep.equal(["t"]);
        expect(() => postgres.query("shop", "SELECT", exporter)).to.throw(SqlError, "permission denied for database");
    });
});
