import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { objectName } from "../objectName";
import { PlacedWorkload, Runtime, Wait } from "../runtime";
import { Target } from "../workload";
import { createContainer } from "./container";
import { waitForContainers } from "./waitScript";

/** The Docker engine of one host. */
export interface HostEngine {
    /** The way to it. */
    provider: docker.Provider;
    /** The bridge network that joins the cluster's containers on that host. */
    network: docker.Network;
}

/** Plain Docker hosts. `DockerHosts` satisfies it. */
export interface HostsTarget extends Target {
    /** The hosts' engines, by the host's key. */
    engines: { [host: string]: HostEngine };
    /** Directory on each host under which the containers' files lie. */
    dataRoot: string;
}

/** Runs workloads as containers on named hosts. */
export class HostsRuntime implements Runtime {
    public readonly labelsContainers = true;

    constructor(private readonly target: HostsTarget) {}

    run(stepName: string, { workload, host }: PlacedWorkload, opts: pulumi.CustomResourceOptions): pulumi.Resource {
        const engine = this.target.engines[host.key];
        if (engine === undefined) {
            const known = Object.keys(this.target.engines).join(", ");
            throw new pulumi.RunError(`host "${host.key}" is none of the target's Docker hosts; allowed: ${known}`);
        }
        return createContainer(stepName, workload, { host, engine, target: this.target }, opts);
    }

    waits(placed: PlacedWorkload[], timeoutSeconds: number): Wait[] {
        const hosts = new Map(placed.map(({ host }) => [host.key, host]));
        return [...hosts.values()].map((host) => {
            const names = placed
                .filter((other) => other.host.key === host.key)
                .map(({ workload }) => objectName(this.target.clusterName, workload.name));
            return { key: host.key, host, script: waitForContainers(host, names, timeoutSeconds) };
        });
    }

    logsCommand(workloadName: string): string {
        return `docker logs ${objectName(this.target.clusterName, workloadName)}`;
    }
}
