import type { ClusterPlacement } from "../clusterPlacement";
import { defaultPoolerSubnet, hostLabel, mostPoolersBehindRouter } from "../defaults";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { checkServiceLabels } from "./names";
import { checkSubnetApart, checkSubnetsApart } from "./network";
import { checkPlacementLabel, checkSharedLabel } from "./placement";
import { Problem } from "./problem";

/** Checks how clients get to the servers, and by which labels of the user's the parts find their hosts. */
export function checkRouting(args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    return [
        ...checkServiceLabels("haproxy.labels", args.haproxy?.labels, args.labels ?? {}),
        // What only a Swarm has is refused elsewhere, as such.
        ...(args.dockerHosts === undefined
            ? [...checkPlacementLabels(args, placement), ...checkPooledPath(args, placement)]
            : []),
    ];
}

function checkPlacementLabels(args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    const { etcd, patroni, haproxy, pgbouncer } = args;
    const labelled = (keys: string[]) =>
        keys.flatMap((key) => {
            const host = args.hosts[key];
            return host === undefined ? [] : [{ key, labels: { ...host.labels, [hostLabel]: key } }];
        });
    const hostsOf = (members: { [key: string]: { host: string } }) =>
        labelled(Object.values(members).map((member) => member.host));
    const poolers = labelled(placement.pgbouncer.hosts);
    return [
        ...checkPlacementLabel("etcd.placementLabel", etcd?.placementLabel, hostsOf(placement.etcd.members)),
        ...checkPlacementLabel("patroni.placementLabel", patroni?.placementLabel, hostsOf(placement.patroni.nodes)),
        ...checkSharedLabel("haproxy.placementLabel", haproxy?.placementLabel, labelled(placement.haproxy.hosts)),
        ...(pgbouncer?.enabled === false
            ? []
            : checkSharedLabel("pgbouncer.placementLabel", pgbouncer?.placementLabel, poolers)),
    ];
}

/** Clients go to PgBouncer, or through HAProxy to it: each way by itself is fine, both at once are not. */
function checkPooledPath(args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    const { pgbouncer = {}, network = {} } = args;
    const path = "haproxy.ports.pooled";
    const pooled = args.haproxy?.ports?.pooled;
    if (pooled === undefined) {
        return network.poolerSubnet === undefined
            ? []
            : [{ path: "network.poolerSubnet", reason: `"${network.poolerSubnet}" was given; it needs ${path}` }];
    }
    const addresses = Object.values(args.hosts).map((host) => host.address);
    const problems = [
        ...checkSubnetApart("network.poolerSubnet", network.poolerSubnet ?? defaultPoolerSubnet, addresses),
        ...(network.existingNetworkId === undefined ? checkSubnetsApart("network", network) : []),
    ];
    if (pgbouncer.enabled === false) {
        problems.push({ path, reason: `${pooled} was given, but pgbouncer.enabled is false; it needs PgBouncer` });
    }
    if (pgbouncer.port !== undefined) {
        const reason = `${pgbouncer.port} was given beside ${path}; PgBouncer then publishes no port of its own`;
        problems.push({ path: "pgbouncer.port", reason });
    }
    const count = placement.pgbouncer.hosts.length;
    if (count > mostPoolersBehindRouter) {
        const reason = `${count} hosts were given; HAProxy balances over at most ${mostPoolersBehindRouter} PgBouncers`;
        problems.push({ path: "pgbouncer.hosts", reason });
    }
    return problems;
}
