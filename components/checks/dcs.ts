import type { ConsulQuorumArgs } from "../consulQuorum";
import type { ExternalEtcdArgs } from "../externalEtcd";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { checkMembers, checkQuorumSize } from "./members";
import { checkClusterName } from "./names";
import { Problem } from "./problem";
import { checkAddress, checkNumber, checkNumbers, checkResources, duplicated, portBounds } from "./values";

/** Checks that the cluster's arguments name one store, and have the image for it. */
export function checkDcsChoice(args: PostgresClusterArgs): Problem[] {
    const given = (["etcd", "externalEtcd", "consul"] as const).filter((name) => args[name] !== undefined);
    const chosen = args.externalEtcd === undefined ? (args.consul === undefined ? "etcd" : "consul") : "externalEtcd";
    const problems: Problem[] = [];
    if (given.length > 1) {
        const reason = `it was given together with ${given.slice(0, -1).join(" and ")}; Patroni uses one store only`;
        problems.push({ path: given.at(-1) ?? "", reason });
    } else if (chosen !== "externalEtcd" && args.images[chosen] === undefined) {
        problems.push({ path: `images.${chosen}`, reason: `none was given; ${chosen}'s members need one` });
    }
    return problems;
}

/** Checks an etcd quorum that is there already. */
export function checkExternalEtcd(path: string, { endpoints }: ExternalEtcdArgs): Problem[] {
    const problems = endpoints.flatMap((url, index) => checkEndpoint(`${path}.endpoints[${index}]`, url));
    if (endpoints.length === 0) {
        problems.push({ path: `${path}.endpoints`, reason: "none was given; at least one is needed" });
    }
    if (new Set(endpoints.map((url) => url.split(":")[0])).size > 1) {
        const reason = `both http and https were given; Patroni uses one scheme for all members`;
        problems.push({ path: `${path}.endpoints`, reason });
    }
    const places = endpoints.map((value, index) => ({ path: `${path}.endpoints[${index}]`, value }));
    return [
        ...problems,
        ...duplicated(places).map(({ value, paths }) => ({
            path: paths.at(-1) ?? path,
            reason: `"${value}" stands in ${paths.join(" and ")}; each member has a URL of its own`,
        })),
    ];
}

function checkEndpoint(path: string, url: string): Problem[] {
    const [, address, port] = /^https?:\/\/([^/:@]+):(\d+)$/.exec(url) ?? [];
    if (address === undefined) {
        return [{ path, reason: `"${url}" was given; a URL such as "http://192.0.2.21:2379" is allowed` }];
    }
    return [...checkAddress(path, address), ...checkNumber(path, Number(port), portBounds)];
}

/** Checks a quorum of Consul servers. */
export function checkConsul(path: string, args: ConsulQuorumArgs): Problem[] {
    return [
        ...checkClusterName("target.clusterName", args.target.clusterName),
        ...checkConsulSettings(path, args),
        ...checkMembers(`${path}.members`, args.target.clusterName, args.members, args.hosts, false),
    ];
}

/** Checks what can be told without the hosts. */
export function checkConsulSettings(
    path: string,
    args: Omit<ConsulQuorumArgs, "target" | "hosts" | "image">,
): Problem[] {
    return [
        ...checkNumbers(path, args, { httpPort: portBounds, serverPort: portBounds, gossipPort: portBounds }),
        ...checkResources(`${path}.resources`, args.resources),
        ...checkQuorumSize(`${path}.members`, Object.keys(args.members).length),
    ];
}

/** Checks that each node's host has a store to talk to, where the store is one by host. */
export function checkDcsHosts(
    path: string,
    nodes: { [key: string]: { host: string } },
    storeHosts: string[] | undefined,
): Problem[] {
    return Object.entries(nodes)
        .filter(([, { host }]) => storeHosts !== undefined && !storeHosts.includes(host))
        .map(([key, { host }]) => ({
            path: `${path}.${key}.host`,
            reason: `"${host}" was given; no Consul server runs there, and a node talks to the one of its own host; add one to consul.members`,
        }));
}
