import * as pulumi from "@pulumi/pulumi";
import { checkConsul } from "./checks/dcs";
import type { DcsConnection } from "./dcsConnection";
import { containerPaths, defaultDataRoot, defaultPorts } from "./defaults";
import { objectName } from "./platform/objectName";
import { assertNoProblems } from "./platform/problems";
import { readiness } from "./platform/readiness";
import { rollOut } from "./platform/rollout";
import { logsCommand } from "./platform/target";
import { HostConnection, ResourcesArgs, Target, Workload } from "./platform/workload";
import { refuseStoreChange, replacementWords } from "./render/changeWords";
import { renderConsulJson } from "./render/consulJson";
import { consulSettings, DcsKind } from "./render/dcsSections";
import { memberGuard } from "./render/memberGuard";
import { failFunction, inContainerFunction, waitFor } from "./render/shell";

/** One Consul server. */
export interface ConsulMemberArgs {
    /**
     * Key of the host that it is pinned to.
     *
     * **Change:** not possible; take the server out and add another.
     */
    host: string;
}

/** Settings of Consul. */
export interface ConsulSettingsArgs {
    /**
     * TCP port of the HTTP API, on each server's host.
     *
     * @default 8500
     *
     * **Change:** rolling restart of Consul and Patroni.
     */
    httpPort?: number;
    /**
     * TCP port for the other servers, on each server's host.
     *
     * @default 8300
     *
     * **Change:** not possible: servers know each other by it.
     */
    serverPort?: number;
    /**
     * TCP and UDP port of the gossip between servers, on each server's host.
     *
     * @default 8301
     *
     * **Change:** not possible: servers know each other by it.
     */
    gossipPort?: number;
    /**
     * CPU and memory of each server.
     *
     * @default - at most 0.5 CPU and 512 MiB, with 0.1 CPU and 128 MiB reserved
     *
     * **Change:** rolling restart.
     */
    resources?: ResourcesArgs;
}

/** Arguments of {@link ConsulQuorum}. */
export interface ConsulQuorumArgs extends ConsulSettingsArgs {
    target: Target;
    /** Hosts by key. */
    hosts: { [key: string]: HostConnection };
    /**
     * Servers by key; an odd number, each on a host of its own.
     *
     * **Change:** not possible yet for a living quorum.
     */
    members: { [key: string]: ConsulMemberArgs };
    /** Image, by digest. It must honour the contract in images/README.md. */
    image: pulumi.Input<string>;
    /**
     * Directory on each host that gets `<cluster>/<server>`.
     *
     * @default "/srv/pgha"
     *
     * **Change:** not possible: data is never moved.
     */
    dataRoot?: string;
    /**
     * Whether data is kept in a named volume `<cluster>-<server>` on each host, instead of a directory under `dataRoot`.
     *
     * @default false
     *
     * **Change:** not possible: data is never moved.
     */
    dataVolumes?: boolean;
}

/** As much as an etcd member gets: the store is as small. */
const defaultResources: ResourcesArgs = {
    cpuLimit: 0.5,
    memoryLimitMiB: 512,
    cpuReservation: 0.1,
    memoryReservationMiB: 128,
};

/** Free space, in MiB, that a server needs to begin with. */
const minimumFreeMiB = 512;

/** Time for the servers to run, and then to form a quorum. */
const startTimeoutSeconds = 120;

/**
 * A quorum of Consul servers: one Swarm service for each, pinned to its host by label, with its data in a directory of the host.
 *
 * Servers know each other by host address, and a Patroni node talks to the server of its own host, as Consul wants it. An update replaces
 * one server at a time, and the next only when the quorum is healthy again.
 *
 * @example
 * ```typescript
 * const quorum = new ConsulQuorum("pg-consul", { target, hosts, image, members: { db1: { host: "db1" }, db2: { host: "db2" }, db3: { host: "db3" } } });
 * ```
 */
export class ConsulQuorum extends pulumi.ComponentResource implements DcsConnection {
    /** URLs of the servers' HTTP API. Resolves when the quorum is healthy. */
    public readonly endpoints: pulumi.Output<string[]>;
    public readonly dcsKind: DcsKind = DcsKind.Consul;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in DcsConnection
    public readonly dcsSettings: { [name: string]: any } = {};
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in DcsConnection
    public readonly dcsHostSettings: { [hostKey: string]: { [name: string]: any } };
    public readonly dcsSettled: pulumi.Output<string>;

    constructor(name: string, args: ConsulQuorumArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ConsulQuorum", name, {}, opts);
        assertNoProblems(checkConsul("consul", args));

        const members = locateMembers(args);
        const ready = rollOut(
            name,
            {
                target: args.target,
                members: members.map((member) => ({
                    ...member,
                    workload: consulWorkload(member, members, args),
                    replacementWords: replacementWords.store(memberName(member.key), members.length),
                    beforeUpdate: guardScript(member, args),
                    afterUpdate: quorumScript(member, args),
                })),
                ready: members[0] ? quorumScript(members[0], args) : "",
                announceMembers: refuseStoreChange("Consul"),
                startTimeoutSeconds,
            },
            { parent: this },
        );
        const port = args.httpPort ?? defaultPorts.consulHttp;
        this.dcsSettled = readiness(ready);
        this.endpoints = this.dcsSettled.apply(() => members.map(({ host }) => `http://${host.address}:${port}`));
        this.dcsHostSettings = Object.fromEntries(
            members.map(({ host }) => [host.key, consulSettings(host.address, port)]),
        );
        this.registerOutputs({ endpoints: this.endpoints });
    }
}

