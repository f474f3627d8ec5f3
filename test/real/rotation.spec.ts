import { expect } from "chai";
import { systemRoles } from "../../components/defaults";
import { PasswordGenerations } from "../../components/render/roleSql";
import { scramVerifier } from "../../components/render/scram";
import {
    ApplicationSql,
    renderApplicationDropSql,
    renderApplicationSql,
    RoleAccess,
} from "../../components/render/sql";
import {
    PatroniLogins,
    renderExporterSql,
    renderNewLoginsSql,
    renderPatroniRolesSql,
    renderPgBouncerSql,
    renderRefusalSql,
    systemLogin,
} from "../../components/render/systemRolesSql";
import { Login, Postgres, SqlError } from "./postgres";

const passwordOf = (role: string, generation: number): string => `password ${generation} of ${role}`;
const nameOf = (role: string, generation: number): string => (generation === 1 ? role : `${role}_${generation}`);
const loginOf = (role: string, generation: number): Login => ({
    user: nameOf(role, generation),
    password: passwordOf(role, generation),
});

describe("PostgreSQL itself, with rotated passwords", () => {
    let postgres: Postgres;

    before(() => {
        postgres = new Postgres();
    });
    after(() => postgres.remove());

    const works = (database: string, login: Login): void => {
        expect(postgres.query(database, "SELECT 1", login), login.user).to.deep.equal(["1"]);
    };
    const refused = (database: string, login: Login, message = "not permitted to log in"): void => {
        expect(() => postgres.query(database, "SELECT 1", login), login.user).to.throw(SqlError, message);
    };
    const rolesLike = (pattern: string): string[] =>
        postgres.query("postgres", `SELECT rolname FROM pg_roles WHERE rolname ~ '${pattern}' ORDER BY 1`);

    describe("of the cluster's own roles", () => {
        const { superuser, replication, rewind, exporter, pgbouncer } = systemRoles;
        const system = (role: string, generation: number) =>
            systemLogin(role, passwordOf(role, generation), generation, "salt");
        const patroni = (generation: number): PatroniLogins => ({
            superuser: scramVerifier(passwordOf(superuser, generation), superuser),
            replication: system(replication, generation),
            rewind: system(rewind, generation),
        });
        const superuserLogin = (generation: number): Login => ({
            user: superuser,
            password: passwordOf(superuser, generation),
        });

        before(() => postgres.apply(renderPatroniRolesSql(patroni(1))));

        it("Patroni's: both work from the first step on, and one is refused after the last", () => {
            expect(postgres.query("postgres", renderNewLoginsSql(patroni(2)))).to.deep.equal(["t"]);
            for (const role of [replication, rewind]) {
                works("postgres", loginOf(role, 1));
                works("postgres", loginOf(role, 2));
            }
            works("postgres", superuserLogin(1));
            postgres.apply(renderPatroniRolesSql(patroni(2)));
            for (const role of [replication, rewind]) {
                refused("postgres", loginOf(role, 1));
                works("postgres", loginOf(role, 2));
            }
            refused("postgres", superuserLogin(1), "authentication failed");
            works("postgres", superuserLogin(2));
        });

        it("Patroni's: a third one that comes before the second has reached all nodes leaves both of them valid", () => {
            postgres.query("postgres", renderNewLoginsSql(patroni(3)));
            postgres.query("postgres", renderNewLoginsSql(patroni(4)));
            for (const generation of [2, 3, 4]) {
                works("postgres", loginOf(replication, generation));
            }
            postgres.apply(renderPatroniRolesSql(patroni(4)));
            for (const generation of [1, 2, 3]) {
                refused("postgres", loginOf(replication, generation));
            }
            works("postgres", loginOf(replication, 4));
        });

        it("Patroni's: each login of replication may replicate, and each of rewind may read files", () => {
            const replicates = "SELECT rolreplication FROM pg_roles WHERE rolname = 'replicator_4'";
            expect(postgres.query("postgres", replicates)).to.deep.equal(["t"]);
            const reads = "SELECT count(*) > 0 FROM pg_ls_dir('.', true, false)";
            expect(postgres.query("postgres", reads, loginOf(rewind, 4))).to.deep.equal(["t"]);
            expect(() => postgres.query("postgres", reads, loginOf(replication, 4))).to.throw(
                SqlError,
                "permission denied",
            );
        });

        it("keeps no login for ever: what was refused is dropped with the rotation after it", () => {
            postgres.query("postgres", renderNewLoginsSql(patroni(5)));
            postgres.apply(renderPatroniRolesSql(patroni(5)));
            expect(rolesLike("^(replicator|rewinder)")).to.deep.equal([
                "replicator",
                "replicator_4",
                "replicator_5",
                "rewinder",
                "rewinder_4",
                "rewinder_5",
            ]);
        });

        it("the exporter's and PgBouncer's: the same", () => {
            postgres.query("postgres", "CREATE TABLE watched AS SELECT 1 AS n");
            for (const [role, render] of [
                [exporter, renderExporterSql],
                [pgbouncer, renderPgBouncerSql],
            ] as const) {
                postgres.apply(render(system(role, 1)));
                // What was granted by hand holds for later passwords, too.
                postgres.query("postgres", `GRANT SELECT ON watched TO ${role}`);
                postgres.apply(render(system(role, 2)));
                works("postgres", loginOf(role, 1));
                works("postgres", loginOf(role, 2));
                postgres.apply(renderRefusalSql(role, system(role, 2)));
                refused("postgres", loginOf(role, 1));
                expect(postgres.query("postgres", "SELECT n FROM public.watched", loginOf(role, 2))).to.deep.equal([
                    "1",
                ]);
            }
            const lookUp = "SELECT count(*) FROM pgbouncer.verifier_of('exporter_2')";
            expect(postgres.query("postgres", lookUp, loginOf(pgbouncer, 2))).to.deep.equal(["1"]);
            const sees = "SELECT pg_has_role('pg_monitor', 'usage')";
            expect(postgres.query("postgres", sees, loginOf(exporter, 2))).to.deep.equal(["t"]);
        });

        it("changes nothing when it is applied again, and can go back", () => {
            const state = (): string[] =>
                postgres.query("postgres", "SELECT rolname, rolcanlogin, rolpassword FROM pg_authid ORDER BY 1");
            const before = state();
            postgres.apply(renderRefusalSql(exporter, system(exporter, 2)));
            postgres.query("postgres", renderNewLoginsSql(patroni(5)));
            expect(state()).to.deep.equal(before);
            postgres.apply(renderExporterSql(system(exporter, 1)));
            postgres.apply(renderRefusalSql(exporter, system(exporter, 1)));
            works("postgres", loginOf(exporter, 1));
            refused("postgres", loginOf(exporter, 2));
        });
    });

    describe("of an application", () => {
        const apply = (owner: PasswordGenerations, reader: PasswordGenerations = { current: 1, oldest: 1 }): void => {
            const role = (name: string, generations: PasswordGenerations) => ({
                name,
                generations,
                verifier: scramVerifier(passwordOf(name, generations.current), name),
                connectionLimit: -1,
            });
            const app: ApplicationSql = {
                key: "shop",
                database: "shop",
                connectionLimit: -1,
                owner: role("shop", owner),
                roles: [{ ...role("reader", reader), access: RoleAccess.ReadOnly }],
                schemas: ["public"],
                extensions: [],
            };
            postgres.apply(renderApplicationSql(app));
        };
        const as = (role: string, generation: number, sql: string): string[] =>
            postgres.query("shop", sql, loginOf(role, generation));

        before(() => apply({ current: 1, oldest: 1 }));

        it("both work until the older one is no longer wanted", () => {
            as("shop", 1, "CREATE TABLE first (n int)");
            apply({ current: 2, oldest: 1 });
            works("shop", loginOf("shop", 1));
            works("shop", loginOf("shop", 2));
            apply({ current: 2, oldest: 2 });
            refused("shop", loginOf("shop", 1));
            works("shop", loginOf("shop", 2));
        });

        it("whichever is used, the owner owns all", () => {
            as("shop", 2, "CREATE TABLE second (n int); ALTER TABLE first ADD COLUMN m int; CREATE SCHEMA by_second");
            apply({ current: 3, oldest: 2 });
            as("shop", 3, "DROP TABLE second; CREATE TABLE second (n int)");
            as("shop", 2, "ALTER TABLE second ADD COLUMN m int");
            const owners =
                "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public' UNION SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'by_second'";
            expect(postgres.query("shop", owners)).to.deep.equal(["shop"]);
            expect(as("shop", 3, "RESET ROLE; SELECT current_user || ' as ' || session_user")).to.deep.equal([
                "shop as shop_3",
            ]);
        });

        it("a further role's keep its access", () => {
            apply({ current: 3, oldest: 3 }, { current: 2, oldest: 1 });
            for (const generation of [1, 2]) {
                expect(as("reader", generation, "SELECT count(*) FROM first")).to.deep.equal(["0"]);
                expect(() => as("reader", generation, "DROP TABLE first")).to.throw(SqlError, "must be owner");
            }
            apply({ current: 3, oldest: 3 }, { current: 2, oldest: 2 });
            refused("shop", loginOf("reader", 1));
            expect(as("reader", 2, "SELECT count(*) FROM first")).to.deep.equal(["0"]);
        });

        it("all go with the application", () => {
            postgres.apply(renderApplicationDropSql("shop", ["shop", "reader"]));
            expect(rolesLike("^(shop|reader)")).to.deep.equal([]);
        });
    });
});
