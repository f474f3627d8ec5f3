import * as pulumi from "@pulumi/pulumi";
import type { ApplicationLogin, ApplicationUrls } from "./applicationDatabase";
import type { DirectLogin } from "./clusterAdministrators";
import type { ClusterEndpoints } from "./clusterEndpoints";
import { defaultPorts, networkAliases } from "./defaults";
import { renderConnectionUrl, requiresTls } from "./render/connectionUrl";

/** An application's logins as another stack sees them. */
export interface ReferencedApplication {
    /** Name of the database. */
    database: string;
    /** The owner's login. */
    owner: ReferencedLogin;
    /** Logins of the further roles, by name. */
    roles: { [name: string]: ReferencedLogin };
    /** Logins of the consumers of changes, by name. */
    replicationRoles: { [name: string]: ReferencedDirectLogin };
}

/** A login that leads to the primary, for clients inside and outside the cluster's network. */
export interface ReferencedDirectLogin extends DirectLogin {
    /** Connection URL that names `pg-haproxy`: for containers on the cluster's network. */
    networkUrl: string;
}

/** A role's login, for clients inside and outside the cluster's network. */
export interface ReferencedLogin extends ApplicationLogin {
    /** Connection URLs that name `pg-haproxy` and `pg-pgbouncer`: for containers on the cluster's network. */
    networkUrls: ApplicationUrls;
}

/** The output `applications` of a stack that made a cluster. */
interface SavedApplications {
    [key: string]: {
        database: string;
        owner: string;
        password: string;
        urls: ApplicationUrls;
        roles: { [name: string]: ApplicationLogin };
        /** A stack that was last changed by an earlier version has none. */
        replicationRoles?: { [name: string]: DirectLogin };
    };
}

/**
 * A cluster that another stack made, for the stack of an application that uses it: the network to join, and logins with their URLs.
 *
 * It reads the outputs `endpoints`, `networkId`, `caCertificate` and `applications` of that stack, as this repository's own program exports them.
 *
 * @example
 * ```typescript
 * const databases = new ClusterReference("organization/pulumi-postgres-ha/prod");
 * const url = databases.application("shop").apply(({ owner }) => owner.networkUrls.pooled);
 * ```
 */
export class ClusterReference {
    /** Where everything answers, as `host:port`. */
    public readonly endpoints: pulumi.Output<ClusterEndpoints>;
    /** Id of the network on which `pg-haproxy` and `pg-pgbouncer` are found. */
    public readonly networkId: pulumi.Output<string>;
    /** Certificate, as PEM, with which clients verify PostgreSQL and PgBouncer. */
    public readonly caCertificate: pulumi.Output<string>;
    readonly #applications: pulumi.Output<SavedApplications>;

    /** Refers to the stack with the given name: `organization/project/stack`, where a file backend's organization is `organization`. */
    constructor(stack: string, opts?: pulumi.CustomResourceOptions) {
        const reference = new pulumi.StackReference(stack, undefined, opts);
        this.endpoints = reference.requireOutput("endpoints") as pulumi.Output<ClusterEndpoints>;
        this.networkId = reference.requireOutput("networkId") as pulumi.Output<string>;
        this.caCertificate = reference.requireOutput("caCertificate") as pulumi.Output<string>;
        this.#applications = pulumi.secret(reference.requireOutput("applications")) as pulumi.Output<SavedApplications>;
    }

    /**
     * An application's database and logins; secret.
     *
     * @throws RunError if the stack has no such application.
     */
    application(key: string): pulumi.Output<ReferencedApplication> {
        return this.#applications.apply((applications) => {
            const { database, owner, password, urls, roles, replicationRoles = {} } = find(applications, key);
            const reach = (login: ApplicationLogin): ReferencedLogin => ({
                ...login,
                networkUrls: networkUrls(login, database),
            });
            const reachPrimary = (login: DirectLogin): ReferencedDirectLogin => ({
                ...login,
                networkUrl: networkUrl(
                    login,
                    database,
                    requiresTls(login.url),
                    networkAliases.haproxy,
                    defaultPorts.readWrite,
                ),
            });
            return {
                database,
                owner: reach({ username: owner, password, urls }),
                roles: eachOf(roles, reach),
                replicationRoles: eachOf(replicationRoles, reachPrimary),
            };
        });
    }
}

function find(applications: SavedApplications, key: string): SavedApplications[string] {
    const saved = applications[key];
    if (saved === undefined) {
        const known = Object.keys(applications).join(", ");
        throw new pulumi.RunError(`the cluster's stack has no application "${key}"; it has: ${known}`);
    }
    return saved;
}

function eachOf<T, U>(logins: { [name: string]: T }, reach: (login: T) => U): { [name: string]: U } {
    return Object.fromEntries(Object.entries(logins).map(([name, login]) => [name, reach(login)]));
}

/** Inside the network the containers' own ports count, not those that hosts publish. */
function networkUrl(
    { username, password }: { username: string; password: string },
    database: string,
    requireTls: boolean,
    alias: string,
    port: number,
): string {
    return renderConnectionUrl({ addresses: [alias], port, requireTls }, { username, password, database });
}

function networkUrls(login: ApplicationLogin, database: string): ApplicationUrls {
    const { urls } = login;
    const url = (alias: string, port: number): string =>
        networkUrl(login, database, requiresTls(urls.direct), alias, port);
    return {
        direct: url(networkAliases.haproxy, defaultPorts.readWrite),
        readOnly: url(networkAliases.haproxy, defaultPorts.readOnly),
        ...(urls.pooled === undefined ? {} : { pooled: url(networkAliases.pgbouncer, defaultPorts.pgbouncer) }),
    };
}
