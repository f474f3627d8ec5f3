import * as pulumi from "@pulumi/pulumi";
import { ApplicationConnection, ApplicationDatabase, ApplicationEndpoints } from "./applicationDatabase";
import { checkCluster, clusterWarnings } from "./checks/cluster";
import { ClusterAdministrators, DirectLogin } from "./clusterAdministrators";
import { portsByHost } from "./checks/ports";
import { ClusterEndpoints, ClusterNode, endpointsOf, nodesOf, routerSql } from "./clusterEndpoints";
import { createDcs } from "./clusterDcs";
import { ClusterCredentials } from "./clusterCredentials";
import { ClusterMonitoring, monitoringOf } from "./clusterMonitoring";
import { ClusterOperations, operationsOf } from "./clusterOperations";
import { ClusterPlacement, placeOnHosts } from "./clusterPlacement";
import type { ClusterCertificates } from "./clusterCertificates";
import { createCertificates } from "./clusterTls";
import { ClusterTarget, createTarget, required } from "./clusterTarget";
import { systemRoles, workloadNames } from "./defaults";
import type { DcsConnection } from "./dcsConnection";
import { Firewall } from "./firewall";
import { HaProxy } from "./haProxy";
import { PatroniGroup } from "./patroniGroup";
import { PgBouncer } from "./pgBouncer";
import { assertNoProblems, showWarnings } from "./platform/problems";
import { SqlConnection } from "./platform/sqlCommand";
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
    /** Certificate, as PEM, with which clients verify PostgreSQL and PgBouncer: `sslrootcert` for `sslmode=verify-full`. */
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
        const firewall = createFirewall(context);
        const credentials = createCredentials(context);
        const certificates = createCertificates(name, clusterName, args, context.placement, context.opts);
        const dcs = createDcs(context);
        const patroni = createPatroni(context, dcs, credentials, certificates);
        const haproxy = createHaProxy(context, patroni, credentials);
        const sql = routerSql(context.target, context.hosts, context.placement, haproxy, [
            patroni.ready,
            haproxy.ready,
        ]);
        const pgbouncer = createPgBouncer(context, haproxy, sql, credentials, certificates);
        const exporter = createExporter(context, patroni, sql, credentials);

        this.endpoints = endpointsOf(haproxy, pgbouncer, exporter);
        this.nodes = nodesOf(patroni);
        this.monitoring = monitoringOf(clusterName, args, context.placement, patroni, this.endpoints);
        this.operations = operationsOf(clusterName, context.hosts, context.placement, haproxy, exporter);
        this.networkId = context.networkId;
        this.caCertificate = certificates.caCertificate;
        this.passwords = credentials.passwords;
        const administrators = createAdministrators(context, haproxy, sql, credentials);
        const applications = createApplications(context, haproxy, pgbouncer, sql, credentials);
        this.administrators = administrators?.logins ?? pulumi.secret<{ [name: string]: DirectLogin }>({});
        this.applications = connectionsOf(applications);
        const logins = [administrators, ...Object.values(applications)];
        createGuard(context, [firewall, dcs, patroni, haproxy, pgbouncer, exporter, ...logins], opts?.protect);
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

/** Passwords of logins that are not roles of PostgreSQL, beside those that are. */
const loginNames = { statistics: "haproxy-statistics", api: "patroni-api" } as const;

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

function createFirewall({ name, args, target, hosts, bridge, placement, opts }: ClusterContext): Firewall | undefined {
    if (args.firewall === undefined) {
        return undefined;
    }
    const { clusterName } = target;
    const ports = portsByHost(args, placement);
    return new Firewall(`${name}-firewall`, { ...args.firewall, clusterName, hosts, ports, bridge }, opts);
}

function createCredentials({ name, args, opts }: ClusterContext): ClusterCredentials {
    const roles = Object.values(systemRoles).filter((role) => !disabledRoles(args).includes(role));
    const names = [...roles, ...Object.values(loginNames)];
    return new ClusterCredentials(`${name}-credentials`, { names }, opts);
}

/** Roles of parts that are not made. */
function disabledRoles(args: PostgresClusterArgs): string[] {
    return [
        ...(args.pgbouncer?.enabled === false ? [systemRoles.pgbouncer] : []),
        ...(args.exporter?.enabled === false ? [systemRoles.exporter] : []),
    ];
}