interface LocatedMember {
    key: string;
    host: HostConnection;
}

function locateMembers(args: ConsulQuorumArgs): LocatedMember[] {
    return Object.entries(args.members).flatMap(([key, member]) => {
        const host = args.hosts[member.host];
        return host === undefined ? [] : [{ key, host }];
    });
}

function memberName(key: string): string {
    return objectName("consul", key);
}

function portsOf(args: ConsulQuorumArgs) {
    return {
        httpPort: args.httpPort ?? defaultPorts.consulHttp,
        serverPort: args.serverPort ?? defaultPorts.consulServer,
        gossipPort: args.gossipPort ?? defaultPorts.consulGossip,
    };
}

function consulWorkload({ key, host }: LocatedMember, members: LocatedMember[], args: ConsulQuorumArgs): Workload {
    const name = memberName(key);
    const ports = portsOf(args);
    const config = renderConsulJson({
        name,
        address: host.address,
        addresses: members.map((member) => member.host.address),
        datacenter: args.target.clusterName,
        ...ports,
    });
    return {
        name,
        image: args.image,
        args: ["consul", "agent", "-config-file", containerPaths.consulConfig],
        files: [{ key: "config", path: containerPaths.consulConfig, content: config, secret: false }],
        data: {
            hostPath: `${args.dataRoot ?? defaultDataRoot}/${args.target.clusterName}/${name}`,
            volumeName: args.dataVolumes === true ? objectName(args.target.clusterName, name) : undefined,
            path: containerPaths.consulData,
            minimumFreeMiB,
        },
        tmpfs: [{ path: "/tmp", sizeMiB: 16 }],
        ports: [
            { target: ports.httpPort, published: ports.httpPort },
            { target: ports.serverPort, published: ports.serverPort },
            { target: ports.gossipPort, published: ports.gossipPort },
            { target: ports.gossipPort, published: ports.gossipPort, protocol: "udp" },
        ],
        resources: args.resources ?? defaultResources,
        // A server without quorum is not ill: killing it would not bring the others back.
        health: {
            command: ["curl", "-fsS", "-o", "/dev/null", `http://127.0.0.1:${ports.httpPort}/v1/agent/self`],
            intervalSeconds: 5,
            timeoutSeconds: 5,
            retries: 6,
            startPeriodSeconds: 60,
        },
        stopGraceSeconds: 30,
        restartDelaySeconds: 1,
    };
}

/** Refuses to let a server go that the quorum could not do without, because another one is away or ill. */
function guardScript(member: LocatedMember, args: ConsulQuorumArgs): string {
    const name = memberName(member.key);
    return [
        ...memberShell(member, args),
        // A line for each server.
        `servers() { printf '%s' "$said" | tr '{' '\\n' | grep '"Name":'; }`,
        "spared() {",
        '  [ -n "$(container)" ] || return 0',
        "  said=$(autopilot) || true",
        '  [ "$(voters)" -eq 1 ] || case "$said" in *\'"FailureTolerance":\'[1-9]*) ;; *) return 1 ;; esac',
        "}",
        `needed() { servers | grep '"Name":"${name}"' | grep -q '"Healthy":true'; }`,
        `ill() { servers | grep '"Healthy":false' | sed 's/.*"Name":"\\([^"]*\\)".*/\\1/' | tr '\\n' ' '; }`,
        memberGuard("spared", "without this server Consul would have no quorum; not healthy: $(ill)"),
    ].join("\n");
}

/** Waits until Consul's autopilot calls every server healthy. */
function quorumScript(member: LocatedMember, args: ConsulQuorumArgs): string {
    const wanted = Object.keys(args.members).length;
    const reason = `fail "the Consul quorum is not healthy after ${startTimeoutSeconds} s" "look at '${logsCommand(args.target, memberName(member.key))}' and run 'pulumi up' again"`;
    return [
        ...memberShell(member, args),
        // A quorum that is still forming calls itself healthy with the servers that it knows.
        `healthy() { said=$(autopilot --fail) && [ "$(voters)" -eq ${wanted} ]; }`,
        waitFor("healthy", startTimeoutSeconds, reason),
    ].join("\n");
}

/** Shell functions `autopilot`, what Consul says of the servers' health, with `--fail` an error if it isn't good, and `voters`. */
function memberShell({ key, host }: LocatedMember, args: ConsulQuorumArgs): string[] {
    const url = `http://127.0.0.1:${portsOf(args).httpPort}/v1/operator/autopilot/health`;
    return [
        failFunction(host),
        inContainerFunction(objectName(args.target.clusterName, memberName(key))),
        `autopilot() { in_container curl -sS --max-time 3 "$@" ${url} 2>/dev/null; }`,
        `voters() { printf '%s' "$said" | grep -o '"Voter":true' | wc -l; }`,
    ];
}
