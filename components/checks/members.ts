import { Problem } from "./problem";
import { checkKey, longestMemberKey } from "./names";
import { duplicated } from "./values";

/** etcd's own advice, and Consul's: more members cost every write and gain nothing (etcd FAQ, "maximum cluster size"). */
const mostQuorumMembers = 7;

/** A host as placement sees it. */
interface PlacedHost {
    constraint: string;
}

/** Checks that each member of a group is on a host that is known, and on one of its own. Those whose ports can differ may share the only host. */
export function checkMembers(
    path: string,
    clusterName: string,
    members: { [key: string]: { host: string } },
    hosts: { [key: string]: PlacedHost },
    mayShareOnlyHost = true,
): Problem[] {
    const entries = Object.entries(members);
    const longest = longestMemberKey(clusterName);
    const problems = entries.flatMap(([key, member]) => [
        // Where no key would fit it is the cluster's name that is wrong, and is reported.
        ...checkKey(`${path}.${key}`, key, longest < 1 ? undefined : longest),
        ...checkKnownHost(`${path}.${key}.host`, member.host, hosts),
    ]);
    if (mayShareOnlyHost && Object.keys(hosts).length === 1) {
        return problems;
    }
    const byHost = duplicated(entries.map(([key, member]) => ({ path: `${path}.${key}`, value: member.host })));
    const byLabel = duplicated(
        entries.map(([key, member]) => ({
            path: `${path}.${key}`,
            value: hosts[member.host]?.constraint ?? member.host,
        })),
    ).filter(({ paths }) => !byHost.some((same) => same.paths.join() === paths.join()));
    return [
        ...problems,
        ...byHost.map(({ value, paths }) => ({
            path: paths.at(-1) ?? path,
            reason: `${paths.join(" and ")} are both on host "${value}"; each member needs a host of its own, or one lost host takes both`,
        })),
        ...byLabel.map(({ value, paths }) => ({
            path: paths.at(-1) ?? path,
            reason: `${paths.join(" and ")} have the same placement "${value}", so both could land on one host; each host needs a label value of its own`,
        })),
    ];
}

/** Checks the number of members of a quorum. */
export function checkQuorumSize(path: string, count: number): Problem[] {
    if (count % 2 === 1 && count <= mostQuorumMembers) {
        return [];
    }
    const reason = `${count} members were given; an odd number from 1 to ${mostQuorumMembers} is allowed, because an even one tolerates no more losses than one less`;
    return [{ path, reason }];
}

/** Warns of members that share the only host. */
export function sharedHostWarnings(
    path: string,
    members: { [key: string]: { host: string } },
    hosts: { [key: string]: unknown },
): Problem[] {
    const count = Object.keys(members).length;
    return Object.keys(hosts).length === 1 && count > 1
        ? [
              {
                  path,
                  reason: `all ${count} are on one host, so the cluster survives the loss of a container, but not of the host`,
              },
          ]
        : [];
}

/** The known hosts of a group's members. */
export function memberHosts<T>(members: { [key: string]: { host: string } }, hosts: { [key: string]: T }): T[] {
    return Object.values(members).flatMap((member) => hosts[member.host] ?? []);
}

/** Checks that a host is known. */
export function checkKnownHost(path: string, host: string, hosts: { [key: string]: unknown }): Problem[] {
    return Object.hasOwn(hosts, host)
        ? []
        : [{ path, reason: `"${host}" was given; a known host is allowed: ${Object.keys(hosts).join(", ")}` }];
}

/** Checks the hosts of interchangeable containers, where they are given. */
export function checkSpread(path: string, hosts: string[] | undefined, known: { [key: string]: unknown }): Problem[] {
    if (hosts === undefined) {
        return [];
    }
    const problems = hosts.flatMap((host, index) => checkKnownHost(`${path}[${index}]`, host, known));
    for (const { value } of duplicated(hosts.map((host) => ({ path, value: host })))) {
        problems.push({ path, reason: `"${value}" was given more than once; each host runs one` });
    }
    if (hosts.length === 0) {
        problems.push({ path, reason: "no host was given; at least one is needed, and two so that one may fail" });
    }
    return problems;
}
