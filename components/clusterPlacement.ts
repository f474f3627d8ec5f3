import type { ConsulMemberArgs } from "./consulQuorum";
import { hostLabel } from "./defaults";
import type { EtcdMemberArgs } from "./etcdQuorum";
import type { HostArgs } from "./host";
import type { PatroniNodeArgs } from "./patroniNode";
import type { PostgresClusterArgs } from "./postgresClusterArgs";

/** Interchangeable containers on some hosts. */
export interface SpreadPlacement {
    /** Keys of the hosts. */
    hosts: string[];
    /** Label that exactly those hosts get. */
    label: string;
    constraint: string;
}

/** Which part of a cluster runs on which host. */
export interface ClusterPlacement {
    /** None where the cluster uses another store. */
    etcd: { members: { [key: string]: EtcdMemberArgs } };
    /** None where the cluster uses another store. */
    consul: { members: { [key: string]: ConsulMemberArgs } };
    patroni: { nodes: { [key: string]: PatroniNodeArgs } };
    haproxy: SpreadPlacement;
    pgbouncer: SpreadPlacement;
    /** Memory for the Patroni node that has least, in MiB: nodes on one host share it. */
    smallestMemoryMiB: number;
}

/** Fills in who runs where: a Patroni node on each host, and all else beside the nodes. */
export function placeOnHosts(clusterName: string, args: PostgresClusterArgs): ClusterPlacement {
    const everywhere = Object.fromEntries(Object.keys(args.hosts).map((host) => [host, { host }]));
    const nodes = args.patroni?.nodes ?? everywhere;
    const nodeHosts = [...new Set(Object.values(nodes).map((node) => node.host))];
    const besideNodes = Object.fromEntries(nodeHosts.map((host) => [host, { host }]));
    const memories = nodeHosts.flatMap((key) => {
        const nodesThere = Object.values(nodes).filter(({ host }) => host === key).length;
        const memoryMiB = args.hosts[key]?.memoryMiB;
        return memoryMiB === undefined ? [] : [Math.floor(memoryMiB / nodesThere)];
    });
    return {
        etcd: { members: args.etcd?.members ?? (usesEtcd(args) ? besideNodes : {}) },
        consul: { members: args.consul === undefined ? {} : (args.consul.members ?? besideNodes) },
        patroni: { nodes },
        haproxy: spreadPlacement(clusterName, "haproxy", spreadHosts(args.haproxy, args.hosts) ?? nodeHosts),
        pgbouncer: spreadPlacement(
            clusterName,
            "pgbouncer",
            args.pgbouncer?.enabled === false ? [] : (spreadHosts(args.pgbouncer, args.hosts) ?? nodeHosts),
        ),
        smallestMemoryMiB: Math.min(...memories),
    };
}

/** The labels by which members are pinned to a host. */
export function pinningLabels(key: string, args: PostgresClusterArgs, placement: ClusterPlacement): string[] {
    const parts = [
        { members: placement.etcd.members, label: args.etcd?.placementLabel },
        { members: placement.consul.members, label: undefined },
        { members: placement.patroni.nodes, label: args.patroni?.placementLabel },
    ];
    const here = parts.filter(({ members }) => Object.values(members).some(({ host }) => host === key));
    const own = args.hosts[key]?.placementLabel ?? hostLabel;
    return here.flatMap(({ label }) => [own, ...(label === undefined ? [] : [label])]);
}

/** The labels that a host's node needs: the user's, and those by which the spread containers find it. */
export function allLabels(key: string, host: HostArgs, placement: ClusterPlacement): { [name: string]: string } {
    const labels = { ...host.labels };
    for (const { hosts, label } of rolesOf(placement)) {
        // A host that no longer has the role keeps it until nobody is led there any more.
        if (hosts.includes(key)) {
            labels[label] = "true";
        }
    }
    return labels;
}

/** What runs on the hosts that have a label for it. */
export function rolesOf({ haproxy, pgbouncer }: ClusterPlacement): SpreadPlacement[] {
    return [haproxy, pgbouncer];
}

/** Whether the cluster has etcd members of its own. */
export function usesEtcd(args: PostgresClusterArgs): boolean {
    return args.externalEtcd === undefined && args.consul === undefined;
}

/** The hosts that are given, or that carry the given label. */
function spreadHosts(
    settings: { hosts?: string[]; placementLabel?: string } | undefined,
    hosts: { [key: string]: HostArgs },
): string[] | undefined {
    const label = settings?.placementLabel;
    const labelled = Object.keys(hosts).filter(
        (key) => label !== undefined && hosts[key]?.labels?.[label] !== undefined,
    );
    return settings?.hosts ?? (label === undefined ? undefined : labelled);
}

function spreadPlacement(clusterName: string, role: string, hosts: string[]): SpreadPlacement {
    const label = `pgha.${clusterName}.${role}`;
    return { hosts, label, constraint: `node.labels.${label}==true` };
}
