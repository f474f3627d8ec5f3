import * as pulumi from "@pulumi/pulumi";
import { objectName } from "../objectName";
import { PlacedWorkload, Replicas, Runtime, SpreadArgs, Wait } from "../runtime";
import { PublishMode, SwarmTarget } from "../workload";
import { createSwarmService } from "./service";
import { waitForServices } from "./waitScript";

/** Runs workloads as Swarm services. */
export class SwarmRuntime implements Runtime {
    public readonly labelsContainers = false;

    constructor(private readonly target: SwarmTarget) {}

    run(_stepName: string, placed: PlacedWorkload, opts: pulumi.CustomResourceOptions): pulumi.Resource {
        const constraints = [placed.host.constraint, ...(placed.constraints ?? [])];
        const placement = { constraints, single: true, publishMode: PublishMode.Host };
        return createSwarmService(placed.workload, placement, this.target, opts);
    }

    waits(placed: PlacedWorkload[], timeoutSeconds: number): Wait[] {
        const services = placed.map(({ workload }) => ({ name: this.serviceName(workload.name) }));
        return [{ host: this.target.manager, script: waitForServices(this.target.manager, services, timeoutSeconds) }];
    }

    replicate(args: SpreadArgs, opts: pulumi.CustomResourceOptions): Replicas {
        const { workload, hosts, constraints, networks, startTimeoutSeconds } = args;
        const { manager, publishMode } = this.target;
        const placement = { constraints, single: false, publishMode, networks };
        const service = createSwarmService(workload, placement, this.target, opts);
        const expected = [{ name: this.serviceName(workload.name), nodes: hosts.map(({ nodeName }) => nodeName) }];
        return { service, wait: { host: manager, script: waitForServices(manager, expected, startTimeoutSeconds) } };
    }

    logsCommand(workloadName: string): string {
        return `docker service logs ${this.serviceName(workloadName)}`;
    }

    private serviceName(workloadName: string): string {
        return objectName(this.target.clusterName, workloadName);
    }
}
