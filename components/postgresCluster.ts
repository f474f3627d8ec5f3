import * as pulumi from "@pulumi/pulumi";
import { ApplicationArgs, ApplicationDatabase, ApplicationEndpoints } from "./applicationDatabase";
import { checkCluster, clusterWarnings } from "./checks/cluster";
import { ClusterEndpoints, ClusterNode, endpointsOf, nodesOf, routerSql } from "./clusterEndpoints";
import { ClusterCredentials } from "./clusterCredentials";
import { ClusterNetwork, ClusterNetworkArgs } from "./clusterNetwork";
import { allLabels, ClusterPlacement, placeOnHosts } from "./clusterPlacement";
import { systemRoles } from "./defaults";
import { EtcdMemberArgs, EtcdQuorum, EtcdSettingsArgs } from "./etcdQuorum";
import { HaProxy, HaProxySettingsArgs } from "./haProxy";
import { Host, HostArgs } from "./host";
import { PatroniGroup } from "./patroniGroup";
import { PatroniNodeArgs } from "./patroniNode";
import { PatroniSettingsArgs } from "./patroniSettings";
import { PgBouncer, PgBouncerSettingsArgs } from "./pgBouncer";
import { assertNoProblems, showWarnings } from "./platform/problems";
import { SqlConnection } from "./platform/sqlCommand";
import { EndpointMode, PublishMode, SwarmTarget } from "./platform/workload";
import { PostgresExporter, PostgresExporterSettingsArgs } from "./postgresExporter";

/** Images of all parts, by digest. */
export interface ClusterImagesArgs {
    patroni: pulumi.Input<string>;
    etcd: pulumi.Input<string>;
    haproxy: pulumi.Input<string>;
    pgbouncer: pulumi.Input<string>;
    exporter: pulumi.Input<string>;
}

/** The Swarm. */
export interface SwarmArgs {
    /**
     * Key of a host that is a Swarm manager. The Docker provider must talk to the same one.
     *
     * **Change:** in place.
     */
    manager: string;
    /**
     * How the ports of HAProxy and PgBouncer are published.
     *
     * @default PublishMode.Host
     *
     * **Change:** restart of HAProxy and PgBouncer.
     */
    publishMode?: PublishMode;
    /**
     * How Swarm's DNS answers for HAProxy and PgBouncer on the cluster's network.
     *
     * @default EndpointMode.DnsRoundRobin
     *
     * **Change:** restart of HAProxy and PgBouncer.
     */
    endpointMode?: EndpointMode;
}

/** etcd's members and settings. */
export interface ClusterEtcdArgs extends EtcdSettingsArgs {
    /**
     * Members by key.
     *
     * @default - one on each host with a Patroni node
     *
     * **Change:** not possible yet for a living quorum.
     */
    members?: { [key: string]: EtcdMemberArgs };
}

/** Patroni's nodes and settings. */
export interface ClusterPatroniArgs extends PatroniSettingsArgs {
    /**
     * Nodes by key.
     *
     * @default - one on each host
     *
     * **Change:** not possible yet for a living cluster.
     */
    nodes?: { [key: string]: PatroniNodeArgs };
}

/** Arguments of {@link PostgresCluster}. */
export interface PostgresClusterArgs {
    /**
     * Name of the cluster: prefix of every Swarm object, Patroni's scope, name of the data directories.
     *
     * @default - the component's name
     *
     * **Change:** not possible: it would be another cluster.
     */
    clusterName?: string;
    /**
     * Hosts by key.
     *
     * **Change:** in place for hosts without a member.
     */
    hosts: { [key: string]: HostArgs };
    /** The Swarm. */
    swarm: SwarmArgs;
    /** Images of all parts. */
    images: ClusterImagesArgs;
    /** @default - an encrypted overlay network on 10.0.20.0/24 */
    network?: ClusterNetworkArgs;
    /** @default - one member on each host with a Patroni node */
    etcd?: ClusterEtcdArgs;
    /** @default - one node on each host */
    patroni?: ClusterPatroniArgs;
    /** @default - one on each host with a Patroni node */
    haproxy?: HaProxySettingsArgs;
    /** @default - one on each host with a Patroni node */
    pgbouncer?: PgBouncerSettingsArgs;
    /** @default - one beside each Patroni node */
    exporter?: PostgresExporterSettingsArgs;
    /**
     * Applications by key.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    applications?: { [key: string]: ApplicationArgs };
    /**
     * Directory on each host under which the cluster's data lies. Data is never removed, not even by `destroy`.
     *
     * @default "/srv/pgha"
     *
     * **Change:** not possible: data is never moved.
     */
    dataRoot?: string;
    /**
     * Labels on every Swarm object.
     *
     * @default - none beside `pgha.cluster`
     *
     * **Change:** in place for services; networks can't change theirs.
     */
    labels?: { [name: string]: string };
}

