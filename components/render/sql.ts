import { dropGenerations, isTakenOut, refuseOthers, RoleAttribute, RoleSql, roleStatements } from "./roleSql";
import { onlyUnless, quoteIdentifier, quoteLiteral, statements } from "./sqlText";

/** What a role may do in an application's database. */
export enum RoleAccess {
    /** Read all tables and sequences. */
    ReadOnly = "readOnly",
    /** Read and change all tables and sequences. */
    ReadWrite = "readWrite",
    /** Connect only; further rights come from the owner. */
    Connect = "connect",
}

/** An application's database, as SQL sees it. */
export interface ApplicationSql {
    /** The application's key: roles carry it as comment, so that one taken out of the settings can be found again. */
    key: string;
    database: string;
    /** -1 means no limit. */
    connectionLimit: number;
    owner: RoleSql;
    roles: (RoleSql & { access: RoleAccess })[];
    /** Schemas that `access` speaks of. */
    schemas: string[];
    extensions: string[];
}

/** Statements for psql that make an application's roles and database, or change them to what is wanted. Safe to repeat. */
export function renderApplicationSql(app: ApplicationSql): string {
    const database = quoteIdentifier(app.database);
    const logins = [app.owner, ...app.roles];
    const comment = `pgha application ${app.key}`;
    return statements([
        ...logins.flatMap((role) => roleStatements(role, comment, true)),
        onlyUnless(
            `SELECT FROM pg_database WHERE datname = ${quoteLiteral(app.database)}`,
            `CREATE DATABASE ${database} OWNER ${quoteIdentifier(app.owner.name)}`,
        ),
        `ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(app.owner.name)};`,
        `ALTER DATABASE ${database} WITH CONNECTION LIMIT ${app.connectionLimit};`,
        `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`,
        ...app.roles.map(
            (role) => `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${quoteIdentifier(role.name)};`,
        ),
        connectTo(app.database),
        ...app.extensions.map((extension) => `CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(extension)};`),
        // What the owner may have put into a schema must not be taken for a catalog's function or operator.
        "SET search_path = pg_catalog;",
        // First, so that the grants below also reach what a former owner has left.
        `SELECT format('REASSIGN OWNED BY %I TO %I', rolname, ${quoteLiteral(app.owner.name)}) FROM pg_roles WHERE ${isTakenOut(logins, comment)} \\gexec`,
        ...app.schemas.flatMap((schema) => schemaStatements(app, schema)),
        // Last, so that nobody is locked out where a statement before it is refused.
        ...refuseOthers(logins, comment),
    ]);
}

/** Statements that drop an application's database and roles, with all that is in them. */
export function renderApplicationDropSql(database: string, roles: string[]): string {
    return statements([
        `DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE);`,
        ...roles.flatMap((role) => [dropGenerations(role), `DROP ROLE IF EXISTS ${quoteIdentifier(role)};`]),
    ]);
}

/** Statements for the administrators' roles; those that were taken out can't log in any more. */
export function renderAdministratorsSql(administrators: RoleSql[]): string {
    const comment = "pgha administrator";
    const attributes = [RoleAttribute.CreateDatabase, RoleAttribute.CreateRole];
    return statements([
        ...administrators.flatMap((role) => roleStatements({ ...role, attributes }, comment, true)),
        ...refuseOthers(administrators, comment),
    ]);
}

const privileges = {
    [RoleAccess.ReadOnly]: { tables: "SELECT", sequences: "SELECT" },
    [RoleAccess.ReadWrite]: { tables: "SELECT, INSERT, UPDATE, DELETE", sequences: "USAGE, SELECT, UPDATE" },
} as const;

function schemaStatements(app: ApplicationSql, schemaName: string): string[] {
    const schema = quoteIdentifier(schemaName);
    return [
        `CREATE SCHEMA IF NOT EXISTS ${schema};`,
        `ALTER SCHEMA ${schema} OWNER TO ${quoteIdentifier(app.owner.name)};`,
        `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC;`,
        ...app.roles.flatMap((role) =>
            role.access === RoleAccess.Connect
                ? takeAccess(app.owner.name, schemaName, role.name)
                : giveAccess(app.owner.name, schemaName, role.name, role.access),
        ),
    ];
}

function giveAccess(
    ownerName: string,
    schemaName: string,
    roleName: string,
    access: Exclude<RoleAccess, RoleAccess.Connect>,
): string[] {
    const [owner, schema, role] = [ownerName, schemaName, roleName].map(quoteIdentifier);
    const { tables, sequences } = privileges[access];
    return [
        "BEGIN;",
        ...revocations(ownerName, schemaName, roleName).map((statement) => `${statement};`),
        `GRANT USAGE ON SCHEMA ${schema} TO ${role};`,
        `GRANT ${tables} ON ALL TABLES IN SCHEMA ${schema} TO ${role};`,
        `GRANT ${sequences} ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} GRANT ${tables} ON TABLES TO ${role};`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} GRANT ${sequences} ON SEQUENCES TO ${role};`,
        "COMMIT;",
    ];
}

/** Takes back what {@link giveAccess} gave, which its default privileges show; what the owner gave by hand stays. */
function takeAccess(ownerName: string, schemaName: string, roleName: string): string[] {
    const list = revocations(ownerName, schemaName, roleName).map(quoteLiteral).join(",\n  ");
    return [
        `SELECT statement FROM unnest(ARRAY[\n  ${list}]) AS statement
  WHERE EXISTS (SELECT FROM pg_default_acl, aclexplode(defaclacl)
    WHERE pg_get_userbyid(grantee) = ${quoteLiteral(roleName)}
      AND defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ${quoteLiteral(schemaName)})) \\gexec`,
    ];
}

function revocations(ownerName: string, schemaName: string, roleName: string): string[] {
    const [owner, schema, role] = [ownerName, schemaName, roleName].map(quoteIdentifier);
    return [
        `REVOKE ALL ON SCHEMA ${schema} FROM ${role}`,
        `REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${role}`,
        `REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM ${role}`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} REVOKE ALL ON TABLES FROM ${role}`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} REVOKE ALL ON SEQUENCES FROM ${role}`,
    ];
}

/** Moves psql to another database of the same server. As part of a connection string no name can be taken for anything else. */
function connectTo(database: string): string {
    const value = database.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    return `\\connect -reuse-previous=on "dbname='${value.replaceAll('"', '""')}'"`;
}
