import { systemRoles } from "../defaults";
import { pgbouncerSchema } from "./pgbouncerIni";
import { loginName, refuseOthers, RoleAttribute, RoleSql, roleStatements } from "./roleSql";
import { scramVerifier } from "./scram";
import { quoteIdentifier, quoteLiteral, statements } from "./sqlText";

/** The current password of one of the cluster's own roles. */
export interface SystemLogin {
    verifier: string;
    generation: number;
}

/** Passwords of the roles that Patroni itself uses. */
export interface PatroniLogins {
    /** Its verifier alone: the superuser has one name, and so one password at a time. */
    superuser: string;
    replication: SystemLogin;
    rewind: SystemLogin;
}

/** A password as one of the cluster's own roles has it. */
export function systemLogin(role: string, password: string, generation: number, salt: string): SystemLogin {
    return { verifier: scramVerifier(password, `${salt}${loginName(role, generation)}`), generation };
}

/** What pg_rewind needs of a server that it isn't superuser of (PostgreSQL's manual, pg_rewind, notes). */
const rewindFunctions = [
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
];

/**
 * Statements for any node that prepare new passwords of replication and rewind before a node uses them: the leader makes their logins beside
 * those that are in use, and every node answers `t` once it has them.
 */
export function renderNewLoginsSql(logins: PatroniLogins): string {
    const roles = patroniRoles(logins);
    return statements([
        "SELECT NOT pg_is_in_recovery() AS leads \\gset",
        "\\if :leads",
        ...transaction(makeRoles(roles)),
        "\\endif",
        haveVerifiers(roles.map(loginVerifier)),
    ]);
}

/** A statement that answers `t` on a node that has what {@link renderPatroniRolesSql} brings to the leader. */
export function renderPatroniRolesCheckSql(logins: PatroniLogins): string {
    const superuser: LoginVerifier = [systemRoles.superuser, logins.superuser];
    return statements([haveVerifiers([superuser, ...patroniRoles(logins).map(loginVerifier)])]);
}

type LoginVerifier = [login: string, verifier: string];

function loginVerifier({ name, generations, verifier }: RoleSql): LoginVerifier {
    return [loginName(name, generations?.current ?? 1), verifier];
}

function haveVerifiers(verifiers: LoginVerifier[]): string {
    const rows = verifiers.map((row) => `(${row.map(quoteLiteral).join(", ")})`);
    return `SELECT count(*) = ${rows.length} FROM pg_authid WHERE rolcanlogin AND (rolname, rolpassword) IN (${rows.join(", ")});`;
}

/** Statements that give Patroni's own roles the passwords that all members use now, and refuse those of earlier generations. */
export function renderPatroniRolesSql(logins: PatroniLogins): string {
    const roles = patroniRoles(logins);
    const superuser = quoteIdentifier(systemRoles.superuser);
    return statements(
        transaction([
            `ALTER ROLE ${superuser} PASSWORD ${quoteLiteral(logins.superuser)};`,
            ...makeRoles(roles),
            ...roles.flatMap((role) => refuseOthers([role], commentOf(role.name))),
        ]),
    );
}

/** Statements for PgBouncer's role, and the function by which it asks for the verifiers of others, but never for a superuser's. */
export function renderPgBouncerSql(login: SystemLogin): string {
    const role = quoteIdentifier(systemRoles.pgbouncer);
    const schema = quoteIdentifier(pgbouncerSchema);
    const lookUp = `${schema}.verifier_of(wanted text)`;
    return statements([
        ...makeRoles([systemRole(systemRoles.pgbouncer, login)]),
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
export function renderExporterSql(login: SystemLogin): string {
    const name = quoteIdentifier(loginName(systemRoles.exporter, login.generation));
    return statements([
        ...makeRoles([systemRole(systemRoles.exporter, login)]),
        `GRANT pg_monitor TO ${quoteIdentifier(systemRoles.exporter)};`,
        `ALTER ROLE ${name} SET search_path = pg_catalog;`,
    ]);
}

/** Statements that refuse a role's passwords of earlier generations, once nobody uses them. */
export function renderRefusalSql(role: string, login: SystemLogin): string {
    return statements(refuseOthers([systemRole(role, login)], commentOf(role)));
}

function patroniRoles({ replication, rewind }: PatroniLogins): RoleSql[] {
    const attributes = [RoleAttribute.Replication];
    return [
        { ...systemRole(systemRoles.replication, replication), attributes },
        systemRole(systemRoles.rewind, rewind),
    ];
}

function systemRole(name: string, { verifier, generation }: SystemLogin): RoleSql {
    return { name, verifier, generations: { current: generation, oldest: generation }, connectionLimit: -1 };
}

function makeRoles(roles: RoleSql[]): string[] {
    const rights = roles
        .filter(({ name }) => name === systemRoles.rewind)
        .flatMap(({ name }) =>
            rewindFunctions.map(
                (signature) => `GRANT EXECUTE ON FUNCTION pg_catalog.${signature} TO ${quoteIdentifier(name)};`,
            ),
        );
    return [...roles.flatMap((role) => roleStatements(role, commentOf(role.name))), ...rights];
}

function commentOf(role: string): string {
    return `pgha ${role}`;
}

/** No replica need confirm it: while the passwords in use are not these, none may be able to log in. */
function transaction(list: string[]): string[] {
    return ["BEGIN;", "SET LOCAL synchronous_commit = local;", ...list, "COMMIT;"];
}
