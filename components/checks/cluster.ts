import type { ClusterPlacement } from "../clusterPlacement";
import { placeOnHosts, usesEtcd } from "../clusterPlacement";
import { hostLabel } from "../defaults";
import type { HostArgs } from "../host";
import { patroniTiming, postgresParameters } from "../patroniSettings";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { checkTls } from "./certificates";
import { checkAdministrators, checkApplications, checkLoginsApart, passwordWarnings } from "./applications";
import { checkConsulSettings, checkDcsChoice, checkDcsHosts, checkExternalEtcd } from "./dcs";
import { checkAddresses, checkBridge, checkPlatform, checkReservations } from "./dockerHosts";
import { checkEtcdSettings } from "./etcd";
import { checkClusterFirewall } from "./firewall";
import { checkHaProxySettings } from "./haProxy";
import { checkHost, hostWarnings } from "./hosts";
import { checkKnownHost, checkMembers, checkSpread, sharedHostWarnings } from "./members";
import { checkClusterName, checkLabelName } from "./names";
import { checkNetwork, checkSubnetApart } from "./network";
import { checkAbsentNodes, checkNodes, checkPatroniSettings } from "./patroni";
import { checkPgBouncerSettings, checkPoolSizes } from "./pgBouncer";
import { checkPasswordGenerations } from "./passwords";
import { checkPorts } from "./ports";
import { Problem } from "./problem";
import { checkSlotsApart, checkWalLevel } from "./slots";
import { checkRouting } from "./routing";
import { timingWarnings } from "./timing";
import { checkNumber, checkResources, duplicated, portBounds } from "./values";

type Members = { [key: string]: { host: string } };

/** Checks everything about a cluster that can be told without its hosts. */
export function checkCluster(clusterName: string, args: PostgresClusterArgs): Problem[] {
    const placement = placeOnHosts(clusterName, args);
    const nodes = placement.patroni.nodes;
    const hosts = placedHosts(args);
    const memoryMiB = placement.smallestMemoryMiB;
    return [
        ...checkClusterName("clusterName", clusterName),
        ...Object.entries(args.hosts).flatMap(([key, host]) => checkHost(key, host)),
        ...checkHostsApart(args),
        ...checkLabelsApart(args.hosts),
        ...checkPlatform(args),
        ...(args.swarm === undefined ? [] : checkKnownHost("swarm.manager", args.swarm.manager, args.hosts)),
        ...Object.keys(args.labels ?? {}).flatMap((name) => checkLabelName("labels", name)),
        ...checkDataRoot("dataRoot", args.dataRoot),
        ...checkNetworks(args),
        ...checkDcs(clusterName, args, placement),
        ...checkPatroniSettings("patroni", args.patroni ?? {}, Object.keys(nodes).length, memoryMiB),
        ...checkMembers("patroni.nodes", clusterName, nodes, hosts),
        ...checkNodes("patroni.nodes", nodes),
        ...checkSlotsApart("patroni.slots", args.patroni?.slots, Object.keys(nodes)),
        ...checkAbsentNodes("patroni.absentNodes", args.patroni?.absentNodes, Object.keys(nodes)),
        ...checkHaProxySettings("haproxy", args.haproxy ?? {}),
        ...checkSpread("haproxy.hosts", args.haproxy?.hosts, args.hosts),
        ...checkRouting(args, placement),
        ...checkPgBouncerSettings("pgbouncer", args.pgbouncer ?? {}),
        ...checkSpread("pgbouncer.hosts", args.pgbouncer?.hosts, args.hosts),
        ...checkNumber("exporter.port", args.exporter?.port, portBounds),
        ...checkResources("exporter.resources", args.exporter?.resources),
        ...checkPorts(args, placement),
        ...checkAddresses(args),
        ...checkReservations(args, placement),
        ...checkTls("tls", args),
        ...checkPasswordGenerations("passwordGenerations", args.passwordGenerations),
        ...checkClusterFirewall("firewall", args, placement),
        ...checkApplications("applications", args.applications ?? {}),
        ...checkAdministrators("administrators", args.administrators ?? {}),
        ...checkLoginsApart(args.administrators ?? {}, args.applications ?? {}),
        ...checkConsumers(args, memoryMiB),
        ...checkPoolSizes(
            "pgbouncer",
            args.pgbouncer ?? {},
            placement.pgbouncer.hosts.length,
            Object.keys(args.applications ?? {}).length,
            Number(postgresParameters(args.patroni ?? {}, memoryMiB).max_connections),
        ),
        ...Object.entries(args.images).flatMap(([name, image]) => checkImage(`images.${name}`, image)),
    ];
}

