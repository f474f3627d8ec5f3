import {
    ClusterImagesArgs,
    createDockerProvider,
    EndpointMode,
    HostArgs,
    HostConnection,
    PostgresCluster,
    PostgresClusterArgs,
    PublishMode,
    SqlConnection,
    SwarmTarget,
} from "../../components";
import * as pulumi from "@pulumi/pulumi";
import { record, RecordOptions } from "./mocks";
import { Recording } from "./recording";

/** A public key of the right form; nobody has its private one. */
export const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

/** A reference by digest. */
export function image(name: string): string {
    return `registry.example.com/pgha/${name}:1@sha256:${Buffer.from(name.padEnd(32, ".")).toString("hex")}`;
}

export const images: ClusterImagesArgs = {
    patroni: image("patroni"),
    etcd: image("etcd"),
    consul: image("consul"),
    haproxy: image("haproxy"),
    pgbouncer: image("pgbouncer"),
    exporter: image("exporter"),
};

/** Hosts db1, db2, ... with documentation addresses. */
export function hostArgs(count = 3): { [key: string]: HostArgs } {
    return Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
            `db${index + 1}`,
            { address: `192.0.2.${index + 11}`, memoryMiB: 4096, ssh: { hostKey } },
        ]),
    );
}

/** Arguments of a cluster on three hosts, with some of them changed. */
export function clusterArgs(changes: Partial<PostgresClusterArgs> = {}): PostgresClusterArgs {
    return { hosts: hostArgs(), swarm: { manager: "db1" }, images, ...changes };
}

/** Records the cluster `pg`. */
export function recordCluster(changes: Partial<PostgresClusterArgs> = {}, options?: RecordOptions): Promise<Recording> {
    return record(() => {
        createCluster(clusterArgs(changes));
    }, options);
}

/** Creates the cluster `pg` with a provider of its own. */
export function createCluster(args: PostgresClusterArgs): PostgresCluster {
    const providers = args.swarm ? [createDockerProvider("swarm", args.hosts, args.swarm.manager)] : [];
    return new PostgresCluster("pg", args, { providers });
}

/** A host as components see it. */
export function hostConnection(key: string): HostConnection {
    const address = `192.0.2.${10 + Number(key.slice(2))}`;
    return {
        key,
        address,
        sshAddress: address,
        ssh: { hostKey },
        constraint: `node.labels.pgha.host==${key}`,
        nodeName: key,
        ready: pulumi.output("ready"),
    };
}

/** The hosts db1, db2 and db3 by key. */
export function hostConnections(): { [key: string]: HostConnection } {
    return Object.fromEntries(["db1", "db2", "db3"].map((key) => [key, hostConnection(key)]));
}

/** The Swarm of the cluster `pg`. */
export function swarmTarget(changes: Partial<SwarmTarget> = {}): SwarmTarget {
    return {
        clusterName: "pg",
        manager: hostConnection("db1"),
        publishMode: PublishMode.Host,
        endpointMode: EndpointMode.DnsRoundRobin,
        labels: {},
        ...changes,
    };
}

/** The way to a primary. */
export function sqlConnection(): SqlConnection {
    return {
        host: hostConnection("db1"),
        serviceName: "pg-patroni-db1",
        conninfo: "host=192.0.2.11 port=5433",
        ready: pulumi.output(["ready"]),
    };
}

/** Arguments of a cluster on plain Docker hosts, three of them unless told otherwise. */
export function dockerHostsArgs(changes: Partial<PostgresClusterArgs> = {}): PostgresClusterArgs {
    return { hosts: hostArgs(), dockerHosts: {}, images, ...changes };
}

/** Arguments of a cluster with three members of each kind on a single Docker host, as in seed 003. */
export function singleHostArgs(changes: Partial<PostgresClusterArgs> = {}): PostgresClusterArgs {
    const members = (first: number) =>
        Object.fromEntries(
            ["a", "b", "c"].map((key, index) => [key, { host: "db1", address: `172.19.0.${first + index}` }]),
        );
    return {
        hosts: hostArgs(1),
        dockerHosts: { subnet: "172.19.0.0/24" },
        images,
        etcd: { members: members(11) },
        patroni: { nodes: members(21) },
        haproxy: { address: "172.19.0.30" },
        dataVolumes: true,
        ...changes,
    };
}
