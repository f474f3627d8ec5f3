import * as pulumi from "@pulumi/pulumi";
import { checkEtcd } from "./checks/etcd";
import type { DcsConnection } from "./dcsConnection";
import { containerPaths, defaultDataRoot, defaultPorts, etcdDefaults, workloadNames } from "./defaults";
import { objectName } from "./platform/objectName";
import { labelConstraints } from "./platform/placement";
import { assertNoProblems } from "./platform/problems";
import { rollOut } from "./platform/rollout";
import { HostConnection, ResourcesArgs, SwarmTarget, Workload } from "./platform/workload";
import { DcsKind, etcd3Settings } from "./render/dcsSections";
import { renderEtcdYaml } from "./render/etcdYaml";
import { failFunction, inContainerFunction, waitFor } from "./render/shell";

/** One member of the quorum. */
export interface EtcdMemberArgs {
    /**
     * Key of the host that it is pinned to.
     *
     * **Change:** not possible; take the member out and add another.
     */
    host: string;
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
     * **Change:** not possible: members know each other by it.
     */
    peerPort?: number;
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
    target: SwarmTarget;
    /** Hosts by key. */
    hosts: { [key: string]: HostConnection };
    /**
     * Members by key; an odd number, each on a host of its own.
     *
     * **Change:** not possible yet for a living quorum.
     */
    members: { [key: string]: EtcdMemberArgs };
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
}

/** What others need to talk to an etcd quorum. `EtcdQuorum` and `ExternalEtcd` satisfy it. */
export interface EtcdConnection {
    /** Client URLs of all members. Resolves when the quorum is healthy. */
    endpoints: pulumi.Output<string[]>;
    /** Client URLs, known without waiting. */
    endpointUrls: string[];
}

/** Source: the resource table of seed 000. */
const defaultResources: ResourcesArgs = {
    cpuLimit: 0.5,
    memoryLimitMiB: 512,
    cpuReservation: 0.1,
    memoryReservationMiB: 128,
};

/** Free space, in MiB, that a member needs to begin with: the quota, a snapshot and the write-ahead log fit many times at Patroni's size. */
const minimumFreeMiB = 512;

/** Time for the members to run, and then to form a quorum. */
const startTimeoutSeconds = 120;

/**
 * An etcd quorum: one Swarm service for each member, pinned to its host by label, with its data in a directory of the host.
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

    constructor(name: string, args: EtcdQuorumArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:EtcdQuorum", name, {}, opts);
        assertNoProblems(checkEtcd("etcd", args));

        const members = locateMembers(args);
        const ready = rollOut(
            name,
            {
                target: args.target,
                members: members.map((member) => ({
                    ...member,
                    constraints: labelConstraints(args.placementLabel, [member.host]),
                    workload: etcdWorkload(member.key, members, args),
                    afterUpdate: quorumScript(member.host, member.key, args),
                })),
                ready: members[0] ? quorumScript(members[0].host, members[0].key, args) : "",
                startTimeoutSeconds,
            },
            { parent: this },
        );
        const port = args.clientPort ?? defaultPorts.etcdClient;
        this.endpointUrls = members.map((member) => `http://${member.host.address}:${port}`);
        this.dcsSettings = etcd3Settings(this.endpointUrls);
        this.endpoints = ready.urn.apply(() => this.endpointUrls);
        this.registerOutputs({ endpoints: this.endpoints });
    }
}

interface LocatedMember {
    key: string;
    host: HostConnection;
}

function locateMembers(args: EtcdQuorumArgs): LocatedMember[] {
    return Object.entries(args.members).flatMap(([key, member]) => {
        const host = args.hosts[member.host];
        return host === undefined ? [] : [{ key, host }];
    });
}

function etcdWorkload(key: string, members: LocatedMember[], args: EtcdQuorumArgs): Workload {
    const clientPort = args.clientPort ?? defaultPorts.etcdClient;
    const peerPort = args.peerPort ?? defaultPorts.etcdPeer;
    const config = renderEtcdYaml({
        name: workloadNames.etcd(key),
        members: members.map((member) => ({ name: workloadNames.etcd(member.key), address: member.host.address })),
        clusterToken: args.target.clusterName,
        clientPort,
        peerPort,
        heartbeatIntervalMilliseconds: args.heartbeatIntervalMilliseconds ?? etcdDefaults.heartbeatIntervalMilliseconds,
        electionTimeoutMilliseconds: args.electionTimeoutMilliseconds ?? etcdDefaults.electionTimeoutMilliseconds,
        quotaBackendMiB: args.quotaBackendMiB ?? 2048,
    });
    return {
        name: workloadNames.etcd(key),
        image: args.image,
        args: ["etcd", "--config-file", containerPaths.etcdConfig],
        files: [{ key: "config", path: containerPaths.etcdConfig, content: config, secret: false }],
        data: {
            hostPath: `${args.dataRoot ?? defaultDataRoot}/${args.target.clusterName}/${workloadNames.etcd(key)}`,
            path: containerPaths.etcdData,
            minimumFreeMiB,
        },
        tmpfs: [{ path: "/tmp", sizeMiB: 16 }],
        ports: [
            { target: defaultPorts.etcdClient, published: clientPort },
            { target: defaultPorts.etcdPeer, published: peerPort },
        ],
        resources: args.resources ?? defaultResources,
        // A member without quorum is not ill: killing it would not bring the others back.
        health: {
            command: ["etcdctl", "--command-timeout=3s", "endpoint", "status"],
            intervalSeconds: 5,
            timeoutSeconds: 5,
            retries: 6,
            startPeriodSeconds: 60,
        },
        stopGraceSeconds: 30,
        restartDelaySeconds: 1,
    };
}

/** Waits until every member of the quorum answers that it can commit. */
function quorumScript(host: HostConnection, key: string, args: EtcdQuorumArgs): string {
    const service = objectName(args.target.clusterName, workloadNames.etcd(key));
    const reason = `fail "the etcd quorum is not healthy after ${startTimeoutSeconds} s" "look at 'docker service logs ${service}' and run 'pulumi up' again"`;
    return [
        failFunction(host),
        inContainerFunction(service),
        "healthy() { in_container etcdctl --command-timeout=3s endpoint health --cluster >/dev/null 2>&1; }",
        waitFor("healthy", startTimeoutSeconds, reason),
    ].join("\n");
}
