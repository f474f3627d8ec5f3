import { isIPv4 } from "node:net";
import type { ClusterPlacement } from "../clusterPlacement";
import { defaultResources } from "../defaults";
import { normalizePatroniSettings } from "../patroniSettings";
import type { ResourcesArgs } from "../platform/workload";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { addressPlace, checkSubnet, checkSubnetApart } from "./network";
import { Problem } from "./problem";
import { duplicated } from "./values";

/** Checks that a cluster has one platform, and no setting of the other. */
export function checkPlatform(args: PostgresClusterArgs): Problem[] {
    const { swarm, dockerHosts } = args;
    if ((swarm === undefined) === (dockerHosts === undefined)) {
        const given = swarm === undefined ? "neither was given" : "both were given";
        return [{ path: "swarm", reason: `${given}; exactly one of swarm and dockerHosts is allowed` }];
    }
    if (dockerHosts === undefined) {
        return [];
    }
    const network: Problem[] =
        args.network === undefined
            ? []
            : [
                  {
                      path: "network",
                      reason: "it is the overlay of a Swarm; with dockerHosts only dockerHosts.subnet is allowed",
                  },
              ];
    const pooled = args.haproxy?.ports?.pooled;
    const pooler: Problem[] =
        pooled === undefined
            ? []
            : [
                  {
                      path: "haproxy.ports.pooled",
                      reason: `${pooled} was given; HAProxy finds PgBouncer on a Swarm's overlay, so with dockerHosts only pgbouncer.port is allowed`,
                  },
              ];
    const placementLabels = (["etcd", "patroni", "haproxy", "pgbouncer"] as const)
        .filter((part) => args[part]?.placementLabel !== undefined)
        .map((part) => ({
            path: `${part}.placementLabel`,
            reason: "it is for labels of Swarm nodes, and with dockerHosts there are none; name the hosts instead",
        }));
    const consul: Problem[] =
        args.consul === undefined
            ? []
            : [
                  {
                      path: "consul",
                      reason: "Consul was given; with dockerHosts only etcd is allowed, because the Docker provider takes a port with TCP and UDP for changed at every other refresh",
                  },
              ];
    const hosts = Object.entries(args.hosts).flatMap(([key, host]) =>
        (["nodeName", "labels", "placementLabel"] as const)
            .filter((name) => host[name] !== undefined)
            .map((name) => ({
                path: `hosts.${key}.${name}`,
                reason: "it is for the host's Swarm node, and with dockerHosts there is none; leave it out",
            })),
    );
    return [...network, ...pooler, ...placementLabels, ...consul, ...hosts];
}

/** Checks the address range of the bridge networks. */
export function checkBridge(path: string, subnet: string | undefined, hostAddresses: string[]): Problem[] {
    return subnet === undefined ? [] : [...checkSubnet(path, subnet), ...checkSubnetApart(path, subnet, hostAddresses)];
}

/** Checks the containers' own addresses. */
export function checkAddresses(args: PostgresClusterArgs): Problem[] {
    const own = ownAddresses(args);
    const [first] = own;
    if (first === undefined) {
        return [];
    }
    const subnet = args.dockerHosts?.subnet;
    const hostCount = Object.keys(args.hosts).length;
    if (args.dockerHosts === undefined || hostCount !== 1 || subnet === undefined) {
        return own.map(({ path, value }) => ({
            path,
            reason: `"${value}" was given; an own address needs dockerHosts with a subnet, and exactly one host`,
        }));
    }
    const misplaced = own.flatMap(({ path, value }) => {
        const place = isIPv4(value) ? addressPlace(subnet, value) : undefined;
        if (place === "usable") {
            return [];
        }
        const reason = `"${value}" was given${place === undefined ? "" : `, which is ${place}`}; a free address inside ${subnet} is allowed`;
        return [{ path, reason }];
    });
    const twice = duplicated(own).map(({ value, paths }) => ({
        path: paths.at(-1) ?? "dockerHosts",
        reason: `"${value}" stands in ${paths.join(" and ")}; each needs its own`,
    }));
    return [...misplaced, ...twice];
}

function ownAddresses(args: PostgresClusterArgs): { path: string; value: string }[] {
    const places: { path: string; value?: string }[] = [
        ...Object.entries(args.etcd?.members ?? {}).map(([key, member]) => ({
            path: `etcd.members.${key}.address`,
            value: member.address,
        })),
        ...Object.entries(args.patroni?.nodes ?? {}).map(([key, node]) => ({
            path: `patroni.nodes.${key}.address`,
            value: node.address,
        })),
        { path: "haproxy.address", value: args.haproxy?.address },
        { path: "pgbouncer.address", value: args.pgbouncer?.address },
    ];
    return places.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, value }]));
}

/** Checks that what a plain host's containers reserve fits into its memory: no scheduler refuses it there. */
export function checkReservations(args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    if (args.dockerHosts === undefined) {
        return [];
    }
    const memory = (own: ResourcesArgs | undefined, usual: ResourcesArgs): number =>
        (own ?? usual).memoryReservationMiB ?? 0;
    const etcd = memory(args.etcd?.resources, defaultResources.etcd);
    const node = memory(
        args.patroni?.resources,
        normalizePatroniSettings(args.patroni ?? {}, placement.smallestMemoryMiB).resources,
    );
    const exporter = args.exporter?.enabled === false ? 0 : memory(args.exporter?.resources, defaultResources.exporter);
    const haproxy = memory(args.haproxy?.resources, defaultResources.haproxy);
    const pgbouncer = memory(args.pgbouncer?.resources, defaultResources.pgbouncer);
    return Object.entries(args.hosts).flatMap(([key, { memoryMiB }]) => {
        const on = (members: { [key: string]: { host: string } }): number =>
            Object.values(members).filter((member) => member.host === key).length;
        const runs = (hosts: string[]): number => (hosts.includes(key) ? 1 : 0);
        const wanted =
            etcd * on(placement.etcd.members) +
            (node + exporter) * on(placement.patroni.nodes) +
            haproxy * runs(placement.haproxy.hosts) +
            pgbouncer * runs(placement.pgbouncer.hosts);
        const reason = `${memoryMiB} was given, but the containers there reserve ${wanted} MiB together; lower memoryReservationMiB of a part, or place fewer there`;
        return wanted > memoryMiB ? [{ path: `hosts.${key}.memoryMiB`, reason }] : [];
    });
}
