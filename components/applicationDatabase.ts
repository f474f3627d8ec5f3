import * as pulumi from "@pulumi/pulumi";
import type { ApplicationArgs, ReplicationRoleArgs } from "./applicationArgs";
import { checkApplication } from "./checks/applications";
import { DirectLogin, directLogins } from "./clusterAdministrators";
import { createPassword } from "./clusterCredentials";
import { LoginGenerationArgs, loginGenerations } from "./passwordGenerations";
import { assertNoProblems } from "./platform/problems";
import { createSqlCommand, SqlConnection } from "./platform/sqlCommand";
import { ConnectionTarget, renderConnectionUrl } from "./render/connectionUrl";
import { scramVerifier } from "./render/scram";
import { loginName, RoleAttribute, RoleSql } from "./render/roleSql";
import { RoleAccess, renderApplicationDropSql, renderApplicationSql } from "./render/sql";

/** Where an application's clients connect. */
export interface ApplicationEndpoints {
    /** Entry points that lead to the primary. */
    direct: ConnectionTarget;
    /** Entry points that lead to replicas. */
    readOnly: ConnectionTarget;
    /**
     * Entry points through PgBouncer.
     *
     * @default - there is no PgBouncer
     */
    pooled?: ConnectionTarget;
}

/** Arguments of {@link ApplicationDatabase}. */
export interface ApplicationDatabaseArgs extends ApplicationArgs {
    /** The application's key: default of database and owner. */
    key: string;
    /** How the database is made. */
    sql: SqlConnection;
    endpoints: ApplicationEndpoints;
    /** Salt of the SCRAM verifiers. */
    salt: pulumi.Input<string>;
}

/** Connection URLs of one role; all of them hold its password. */
export interface ApplicationUrls {
    /** To the primary. */
    direct: string;
    /** To a replica, within the lag bound. */
    readOnly: string;
    /** To the primary through PgBouncer, where there is one. */
    pooled?: string;
}

/** A role's login. */
export interface ApplicationLogin {
    username: string;
    password: string;
    urls: ApplicationUrls;
}

/** An application's database with its logins and connection URLs. `ApplicationDatabase` satisfies it. */
export interface ApplicationConnection {
    /** Name of the database. */
    database: string;
    /** Name of the owner. */
    owner: string;
    /** The name under which the owner logs in: its own with the first password. */
    username: string;
    /** The owner's password; secret. */
    password: pulumi.Output<string>;
    /** The owner's connection URLs; secret. They resolve when the database is there. */
    urls: pulumi.Output<ApplicationUrls>;
    /** Logins of the further roles, by name; secret. They resolve when the roles are there. */
    roles: pulumi.Output<{ [name: string]: ApplicationLogin }>;
    /** Logins of the consumers of changes, by name; secret. They resolve when the roles are there. */
    replicationRoles: pulumi.Output<{ [name: string]: DirectLogin }>;
}

/**
 * An application's database with its owner, further roles, rights and extensions. It is made through the router, changed in place, and
 * dropped only when that is explicitly allowed.
 *
 * @example
 * ```typescript
 * const shop = new ApplicationDatabase("pg-shop", { key: "shop", sql, endpoints, salt, extensions: ["pg_trgm"] });
 * export const url = shop.urls.apply((urls) => urls.pooled);
 * ```
 */
export class ApplicationDatabase extends pulumi.ComponentResource implements ApplicationConnection {
    public readonly database: string;
    public readonly owner: string;
    public readonly username: string;
    public readonly password: pulumi.Output<string>;
    public readonly urls: pulumi.Output<ApplicationUrls>;
    public readonly roles: pulumi.Output<{ [name: string]: ApplicationLogin }>;
    public readonly replicationRoles: pulumi.Output<{ [name: string]: DirectLogin }>;