/** Checks that changes can be decoded where an application has a consumer of them. */
function checkConsumers(args: PostgresClusterArgs, memoryMiB: number): Problem[] {
    const level = postgresParameters(args.patroni ?? {}, memoryMiB).wal_level;
    return Object.entries(args.applications ?? {})
        .filter(([, { replicationRoles }]) => Object.keys(replicationRoles ?? {}).length > 0)
        .flatMap(([key]) => checkWalLevel("patroni", level, `applications.${key}.replicationRoles`))
        .slice(0, 1);
}

function checkDcs(clusterName: string, args: PostgresClusterArgs, placement: ClusterPlacement): Problem[] {
    const { consul, etcd, externalEtcd } = args;
    const hosts = placedHosts(args);
    const servers = placement.consul.members;
    const members = (path: string, given: Members | undefined, placed: Members, mayShareOnlyHost: boolean): Problem[] =>
        checkMembers(path, clusterName, given ?? onKnownHosts(placed, args.hosts), hosts, mayShareOnlyHost);
    return [
        ...checkDcsChoice(args),
        ...(usesEtcd(args)
            ? [
                  ...checkEtcdSettings("etcd", { ...etcd, ...placement.etcd }),
                  ...members("etcd.members", etcd?.members, placement.etcd.members, true),
              ]
            : []),
        ...(externalEtcd === undefined ? [] : checkExternalEtcd("externalEtcd", externalEtcd)),
        ...(consul === undefined
            ? []
            : [
                  ...checkConsulSettings("consul", { ...consul, ...placement.consul }),
                  ...members("consul.members", consul.members, servers, false),
                  ...checkDcsHosts(
                      "patroni.nodes",
                      placement.patroni.nodes,
                      Object.values(servers).map(({ host }) => host),
                  ),
              ]),
    ];
}

/** Checks the network of the platform that is given. */
function checkNetworks(args: PostgresClusterArgs): Problem[] {
    const addresses = Object.values(args.hosts).map((host) => host.address);
    if (args.swarm === undefined) {
        return checkBridge("dockerHosts.subnet", args.dockerHosts?.subnet, addresses);
    }
    return [
        ...checkNetwork("network", args.network ?? {}),
        ...checkSubnetApart("network.subnet", args.network?.subnet, addresses),
    ];
}

/** What may be so, but should be known. */
export function clusterWarnings(args: PostgresClusterArgs): Problem[] {
    const hosts = Object.entries(args.hosts).flatMap(([key, host]) => hostWarnings(key, host));
    const images = Object.entries(args.images).flatMap(([name, image]) => imageWarnings(`images.${name}`, image));
    const single = (["haproxy", "pgbouncer"] as const).flatMap((role) =>
        args[role]?.hosts?.length === 1 && Object.keys(args.hosts).length > 1
            ? [{ path: `${role}.hosts`, reason: "one host is given; if it fails nobody gets through" }]
            : [],
    );
    const databases = Object.entries(args.applications ?? {}).map(([key, { database }]) => database ?? key);
    const slots = Object.entries(args.patroni?.slots ?? {})
        .filter(([, { database }]) => database !== undefined && !["postgres", ...databases].includes(database))
        .map(([name, { database }]) => ({
            path: `patroni.slots.${name}.database`,
            reason: `no application has the database "${database}"; the slot is made when somebody makes it`,
        }));
    const failsafe =
        args.patroni?.failsafeMode === false
            ? [
                  {
                      path: "patroni.failsafeMode",
                      reason: "false is given; the primary then stops taking writes whenever the store loses its quorum",
                  },
              ]
            : [];
    const timing = timingWarnings("patroni", patroniTiming(args.patroni ?? {}));
    const shared = [
        ...sharedHostWarnings("etcd.members", args.etcd?.members ?? {}, args.hosts),
        ...sharedHostWarnings("patroni.nodes", args.patroni?.nodes ?? {}, args.hosts),
    ];
    const passwords = passwordWarnings(args.administrators ?? {}, args.applications ?? {});
    return [...hosts, ...images, ...single, ...slots, ...failsafe, ...timing, ...shared, ...passwords];
}