function createPatroni(
    context: ClusterContext,
    dcs: DcsConnection,
    credentials: ClusterCredentials,
    { servers }: ClusterCertificates,
): PatroniGroup {
    const { args, hosts, placement, target } = context;
    const { nodes, ...settings } = args.patroni ?? {};
    const { passwords, salt } = credentials;
    return new PatroniGroup(
        `${context.name}-patroni`,
        {
            target,
            hosts,
            memoryMiB: placement.smallestMemoryMiB,
            nodes: placement.patroni.nodes,
            dcs,
            settings,
            certificates: Object.fromEntries(
                Object.keys(placement.patroni.nodes).map((key) => [key, required(servers, workloadNames.patroni(key))]),
            ),
            requireTls: args.tls?.requireTls,
            passwords: {
                superuser: required(passwords, systemRoles.superuser),
                replication: required(passwords, systemRoles.replication),
                rewind: required(passwords, systemRoles.rewind),
                api: required(passwords, loginNames.api),
                salt,
            },
            image: args.images.patroni,
            dataRoot: args.dataRoot,
            dataVolumes: args.dataVolumes,
        },
        context.opts,
    );
}

function createHaProxy(context: ClusterContext, patroni: PatroniGroup, { passwords }: ClusterCredentials): HaProxy {
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
            statisticsPassword: required(passwords, loginNames.statistics),
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
    { servers }: ClusterCertificates,
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
            password: required(passwords, systemRoles.pgbouncer),
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
            password: required(passwords, systemRoles.exporter),
            salt,
            settings: args.exporter ?? {},
            image: args.images.exporter,
        },
        context.opts,
    );
}

function createAdministrators(
    { name, args, opts }: ClusterContext,
    haproxy: HaProxy,
    sql: SqlConnection,
    { salt }: ClusterCredentials,
): ClusterAdministrators | undefined {
    const { administrators } = args;
    if (administrators === undefined) {
        return undefined;
    }
    const endpoint = { addresses: haproxy.addresses, port: haproxy.readWritePort, requireTls: args.tls?.requireTls };
    const settings = { administrators, sql, endpoint, salt };
    return new ClusterAdministrators(`${name}-administrators`, settings, opts);
}

function createApplications(
    { name, args, opts }: ClusterContext,
    haproxy: HaProxy,
    pgbouncer: PgBouncer | undefined,
    sql: SqlConnection,
    { salt }: ClusterCredentials,
): { [key: string]: ApplicationDatabase } {
    const { addresses } = haproxy;
    const requireTls = args.tls?.requireTls;
    const endpoints: ApplicationEndpoints = {
        direct: { addresses, port: haproxy.readWritePort, requireTls },
        readOnly: { addresses, port: haproxy.readOnlyPort, requireTls },
        pooled: pgbouncer && { addresses: pgbouncer.addresses, port: pgbouncer.port, requireTls },
    };
    return Object.fromEntries(
        Object.entries(args.applications ?? {}).map(([key, application]) => [
            key,
            new ApplicationDatabase(`${name}-application-${key}`, { ...application, key, sql, endpoints, salt }, opts),
        ]),
    );
}

/** As plain data: secrets inside a resource that a program exports as a secret can't be read by another stack. */
function connectionsOf(applications: { [key: string]: ApplicationDatabase }): { [key: string]: ApplicationConnection } {
    return Object.fromEntries(
        Object.entries(applications).map(([key, { database, owner, password, urls, roles, replicationRoles }]) => [
            key,
            { database, owner, password, urls, roles, replicationRoles },
        ]),
    );
}

/**
 * Protected, it stops a `destroy` that nobody previewed before anything else has gone: whatever depends on nothing goes last. The component
 * itself would notice when all its parts are gone.
 */
function createGuard({ name, target, opts }: ClusterContext, parts: unknown[], protect: boolean | undefined): void {
    const dependsOn = parts.filter((part) => pulumi.Resource.isInstance(part));
    new pulumi.Stash(`${name}-guard`, { input: target.clusterName }, { ...opts, protect: protect ?? false, dependsOn });
}
