import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { checkClusterName } from "./checks/names";
import { checkBridge } from "./checks/dockerHosts";
import { defaultDataRoot } from "./defaults";
import { announceChanges } from "./platform/announcement";
import { createDockerProvider } from "./platform/dockerProvider";
import type { HostEngine, HostsTarget } from "./platform/hosts/runtime";
import { ownLabel } from "./platform/labels";
import { bridgeName, objectName } from "./platform/objectName";
import { assertNoProblems } from "./platform/problems";
import { HostConnection } from "./platform/workload";
import { describeSubnetChange } from "./render/changeWords";

/** Plain Docker hosts, without a Swarm. */
export interface DockerHostsArgs {
    /**
     * Address range of the bridge network that joins the cluster's containers on each host, for example `172.19.0.0/24` (seed 003). Members
     * with an own `address` need it.
     *
     * @default - one that Docker chooses
     *
     * **Change:** only together with `previousSubnet`: makes the networks anew and, at once, all containers on them. Nobody is served
     * until they run again.
     */
    subnet?: string;
    /**
     * Address range that `subnet` takes the place of, or `automatic` for one that Docker chose: the consent to the outage. It may stay when
     * all is done.
     *
     * @default - another `subnet` is refused
     *
     * **Change:** in place.
     */
    previousSubnet?: string;
}

/** Arguments of {@link DockerHosts}. */
export interface DockerHostsComponentArgs extends DockerHostsArgs {
    /** Prefix of every container's name, and name of the networks. */
    clusterName: string;
    /** Hosts by key. */
    hosts: { [key: string]: HostConnection };
    /**
     * Directory on each host that gets `<cluster>/.files` with the containers' files, secrets among them.
     *
     * @default "/srv/pgha"
     *
     * **Change:** rolling restart of everything.
     */
    dataRoot?: string;
    /** @default - none beside `pgha.cluster` */
    labels?: { [name: string]: string };
}

/**
 * Plain Docker hosts to run workloads on: for each a Docker provider over ssh, and a bridge network on which its containers find
 * the entry points as `pg-haproxy` and `pg-pgbouncer`. Give it to the parts as their `target`.
 *
 * @example
 * ```typescript
 * const hosts = { db1: new Host("db1", { key: "db1", address: "192.0.2.11", memoryMiB: 4096, enableSwarmLabels: false }) };
 * const target = new DockerHosts("pg-hosts", { clusterName: "pg", hosts });
 * const quorum = new EtcdQuorum("pg-etcd", { target, hosts, image, members: { db1: { host: "db1" } } });
 * ```
 */
export class DockerHosts extends pulumi.ComponentResource implements HostsTarget {
    public readonly clusterName: string;
    public readonly labels: { [name: string]: string };
    public readonly dataRoot: string;
    /** The hosts' engines, by the host's key. */
    public readonly engines: { [host: string]: HostEngine };
    /** Name of the bridge network on every host. */
    public readonly networkName: string;
    /** The kernel's name of that bridge, for firewalls. */
    public readonly bridge: string;

    constructor(name: string, args: DockerHostsComponentArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:DockerHosts", name, {}, opts);
        assertNoProblems([
            ...checkClusterName("clusterName", args.clusterName),
            ...checkBridge(
                "subnet",
                args.subnet,
                Object.values(args.hosts).map((host) => host.address),
            ),
        ]);

        this.clusterName = args.clusterName;
        this.labels = args.labels ?? {};
        this.dataRoot = args.dataRoot ?? defaultDataRoot;
        this.networkName = args.clusterName;
        this.bridge = bridgeName(args.clusterName);
        const record = recordSubnet(name, args, this);
        this.engines = Object.fromEntries(
            Object.entries(args.hosts).map(([key, host]) => [key, createEngine(name, host, this, args.subnet, record)]),
        );
        this.registerOutputs({ networkName: this.networkName });
    }
}

/** Keeps in the state which range the networks have, so that a preview refuses another one without consent. */
function recordSubnet(name: string, args: DockerHostsArgs, parent: DockerHosts): pulumi.Resource {
    const recordName = `${name}-subnet`;
    const announce = (before: string, after: string) => describeSubnetChange(before, after, args.previousSubnet);
    const hooks = announceChanges(recordName, "input", announce, parent);
    return new pulumi.Stash(recordName, { input: rangeOf(args.subnet) }, { parent, hooks });
}

function rangeOf(subnet: string | undefined): string {
    return subnet ?? "automatic";
}

function createEngine(
    name: string,
    host: HostConnection,
    parent: DockerHosts,
    subnet: string | undefined,
    record: pulumi.Resource,
): HostEngine {
    const { key, ready } = host;
    const provider = createDockerProvider(objectName(name, key, "engine"), { [key]: host }, key, { parent });
    const network = new docker.Network(
        objectName(name, key, "network"),
        {
            // The engine is asked for nothing before the host's sshd takes many connections.
            name: ready.apply(() => parent.networkName),
            driver: "bridge",
            options: { "com.docker.network.bridge.name": parent.bridge },
            ipamConfigs: subnet === undefined ? [] : [{ subnet }],
            // A changed subnet shows as a replacement by the label, since the setting itself is ignored.
            labels: [ownLabel(parent), { label: "pgha.subnet", value: rangeOf(subnet) }],
        },
        {
            parent,
            provider,
            dependsOn: record,
            deleteBeforeReplace: true,
            // Docker adds a gateway, which would look like a change at every refresh, and so replace the network.
            ignoreChanges: ["ipamConfigs"],
        },
    );
    return { provider, network };
}
