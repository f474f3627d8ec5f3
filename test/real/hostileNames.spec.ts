import { expect } from "chai";
import { renderConnectionUrl } from "../../components/render/connectionUrl";
import { scramVerifier } from "../../components/render/scram";
import {
    ApplicationSql,
    RoleAccess,
    renderApplicationDropSql,
    renderApplicationSql,
} from "../../components/render/sql";
import { Postgres } from "./postgres";

const names = [
    'we"ird',
    "a'b",
    "x; DROP TABLE y",
    "$$",
    "$tag$",
    "back\\slash",
    "\\' OR 1=1 --",
    "ünï",
    "postgresql://evil",
    "host=evil",
    "host=evil dbname='x'",
    ":variable",
    "%I %L",
    "`id`",
    "-c",
    " space ",
    "Upper",
    "select",
    "n".repeat(63),
    "ü".repeat(31),
];

/** Another name of the same form and length. */
const sibling = (name: string): string => `${name.slice(0, -1)}2`;

const password = "the owner's pass:word/@?#%";

function application(name: string, index: number): ApplicationSql {
    const login = (role: string) => ({ name: role, verifier: scramVerifier(password, role), connectionLimit: -1 });
    return {
        key: `app-${index}`,
        database: name,
        connectionLimit: -1,
        owner: login(name),
        roles: [{ ...login(sibling(name)), access: RoleAccess.ReadOnly }],
        schemas: ["public", name],
        extensions: ["pg_trgm"],
    };
}

describe("PostgreSQL itself, with hostile names", () => {
    let postgres: Postgres;

    const databases = (): string[] =>
        postgres.query("postgres", "SELECT datname FROM pg_database WHERE datname !~ '^(postgres|template[01])$'");
    const roles = (): string[] =>
        postgres.query("postgres", "SELECT rolname FROM pg_roles WHERE rolname !~ '^(postgres$|pg_)'");

    before(() => {
        postgres = new Postgres();
        for (const [index, name] of names.entries()) {
            // The second time with backslash escapes in plain literals, which a server may be set to.
            const sql = renderApplicationSql(application(name, index));
            postgres.apply(sql);
            postgres.apply(sql, { PGOPTIONS: "-c standard_conforming_strings=off" });
        }
    });
    after(() => postgres.remove());

    it("has exactly the databases and roles that were asked for", () => {
        expect(databases()).to.have.members(names);
        expect(roles()).to.have.members(names.flatMap((name) => [name, sibling(name)]));
    });

    for (const name of names) {
        it(`lets the owner of ${name.slice(0, 30)} in over its URL, and has its schema and extension there`, () => {
            const url = renderConnectionUrl(
                { addresses: ["127.0.0.1"], port: 5432 },
                { username: name, password, database: name },
            );
            const sql =
                "SELECT current_database() UNION ALL SELECT current_user UNION ALL " +
                "SELECT nspname FROM pg_namespace WHERE pg_get_userbyid(nspowner) = current_user AND nspname <> 'public' " +
                "UNION ALL SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'";
            expect(postgres.queryUrl(url, sql)).to.deep.equal([name, name, name, "pg_trgm"]);
        });
    }

    it("gives the readers what the owners make", () => {
        const name = 'we"ird';
        postgres.query(
            name,
            'CREATE TABLE :"schema".:"table" AS SELECT 7 AS seven',
            { user: name, password },
            { schema: name, table: name },
        );
        const found = postgres.query(
            name,
            'SELECT seven FROM :"schema".:"table"',
            { user: sibling(name), password },
            { schema: name, table: name },
        );
        expect(found).to.deep.equal(["7"]);
    });

    it("drops exactly what it is asked to drop", () => {
        for (const name of names.slice(0, -1)) {
            postgres.apply(renderApplicationDropSql(name, [name, sibling(name)]));
            postgres.apply(renderApplicationDropSql(name, [name, sibling(name)]));
        }
        const last = names.at(-1) ?? "";
        expect(databases()).to.deep.equal([last]);
        expect(roles()).to.have.members([last, sibling(last)]);
    });
});
