import { isIPv4 } from "node:net";
import type { ClusterPlacement } from "../clusterPlacement";
import type { FirewallArgs, FirewallPortsArgs, FirewallSettingsArgs } from "../firewall";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { parseNetwork } from "./network";
import { portsByHost } from "./ports";
import { Problem } from "./problem";

/** What is known of a host, as the firewall sees it. */
interface FirewallHost {
    address: string;
    ssh?: { port?: number };
}

/** Checks the firewall. */
export function checkFirewall(path: string, args: FirewallArgs): Problem[] {
    return [
        ...checkFirewallSettings(path, args),
        ...Object.entries(args.hosts).flatMap(([key, host]) => checkFirewallHost(key, host, args.ports[key])),
    ];
}

/** Checks the firewall of a cluster, where there is one. */
export function checkClusterFirewall(path: string, args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    if (args.firewall === undefined) {
        return [];
    }
    const ports = portsByHost(args, placement);
    return [
        ...checkFirewallSettings(path, args.firewall),
        ...Object.entries(args.hosts).flatMap(([key, host]) => checkFirewallHost(key, host, ports[key])),
    ];
}

/** Checks who may come in. */
function checkFirewallSettings(path: string, settings: FirewallSettingsArgs): Problem[] {
    const { clients, monitoring = [], operators = [] } = settings;
    const problems = Object.entries({ clients, monitoring, operators }).flatMap(([name, sources]) =>
        sources.flatMap((source, index) => checkSource(`${path}.${name}[${index}]`, source)),
    );
    if (clients.length === 0) {
        const reason = `no source was given; at least one is needed, such as "10.0.0.0/8", or nobody gets through`;
        problems.push({ path: `${path}.clients`, reason });
    }
    return problems;
}

/** Checks that the firewall can know a host's packets, and never closes its sshd. */
function checkFirewallHost(key: string, host: FirewallHost, ports: FirewallPortsArgs | undefined): Problem[] {
    const problems: Problem[] = [];
    if (!isIPv4(host.address)) {
        const reason = `"${host.address}" was given; with a firewall an IPv4 address is allowed`;
        problems.push({ path: `hosts.${key}.address`, reason });
    }
    const published = Object.values<number[]>({ ...ports }).flat();
    for (const port of new Set([22, host.ssh?.port ?? 22])) {
        if (published.includes(port)) {
            const reason = `port ${port} of host "${key}" is sshd's and the cluster's; the firewall would close it to you`;
            problems.push({ path: `hosts.${key}.ssh.port`, reason });
        }
    }
    return problems;
}

function checkSource(path: string, source: string): Problem[] {
    const cidr = source.includes("/") ? source : `${source}/32`;
    const network = parseNetwork(cidr);
    if (network === undefined) {
        return [
            { path, reason: `"${source}" was given; an IPv4 address or a network such as "10.1.0.0/16" is allowed` },
        ];
    }
    return (network.address & ~network.mask) === 0
        ? []
        : [{ path, reason: `"${source}" was given; a network's own address is allowed, without bits of a host in it` }];
}
