import * as pulumi from "@pulumi/pulumi";
import { CertificateAuthorityArgs, ClusterCertificates } from "./clusterCertificates";
import type { ClusterPlacement } from "./clusterPlacement";
import { networkAliases, workloadNames } from "./defaults";
import type { PostgresClusterArgs } from "./postgresClusterArgs";

/** TLS of the connections to PostgreSQL and PgBouncer. They always take it; whether clients must use it is a setting. */
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
     * Further DNS names and addresses under which clients reach the cluster, such as a load balancer's. The addresses of the servers and of
     * HAProxy, and the names on the cluster's network, are in the certificates anyway.
     *
     * @default - none
     *
     * **Change:** rolling restart of Patroni's nodes and PgBouncer, with new certificates.
     */
    serverNames?: string[];
    /**
     * The authority that signs the servers' certificates.
     *
     * @default - one of the cluster's own, whose certificate is the output `caCertificate`
     *
     * **Change:** rolling restart of Patroni's nodes and PgBouncer, with new certificates; clients need the new authority's certificate.
     */
    certificateAuthority?: CertificateAuthorityArgs;
}

/** Makes the certificates of Patroni's nodes and of PgBouncer. */
export function createCertificates(
    name: string,
    clusterName: string,
    args: PostgresClusterArgs,
    placement: ClusterPlacement,
    opts: pulumi.ComponentResourceOptions,
): ClusterCertificates {
    const { nodes } = placement.patroni;
    const pooler = args.pgbouncer?.enabled === false ? [] : [workloadNames.pgbouncer];
    const servers = {
        // All of them hold the names of each, because HAProxy leads a client to any.
        ...namesForAll(Object.keys(nodes).map(workloadNames.patroni), [
            ...addressesOf(
                Object.values(nodes).map(({ host }) => host),
                args,
            ),
            ...Object.values(nodes).map(({ address }) => address),
            ...sharedNames(args, placement),
        ]),
        ...namesForAll(pooler, [
            // Behind HAProxy nobody sees which hosts they run on.
            ...(args.haproxy?.ports?.pooled === undefined ? addressesOf(placement.pgbouncer.hosts, args) : []),
            args.pgbouncer?.address,
            networkAliases.pgbouncer,
            ...sharedNames(args, placement),
        ]),
    };
    const { certificateAuthority } = args.tls ?? {};
    return new ClusterCertificates(`${name}-certificates`, { clusterName, servers, certificateAuthority }, opts);
}

/** HAProxy's names, those inside a container, and the user's. */
function sharedNames(args: PostgresClusterArgs, placement: ClusterPlacement): (string | undefined)[] {
    return [
        ...addressesOf(placement.haproxy.hosts, args),
        args.haproxy?.address,
        networkAliases.haproxy,
        "localhost",
        "127.0.0.1",
        ...(args.tls?.serverNames ?? []),
    ];
}

function addressesOf(keys: string[], { hosts }: PostgresClusterArgs): (string | undefined)[] {
    return keys.map((key) => hosts[key]?.address);
}

function namesForAll(servers: string[], names: (string | undefined)[]): { [server: string]: string[] } {
    const known = names.filter((name) => name !== undefined);
    return Object.fromEntries(servers.map((server) => [server, known]));
}
