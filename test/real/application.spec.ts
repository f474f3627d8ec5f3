import { expect } from "chai";
import { scramVerifier } from "../../components/render/scram";
import {
    ApplicationSql,
    RoleAccess,
    renderApplicationDropSql,
    renderApplicationSql,
} from "../../components/render/sql";
import { Login, Postgres, SqlError } from "./postgres";

const passwordOf = (role: string): string => `password of ${role}`;
const login = (user: string): Login => ({ user, password: passwordOf(user) });
const role = (name: string, connectionLimit = -1) => ({
    name,
    verifier: scramVerifier(passwordOf(name), `salt${name}`),
    connectionLimit,
});

const shop: ApplicationSql = {
    key: "shop",
    database: "shop",
    connectionLimit: -1,
    owner: role("shop"),
    roles: [
        { ...role("reader"), access: RoleAccess.ReadOnly },
        { ...role("writer"), access: RoleAccess.ReadWrite },
        { ...role("guest"), access: RoleAccess.Connect },
    ],
    schemas: ["public", "orders"],
    extensions: ["pg_trgm"],
};

describe("PostgreSQL itself, with an application", () => {
    let postgres: Postgres;

    const apply = (changes: Partial<ApplicationSql> = {}): void =>
        postgres.apply(renderApplicationSql({ ...shop, ...changes }));
    const as = (user: string, sql: string): string[] => postgres.query("shop", sql, login(user));
    const refused = (user: string, sql: string, message: string): void => {
        expect(() => as(user, sql), `${user}: ${sql}`).to.throw(SqlError, message);
    };

    before(() => {
        postgres = new Postgres();
        apply({ roles: [] });
    });
    after(() => postgres.remove());

    describe("access", () => {
        const create = (table: string): string[] =>
            as(
                "shop",
                `CREATE TABLE ${table} (id serial PRIMARY KEY, note text); INSERT INTO ${table} (note) VALUES ('first')`,
            );

        before(() => {
            create("public.early");
            apply();
            create("orders.late");
        });

        for (const table of ["public.early", "orders.late"]) {
            const when = table === "public.early" ? "was there before the role" : "came after the role";

            it(`lets a readOnly role read, and change nothing, in a table that ${when}`, () => {
                expect(as("reader", `SELECT note FROM ${table} WHERE id = 1`)).to.deep.equal(["first"]);
                const changes = [
                    `INSERT INTO ${table} (note) VALUES ('x')`,
                    `UPDATE ${table} SET note = 'x'`,
                    `DELETE FROM ${table}`,
                    `TRUNCATE ${table}`,
                ];
                for (const sql of [...changes, "CREATE TABLE public.mine ()", "CREATE TABLE orders.mine ()"]) {
                    refused("reader", sql, "permission denied");
                }
            });

            it(`lets a readWrite role change rows, and no more, in a table that ${when}`, () => {
                as(
                    "writer",
                    `INSERT INTO ${table} (note) VALUES ('w'); UPDATE ${table} SET note = 'v' WHERE note = 'w'`,
                );
                expect(as("writer", `DELETE FROM ${table} WHERE note = 'v' RETURNING note`)).to.deep.equal(["v"]);
                refused("writer", `DROP TABLE ${table}`, "must be owner");
                for (const sql of [`TRUNCATE ${table}`, "CREATE TABLE public.mine ()", "CREATE TABLE orders.mine ()"]) {
                    refused("writer", sql, "permission denied");
                }
            });

            it(`lets a connect role in, and no further, in a table that ${when}`, () => {
                expect(as("guest", "SELECT current_user")).to.deep.equal(["guest"]);
                refused("guest", `SELECT FROM ${table}`, "permission denied");
            });
        }
    });

    it("lets nobody in with a wrong password, nor with the verifier", () => {
        const { verifier } = shop.owner;
        for (const password of ["wrong", "", verifier]) {
            expect(() => postgres.query("shop", "SELECT", { user: "shop", password })).to.throw(SqlError);
        }
        expect(as("shop", "SELECT current_user")).to.deep.equal(["shop"]);
    });

    it("keeps the verifier as it was given", () => {
        const sql = "SELECT rolpassword FROM pg_authid WHERE rolname = 'shop'";
        expect(postgres.query("postgres", sql)).to.deep.equal([shop.owner.verifier]);
    });

    describe("as it changes", () => {
        beforeEach(() => apply());

        it("changes nothing when it is applied again", () => {
            const state = (): string[] => {
                const acls =
                    "SELECT datacl::text FROM pg_database WHERE datname = 'shop' UNION ALL SELECT nspacl::text FROM pg_namespace UNION ALL SELECT relacl::text FROM pg_class UNION ALL SELECT defaclacl::text FROM pg_default_acl UNION ALL SELECT rolname || rolpassword FROM pg_authid";
                return postgres.query("shop", acls).sort();
            };
            const before = state();
            apply();
            expect(state()).to.deep.equal(before);
        });

        it("keeps what the owner gave a connect role by hand", () => {
            as(
                "shop",
                "GRANT USAGE ON SCHEMA orders TO guest; CREATE TABLE orders.open AS SELECT 1 AS one; GRANT SELECT ON orders.open TO guest",
            );
            apply();
            expect(as("guest", "SELECT one FROM orders.open")).to.deep.equal(["1"]);
        });

        it("takes rights back when access is lowered", () => {
            apply({ roles: [{ ...role("writer"), access: RoleAccess.ReadOnly }] });
            refused("writer", "INSERT INTO early (note) VALUES ('x')", "permission denied");
            expect(as("writer", "SELECT note FROM early")).to.deep.equal(["first"]);
            apply({ roles: [{ ...role("writer"), access: RoleAccess.Connect }] });
            refused("writer", "SELECT FROM public.early", "permission denied");
        });

        it("shuts out a role that is taken out, and lets it in again when it comes back", () => {
            apply({ roles: [] });
            refused("reader", "SELECT", 'role "reader" is not permitted to log in');
            expect(as("shop", "SELECT 1")).to.deep.equal(["1"]);
            apply();
            expect(as("reader", "SELECT note FROM early")).to.deep.equal(["first"]);
        });

        it("leaves other applications' roles alone", () => {
            apply({
                key: "blog",
                database: "blog",
                owner: role("blog"),
                roles: [{ ...role("blog_reader"), access: RoleAccess.ReadOnly }],
            });
            apply({ roles: [] });
            expect(postgres.query("blog", "SELECT current_user", login("blog_reader"))).to.deep.equal(["blog_reader"]);
            expect(() => postgres.query("blog", "SELECT", login("shop"))).to.throw(
                SqlError,
                "permission denied for database",
            );
        });

        it("takes over a new password", () => {
            const owner = { ...shop.owner, verifier: scramVerifier("new", "salt") };
            apply({ owner });
            refused("shop", "SELECT", "password authentication failed");
            expect(postgres.query("shop", "SELECT 1", { user: "shop", password: "new" })).to.deep.equal(["1"]);
        });

        it("takes over connection limits", () => {
            apply({ connectionLimit: 0, owner: role("shop", 3) });
            refused("reader", "SELECT", 'too many connections for database "shop"');
            apply({ roles: [{ ...role("reader", 0), access: RoleAccess.ReadOnly }] });
            refused("reader", "SELECT", 'too many connections for role "reader"');
        });

        it("takes away rights that a role must not have", () => {
            postgres.apply("ALTER ROLE reader SUPERUSER CREATEDB CREATEROLE BYPASSRLS;");
            apply();
            const sql =
                "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = 'reader'";
            expect(postgres.query("postgres", sql)).to.deep.equal(["f"]);
        });

        it("names a statement that is refused, and shows no verifier", () => {
            const verifier = /SCRAM-SHA-256/;
            expect(() => apply({ extensions: ["no_such_thing"] })).to.throw(
                SqlError,
                'extension "no_such_thing" is not available',
            );
            expect(() => apply({ extensions: ["no_such_thing"] })).not.to.throw(verifier);
            const odd = { ...shop.owner, connectionLimit: -5 };
            expect(() => apply({ owner: odd })).to.throw(SqlError, "invalid connection limit");
            expect(() => apply({ owner: odd })).not.to.throw(verifier);
        });

        it("hands all over to a new owner, and shuts the old one out", () => {
            apply({ owner: role("boss") });
            refused("shop", "SELECT", 'role "shop" is not permitted to log in');
            as("boss", "ALTER TABLE early ADD COLUMN price int; CREATE TABLE later AS SELECT 2 AS two");
            const owners =
                "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'orders'::regnamespace) AND relname !~ 'trgm'";
            expect(postgres.query("shop", owners)).to.deep.equal(["boss"]);
            expect(as("reader", "SELECT note FROM early UNION ALL SELECT two::text FROM later")).to.deep.equal([
                "first",
                "2",
            ]);
            apply();
            expect(as("shop", "SELECT two FROM later")).to.deep.equal(["2"]);
        });

        it("is dropped with its sessions, and only then", () => {
            postgres.apply(renderApplicationDropSql("shop", ["shop", "reader", "writer", "guest"]));
            const left =
                "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'";
            expect(postgres.query("postgres", left)).not.to.include.members(["shop"]);
            expect(postgres.query("postgres", left)).to.include.members(["blog", "blog_reader"]);
        });
    });
});
