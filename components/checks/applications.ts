import type { ApplicationArgs } from "../applicationArgs";
import type { AdministratorArgs } from "../clusterAdministrators";
import { systemRoles } from "../defaults";
import { LoginGenerationArgs, loginGenerations } from "../passwordGenerations";
import { loginNames } from "../render/roleSql";
import { Problem } from "./problem";
import { checkIdentifier, checkKey } from "./names";
import { checkLoginGenerations, earlierPasswordWarnings } from "./passwords";
import { checkNumber, duplicated } from "./values";

const connectionLimit = { min: -1, max: 262143 };
const reservedDatabases = ["postgres", "template0", "template1", "replication", "all", "pgbouncer"];

/** Checks one application by itself. */
export function checkApplication(path: string, key: string, args: ApplicationArgs): Problem[] {
    const roles = Object.entries({ ...args.replicationRoles, ...args.roles });
    const owner = args.owner ?? key;
    const problems = [
        ...checkKey(path, key),
        ...checkIdentifier(`${path}.database`, args.database ?? key),
        ...checkRoleName(`${path}.owner`, owner),
        ...checkNumber(`${path}.connectionLimit`, args.connectionLimit, connectionLimit),
        ...checkLoginGenerations(path, owner, args),
        ...roles.flatMap(([name, role]) => [
            ...checkRoleName(`${path}.roles`, name),
            ...checkNumber(`${path}.roles["${name}"].connectionLimit`, role.connectionLimit, connectionLimit),
            ...checkLoginGenerations(`${path}.roles["${name}"]`, name, role),
        ]),
        ...(args.schemas ?? []).flatMap((name, index) => checkSchemaName(`${path}.schemas[${index}]`, name)),
        ...(args.extensions ?? []).flatMap((name, index) => checkIdentifier(`${path}.extensions[${index}]`, name)),
    ];
    const both = Object.keys(args.roles ?? {}).filter((name) => Object.hasOwn(args.replicationRoles ?? {}, name));
    for (const name of both) {
        const reason = `"${name}" stands in roles, too; a consumer of changes needs a name of its own`;
        problems.push({ path: `${path}.replicationRoles`, reason });
    }
    if (roles.some(([name]) => name === owner)) {
        problems.push({ path: `${path}.roles`, reason: `"${owner}" is the owner; a further role needs another name` });
    }
    const names = [owner, ...roles.map(([name]) => name)];
    for (const login of laterLogins(owner, args).filter((name) => names.includes(name))) {
        const reason = `"${login}" is the login of a later password of another role; a role needs a name of its own`;
        problems.push({ path: `${path}.roles`, reason });
    }
    if (reservedDatabases.includes(args.database ?? key)) {
        const reason = `"${args.database ?? key}" is PostgreSQL's or PgBouncer's own; another name is allowed`;
        problems.push({ path: `${path}.database`, reason });
    }
    return problems;
}

/** Checks that no two applications share a database or a role. */
export function checkApplications(path: string, applications: { [key: string]: ApplicationArgs }): Problem[] {
    const entries = Object.entries(applications);
    const databases = entries.map(([key, args]) => ({ path: `${path}.${key}`, value: args.database ?? key }));
    const roles = entries.flatMap(([key, args]) =>
        loginsOf(key, args).map((value) => ({ path: `${path}.${key}`, value })),
    );
    const shared = (kind: string) => (found: { value: string; paths: string[] }) => ({
        path: found.paths.at(-1) ?? path,
        reason: `the ${kind} "${found.value}" stands in ${found.paths.join(" and ")}; each application needs its own`,
    });
    return [
        ...entries.flatMap(([key, args]) => checkApplication(`${path}.${key}`, key, args)),
        ...duplicated(databases).map(shared("database")),
        ...duplicated(roles)
            .filter(({ paths }) => new Set(paths).size > 1)
            .map(shared("role")),
    ];
}

/** Checks the administrators' roles. */
export function checkAdministrators(path: string, administrators: { [name: string]: AdministratorArgs }): Problem[] {
    return Object.entries(administrators).flatMap(([name, settings]) => [
        ...checkRoleName(path, name),
        ...checkLoginGenerations(`${path}["${name}"]`, name, settings),
    ]);
}

/** Warns of earlier passwords that are still valid. */
export function passwordWarnings(
    administrators: { [name: string]: AdministratorArgs },
    applications: { [key: string]: ApplicationArgs },
): Problem[] {
    return [
        ...Object.entries(administrators).flatMap(([name, settings]) =>
            earlierPasswordWarnings(`administrators["${name}"]`, settings),
        ),
        ...Object.entries(applications).flatMap(([key, args]) => [
            ...earlierPasswordWarnings(`applications.${key}`, args),
            ...Object.entries({ ...args.replicationRoles, ...args.roles }).flatMap(([name, role]) =>
                earlierPasswordWarnings(`applications.${key}.roles["${name}"]`, role),
            ),
        ]),
    ];
}

/** Checks that no administrator is an application's role, too. */
export function checkLoginsApart(
    administrators: { [name: string]: AdministratorArgs },
    applications: { [key: string]: ApplicationArgs },
): Problem[] {
    const names = Object.entries(administrators).flatMap(([name, settings]) => allLogins(name, settings));
    return Object.entries(applications).flatMap(([key, args]) =>
        loginsOf(key, args)
            .filter((name) => names.includes(name))
            .map((name) => ({
                path: `administrators["${name}"]`,
                reason: `"${name}" is a role of applications.${key}, too; each login needs a name of its own`,
            })),
    );
}

function loginsOf(key: string, args: ApplicationArgs): string[] {
    const owner = args.owner ?? key;
    return [owner, ...Object.keys({ ...args.roles, ...args.replicationRoles }), ...laterLogins(owner, args)];
}

/** Logins of an application beside the roles themselves. */
function laterLogins(owner: string, args: ApplicationArgs): string[] {
    const roles = Object.entries({ ...args.roles, ...args.replicationRoles });
    return [[owner, args] as const, ...roles].flatMap(([name, settings]) => allLogins(name, settings).slice(1));
}

/** A role, and its logins with later passwords. */
function allLogins(role: string, settings: LoginGenerationArgs): string[] {
    return [...new Set([role, ...loginNames(role, loginGenerations(settings))])];
}

function checkRoleName(path: string, name: string): Problem[] {
    const reserved: string[] = [...Object.values(systemRoles), "public", "none"];
    // The cluster's own roles log in with later passwords under their name and a number.
    if (reserved.includes(name.replace(/_\d+$/, "")) || name.startsWith("pg_")) {
        return [{ path, reason: `"${name}" is the cluster's or PostgreSQL's own; another name is allowed` }];
    }
    return checkIdentifier(path, name);
}

function checkSchemaName(path: string, name: string): Problem[] {
    if (name.startsWith("pg_") || name === "information_schema") {
        return [{ path, reason: `"${name}" is PostgreSQL's own; another name is allowed` }];
    }
    return checkIdentifier(path, name);
}
