import * as pulumi from "@pulumi/pulumi";
import type { ApplicationConnection } from "./applicationDatabase";
import { checkCluster, clusterWarnings } from "./checks/cluster";
import type { DirectLogin } from "./clusterAdministrators";
import { portsByHost } from "./checks/ports";
import { ClusterEndpoints, ClusterNode, endpointsOf, entryPointsOf, nodesOf, routerSql } from "./clusterEndpoints";
import { createDcs } from "./clusterDcs";
import { ClusterCredentials } from "./clusterCredentials";
import { connectionsOf, createAdministrators, createApplications } from "./clusterLogins";
import { ClusterMonitoring, monitoringOf } from "./clusterMonitoring";
import { ClusterOperations, operationsOf } from "./clusterOperations";
import { ClusterPlacement, placeOnHosts } from "./clusterPlacement";
import {
    ClusterCertificateSet,
    createCertificates,
    monitoringCertificates,
    recordFinishedTls,
    usesInternalTls,
} from "./clusterTls";
import { ClusterTarget, createTarget, releaseHosts, required } from "./clusterTarget";
import { systemRoles, workloadNames } from "./defaults";
import type { DcsConnection } from "./dcsConnection";
import { Firewall } from "./firewall";
import { HaProxy } from "./haProxy";
import { withAllLogins } from "./hbaLogins";
import { ClusterSecret, clusterSecrets, generationOf, statisticsGenerations } from "./passwordGenerations";
import { PatroniGroup } from "./patroniGroup";
import { PgBouncer } from "./pgBouncer";
import { assertNoProblems, showWarnings } from "./platform/problems";
import { keepBack } from "./platform/readiness";
import { SqlConnection } from "./platform/sqlCommand";
import { recordGenerations } from "./rotationRecord";
import { PostgresClusterArgs } from "./postgresClusterArgs";
import { PostgresExporter } from "./postgresExporter";

/**
 * A highly available PostgreSQL cluster on Docker Swarm or on plain Docker hosts: etcd, Patroni, HAProxy, PgBouncer, exporters, and a database for each application.
 *
 * @example
 * ```typescript
 * const hosts = {
 *     db1: { address: "192.0.2.11", memoryMiB: 16384 },
 *     db2: { address: "192.0.2.12", memoryMiB: 16384 },
 *     db3: { address: "192.0.2.13", memoryMiB: 16384 },
 * };
 * const provider = createDockerProvider("swarm", hosts, "db1");
 * const cluster = new PostgresCluster("pg", {
 *     hosts,
 *     swarm: { manager: "db1" },
 *     images,
 *     applications: { shop: {} },
 * }, { providers: [provider] });
 * export const url = cluster.applications.shop.urls.apply((urls) => urls.pooled);
 * ```
 */
export class PostgresCluster extends pulumi.ComponentResource {
    /** Where everything answers. */
    public readonly endpoints: ClusterEndpoints;
    /** The Patroni nodes, by key. */
    public readonly nodes: { [key: string]: ClusterNode };
    /** What the command `pgha` needs. */
    public readonly operations: ClusterOperations;
    /** On a Swarm the id of the overlay network, for services of other stacks; on plain Docker hosts the name of the bridge on each. */
    public readonly networkId: pulumi.Output<string>;
    /**
     * Certificates of authorities, as PEM, with which clients verify PostgreSQL and PgBouncer (`sslrootcert` for `sslmode=verify-full`), and
     * others Patroni's REST API, HAProxy's statistics and the exporters.
     */
    public readonly caCertificate: pulumi.Output<string>;
    /** The applications' databases, by key. */
    public readonly applications: { [key: string]: ApplicationConnection };
    /** Logins of the administrators, by name; secret. */
    public readonly administrators: pulumi.Output<{ [name: string]: DirectLogin }>;
    /** Targets and alert rules for Prometheus. */
    public readonly monitoring: ClusterMonitoring;
    /** Generated passwords of the cluster's own logins, by name; secret. */
    public readonly passwords: { [name: string]: pulumi.Output<string> };

