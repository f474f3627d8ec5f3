import { systemRoles } from "../defaults";
import { pgbouncerSchema } from "./pgbouncerIni";

/** What a role may do in an application's database. */
export enum RoleAccess {
    /** Read all tables and sequences. */
    ReadOnly = "readOnly",
    /** Read and change all tables and sequences. */
    ReadWrite = "readWrite",
    /** Connect only; further rights come from the owner. */
    Connect = "connect",
}

/** A role with a password, as SQL sees it. */
export interface RoleSql {
    name: string;
    /** SCRAM verifier, see scram.ts. */
    verifier: string;
    /** -1 means no limit. */
    connectionLimit: number;
    /** What it may do beside logging in. */
    attributes?: RoleAttribute[];
}

/** Rights that are a role's own, and not of a database. */
export enum RoleAttribute {
    CreateDatabase = "CREATEDB",
    CreateRole = "CREATEROLE",
    Replication = "REPLICATION",
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

/** Quotes a name. */
export function quoteIdentifier(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
    const escaped = text.replaceAll("'", "''");
    return text.includes("\\") ? `E'${escaped.replaceAll("\\", "\\\\")}'` : `'${escaped}'`;
}

/** Statements for psql that make an application's roles and database, or change them to what is wanted. Safe to repeat. */
export function renderApplicationSql(app: ApplicationSql): string {
    const database = quoteIdentifier(app.database);
    const logins = [app.owner, ...app.roles];
    const comment = `pgha application ${app.key}`;
    const retired = isRetired(logins, comment);
    return statements([
        ...logins.flatMap((role) => roleStatements(role, comment)),
        `SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM pg_roles WHERE ${retired} \\gexec`,
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
        `SELECT format('REASSIGN OWNED BY %I TO %I', rolname, ${quoteLiteral(app.owner.name)}) FROM pg_roles WHERE ${retired} \\gexec`,
        ...app.schemas.flatMap((schema) => schemaStatements(app, schema)),
    ]);
}

/** Statements that drop an application's database and roles, with all that is in them. */
export function renderApplicationDropSql(database: string, roles: string[]): string {
    return statements([
        `DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE);`,
        ...roles.map((role) => `DROP ROLE IF EXISTS ${quoteIdentifier(role)};`),
    ]);
}

/** Statements that give the cluster's own roles the passwords that its members use, by their verifiers. */
export function renderSystemRolesSql(verifiers: { [role: string]: string }): string {
    const changes = Object.entries(verifiers).map(
        ([role, verifier]) => `ALTER ROLE ${quoteIdentifier(role)} PASSWORD ${quoteLiteral(verifier)};`,
    );
    // No replica can confirm it: until this is done none can log in.
    return statements(["BEGIN;", "SET LOCAL synchronous_commit = local;", ...changes, "COMMIT;"]);
}

/** Statements for PgBouncer's role, and the function by which it asks for the verifiers of others, but never for a superuser's. */
export function renderPgBouncerSql(verifier: string): string {
    const role = quoteIdentifier(systemRoles.pgbouncer);
    const schema = quoteIdentifier(pgbouncerSchema);
    const lookUp = `${schema}.verifier_of(wanted text)`;
    return statements([
        ...roleStatements({ name: systemRoles.pgbouncer, verifier, connectionLimit: -1 }, "pgha"),
        `CREATE SCHEMA IF NOT EXISTS ${schema};`,
        `CREATE OR REPLACE FUNCTION ${lookUp} RETURNS TABLE (role_name text, verifier text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
  AS $$ SELECT rolname::text, rolpassword FROM pg_authid
        WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
          AND (rolvaliduntil IS NULL OR rolvaliduntil > now()) $$;`,
        `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC;`,
        `REVOKE ALL ON FUNCTION ${schema}.verifier_of(text) FROM PUBLIC;`,
        `GRANT USAGE ON SCHEMA ${schema} TO ${role};`,
        `GRANT EXECUTE ON FUNCTION ${schema}.verifier_of(text) TO ${role};`,
    ]);
}

/** Statements for the administrators' roles; those that were taken out can't log in any more. */
export function renderAdministratorsSql(administrators: RoleSql[]): string {
    const comment = "pgha administrator";
    const attributes = [RoleAttribute.CreateDatabase, RoleAttribute.CreateRole];
    return statements([
        ...administrators.flatMap((role) => roleStatements({ ...role, attributes }, comment)),
        `SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM pg_roles WHERE ${isRetired(administrators, comment)} \\gexec`,
    ]);
}

/** Statements for the exporter's role, which sees statistics but no data. */
export function renderExporterSql(verifier: string): string {
    const role = quoteIdentifier(systemRoles.exporter);
    return statements([
        ...roleStatements({ name: systemRoles.exporter, verifier, connectionLimit: -1 }, "pgha"),
        `GRANT pg_monitor TO ${role};`,
        `ALTER ROLE ${role} SET search_path = pg_catalog;`,
    ]);
}

function roleStatements(role: RoleSql, comment: string): string[] {
    const name = quoteIdentifier(role.name);
    const given = Object.values(RoleAttribute).map((name) => (role.attributes?.includes(name) ? name : `NO${name}`));
    const attributes = `LOGIN NOSUPERUSER ${given.join(" ")} NOBYPASSRLS`;
    return [
        onlyUnless(`SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(role.name)}`, `CREATE ROLE ${name}`),
        `ALTER ROLE ${name} WITH ${attributes} CONNECTION LIMIT ${role.connectionLimit} PASSWORD ${quoteLiteral(role.verifier)};`,
        `COMMENT ON ROLE ${name} IS ${quoteLiteral(comment)};`,
    ];
}

/** Condition on pg_roles: roles of this application that were taken out of the settings. */
function isRetired(kept: RoleSql[], comment: string): string {
    const names = kept.map((role) => quoteLiteral(role.name)).join(", ");
    // An empty list is no SQL.
    const others = names === "" ? "" : ` AND rolname NOT IN (${names})`;
    return `shobj_description(oid, 'pg_authid') = ${quoteLiteral(comment)}${others}`;
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

/** A statement that must not run inside a transaction, and only where a query finds nothing. */
function onlyUnless(query: string, statement: string): string {
    return `SELECT ${quoteLiteral(statement)} WHERE NOT EXISTS (${query}) \\gexec`;
}

/** Moves psql to another database of the same server. As part of a connection string no name can be taken for anything else. */
function connectTo(database: string): string {
    const value = database.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    return `\\connect -reuse-previous=on "dbname='${value.replaceAll('"', '""')}'"`;
}

function statements(list: string[]): string {
    // Without the statement's text in an error no verifier gets into a log.
    return ["\\set VERBOSITY terse", "\\set ON_ERROR_STOP on", ...list, ""].join("\n");
}
