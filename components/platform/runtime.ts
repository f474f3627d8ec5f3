import * as pulumi from "@pulumi/pulumi";
import { HostConnection, Workload } from "./workload";

/** Where a script waits, and for what. */
export interface Wait {
    /** Tells several waits for the same containers apart; undefined where there is one. */
    key?: string;
    host: HostConnection;
    script: string;
}

/** A workload on its host. */
export interface PlacedWorkload {
    workload: Workload;
    host: HostConnection;
    /** Swarm placement constraints beside the host's own, which pins the workload. */
    constraints?: string[];
}

/** One way to run workloads: what the roll-out needs of a platform. */
export interface Runtime {
    /** Whether the user's labels are those of containers, which are made anew when one changes. */
    readonly labelsContainers: boolean;
    /**
     * Runs a workload in one container on its host. The call returns when the container was handed over, not when it runs: members of a
     * quorum can't become healthy one by one. Waiting is the roll-out's work.
     *
     * @param stepName - prefix of the names of this member's resources
     */
    run(stepName: string, placed: PlacedWorkload, opts: pulumi.CustomResourceOptions): pulumi.Resource;
    /** Scripts that wait until containers run and are healthy. */
    waits(placed: PlacedWorkload[], timeoutSeconds: number): Wait[];
    /**
     * Runs interchangeable containers, one on each of some hosts, where the platform itself replaces them one at a time. Without it the
     * roll-out does.
     */
    replicate?(args: SpreadArgs, opts: pulumi.CustomResourceOptions): Replicas;
    /** Command that shows what a workload's containers logged. */
    logsCommand(workloadName: string): string;
}

/** Interchangeable containers that the platform replaces by itself. */
export interface Replicas {
    service: pulumi.Resource;
    wait: Wait;
}

/** An overlay network, and the names under which a service is found there. */
export interface OverlayNetwork {
    id: pulumi.Input<string>;
    aliases: string[];
}

/** Interchangeable containers, one on each of some hosts. */
export interface SpreadArgs {
    hosts: HostConnection[];
    /** Swarm placement constraints that all those hosts fulfil, and no other. */
    constraints: string[];
    workload: Workload;
    /** The overlay networks to join on a Swarm. */
    networks: OverlayNetwork[];
    /** What the replacement of a container means, in words for the preview. */
    replacementWords: string;
    /** Script that runs while the containers are replaced, and ends when they are. */
    duringUpdate?: { host: HostConnection; script: string };
    /** Resolves when the first container may be replaced. */
    after?: pulumi.Input<string>;
    startTimeoutSeconds: number;
}
