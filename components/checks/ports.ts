import type { ClusterPlacement } from "../clusterPlacement";
import { defaultPorts } from "../defaults";
import type { FirewallPortsArgs } from "../firewall";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import type { PublishMode } from "../platform/workload";
import { Problem } from "./problem";
import { duplicated } from "./values";

/** A published port, and the setting that it comes from. */
interface PublishedPort {
    path: string;
    port: number;
    hosts: string[];
}

/** `PublishMode.Ingress`: from components the checks take only types. */
const ingress: `${PublishMode.Ingress}` = "ingress";

/** Ports that Swarm itself uses on every host. */
const swarmPorts = [2377, 7946, 4789];

/** Checks that no host publishes a port twice. */
export function checkPorts(args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    const ports = publishedPorts(args, placement);
    const reserved = ports
        .filter(({ port, hosts }) => args.swarm !== undefined && hosts.length > 0 && swarmPorts.includes(port))
        .map(({ path, port }) => ({ path, reason: `${port} was given; Swarm itself uses it on every host` }));
    const seen = new Set<string>();
    const overlaps = Object.keys(args.hosts).flatMap((host) => {
        const onHost = ports.filter(({ hosts }) => hosts.includes(host));
        return duplicated(onHost.map(({ path, port }) => ({ path, value: port })))
            .filter(({ paths }) => !seen.has(paths.join()) && seen.add(paths.join()))
            .map(({ value, paths }) => ({
                path: paths.at(-1) ?? "ports",
                reason: `port ${value} is given for ${paths.join(" and ")}, and both run on host "${host}"; each needs a port of its own there`,
            }));
    });
    return [...reserved, ...overlaps];
}

/** Each host's published ports, by who has business there. */
export function portsByHost(
    args: PostgresClusterArgs,
    placement: ClusterPlacement,
): { [key: string]: FirewallPortsArgs } {
    const ports = publishedPorts(args, placement);
    const of = (host: string, audience: keyof FirewallPortsArgs): number[] =>
        ports
            .filter(({ path, hosts }) => audienceOf(path) === audience && hosts.includes(host))
            .map(({ port }) => port);
    return Object.fromEntries(
        Object.keys(args.hosts).map((host) => [
            host,
            { members: of(host, "members"), clients: of(host, "clients"), monitoring: of(host, "monitoring") },
        ]),
    );
}

/** Who has business at the port of a setting. */
function audienceOf(path: string): keyof FirewallPortsArgs {
    if (/exporter|statistics|metrics/.test(path)) {
        return "monitoring";
    }
    return /^(etcd|consul|patroni)\./.test(path) ? "members" : "clients";
}

function publishedPorts(args: PostgresClusterArgs, placement: ClusterPlacement): PublishedPort[] {
    const consul = Object.values(placement.consul.members).map((member) => member.host);
    // The ingress mesh takes a port on every host of the Swarm.
    const everywhere = String(args.swarm?.publishMode) === ingress ? Object.keys(args.hosts) : undefined;
    const haproxy = everywhere ?? placement.haproxy.hosts;
    const pgbouncer = everywhere ?? placement.pgbouncer.hosts;
    const ports = args.haproxy?.ports ?? {};
    const pooled =
        ports.pooled === undefined ? [] : [{ path: "haproxy.ports.pooled", port: ports.pooled, hosts: haproxy }];
    // Behind HAProxy, PgBouncer publishes nothing.
    const poolers = ports.pooled === undefined && args.pgbouncer?.enabled !== false ? pgbouncer : [];
    return [
        ...etcdPorts(args, placement),
        { path: "consul.httpPort", port: args.consul?.httpPort ?? defaultPorts.consulHttp, hosts: consul },
        { path: "consul.serverPort", port: args.consul?.serverPort ?? defaultPorts.consulServer, hosts: consul },
        { path: "consul.gossipPort", port: args.consul?.gossipPort ?? defaultPorts.consulGossip, hosts: consul },
        ...nodePorts(args, placement),
        { path: "haproxy.ports.readWrite", port: ports.readWrite ?? defaultPorts.readWrite, hosts: haproxy },
        { path: "haproxy.ports.readOnly", port: ports.readOnly ?? defaultPorts.readOnly, hosts: haproxy },
        { path: "haproxy.ports.any", port: ports.any ?? defaultPorts.any, hosts: haproxy },
        { path: "haproxy.ports.statistics", port: ports.statistics ?? defaultPorts.haproxyStats, hosts: haproxy },
        { path: "pgbouncer.port", port: args.pgbouncer?.port ?? defaultPorts.pgbouncer, hosts: poolers },
        ...pooled,
    ];
}

/** A port of the members: their own, or the group's, which is named once however many members use it. */
function memberPorts<Member extends { host: string; address?: string }>(
    args: PostgresClusterArgs,
    members: { path: string; name: string; all: { [key: string]: Member } },
    ofMember: (member: Member) => number | undefined,
    ofGroup: { path: string; port: number },
): PublishedPort[] {
    const entries = Object.entries(members.all);
    const published = (key: string, member: Member, port: number): PublishedPort => ({
        path: `${members.path}.${key}.ports.${members.name}`,
        port,
        hosts: [member.host],
    });
    const own = entries.flatMap(([key, member]) => {
        const port = ofMember(member);
        return port === undefined ? [] : [published(key, member, port)];
    });
    const others = entries.filter(([, member]) => ofMember(member) === undefined && member.address === undefined);
    // Members that share the only host stand for themselves; elsewhere no two may.
    const rest =
        Object.keys(args.hosts).length === 1
            ? others.map(([key, member]) => published(key, member, ofGroup.port))
            : [{ ...ofGroup, hosts: others.map(([, { host }]) => host) }];
    return [...own, ...rest];
}

function etcdPorts(args: PostgresClusterArgs, { etcd }: ClusterPlacement): PublishedPort[] {
    const {
        clientPort: client = defaultPorts.etcdClient,
        peerPort: peer = defaultPorts.etcdPeer,
        metricsPort: metrics = defaultPorts.etcdMetrics,
    } = args.etcd ?? {};
    const members = { path: "etcd.members", all: etcd.members };
    return [
        ...memberPorts(args, { ...members, name: "client" }, ({ ports }) => ports?.client, {
            path: "etcd.clientPort",
            port: client,
        }),
        ...memberPorts(args, { ...members, name: "peer" }, ({ ports }) => ports?.peer, {
            path: "etcd.peerPort",
            port: peer,
        }),
        ...memberPorts(args, { ...members, name: "metrics" }, ({ ports }) => ports?.metrics, {
            path: "etcd.metricsPort",
            port: metrics,
        }),
    ];
}

function nodePorts(args: PostgresClusterArgs, { patroni }: ClusterPlacement): PublishedPort[] {
    const { postgresPort: postgres = defaultPorts.postgres, apiPort: api = defaultPorts.patroniApi } =
        args.patroni ?? {};
    const nodes = { path: "patroni.nodes", all: patroni.nodes };
    return [
        ...memberPorts(args, { ...nodes, name: "postgres" }, ({ ports }) => ports?.postgres, {
            path: "patroni.postgresPort",
            port: postgres,
        }),
        ...memberPorts(args, { ...nodes, name: "api" }, ({ ports }) => ports?.api, {
            path: "patroni.apiPort",
            port: api,
        }),
        ...(args.exporter?.enabled === false
            ? []
            : memberPorts(args, { ...nodes, name: "exporter" }, ({ ports }) => ports?.exporter, {
                  path: "exporter.port",
                  port: args.exporter?.port ?? defaultPorts.exporter,
              })),
    ];
}
