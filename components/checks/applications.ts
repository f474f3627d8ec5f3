import type { ApplicationArgs } from "../applicationDatabase";
import type { AdministratorArgs } from "../clusterAdministrators";
import { systemRoles } from "../defaults";
import { Problem } from "./problem";
import { checkIdentifier, checkKey } from "./names";
import { checkNumber, duplicated } from "./values";

const connectionLimit = { min: -1, max: 262143 };
const generation = { min: 1, max: Number.MAX_SAFE_INTEGER };
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
        ...checkNumber(`${path}.passwordGeneration`, args.passwordGeneration, generation),
        ...roles.flatMap(([name, role]) => [
            ...checkRoleName(`${path}.roles`, name),
            ...checkNumber(`${path}.roles["${name}"].connectionLimit`, role.connectionLimit, connectionLimit),
            ...checkNumber(`${path}.roles["${name}"].passwordGeneration`, role.passwordGeneration, generation),
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
    return Object.entries(administrators).flatMap(([name, { passwordGeneration }]) => [
        ...checkRoleName(path, name),
        ...checkNumber(`${path}["${name}"].passwordGeneration`, passwordGeneration, generation),
    ]);
}

/** Checks that no administrator is an application's role, too. */
export function checkLoginsApart(
    administrators: { [name: string]: AdministratorArgs },
    applications: { [key: string]: ApplicationArgs },
): Problem[] {
    return Object.entries(applications).flatMap(([key, args]) =>
        loginsOf(key, args)
            .filter((name) => Object.hasOwn(administrators, name))
            .map((name) => ({
                path: `administrators["${name}"]`,
                reason: `"${name}" is a role of applications.${key}, too; each login needs a name of its own`,
            })),
    );
}

function loginsOf(key: string, { owner, roles, replicationRoles }: ApplicationArgs): string[] {
    return [owner ?? key, ...Object.keys(roles ?? {}), ...Object.keys(replicationRoles ?? {})];
}

function checkRoleName(path: string, name: string): Problem[] {
    const reserved: string[] = [...Object.values(systemRoles), "public", "none"];
    if (reserved.includes(name) || name.startsWith("pg_")) {
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