    constructor(name: string, args: PostgresClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:PostgresCluster", name, {}, opts);
        const clusterName = args.clusterName ?? name;
        assertNoProblems(checkCluster(clusterName, args));
        showWarnings(clusterWarnings(args), this);

        const context = createContext(name, clusterName, args, this);
        const credentials = createCredentials(context);
        const certificates = createCertificates(name, clusterName, args, context.placement, context.opts);
        const dcs = createDcs({ ...context, certificates });
        const patroni = createPatroni(context, dcs, credentials, certificates);
        const haproxy = createHaProxy(context, patroni, credentials, certificates);
        const sql = routerSql(context.target, context.hosts, context.placement, haproxy, [
            patroni.ready,
            haproxy.ready,
        ]);
        const pgbouncer = createPgBouncer(context, haproxy, sql, credentials, certificates);
        const exporter = createExporter(context, patroni, sql, credentials, certificates);
        const released = releaseHosts(name, context, [haproxy.ready, pgbouncer?.ready], context.opts);
        const firewall = createFirewall(context, [haproxy.ready, pgbouncer?.ready, released?.urn]);

        this.endpoints = endpointsOf(haproxy, pgbouncer, exporter);
        this.nodes = nodesOf(patroni);
        this.monitoring = monitoringOf(clusterName, args, context.placement, patroni, this.endpoints);
        this.operations = operationsOf(clusterName, context.hosts, context.placement, haproxy, exporter, args);
        this.networkId = context.networkId;
        this.caCertificate = certificates.servers.caCertificate;
        this.passwords = credentials.passwords;
        const connection = { haproxy, pgbouncer, sql, salt: credentials.salt };
        const administrators = createAdministrators(name, args, connection, context.opts);
        const applications = createApplications(name, args, connection, context.opts);
        this.administrators = administrators?.logins ?? pulumi.secret<{ [name: string]: DirectLogin }>({});
        this.applications = connectionsOf(applications);
        const logins = [administrators, ...Object.values(applications)];
        const parts = resourcesOf([firewall, dcs, patroni, haproxy, pgbouncer, exporter, released, ...logins]);
        recordFinishedTls(name, args, parts, context.opts);
        createGuard(context, parts, opts?.protect);
        this.registerOutputs({
            endpoints: this.endpoints,
            nodes: this.nodes,
            operations: this.operations,
            networkId: this.networkId,
            caCertificate: this.caCertificate,
        });
    }
}

/** What all parts of a cluster share. */
interface ClusterContext extends ClusterTarget {
    /** The component's name, prefix of its children's. */
    name: string;
    args: PostgresClusterArgs;
    placement: ClusterPlacement;
    opts: pulumi.ComponentResourceOptions;
}

/** Names of the passwords: of roles of PostgreSQL, and of other logins. */
const passwordNames: { [secret in ClusterSecret]: string } = {
    ...systemRoles,
    statistics: "haproxy-statistics",
    patroniApi: "patroni-api",
};

function createContext(
    name: string,
    clusterName: string,
    args: PostgresClusterArgs,
    parent: pulumi.Resource,
): ClusterContext {
    // Where the program protects the cluster, it means the cluster: its versioned files, passwords and containers come and go.
    const opts = { parent, protect: false };
    const placement = placeOnHosts(clusterName, args);
    return { name, args, placement, opts, ...createTarget(name, clusterName, args, placement, opts) };
}

function createFirewall(
    { name, args, target, hosts, bridge, placement, opts }: ClusterContext,
    after: (pulumi.Input<string> | undefined)[],
): Firewall | undefined {
    if (args.firewall === undefined) {
        return undefined;
    }
    const { clusterName } = target;
    const ports = portsByHost(args, placement);
    const settled = keepBack("settled", after);
    return new Firewall(`${name}-firewall`, { ...args.firewall, clusterName, hosts, ports, bridge, settled }, opts);
}

function createCredentials({ name, args, opts }: ClusterContext): ClusterCredentials {
    const secrets = clusterSecrets.filter((secret) => !disabledRoles(args).includes(secret));
    const { current, oldest } = statisticsGenerations(args.passwordGenerations);
    return new ClusterCredentials(
        `${name}-credentials`,
        {
            names: secrets.map((secret) => passwordNames[secret]),
            generations: Object.fromEntries(
                secrets.map((secret) => [passwordNames[secret], generationOf(args.passwordGenerations, secret)]),
            ),
            // Clients have the old one of the statistics page, and PgBouncers theirs until they are replaced.
            withPrevious: [
                ...(oldest < current ? [passwordNames.statistics] : []),
                ...(secrets.includes("pgbouncer") && generationOf(args.passwordGenerations, "pgbouncer") > 1
                    ? [passwordNames.pgbouncer]
                    : []),
            ],
        },
        { ...opts, dependsOn: recordGenerations(name, args, opts) },
    );
}

/** Roles of parts that are not made. */
function disabledRoles(args: PostgresClusterArgs): ClusterSecret[] {
    return (["pgbouncer", "exporter"] as const).filter((role) => args[role]?.enabled === false);
}

