import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { containerUser } from "../../defaults";
import { sortedEntries, workloadLabel } from "../../render/shell";
import { dataMount } from "../mounts";
import { contentHash, objectName } from "../objectName";
import { clusterLabels, ownLabel } from "../labels";
import type { OverlayNetwork } from "../runtime";
import { createVersionedFile, VersionedFile } from "./versionedFile";
import { PublishMode, ResourcesArgs, SwarmTarget, Workload, WorkloadFile } from "../workload";

/** Where a service's tasks run, and how they are reached. */
export interface SwarmPlacement {
    /** Placement constraints, such as `node.labels.pgha.host==db1`. */
    constraints: string[];
    /** One task, on one of the hosts that fulfil the constraints, or else one on each of them. */
    single: boolean;
    publishMode: PublishMode;
    /** Overlay networks to join. Members need none: they use host addresses. */
    networks?: OverlayNetwork[];
}

const mebibyte = 1024 * 1024;

/**
 * Creates a workload's files and its Swarm service.
 *
 * The call returns when Swarm has taken the service, not when it runs: a create that waits deletes the service when it times out, and
 * members of a quorum can't become healthy one by one. Waiting is the roll-out's work, see rollout.ts.
 */
export function createSwarmService(
    workload: Workload,
    placement: SwarmPlacement,
    target: SwarmTarget,
    opts: pulumi.CustomResourceOptions,
): docker.Service {
    const files = workload.files.map((file) => ({
        file,
        // Files wait for their content only.
        object: createVersionedFile(workload.name, file, target, { ...opts, dependsOn: [] }),
    }));
    const name = objectName(target.clusterName, workload.name);
    // Swarm takes no ingress port on a service without a virtual address.
    const needsVirtualAddress = placement.publishMode === PublishMode.Ingress && workload.ports.length > 0;
    return new docker.Service(
        name,
        {
            name,
            labels: clusterLabels(target, workload.labels),
            mode: placement.single ? { replicated: { replicas: 1 } } : { global: true },
            endpointSpec: {
                mode: needsVirtualAddress ? "vip" : target.endpointMode,
                ports: workload.ports.map((port) => ({
                    protocol: port.protocol ?? "tcp",
                    targetPort: port.target,
                    publishedPort: port.published,
                    publishMode: placement.publishMode,
                })),
            },
            taskSpec: {
                containerSpec: {
                    image: workload.image,
                    args: [...environmentWords(workload), ...workload.args],
                    env: {},
                    user: `${containerUser.uid}:${containerUser.gid}`,
                    // With another label here the provider makes the service anew: all its tasks at once.
                    labels: [ownLabel(target), { label: workloadLabel, value: name }],
                    readOnly: true,
                    configs: files.filter(({ file }) => !file.secret).map(configReference),
                    secrets: files.filter(({ file }) => file.secret).map(secretReference),
                    mounts: mounts(workload),
                    healthcheck: {
                        tests: ["CMD", ...workload.health.command],
                        interval: duration(workload.health.intervalSeconds),
                        timeout: duration(workload.health.timeoutSeconds),
                        startPeriod: duration(workload.health.startPeriodSeconds),
                        retries: workload.health.retries,
                    },
                    stopGracePeriod: duration(workload.stopGraceSeconds),
                    stopSignal: workload.stopSignal,
                },
                resources: resources(workload.resources),
                // All fields of a block are given: one that Swarm fills in looks like a change at the next refresh.
                restartPolicy: {
                    condition: "any",
                    delay: duration(workload.restartDelaySeconds),
                    maxAttempts: 0,
                    window: duration(0),
                },
                placement: { constraints: placement.constraints, maxReplicas: placement.single ? 1 : 0 },
                networksAdvanceds: placement.networks ?? [],
                // Members read their ports from their configuration, and must not restart before their turn.
                forceUpdate: workload.data === undefined ? portsNumber(workload.ports, placement.publishMode) : 0,
            },
            // start-first never schedules with host ports and would put two containers on one data directory (moby#36934).
            updateConfig: { parallelism: 1, order: "stop-first", failureAction: "pause", monitor: "10s" },
            rollbackConfig: { parallelism: 1, order: "stop-first", failureAction: "pause", monitor: "10s" },
        },
        // At creation the engine notes the image's platforms there, which a refresh would take for a change.
        { ...opts, ignoreChanges: ["taskSpec.placement.platforms"] },
    );
}

/** A number for a set of published ports: Swarm replaces no task for another port, but for another number here. */
function portsNumber(ports: Workload["ports"], publishMode: PublishMode): number {
    const published = ports.map(({ target, published, protocol }) => [target, published, protocol]);
    return Number.parseInt(contentHash(JSON.stringify([publishMode, published])).slice(0, 7), 16);
}

/** Sets variables by the program `env`: as Swarm's own the provider gives them in another order each time, which restarts the tasks. */
function environmentWords({ environment = {} }: Workload): string[] {
    const words = sortedEntries(environment).map(([variable, value]) => `${variable}=${value}`);
    return words.length === 0 ? [] : ["env", ...words];
}

type MountedFile = { file: WorkloadFile; object: VersionedFile };

function configReference({ file, object }: MountedFile): docker.types.input.ServiceTaskSpecContainerSpecConfig {
    return { configId: object.id, configName: object.name, ...fileOwner(file, 0o444) };
}

function secretReference({ file, object }: MountedFile): docker.types.input.ServiceTaskSpecContainerSpecSecret {
    return { secretId: object.id, secretName: object.name, ...fileOwner(file, 0o400) };
}

function fileOwner(file: WorkloadFile, fileMode: number) {
    return { fileName: file.path, fileUid: `${containerUser.uid}`, fileGid: `${containerUser.gid}`, fileMode };
}

/** All fields are given as the provider reads them back; otherwise a refresh shows changes where there are none. */
function mounts(workload: Workload): docker.types.input.ServiceTaskSpecContainerSpecMount[] {
    const memory = workload.tmpfs.map((mount) => ({
        type: "tmpfs",
        source: "",
        target: mount.path,
        readOnly: false,
        tmpfsOptions: { sizeBytes: mount.sizeMiB * mebibyte, mode: 0o777 },
    }));
    return workload.data ? [dataMount(workload.data), ...memory] : memory;
}

function resources(args: ResourcesArgs): docker.types.input.ServiceTaskSpecResources {
    const block = (cpus?: number, memoryMiB?: number) => {
        const nanoCpus = cpus === undefined ? {} : { nanoCpus: Math.round(cpus * 1e9) };
        const memoryBytes = memoryMiB === undefined ? {} : { memoryBytes: memoryMiB * mebibyte };
        const limits = { ...nanoCpus, ...memoryBytes };
        // The upstream provider panics on an empty block.
        return Object.keys(limits).length === 0 ? undefined : limits;
    };
    return {
        limits: block(args.cpuLimit, args.memoryLimitMiB),
        reservation: block(args.cpuReservation, args.memoryReservationMiB),
    };
}

/** A duration as the provider reads it back: any other spelling of the same time looks like a change. */
function duration(seconds: number): string {
    const units: [number, string][] = [
        [Math.floor(seconds / 3600), "h"],
        [Math.floor((seconds % 3600) / 60), "m"],
        [seconds % 60, "s"],
    ];
    const parts = units.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
    return parts.length === 0 ? "0s" : parts.join("");
}
