import type { EtcdQuorumArgs } from "../etcdQuorum";
import { Problem } from "./problem";
import { checkMembers } from "./members";
import { checkClusterName } from "./names";
import { checkNumbers, checkResources, portBounds } from "./values";

/** etcd's own advice: more members cost every write and gain nothing (etcd FAQ, "maximum cluster size"). */
const mostMembers = 7;

/** Checks an etcd quorum. */
export function checkEtcd(path: string, args: EtcdQuorumArgs): Problem[] {
    return [
        ...checkClusterName("target.clusterName", args.target.clusterName),
        ...checkEtcdSettings(path, args),
        ...checkMembers(`${path}.members`, args.target.clusterName, args.members, args.hosts),
    ];
}

/** Checks what can be told without the hosts. */
export function checkEtcdSettings(path: string, args: Omit<EtcdQuorumArgs, "target" | "hosts" | "image">): Problem[] {
    const count = Object.keys(args.members).length;
    const problems = [
        ...checkNumbers(path, args, {
            heartbeatIntervalMilliseconds: { min: 10, max: 5000 },
            electionTimeoutMilliseconds: { min: 50, max: 50000 },
            quotaBackendMiB: { min: 64, max: 8192 },
            clientPort: portBounds,
            peerPort: portBounds,
        }),
        ...checkResources(`${path}.resources`, args.resources),
    ];
    if (count % 2 === 0 || count > mostMembers) {
        const reason = `${count} members were given; an odd number from 1 to ${mostMembers} is allowed, because an even one tolerates no more losses than one less`;
        problems.push({ path: `${path}.members`, reason });
    }
    const heartbeat = args.heartbeatIntervalMilliseconds ?? 100;
    const election = args.electionTimeoutMilliseconds ?? 1000;
    if (election < 5 * heartbeat) {
        const reason = `${election} was given; at least five heartbeats (${5 * heartbeat}) are allowed, or etcd refuses to start`;
        problems.push({ path: `${path}.electionTimeoutMilliseconds`, reason });
    }
    return problems;
}