function createPatroni(
    context: ClusterContext,
    dcs: DcsConnection,
    credentials: ClusterCredentials,
    { servers: { servers } }: ClusterCertificateSet,
): PatroniGroup {
    const { args, hosts, placement, target } = context;
    const { routers, poolers } = entryPointsOf(args, placement);
    const { nodes, ...settings } = args.patroni ?? {};
    const { passwords, previousPasswords, salt } = credentials;
    return new PatroniGroup(
        `${context.name}-patroni`,
        {
            target,
            hosts,
            memoryMiB: placement.smallestMemoryMiB,
            nodes: placement.patroni.nodes,
            dcs,
            settings: { ...settings, hbaRules: withAllLogins(settings.hbaRules, args) },
            certificates: Object.fromEntries(
                Object.keys(placement.patroni.nodes).map((key) => [key, required(servers, workloadNames.patroni(key))]),
            ),
            requireTls: args.tls?.requireTls,
            enableInternalTls: usesInternalTls(args),
            passwords: {
                superuser: required(passwords, passwordNames.superuser),
                replication: required(passwords, passwordNames.replication),
                replicationGeneration: generationOf(args.passwordGenerations, "replication"),
                rewind: required(passwords, passwordNames.rewind),
                rewindGeneration: generationOf(args.passwordGenerations, "rewind"),
                api: required(passwords, passwordNames.patroniApi),
                salt,
            },
            routers,
            poolers: poolers && {
                ...poolers,
                password: required(passwords, passwordNames.pgbouncer),
                previousPassword: previousPasswords[passwordNames.pgbouncer],
            },
            image: args.images.patroni,
            dataRoot: args.dataRoot,
            dataVolumes: args.dataVolumes,
        },
        context.opts,
    );
}

function createHaProxy(
    context: ClusterContext,
    patroni: PatroniGroup,
    { passwords, previousPasswords }: ClusterCredentials,
    { servers }: ClusterCertificateSet,
): HaProxy {
    const { args, placement, target } = context;
    return new HaProxy(
        `${context.name}-haproxy`,
        {
            target,
            hosts: placement.haproxy.hosts.map((key) => required(context.hosts, key)),
            constraint: placement.haproxy.constraint,
            patroni,
            networkId: context.networkId,
            poolerNetworkId: context.poolerNetworkId,
            requireTls: args.tls?.requireTls,
            certificate: monitoringCertificates(args, servers).haproxy,
            statisticsPassword: required(passwords, passwordNames.statistics),
            previousStatisticsPassword: previousPasswords[passwordNames.statistics],
            settings: args.haproxy ?? {},
            image: args.images.haproxy,
        },
        context.opts,
    );
}

function createPgBouncer(
    context: ClusterContext,
    router: HaProxy,
    sql: SqlConnection,
    { passwords, salt }: ClusterCredentials,
    { servers: { servers } }: ClusterCertificateSet,
): PgBouncer | undefined {
    const { args, placement, target } = context;
    if (args.pgbouncer?.enabled === false) {
        return undefined;
    }
    return new PgBouncer(
        `${context.name}-pgbouncer`,
        {
            target,
            hosts: placement.pgbouncer.hosts.map((key) => required(context.hosts, key)),
            constraint: placement.pgbouncer.constraint,
            router,
            sql,
            networkId: context.networkId,
            poolerNetworkId: context.poolerNetworkId,
            password: required(passwords, passwordNames.pgbouncer),
            passwordGeneration: generationOf(args.passwordGenerations, "pgbouncer"),
            salt,
            certificate: required(servers, workloadNames.pgbouncer),
            requireTls: args.tls?.requireTls,
            settings: args.pgbouncer ?? {},
            image: args.images.pgbouncer,
        },
        context.opts,
    );
}

function createExporter(
    context: ClusterContext,
    patroni: PatroniGroup,
    sql: SqlConnection,
    { passwords, salt }: ClusterCredentials,
    { servers }: ClusterCertificateSet,
): PostgresExporter | undefined {
    const { args, placement, target } = context;
    if (args.exporter?.enabled === false) {
        return undefined;
    }
    const nodes = Object.entries(placement.patroni.nodes);
    return new PostgresExporter(
        `${context.name}-exporter`,
        {
            target,
            nodes: Object.fromEntries(nodes.map(([key, node]) => [key, required(context.hosts, node.host)])),
            ports: Object.fromEntries(
                nodes.flatMap(([key, { ports }]) => (ports?.exporter === undefined ? [] : [[key, ports.exporter]])),
            ),
            patroni,
            sql,
            password: required(passwords, passwordNames.exporter),
            passwordGeneration: generationOf(args.passwordGenerations, "exporter"),
            salt,
            settings: args.exporter ?? {},
            certificate: monitoringCertificates(args, servers).exporter,
            image: args.images.exporter,
        },
        context.opts,
    );
}

/**
 * Protected, it stops a `destroy` that nobody previewed before anything else has gone: whatever depends on nothing goes last. The component
 * itself would notice when all its parts are gone.
 */
function createGuard(
    { name, target, opts }: ClusterContext,
    dependsOn: pulumi.Resource[],
    protect: boolean | undefined,
): void {
    new pulumi.Stash(`${name}-guard`, { input: target.clusterName }, { ...opts, protect: protect ?? false, dependsOn });
}

/** The parts that there are, and that are resources. */
function resourcesOf(parts: unknown[]): pulumi.Resource[] {
    return parts.filter((part) => pulumi.Resource.isInstance(part));
}
