import * as pulumi from "@pulumi/pulumi";
import { workloadFingerprint } from "./fingerprint";
import { createHostCommand } from "./hostCommand";
import { objectName } from "./objectName";
import { waitForServices } from "./scripts";
import { createSwarmService, OverlayNetwork } from "./swarmService";
import { HostConnection, SwarmTarget, Workload } from "./workload";

/** Arguments of {@link spreadOut}. */
export interface SpreadArgs {
    target: SwarmTarget;
    /** The hosts that each run one of the interchangeable containers. */
    hosts: HostConnection[];
    /** Constraints that all those hosts fulfil, and no other. */
    constraints: string[];
    workload: Workload;
    /** The overlay networks to join, and the names to be found under on each. */
    networks: OverlayNetwork[];
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
            constraints: args.constraints,
            replicas: args.hosts.length,
            publishMode: args.target.publishMode,
            networks: args.networks,
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