    constructor(name: string, args: ApplicationDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ApplicationDatabase", name, {}, opts);
        assertNoProblems(checkApplication(`applications.${args.key}`, args.key, args));

        this.database = args.database ?? args.key;
        this.owner = args.owner ?? args.key;
        this.username = loginName(this.owner, args.passwordGeneration ?? 1);
        this.password = createPassword(`${name}-owner`, args.passwordGeneration ?? 1, this);
        const rolePasswords = createRolePasswords(name, args.roles, this);
        const consumerPasswords = createRolePasswords(name, args.replicationRoles, this);
        const command = createDatabase(name, this, args, { ...rolePasswords, ...consumerPasswords });
        const after = <T>(value: pulumi.Input<T>): pulumi.Output<pulumi.Unwrap<T>> =>
            pulumi.secret(pulumi.all([value, command.urn]).apply(([plain]) => plain)) as pulumi.Output<
                pulumi.Unwrap<T>
            >;
        this.urls = after(
            this.password.apply((password) => urlsOf(args.endpoints, this.username, password, this.database)),
        );
        this.roles = after(
            pulumi.output(rolePasswords).apply((passwords) =>
                Object.fromEntries(
                    Object.entries(passwords).map(([role, password]) => {
                        const username = loginName(role, args.roles?.[role]?.passwordGeneration ?? 1);
                        const urls = urlsOf(args.endpoints, username, password, this.database);
                        return [role, { username, password, urls }];
                    }),
                ),
            ),
        );
        this.replicationRoles = after(
            pulumi
                .output(consumerPasswords)
                .apply((passwords) =>
                    directLogins(passwords, args.replicationRoles, args.endpoints.direct, this.database),
                ),
        );
        const { database, owner, username, urls, roles, replicationRoles } = this;
        this.registerOutputs({ database, owner, username, urls, roles, replicationRoles });
    }
}

type LoginArgs = LoginGenerationArgs & { connectionLimit?: number };

type Passwords = { [role: string]: pulumi.Output<string> };

function createRolePasswords(
    name: string,
    roles: { [role: string]: ReplicationRoleArgs } | undefined,
    parent: pulumi.Resource,
): Passwords {
    return Object.fromEntries(
        Object.entries(roles ?? {}).map(([role, settings]) => [
            role,
            createPassword(`${name}-role-${role}`, settings.passwordGeneration ?? 1, parent),
        ]),
    );
}

function createDatabase(
    name: string,
    application: ApplicationDatabase,
    args: ApplicationDatabaseArgs,
    rolePasswords: Passwords,
): pulumi.Resource {
    const { database, owner } = application;
    const sql = pulumi
        .all([application.password, pulumi.output(rolePasswords), args.salt])
        .apply(([ownerPassword, passwords, salt]) => {
            const login = (role: string, password: string, settings: LoginArgs): RoleSql => {
                const generations = loginGenerations(settings);
                const verifier = scramVerifier(password, `${salt}${loginName(role, generations.current)}`);
                return { name: role, verifier, generations, connectionLimit: settings.connectionLimit ?? -1 };
            };
            return renderApplicationSql({
                key: args.key,
                database,
                connectionLimit: args.connectionLimit ?? -1,
                owner: login(owner, ownerPassword, { ...args, connectionLimit: undefined }),
                roles: [
                    ...Object.entries(args.roles ?? {}).map(([role, settings]) => ({
                        ...login(role, passwords[role] ?? "", settings),
                        access: settings.access ?? RoleAccess.ReadOnly,
                    })),
                    // A subscription begins with a copy of the tables.
                    ...Object.entries(args.replicationRoles ?? {}).map(([role, settings]) => ({
                        ...login(role, passwords[role] ?? "", settings),
                        access: RoleAccess.ReadOnly,
                        attributes: [RoleAttribute.Replication],
                    })),
                ],
                schemas: args.schemas ?? ["public"],
                extensions: args.extensions ?? [],
            });
        });
    const deleteSql = args.allowDrop
        ? renderApplicationDropSql(database, [owner, ...Object.keys({ ...args.roles, ...args.replicationRoles })])
        : undefined;
    return createSqlCommand(
        `${name}-database`,
        { connection: args.sql, sql, purpose: `make the database of ${args.key}`, deleteSql },
        { parent: application },
    );
}

function urlsOf(
    endpoints: ApplicationEndpoints,
    username: string,
    password: string,
    database: string,
): ApplicationUrls {
    const url = (target: ConnectionTarget): string => renderConnectionUrl(target, { username, password, database });
    const urls = { direct: url(endpoints.direct), readOnly: url(endpoints.readOnly) };
    return endpoints.pooled === undefined ? urls : { ...urls, pooled: url(endpoints.pooled) };
}
