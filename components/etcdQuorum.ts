import * as pulumi from "@pulumi/pulumi";
import { checkEtcd } from "./checks/etcd";
import type { ServerCertificate } from "./clusterCertificates";
import { dcsClientPaths } from "./dcsClient";
import type { DcsConnection } from "./dcsConnection";
import { etcdRolloutMember, locateMembers, nameOf, scriptOf, startTimeoutSeconds } from "./etcdMember";
import { assertNoProblems } from "./platform/problems";
import { readiness } from "./platform/readiness";
import { rollOut } from "./platform/rollout";
import { HostConnection, ResourcesArgs, Target } from "./platform/workload";
import { describeEtcdChange } from "./render/changeWords";
import { DcsKind, etcd3Settings } from "./render/dcsSections";
import { renderEtcdReadyScript } from "./render/etcdScripts";
import { httpScheme } from "./render/http";

/** One member of the quorum. */
export interface EtcdMemberArgs {
    /**
     * Key of the host that it is pinned to.
     *
     * **Change:** the member leaves the quorum and joins it anew from the other host; what is in its old directory stays there, unused.
     */
    host: string;
    /**
     * Published TCP ports of this member alone.
     *
     * @default - the quorum's `clientPort` and `peerPort`; none for a member with an own address
     *
     * **Change:** as for the quorum's ports.
     */
    ports?: EtcdMemberPortsArgs;
    /**
     * Address of its own on the bridge network of a single Docker host, where the other members and the Patroni nodes then find it.
     *
     * @default - members are found at their host's address
     *
     * **Change:** rolling restart.
     */
    address?: string;
}

/** Published TCP ports of one etcd member. */
export interface EtcdMemberPortsArgs {
    /** @default - the quorum's `clientPort` */
    client?: number;
    /** @default - the quorum's `peerPort` */
    peer?: number;
    /** @default - the quorum's `metricsPort` */
    metrics?: number;
}

/** Settings of etcd. */
export interface EtcdSettingsArgs {
    /**
     * Time between heartbeats of the leader, in milliseconds.
     *
     * @default 100 - etcd's own
     *
     * **Change:** rolling restart.
     */
    heartbeatIntervalMilliseconds?: number;
    /**
     * Time without heartbeats after which a new leader is elected, in milliseconds: at least five heartbeats, at most 50,000.
     *
     * @default 1000 - etcd's own
     *
     * **Change:** rolling restart.
     */
    electionTimeoutMilliseconds?: number;
    /**
     * Size of the database in MiB at which etcd stops taking writes.
     *
     * @default 2048 - etcd's own
     *
     * **Change:** rolling restart.
     */
    quotaBackendMiB?: number;
    /**
     * TCP port for clients, on each member's host.
     *
     * @default 2379
     *
     * **Change:** rolling restart of etcd and Patroni.
     */
    clientPort?: number;
    /**
     * TCP port for the other members, on each member's host.
     *
     * @default 2380
     *
     * **Change:** rolling restart.
     */
    peerPort?: number;
    /**
     * TCP port of metrics and health for Prometheus, without TLS, on each member's host. It shows and takes no data.
     *
     * @default 2381
     *
     * **Change:** rolling restart.
     */
    metricsPort?: number;
    /**
     * Name of a label that the hosts of etcd must carry in their `labels`, beside the one that pins each member to its host. Seed 002
     * gives each host a value of its own, seed 004 all hosts the same, which alone could put two members on one host.
     *
     * @default - none
     *
     * **Change:** rolling restart.
     */
    placementLabel?: string;
    /**
     * CPU and memory of each member. Source of the default: seed 000.
     *
     * @default - at most 0.5 CPU and 512 MiB, with 0.1 CPU and 128 MiB reserved
     *
     * **Change:** rolling restart.
     */
    resources?: ResourcesArgs;
}

