import { etcdDefaults } from "../defaults";
import type { EtcdQuorumArgs } from "../etcdQuorum";
import { Problem } from "./problem";
import { checkMembers, checkQuorumSize, memberHosts } from "./members";
import { checkClusterName } from "./names";
import { checkPlacementLabel } from "./placement";
import { checkNumbers, checkResources, portBounds } from "./values";

/** Checks an etcd quorum. */
export function checkEtcd(path: string, args: EtcdQuorumArgs): Problem[] {
    return [
        ...checkClusterName("target.clusterName", args.target.clusterName),
        ...checkEtcdSettings(path, args),
        ...checkCertificates(`${path}.certificates.members`, args),
        ...checkMembers(`${path}.members`, args.target.clusterName, args.members, args.hosts),
        ...checkPlacementLabel(`${path}.placementLabel`, args.placementLabel, memberHosts(args.members, args.hosts)),
    ];
}

/** Checks what can be told without the hosts. */
export function checkEtcdSettings(path: string, args: Omit<EtcdQuorumArgs, "target" | "hosts" | "image">): Problem[] {
    const problems = [
        ...checkNumbers(path, args, {
            heartbeatIntervalMilliseconds: { min: 10, max: 5000 },
            electionTimeoutMilliseconds: { min: 50, max: 50000 },
            quotaBackendMiB: { min: 64, max: 8192 },
            clientPort: portBounds,
            peerPort: portBounds,
            metricsPort: portBounds,
        }),
        ...checkResources(`${path}.resources`, args.resources),
        ...checkQuorumSize(`${path}.members`, Object.keys(args.members).length),
        ...Object.entries(args.members).flatMap(([key, { ports }]) =>
            checkNumbers(`${path}.members.${key}.ports`, ports ?? {}, {
                client: portBounds,
                peer: portBounds,
                metrics: portBounds,
            }),
        ),
    ];
    const heartbeat = args.heartbeatIntervalMilliseconds ?? etcdDefaults.heartbeatIntervalMilliseconds;
    const election = args.electionTimeoutMilliseconds ?? etcdDefaults.electionTimeoutMilliseconds;
    if (election < 5 * heartbeat) {
        const reason = `${election} was given; at least five heartbeats (${5 * heartbeat}) are allowed, or etcd refuses to start`;
        problems.push({ path: `${path}.electionTimeoutMilliseconds`, reason });
    }
    return problems;
}

function checkCertificates(path: string, { members, certificates }: EtcdQuorumArgs): Problem[] {
    const missing = Object.keys(members).filter((key) => certificates && certificates.members[key] === undefined);
    return missing.map((key) => ({ path: `${path}.${key}`, reason: "none was given; each member needs one" }));
}