/**
 * A highly available PostgreSQL cluster on Docker Swarm: etcd, Patroni, HAProxy, PgBouncer, exporters, and a database for each application.
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
    /** Id of the overlay network, for services of other stacks. */
    public readonly networkId: pulumi.Output<string>;
    /** The applications' databases, by key. */
    public readonly applications: { [key: string]: ApplicationDatabase };
    /** Generated passwords of the cluster's own logins, by name; secret. */
    public readonly passwords: { [name: string]: pulumi.Output<string> };

    constructor(name: string, args: PostgresClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:PostgresCluster", name, {}, opts);
        const clusterName = args.clusterName ?? name;
        assertNoProblems(checkCluster(clusterName, args));
        showWarnings(clusterWarnings(args), this);

        const own = { parent: this };
        const placement = placeOnHosts(clusterName, args);
        const hosts = createHosts(name, placement, args, own);
        const target = swarmTarget(clusterName, hosts, args);
        const network = new ClusterNetwork(`${name}-network`, { target, ...args.network }, own);
        const { passwords, salt } = createCredentials(name, own);

        const etcd = createEtcd(name, target, hosts, placement, args, own);
        const patroni = createPatroni(name, target, hosts, placement, etcd, { passwords, salt }, args, own);
        const haproxy = createHaProxy(name, target, hosts, placement, patroni, network, passwords, args, own);
        const sql = routerSql(target, hosts, placement, haproxy, [patroni.ready, haproxy.ready]);
        const logins = { sql, passwords, salt };
        const pgbouncer = createPgBouncer(name, target, hosts, placement, haproxy, network, logins, args, own);
        const exporter = createExporter(name, target, hosts, placement, patroni, logins, args, own);

        this.endpoints = endpointsOf(haproxy, pgbouncer, exporter);
        this.nodes = nodesOf(patroni);
        this.networkId = network.networkId;
        this.passwords = passwords;
        this.applications = createApplications(name, haproxy, pgbouncer, logins, args, own);
        this.registerOutputs({ endpoints: this.endpoints, nodes: this.nodes, networkId: this.networkId });
    }
}

type Hosts = { [key: string]: Host };
type Passwords = { [name: string]: pulumi.Output<string> };
type Parent = { parent: pulumi.Resource };

/** What it takes to make roles: the way to the primary, their passwords, and the salt of their verifiers. */
interface Logins {
    sql: SqlConnection;
    passwords: Passwords;
    salt: pulumi.Output<string>;
}

/** Passwords of logins that are not roles of PostgreSQL, beside those that are. */
const loginNames = { statistics: "haproxy-statistics", api: "patroni-api" } as const;

function createHosts(name: string, placement: ClusterPlacement, args: PostgresClusterArgs, own: Parent): Hosts {
    const managerKey = args.swarm.manager;
    const manager = { key: managerKey, ...required(args.hosts, managerKey) };
    return Object.fromEntries(
        Object.entries(args.hosts).map(([key, host]) => [
            key,
            new Host(`${name}-host-${key}`, { ...host, key, manager, labels: allLabels(key, host, placement) }, own),
        ]),
    );
}

function swarmTarget(clusterName: string, hosts: Hosts, args: PostgresClusterArgs): SwarmTarget {
    return {
        clusterName,
        manager: required(hosts, args.swarm.manager),
        publishMode: args.swarm.publishMode ?? PublishMode.Host,
        endpointMode: args.swarm.endpointMode ?? EndpointMode.DnsRoundRobin,
        labels: args.labels ?? {},
    };
}

function createCredentials(name: string, own: Parent): { passwords: Passwords; salt: pulumi.Output<string> } {
    const names = [...Object.values(systemRoles), ...Object.values(loginNames)];
    const credentials = new ClusterCredentials(`${name}-credentials`, { names }, own);
    return { passwords: credentials.passwords, salt: credentials.salt };
}

function createEtcd(
    name: string,
    target: SwarmTarget,
    hosts: Hosts,
    placement: ClusterPlacement,
    args: PostgresClusterArgs,
    own: Parent,
): EtcdQuorum {
    const { members } = placement.etcd;
    const shared = { target, hosts, image: args.images.etcd, dataRoot: args.dataRoot };
    return new EtcdQuorum(`${name}-etcd`, { ...args.etcd, ...shared, members }, own);
}

