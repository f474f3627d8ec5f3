import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlacement } from "./clusterPlacement";
import { ClusterCertificateSet, etcdCertificates } from "./clusterTls";
import { ConsulQuorum } from "./consulQuorum";
import type { DcsConnection } from "./dcsConnection";
import { EtcdQuorum } from "./etcdQuorum";
import { ExternalEtcd } from "./externalEtcd";
import type { HostConnection, Target } from "./platform/workload";
import type { PostgresClusterArgs } from "./postgresClusterArgs";

/** What {@link createDcs} needs. */
export interface ClusterDcsContext {
    /** The cluster component's name, prefix of its children's. */
    name: string;
    args: PostgresClusterArgs;
    placement: ClusterPlacement;
    hosts: { [key: string]: HostConnection };
    target: Target;
    certificates: ClusterCertificateSet;
    opts: pulumi.ComponentResourceOptions;
}

/** Creates the store that the cluster's arguments ask for: the only place that knows which there are. */
export function createDcs({
    name,
    args,
    target,
    hosts,
    placement,
    certificates,
    opts,
}: ClusterDcsContext): DcsConnection {
    const shared = { target, hosts, dataRoot: args.dataRoot, dataVolumes: args.dataVolumes };
    if (args.externalEtcd !== undefined) {
        return new ExternalEtcd(`${name}-etcd`, args.externalEtcd, opts);
    }
    if (args.consul !== undefined) {
        const own = { ...placement.consul, image: args.images.consul ?? "" };
        return new ConsulQuorum(`${name}-consul`, { ...args.consul, ...shared, ...own }, opts);
    }
    const own = {
        ...placement.etcd,
        image: args.images.etcd ?? "",
        certificates: etcdCertificates(certificates.etcd, placement.etcd),
    };
    return new EtcdQuorum(`${name}-etcd`, { ...args.etcd, ...shared, ...own }, opts);
}
