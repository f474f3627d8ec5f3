import * as pulumi from "@pulumi/pulumi";
import { CertificateAuthorityArgs, ClusterCertificates, ServerCertificate } from "./clusterCertificates";
import type { ClusterPlacement } from "./clusterPlacement";
import { usesEtcd } from "./clusterPlacement";
import { required } from "./clusterTarget";
import { networkAliases, workloadNames } from "./defaults";
import type { EtcdCertificatesArgs } from "./etcdQuorum";
import { announceChanges } from "./platform/announcement";
import type { PostgresClusterArgs } from "./postgresClusterArgs";
import type { Announcement } from "./render/changeWords";
import { describeTlsChange, TlsRecord } from "./render/tlsChange";

/** TLS of a cluster. PostgreSQL and PgBouncer always take it; whether clients must use it is a setting. */
export interface ClusterTlsArgs {
    /**
     * Whether PostgreSQL and PgBouncer refuse connections over the network without TLS.
     *
     * @default false
     *
     * **Change:** in place for PostgreSQL, rolling restart of PgBouncer.
     */
    requireTls?: boolean;
    /**
     * Whether the cluster's own connections use TLS, too: etcd, with certificates on both sides; Patroni's REST API; replicas, which verify
     * their primary; HAProxy's statistics and the exporters' metrics. Consul and an etcd of somebody else's have their own settings.
     *
     * @default true
     *
     * **Change:** not possible where the cluster has etcd members of its own: they know each other by URL, and `up` refuses to cut them
     * off. Otherwise in two steps, with HAProxy's checks failing in between.
     */
    enableInternalTls?: boolean;
    /**
     * Further DNS names and addresses under which clients reach the cluster, such as a load balancer's. The addresses of the servers and of
     * HAProxy, and the names on the cluster's network, are in the certificates anyway.
     *
     * @default - none
     *
     * **Change:** rolling restart of Patroni's nodes, HAProxy, PgBouncer and the exporters, with new certificates.
     */
    serverNames?: string[];
    /**
     * The authority that signs the servers' certificates.
     *
     * @default - one of the cluster's own, whose certificate is the output `caCertificate`
     *
     * **Change:** rolling restart of everything but etcd, with new certificates. So that nobody is cut off, first trust the new one, then
     * let it sign: `trustedCertificates`.
     */
    certificateAuthority?: CertificateAuthorityArgs;
    /**
     * Certificates of further authorities that the cluster and the output `caCertificate` trust, as PEM, one after the other: the next of
     * `certificateAuthority` one `up` before it signs, and the last one as long as clients or servers may have certificates of it.
     *
     * @default - none
     *
     * **Change:** rolling restart of everything but etcd.
     */
    trustedCertificates?: pulumi.Input<string>;
    /**
     * Number of the cluster's own authorities. Greater by one, the next ones sign, which everybody trusts already, and those before the
     * last are trusted no more: after a leak raise it twice, with an `up` and new `caCertificate`s for the clients after each.
     *
     * @default 1
     *
     * **Change:** rolling restart of everything, with new certificates; by more than one at a time it cuts the cluster's parts off from each
     * other.
     */
    authorityGeneration?: number;
}

/** Certificates of a cluster. */
export interface ClusterCertificateSet {
    /** Of what clients, operators and monitoring connect to. */
    servers: ClusterCertificates;
    /** Of etcd's members and clients, by an authority that signs for nobody else. */
    etcd?: ClusterCertificates;
}

/** Whether the cluster's own connections use TLS. */
export function usesInternalTls({ tls }: PostgresClusterArgs): boolean {
    return tls?.enableInternalTls ?? true;
}

/** Key of Patroni's own certificate, as a client of etcd. */
const etcdClient = "etcd-client";

/** Key of the exporters' certificate, which all of them have. */
const exporters = "exporter";

/** Makes the certificates of everything that takes TLS. */
export function createCertificates(
    name: string,
    clusterName: string,
    args: PostgresClusterArgs,
    placement: ClusterPlacement,
    opts: pulumi.ComponentResourceOptions,
): ClusterCertificateSet {
    const { certificateAuthority, trustedCertificates, authorityGeneration } = args.tls ?? {};
    const servers = { ...databaseServers(args, placement), ...monitoredServers(args, placement) };
    recordTls(`${name}-tls`, args, describeTlsChange, opts);
    return {
        servers: new ClusterCertificates(
            `${name}-certificates`,
            { clusterName, servers, certificateAuthority, trustedCertificates, authorityGeneration },
            opts,
        ),
        etcd: createEtcdCertificates(name, clusterName, args, placement, opts),
    };
}

/**
 * Keeps in the state what all parts have got to. After an update that failed this differs from what it wanted, and the next one may go on or
 * back, but no step further.
 *
 * @param parts - whatever has a certificate
 */
export function recordFinishedTls(
    name: string,
    args: PostgresClusterArgs,
    parts: pulumi.Resource[],
    opts: pulumi.ComponentResourceOptions,
): void {
    const refuse = (before: TlsRecord, after: TlsRecord): Announcement[] => {
        describeTlsChange(before, after);
        return [];
    };
    recordTls(`${name}-tls-finished`, args, refuse, { ...opts, dependsOn: parts });
}

