import * as pulumi from "@pulumi/pulumi";
import { allLabels, ClusterPlacement, pinningLabels, rolesOf } from "./clusterPlacement";
import { ClusterNetwork } from "./clusterNetwork";
import { DockerHosts } from "./dockerHosts";
import { Host } from "./host";
import { createAttempt } from "./platform/attempt";
import { createHostCommand } from "./platform/hostCommand";
import { keepBack } from "./platform/readiness";
import { EndpointMode, PublishMode, SwarmTarget, Target } from "./platform/workload";
import { PostgresClusterArgs, SwarmArgs } from "./postgresClusterArgs";
import { renderLabelRemovalScript } from "./render/hostScripts";
import { failFunction } from "./render/shell";

/** Where a cluster's workloads run. */
export interface ClusterTarget {
    target: Target;
    hosts: { [key: string]: Host };
    /** On a Swarm the id of the overlay network; on Docker hosts the name that the bridge has on each of them. */
    networkId: pulumi.Output<string>;
    /** On Docker hosts, the kernel's name of that bridge. */
    bridge?: string;
    /** On a Swarm, the network between HAProxy and a PgBouncer behind it. */
    poolerNetworkId?: pulumi.Output<string>;
}

/** Prepares the hosts, and makes what joins their containers: an overlay network, or a bridge on each host. */
export function createTarget(
    name: string,
    clusterName: string,
    args: PostgresClusterArgs,
    placement: ClusterPlacement,
    opts: pulumi.ComponentResourceOptions,
): ClusterTarget {
    const hosts = createHosts(name, placement, args, opts);
    if (args.swarm === undefined) {
        const { dataRoot, labels } = args;
        const target = new DockerHosts(
            `${name}-hosts`,
            { ...args.dockerHosts, clusterName, hosts, dataRoot, labels },
            opts,
        );
        return { target, hosts, networkId: pulumi.output(target.networkName), bridge: target.bridge };
    }
    const target = swarmTarget(clusterName, args.swarm, hosts, args);
    const enablePooler = args.haproxy?.ports?.pooled !== undefined;
    const { networkId, poolerNetworkId } = new ClusterNetwork(
        `${name}-network`,
        { target, enablePooler, ...args.network },
        opts,
    );
    return { target, hosts, networkId, poolerNetworkId };
}

/**
 * On a Swarm, ends HAProxy and PgBouncer on hosts that are to run them no more, once all others know. On plain Docker hosts their containers
 * go at the end by themselves.
 */
export function releaseHosts(
    name: string,
    {
        args,
        hosts,
        placement,
    }: { args: PostgresClusterArgs; hosts: { [key: string]: Host }; placement: ClusterPlacement },
    after: (pulumi.Input<string> | undefined)[],
    opts: pulumi.ComponentResourceOptions,
): pulumi.Resource | undefined {
    if (args.swarm === undefined) {
        return undefined;
    }
    const manager = required(hosts, args.swarm.manager);
    const holders = rolesOf(placement).map(({ label, hosts: keys }) => ({
        label,
        nodeNames: keys.map((key) => required(hosts, key).nodeName),
    }));
    const releaseName = `${name}-released`;
    const ready = Object.values(hosts).map((host) => host.ready);
    return createHostCommand(
        releaseName,
        {
            host: manager,
            purpose: "take HAProxy and PgBouncer from all other hosts",
            script: keepBack(renderLabelRemovalScript(failFunction(manager), holders), [...ready, ...after]),
            // A host that an update has labelled which failed is released where the settings are put back, too.
            stamp: createAttempt(releaseName, JSON.stringify(holders), opts.parent).hex,
        },
        opts,
    );
}

function createHosts(
    name: string,
    placement: ClusterPlacement,
    args: PostgresClusterArgs,
    opts: pulumi.ComponentResourceOptions,
): { [key: string]: Host } {
    const { swarm } = args;
    const onPlatform = (key: string) =>
        swarm === undefined
            ? { enableSwarmLabels: false }
            : {
                  manager: { key: swarm.manager, ...required(args.hosts, swarm.manager) },
                  labels: allLabels(key, required(args.hosts, key), placement),
                  pinningLabels: pinningLabels(key, args, placement),
              };
    return Object.fromEntries(
        Object.entries(args.hosts).map(([key, host]) => [
            key,
            new Host(`${name}-host-${key}`, { ...host, key, ...onPlatform(key) }, opts),
        ]),
    );
}

function swarmTarget(
    clusterName: string,
    swarm: SwarmArgs,
    hosts: { [key: string]: Host },
    { labels }: PostgresClusterArgs,
): SwarmTarget {
    return {
        clusterName,
        manager: required(hosts, swarm.manager),
        publishMode: swarm.publishMode ?? PublishMode.Host,
        endpointMode: swarm.endpointMode ?? EndpointMode.DnsRoundRobin,
        labels: labels ?? {},
    };
}

/** A value that the checks have made sure is there. */
export function required<T>(values: { [key: string]: T }, key: string): T {
    const value = values[key];
    if (value === undefined) {
        throw new pulumi.RunError(`${key} is missing although the checks passed: please report this`);
    }
    return value;
}