function createPatroni(
    name: string,
    target: SwarmTarget,
    hosts: Hosts,
    placement: ClusterPlacement,
    etcd: EtcdQuorum,
    { passwords, salt }: Pick<Logins, "passwords" | "salt">,
    args: PostgresClusterArgs,
    own: Parent,
): PatroniGroup {
    const { nodes, ...settings } = args.patroni ?? {};
    return new PatroniGroup(
        `${name}-patroni`,
        {
            target,
            hosts,
            memoryMiB: placement.smallestMemoryMiB,
            nodes: placement.patroni.nodes,
            etcdEndpoints: etcd.endpointUrls,
            settings,
            passwords: {
                superuser: required(passwords, systemRoles.superuser),
                replication: required(passwords, systemRoles.replication),
                rewind: required(passwords, systemRoles.rewind),
                api: required(passwords, loginNames.api),
                salt,
            },
            image: args.images.patroni,
            dataRoot: args.dataRoot,
        },
        own,
    );
}

function createHaProxy(
    name: string,
    target: SwarmTarget,
    hosts: Hosts,
    placement: ClusterPlacement,
    patroni: PatroniGroup,
    network: ClusterNetwork,
    passwords: Passwords,
    args: PostgresClusterArgs,
    own: Parent,
): HaProxy {
    return new HaProxy(
        `${name}-haproxy`,
        {
            target,
            hosts: placement.haproxy.hosts.map((key) => required(hosts, key)),
            constraint: placement.haproxy.constraint,
            patroni,
            networkId: network.networkId,
            statisticsPassword: required(passwords, loginNames.statistics),
            settings: args.haproxy ?? {},
            image: args.images.haproxy,
        },
        own,
    );
}

function createPgBouncer(
    name: string,
    target: SwarmTarget,
    hosts: Hosts,
    placement: ClusterPlacement,
    router: HaProxy,
    network: ClusterNetwork,
    logins: Logins,
    args: PostgresClusterArgs,
    own: Parent,
): PgBouncer {
    return new PgBouncer(
        `${name}-pgbouncer`,
        {
            target,
            hosts: placement.pgbouncer.hosts.map((key) => required(hosts, key)),
            constraint: placement.pgbouncer.constraint,
            router,
            sql: logins.sql,
            networkId: network.networkId,
            password: required(logins.passwords, systemRoles.pgbouncer),
            salt: logins.salt,
            settings: args.pgbouncer ?? {},
            image: args.images.pgbouncer,
        },
        own,
    );
}

function createExporter(
    name: string,
    target: SwarmTarget,
    hosts: Hosts,
    placement: ClusterPlacement,
    patroni: PatroniGroup,
    logins: Logins,
    args: PostgresClusterArgs,
    own: Parent,
): PostgresExporter {
    const nodes = Object.entries(placement.patroni.nodes);
    return new PostgresExporter(
        `${name}-exporter`,
        {
            target,
            nodes: Object.fromEntries(nodes.map(([key, node]) => [key, required(hosts, node.host)])),
            patroni,
            sql: logins.sql,
            password: required(logins.passwords, systemRoles.exporter),
            salt: logins.salt,
            settings: args.exporter ?? {},
            image: args.images.exporter,
        },
        own,
    );
}

function createApplications(
    name: string,
    haproxy: HaProxy,
    pgbouncer: PgBouncer,
    logins: Logins,
    args: PostgresClusterArgs,
    own: Parent,
): { [key: string]: ApplicationDatabase } {
    const { addresses } = haproxy;
    const endpoints: ApplicationEndpoints = {
        direct: { addresses, port: haproxy.readWritePort },
        readOnly: { addresses, port: haproxy.readOnlyPort },
        pooled: { addresses: pgbouncer.addresses, port: pgbouncer.port },
    };
    return Object.fromEntries(
        Object.entries(args.applications ?? {}).map(([key, application]) => [
            key,
            new ApplicationDatabase(
                `${name}-application-${key}`,
                { ...application, key, sql: logins.sql, endpoints, salt: logins.salt },
                own,
            ),
        ]),
    );
}

/** A value that the checks have made sure is there. */
function required<T>(values: { [key: string]: T }, key: string): T {
    const value = values[key];
    if (value === undefined) {
        throw new pulumi.RunError(`${key} is missing although the checks passed: please report this`);
    }
    return value;
}