/** Keeps in the state what a preview must compare to refuse a change that would cut the cluster's parts off. */
function recordTls(
    name: string,
    args: PostgresClusterArgs,
    announce: (before: TlsRecord, after: TlsRecord) => Announcement[],
    opts: pulumi.ComponentResourceOptions,
): void {
    const record: TlsRecord = {
        etcdTls: usesEtcd(args) ? usesInternalTls(args) : undefined,
        authorityGeneration: args.tls?.authorityGeneration ?? 1,
    };
    const read = (text: string): TlsRecord => JSON.parse(text) as TlsRecord;
    const hooks = announceChanges(name, "input", (before, after) => announce(read(before), read(after)), opts.parent);
    new pulumi.Stash(
        name,
        { input: JSON.stringify(record) },
        { parent: opts.parent, dependsOn: opts.dependsOn, hooks },
    );
}

/** What etcd's members and Patroni show each other, in the form of the quorum's arguments. */
export function etcdCertificates(
    etcd: ClusterCertificates | undefined,
    { members }: ClusterPlacement["etcd"],
): EtcdCertificatesArgs | undefined {
    if (etcd === undefined) {
        return undefined;
    }
    const of = (key: string): ServerCertificate => required(etcd.servers, key);
    return {
        members: Object.fromEntries(Object.keys(members).map((key) => [key, of(workloadNames.etcd(key))])),
        client: of(etcdClient),
    };
}

/** Certificates with which statistics and metrics take TLS only. */
export function monitoringCertificates(
    args: PostgresClusterArgs,
    { servers }: ClusterCertificates,
): { haproxy?: ServerCertificate; exporter?: ServerCertificate } {
    return usesInternalTls(args) ? { haproxy: servers[workloadNames.haproxy], exporter: servers[exporters] } : {};
}

function createEtcdCertificates(
    name: string,
    clusterName: string,
    args: PostgresClusterArgs,
    placement: ClusterPlacement,
    opts: pulumi.ComponentResourceOptions,
): ClusterCertificates | undefined {
    if (!usesEtcd(args) || !usesInternalTls(args)) {
        return undefined;
    }
    const members = Object.entries(placement.etcd.members);
    const servers = Object.fromEntries(
        members.map(([key, { host, address }]) => [
            workloadNames.etcd(key),
            known([address ?? args.hosts[host]?.address, ...loopback]),
        ]),
    );
    // Members are each other's clients, and etcd's HTTP gateway, which Patroni talks to, is its own member's.
    const clients = [...Object.keys(servers), etcdClient];
    return new ClusterCertificates(
        `${name}-etcd-certificates`,
        {
            clusterName: `${clusterName} etcd`,
            servers,
            clients,
            authorityGeneration: args.tls?.authorityGeneration,
        },
        opts,
    );
}

/** Patroni's nodes and PgBouncer. */
function databaseServers(args: PostgresClusterArgs, placement: ClusterPlacement): { [server: string]: string[] } {
    const nodes = Object.entries(placement.patroni.nodes);
    const pooler = args.pgbouncer?.enabled === false ? [] : [workloadNames.pgbouncer];
    return {
        // HAProxy leads a client to any of them; their own addresses differ, so that another node leaves them as they are.
        ...Object.fromEntries(
            nodes.map(([key, { host, address }]) => [
                workloadNames.patroni(key),
                known([args.hosts[host]?.address, address, ...sharedNames(args, placement)]),
            ]),
        ),
        ...namesForAll(pooler, [
            // Behind HAProxy nobody sees which hosts they run on.
            ...(args.haproxy?.ports?.pooled === undefined ? addressesOf(placement.pgbouncer.hosts, args) : []),
            args.pgbouncer?.address,
            networkAliases.pgbouncer,
            ...sharedNames(args, placement),
        ]),
    };
}

/** HAProxy's statistics and the exporters. */
function monitoredServers(args: PostgresClusterArgs, placement: ClusterPlacement): { [server: string]: string[] } {
    if (!usesInternalTls(args)) {
        return {};
    }
    return {
        ...namesForAll([workloadNames.haproxy], sharedNames(args, placement)),
        ...namesForAll(args.exporter?.enabled === false ? [] : [exporters], [
            ...nodeAddresses(args, placement),
            ...loopback,
            ...(args.tls?.serverNames ?? []),
        ]),
    };
}

function nodeAddresses(args: PostgresClusterArgs, { patroni }: ClusterPlacement): (string | undefined)[] {
    const nodes = Object.values(patroni.nodes);
    return [
        ...addressesOf(
            nodes.map(({ host }) => host),
            args,
        ),
        ...nodes.map(({ address }) => address),
    ];
}

/** HAProxy's names, those inside a container, and the user's. */
function sharedNames(args: PostgresClusterArgs, placement: ClusterPlacement): (string | undefined)[] {
    return [
        ...addressesOf(placement.haproxy.hosts, args),
        args.haproxy?.address,
        networkAliases.haproxy,
        ...loopback,
        ...(args.tls?.serverNames ?? []),
    ];
}

const loopback = ["localhost", "127.0.0.1"];

function addressesOf(keys: string[], { hosts }: PostgresClusterArgs): (string | undefined)[] {
    return keys.map((key) => hosts[key]?.address);
}

function known(names: (string | undefined)[]): string[] {
    return names.filter((name) => name !== undefined);
}

function namesForAll(servers: string[], names: (string | undefined)[]): { [server: string]: string[] } {
    return Object.fromEntries(servers.map((server) => [server, known(names)]));
}
