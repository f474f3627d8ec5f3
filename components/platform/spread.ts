import * as pulumi from "@pulumi/pulumi";
import { workloadFingerprint } from "./fingerprint";
import { createHostCommand } from "./hostCommand";
import { objectName } from "./objectName";
import { waitForServices } from "./scripts";
import { createSwarmService } from "./swarmService";
import { HostConnection, SwarmTarget, Workload } from "./workload";

/** Arguments of {@link spreadOut}. */
export interface SpreadArgs {
    target: SwarmTarget;
    /** The hosts that each run one of the interchangeable containers. */
    hosts: HostConnection[];
    /** Constraint that all those hosts fulfil, and no other. */
    constraint: string;
    workload: Workload;
    /** The overlay network to join, and the name to be found under. */
    network?: { id: pulumi.Input<string>; alias: string };
    startTimeoutSeconds: number;
}

/**
 * Runs interchangeable containers, one on each of some hosts. Swarm itself replaces them one at a time and stops at the first that
 * doesn't become healthy.
 *
 * @returns a resource that is there when all of them run.
 */
export function spreadOut(name: string, args: SpreadArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const service = createSwarmService(
        args.workload,
        {
            constraints: [args.constraint],
            replicas: args.hosts.length,
            publishMode: args.target.publishMode,
            network: args.network,
        },
        args.target,
        { ...opts, dependsOn: [] },
    );
    const expected = [{ name: objectName(args.target.clusterName, args.workload.name), replicas: args.hosts.length }];
    const script = waitForServices(args.target.manager, expected, args.startTimeoutSeconds);
    return createHostCommand(
        `${name}-running`,
        {
            host: args.target.manager,
            purpose: `wait until ${name} runs`,
            script,
            stamp: workloadFingerprint(args.workload),
        },
        { ...opts, dependsOn: [service] },
    );
}
