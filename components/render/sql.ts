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
    return statements([
        ...logins.flatMap((role) => roleStatements(role, `pgha application ${app.key}`)),
        ...retireRoles(logins, `pgha application ${app.key}`),
        onlyUnless(
            `SELECT FROM pg_database WHERE datname = ${quoteLiteral(app.database)}`,
            `CREATE DATABASE ${database} OWNER ${quoteIdentifier(app.owner.name)}`,
        ),
        `ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(app.owner.name)};`,
        `ALTER DATABASE ${database} WITH CONNECTION LIMIT ${app.connectionLimit};`,
        `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`,
        ...app.roles.map((role) => `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${quoteIdentifier(role.name)};`),
        connectTo(app.database),
        ...app.extensions.map((extension) => `CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(extension)};`),
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
    const attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
    return [
        onlyUnless(`SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(role.name)}`, `CREATE ROLE ${name}`),
        `ALTER ROLE ${name} WITH ${attributes} CONNECTION LIMIT ${role.connectionLimit} PASSWORD ${quoteLiteral(role.verifier)};`,
        `COMMENT ON ROLE ${name} IS ${quoteLiteral(comment)};`,
    ];
}

/** A role that was taken out of the settings can't log in any more; what it owns stays. */
function retireRoles(kept: RoleSql[], comment: string): string[] {
    const names = kept.map((role) => quoteLiteral(role.name)).join(", ");
    return [
        `SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM pg_roles
  WHERE shobj_description(oid, 'pg_authid') = ${quoteLiteral(comment)} AND rolname NOT IN (${names}) \\gexec`,
    ];
}

const privileges = {
    [RoleAccess.ReadOnly]: { tables: "SELECT", sequences: "SELECT" },
    [RoleAccess.ReadWrite]: { tables: "SELECT, INSERT, UPDATE, DELETE", sequences: "USAGE, SELECT, UPDATE" },
} as const;

function schemaStatements(app: ApplicationSql, schemaName: string): string[] {
    const schema = quoteIdentifier(schemaName);
    const owner = quoteIdentifier(app.owner.name);
    return [
        `CREATE SCHEMA IF NOT EXISTS ${schema};`,
        `ALTER SCHEMA ${schema} OWNER TO ${owner};`,
        `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC;`,
        ...app.roles.flatMap((role) => {
            const name = quoteIdentifier(role.name);
            const revoked = [
                `REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${name};`,
                `REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM ${name};`,
                `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} REVOKE ALL ON TABLES FROM ${name};`,
                `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} REVOKE ALL ON SEQUENCES FROM ${name};`,
            ];
            if (role.access === RoleAccess.Connect) {
                return revoked;
            }
            const { tables, sequences } = privileges[role.access];
            return [
                "BEGIN;",
                ...revoked,
                `GRANT USAGE ON SCHEMA ${schema} TO ${name};`,
                `GRANT ${tables} ON ALL TABLES IN SCHEMA ${schema} TO ${name};`,
                `GRANT ${sequences} ON ALL SEQUENCES IN SCHEMA ${schema} TO ${name};`,
                `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} GRANT ${tables} ON TABLES TO ${name};`,
                `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema} GRANT ${sequences} ON SEQUENCES TO ${name};`,
                "COMMIT;",
            ];
        }),
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