/** Arguments of {@link EtcdQuorum}. */
export interface EtcdQuorumArgs extends EtcdSettingsArgs {
    target: Target;
    /** Hosts by key. */
    hosts: { [key: string]: HostConnection };
    /**
     * Members by key; an odd number, each on a host of its own.
     *
     * **Change:** in place: members join and leave one after the other, and data of those that leave stays where it is. Patroni is told the
     * first three, of seven the first four; only where one of these changes, its nodes restart one after the other. A change by which more
     * than a minority would leave or move is refused.
     */
    members: { [key: string]: EtcdMemberArgs };
    /**
     * TLS between members and with clients, both of which must show a certificate.
     *
     * @default - none: plain text
     *
     * **Change:** rolling restart when certificates change; to and from none is not possible: members know each other by URL.
     */
    certificates?: EtcdCertificatesArgs;
    /** Image, by digest. It must honour the contract in images/README.md. */
    image: pulumi.Input<string>;
    /**
     * Directory on each host that gets `<cluster>/<member>`.
     *
     * @default "/srv/pgha"
     *
     * **Change:** not possible: data is never moved.
     */
    dataRoot?: string;
    /**
     * Whether data is kept in a named volume `<cluster>-<member>` on each host, instead of a directory under `dataRoot`.
     *
     * @default false
     *
     * **Change:** not possible: data is never moved.
     */
    dataVolumes?: boolean;
}

/** Certificates of an authority that signs for nobody else: who has one of them may write to etcd. */
export interface EtcdCertificatesArgs {
    /** Of each member by key, good for servers and clients. */
    members: { [key: string]: ServerCertificate };
    /** For Patroni, as a client. */
    client: ServerCertificate;
}

/** What others need to talk to an etcd quorum. `EtcdQuorum` and `ExternalEtcd` satisfy it. */
export interface EtcdConnection {
    /** Client URLs of all members. Resolves when the quorum is healthy. */
    endpoints: pulumi.Output<string[]>;
    /** Client URLs, known without waiting. */
    endpointUrls: string[];
}

/**
 * An etcd quorum: one Swarm service or container for each member, on its own host, with its data in a directory or volume of the host.
 *
 * Members know each other by host address. An update replaces one member at a time, and the next only when the quorum is healthy again.
 *
 * @example
 * ```typescript
 * const quorum = new EtcdQuorum("pg-etcd", { target, hosts, image, members: { db1: { host: "db1" }, db2: { host: "db2" }, db3: { host: "db3" } } });
 * ```
 */
export class EtcdQuorum extends pulumi.ComponentResource implements EtcdConnection, DcsConnection {
    public readonly endpoints: pulumi.Output<string[]>;
    public readonly endpointUrls: string[];
    public readonly dcsKind: DcsKind = DcsKind.Etcd3;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in DcsConnection
    public readonly dcsSettings: { [name: string]: any };
    public readonly dcsCertificate?: ServerCertificate;
    public readonly dcsSettled: pulumi.Output<string>;

    constructor(name: string, args: EtcdQuorumArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:EtcdQuorum", name, {}, opts);
        assertNoProblems(checkEtcd("etcd", args));

        const members = locateMembers(args);
        const scheme = httpScheme(args.certificates !== undefined);
        this.endpointUrls = members.map(
            ({ location: { address, client } }) => `${scheme}://${address}:${client.known}`,
        );
        const ready = rollOut(
            name,
            {
                target: args.target,
                members: members.map((member) => etcdRolloutMember(member, members, args)),
                ready: members[0] ? renderEtcdReadyScript(scriptOf(members[0], args), members.map(nameOf)) : "",
                announceMembers: describeEtcdChange,
                startTimeoutSeconds,
            },
            { parent: this },
        );
        this.dcsCertificate = args.certificates?.client;
        this.dcsSettings = etcd3Settings(contactsOf(this.endpointUrls), args.certificates && dcsClientPaths);
        this.dcsSettled = readiness(ready);
        this.endpoints = this.dcsSettled.apply(() => this.endpointUrls);
        this.registerOutputs({ endpoints: this.endpoints });
    }
}

/**
 * Whom Patroni asks for the members, of which it keeps the list by itself. Every quorum of five has one of three members, so that nodes need
 * not restart where members come after the third, and go again.
 */
function contactsOf(urls: string[]): string[] {
    return urls.slice(0, Math.max(3, Math.floor(urls.length / 2) + 1));
}
