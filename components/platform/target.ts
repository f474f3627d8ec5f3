import * as pulumi from "@pulumi/pulumi";
import { HostsRuntime, HostsTarget } from "./hosts/runtime";
import { Runtime } from "./runtime";
import { SwarmRuntime } from "./swarm/runtime";
import { SwarmTarget, Target } from "./workload";

/** The way to run workloads on a target: the one place that tells platforms apart. */
export function runtimeOf(target: Target): Runtime {
    if (isSwarmTarget(target)) {
        return new SwarmRuntime(target);
    }
    if (isHostsTarget(target)) {
        return new HostsRuntime(target);
    }
    throw new pulumi.RunError(
        "target: neither a Swarm nor Docker hosts were given; a SwarmTarget or DockerHosts is allowed",
    );
}

/** Command that shows what a workload's containers logged: on a Swarm manager, or on the workload's host. */
export function logsCommand(target: Target, workloadName: string): string {
    return runtimeOf(target).logsCommand(workloadName);
}

function isSwarmTarget(target: Target): target is SwarmTarget {
    return "manager" in target;
}

function isHostsTarget(target: Target): target is HostsTarget {
    return "engines" in target;
}