/** Members that follow from the nodes: a node's unknown host is reported once, with the node. */
function onKnownHosts(members: Members, hosts: { [key: string]: unknown }): Members {
    return Object.fromEntries(Object.entries(members).filter(([, { host }]) => Object.hasOwn(hosts, host)));
}

/** Hosts as placement sees them: the label by which members are pinned. */
function placedHosts(args: PostgresClusterArgs): { [key: string]: { constraint: string } } {
    return Object.fromEntries(
        Object.entries(args.hosts).map(([key, host]) => {
            const label = host.placementLabel ?? hostLabel;
            return [key, { constraint: `${label}==${label === hostLabel ? key : (host.labels?.[label] ?? key)}` }];
        }),
    );
}

function checkHostsApart(args: PostgresClusterArgs): Problem[] {
    const entries = Object.entries(args.hosts);
    const addresses = entries.map(([key, host]) => ({ path: `hosts.${key}.address`, value: host.address }));
    const nodeNames = entries.map(([key, host]) => ({ path: `hosts.${key}.nodeName`, value: host.nodeName ?? key }));
    return [...duplicated(addresses), ...duplicated(nodeNames)].map(({ value, paths }) => ({
        path: paths.at(-1) ?? "hosts",
        reason: `"${value}" stands in ${paths.join(" and ")}; each host needs its own`,
    }));
}

/** Checks that no other host carries the label by which a host's members are pinned to it. */
function checkLabelsApart(hosts: { [key: string]: HostArgs }): Problem[] {
    const entries = Object.entries(hosts);
    return entries.flatMap(([key, host]) => {
        const label = host.placementLabel;
        const value = label === undefined ? undefined : host.labels?.[label];
        if (label === undefined || value === undefined) {
            return [];
        }
        return (
            entries
                .filter(([other, { labels }]) => other !== key && labels?.[label] === value)
                // Two hosts with the same placement are reported once, with their members.
                .filter(([, other]) => other.placementLabel !== label)
                .map(([other]) => ({
                    path: `hosts.${other}.labels["${label}"]`,
                    reason: `"${value}" was given; it places the members of host "${key}", so they could land here; each host needs a value of its own`,
                }))
        );
    });
}

function checkDataRoot(path: string, dataRoot: string | undefined): Problem[] {
    if (dataRoot === undefined || /^(\/(?!\.)[A-Za-z0-9._-]+)+$/.test(dataRoot)) {
        return [];
    }
    return [{ path, reason: `"${dataRoot}" was given; an absolute path of plain names is allowed` }];
}

function checkImage(path: string, image: unknown): Problem[] {
    if (typeof image !== "string" || /^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$/.test(image)) {
        return [];
    }
    return [{ path, reason: `"${image}" was given; a reference such as "registry/name:tag@sha256:…" is allowed` }];
}

function imageWarnings(path: string, image: unknown): Problem[] {
    if (typeof image !== "string" || image.includes("@sha256:")) {
        return [];
    }
    const reason = `"${image}" has no digest, so hosts may run different images and a new one is not rolled out; give "…@sha256:…"`;
    return [{ path, reason }];
}
