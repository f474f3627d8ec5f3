import { onlyUnless, quoteIdentifier, quoteList, quoteLiteral } from "./sqlText";

/** Generations of a role's password. Each has a login of its own, so that two of them work at the same time. */
export interface PasswordGenerations {
    /** The generation that is given out. */
    current: number;
    /** The oldest one that still logs in. */
    oldest: number;
}

/** A role with a password, as SQL sees it. */
export interface RoleSql {
    name: string;
    /** SCRAM verifier, see scram.ts. */
    verifier: string;
    /** @default - the first only */
    generations?: PasswordGenerations;
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

const firstGeneration: PasswordGenerations = { current: 1, oldest: 1 };

/** Name under which a role logs in with the password of a generation: its own with the first. */
export function loginName(role: string, generation: number): string {
    return generation === 1 ? role : `${role}_${generation}`;
}

/** All names under which a role may log in, the oldest first. */
export function loginNames(role: string, { current, oldest }: PasswordGenerations = firstGeneration): string[] {
    return Array.from({ length: current - oldest + 1 }, (_, index) => loginName(role, oldest + index));
}

/**
 * Statements that make a role with the login of its current generation, and leave its older ones as they are. All logins of a role have its
 * rights; what one of them makes belongs to the role if `actsAsRole`.
 */
export function roleStatements(role: RoleSql, comment: string, actsAsRole = false): string[] {
    const { name, attributes, verifier, connectionLimit, generations } = role;
    const given = Object.values(RoleAttribute).map((right) => (attributes?.includes(right) ? right : `NO${right}`));
    const rights = `NOSUPERUSER ${given.join(" ")} NOBYPASSRLS`;
    const login = loginName(name, (generations ?? firstGeneration).current);
    const asMember = [
        ...makeRole(login, comment),
        `GRANT ${quoteIdentifier(name)} TO ${quoteIdentifier(login)};`,
        ...(actsAsRole ? [`ALTER ROLE ${quoteIdentifier(login)} SET role = ${quoteLiteral(name)};`] : []),
    ];
    return [
        ...makeRole(name, comment),
        `ALTER ROLE ${quoteIdentifier(name)} WITH ${rights};`,
        ...(login === name ? [] : asMember),
        `ALTER ROLE ${quoteIdentifier(login)} WITH LOGIN ${rights} CONNECTION LIMIT ${connectionLimit} PASSWORD ${quoteLiteral(verifier)};`,
    ];
}

function makeRole(name: string, comment: string): string[] {
    const role = quoteIdentifier(name);
    return [
        onlyUnless(`SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(name)}`, `CREATE ROLE ${role}`),
        `COMMENT ON ROLE ${role} IS ${quoteLiteral(comment)};`,
    ];
}

/**
 * Statements that refuse every login with this comment but those of the given roles. A login of an old generation that was refused earlier
 * is dropped: its sessions have had until now.
 */
export function refuseOthers(kept: RoleSql[], comment: string): string[] {
    const logins = kept.flatMap(({ name, generations }) => loginNames(name, generations));
    const others = `${hasComment(comment)} AND rolname NOT IN ${quoteList(logins)}`;
    return [
        `SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE ${others} AND NOT rolcanlogin AND ${isGeneration} AND ${isBare} \\gexec`,
        `SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM pg_roles WHERE ${others} AND rolcanlogin \\gexec`,
    ];
}

/** Statement that drops the logins of a role's later generations. */
export function dropGenerations(role: string): string {
    const ofRole = `regexp_replace(rolname, '_[0-9]+$', '') = ${quoteLiteral(role)}`;
    return `SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE ${ofRole} AND ${isGeneration} \\gexec`;
}

/** Condition on pg_roles: roles with this comment that are neither among the given ones nor their logins. */
export function isTakenOut(kept: RoleSql[], comment: string): string {
    const names = kept.map(({ name }) => name);
    return `${hasComment(comment)} AND rolname NOT IN ${quoteList(names)} AND NOT ${isGeneration}`;
}

function hasComment(comment: string): string {
    return `shobj_description(oid, 'pg_authid') = ${quoteLiteral(comment)}`;
}

/** Condition on pg_roles: the login of a later generation, a member of the role whose name and comment it has. */
const isGeneration = `EXISTS (SELECT FROM pg_auth_members JOIN pg_roles AS base ON base.oid = roleid
    WHERE member = pg_roles.oid AND base.rolname = regexp_replace(pg_roles.rolname, '_[0-9]+$', '') AND base.oid <> pg_roles.oid
      AND shobj_description(base.oid, 'pg_authid') = shobj_description(pg_roles.oid, 'pg_authid'))`;

/** Condition on pg_roles: nothing belongs to the role, and no right was given to it by hand. */
const isBare =
    "NOT EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = pg_roles.oid)";
