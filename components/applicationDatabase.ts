import * as pulumi from "@pulumi/pulumi";
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

/** A further role of an application. */
export interface ApplicationRoleArgs {
    /**
     * What it may do with what the owner has made and will make in the application's schemas.
     *
     * @default RoleAccess.ReadOnly
     *
     * **Change:** in place.
     */
    access?: RoleAccess;
    /**
     * Connections that it may hold; -1 means no limit.
     *
     * @default -1
     *
     * **Change:** in place.
     */
    connectionLimit?: number;
    /**
     * A greater number makes a new password, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
}

/** A consumer of an application's changes by logical replication. */
export interface ReplicationRoleArgs {
    /**
     * Connections that it may hold; -1 means no limit.
     *
     * @default -1
     *
     * **Change:** in place.
     */
    connectionLimit?: number;
    /**
     * A greater number makes a new password, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
}

/** An application's database. */
export interface ApplicationArgs {
    /**
     * Name of the database: any name of at most 63 bytes, quoted where it must be.
     *
     * @default - the application's key
     *
     * **Change:** another database is made; the old one stays.
     */
    database?: string;
    /**
     * Name of the role that owns it.
     *
     * @default - the application's key
     *
     * **Change:** another role is made and becomes the owner; the old one can't log in any more.
     */
    owner?: string;
    /**
     * Further roles by name.
     *
     * @default - none
     *
     * **Change:** in place; a role that is taken out can't log in any more, and is not dropped.
     */
    roles?: { [name: string]: ApplicationRoleArgs };
    /**
     * Roles by name that follow the application's changes, as `CREATE SUBSCRIPTION`, `pg_recvlogical` and Debezium do: they may read
     * every table and hold logical slots. The owner makes the publications. Their URL leads to the primary, where their slots are.
     * They need the parameter `wal_level: logical` and, as any login, a rule of pg_hba.conf for their database; a slot that has to outlive a failover is one of `patroni.slots`.
     *
     * @default - none
     *
     * **Change:** in place; a role that is taken out can't log in any more, and is not dropped.
     */
    replicationRoles?: { [name: string]: ReplicationRoleArgs };
    /**
     * Schemas that the owner gets, and that the roles' access speaks of.
     *
     * @default ["public"]
     *
     * **Change:** in place; a schema that is taken out stays.
     */
    schemas?: string[];
    /**
     * Extensions, which the image must hold.
     *
     * @default - none
     *
     * **Change:** in place; an extension that is taken out stays.
     */
    extensions?: string[];
    /**
     * Connections to the database; -1 means no limit.
     *
     * @default -1
     *
     * **Change:** in place.
     */
    connectionLimit?: number;
    /**
     * A greater number makes a new password for the owner, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
    /**
     * Whether the database and its roles are dropped, with all their data, when the application is taken out or the stack is destroyed.
     *
     * @default false - they stay
     *
     * **Change:** in place.
     */
    allowDrop?: boolean;
}

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
