import { defaultPorts } from "./defaults";
import type { EtcdMemberArgs, EtcdSettingsArgs } from "./etcdQuorum";
import type { PatroniNodeArgs } from "./patroniNode";

/** One port of a member. */
interface PlacedPort {
    /** Port inside the container. */
    target: number;
    /** Port at which the others find it. */
    known: number;
    /** Port of the host that leads to it; undefined where it isn't published. */
    published?: number;
}

/** Where an etcd member is found. */
export interface EtcdLocation {
    address: string;
    client: PlacedPort;
    peer: PlacedPort;
    metrics: PlacedPort;
}

/** Where a Patroni node is found. */
export interface NodeLocation {
    address: string;
    postgres: PlacedPort;
    api: PlacedPort;
}

/** Tells where an etcd member is found. */
export function locateEtcdMember(
    hostAddress: string,
    member: EtcdMemberArgs,
    settings: EtcdSettingsArgs,
): EtcdLocation {
    const { address, ports } = member;
    return {
        address: address ?? hostAddress,
        client: placePort(address, defaultPorts.etcdClient, settings.clientPort, ports?.client),
        peer: placePort(address, defaultPorts.etcdPeer, settings.peerPort, ports?.peer),
        metrics: placePort(address, defaultPorts.etcdMetrics, settings.metricsPort, ports?.metrics),
    };
}

/** Tells where a Patroni node is found. */
export function locateNode(
    hostAddress: string,
    node: PatroniNodeArgs,
    settings: { postgresPort?: number; apiPort?: number },
): NodeLocation {
    const { address, ports } = node;
    return {
        address: address ?? hostAddress,
        postgres: placePort(address, defaultPorts.postgres, settings.postgresPort, ports?.postgres),
        api: placePort(address, defaultPorts.patroniApi, settings.apiPort, ports?.api),
    };
}

/** Those ports that the host publishes, as a workload states them. */
export function publishedPorts(...ports: PlacedPort[]): { target: number; published: number }[] {
    return ports.flatMap(({ target, published }) => (published === undefined ? [] : [{ target, published }]));
}

/**
 * A member is found at its host's address and published ports. One with an address of its own on the host's bridge network is found there,
 * at the container's own ports, and publishes nothing but what it asks for.
 */
function placePort(
    ownAddress: string | undefined,
    target: number,
    ofGroup: number | undefined,
    ofMember: number | undefined,
): PlacedPort {
    if (ownAddress !== undefined) {
        return { target, known: target, published: ofMember };
    }
    const published = ofMember ?? ofGroup ?? target;
    return { target, known: published, published };
}
