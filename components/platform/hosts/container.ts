import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { containerUser } from "../../defaults";
import { healthCommand, healthDirectory } from "../../render/healthScript";
import { sortedEntries, workloadLabel } from "../../render/shell";
import { clusterLabels } from "../labels";
import { dataMount } from "../mounts";
import { objectName } from "../objectName";
import { HostConnection, ResourcesArgs, Workload } from "../workload";
import { createHostFile, HostFile } from "./hostFile";
import type { HostEngine, HostsTarget } from "./runtime";

/** Where a container runs. */
export interface ContainerPlace {
    host: HostConnection;
    engine: HostEngine;
    target: HostsTarget;
}

const mebibyte = 1024 * 1024;

/** Docker's period of the CPU quota, in microseconds. */
const cpuPeriod = 100_000;

/** Time that the health script has beside the program that it runs. */
const healthMarginSeconds = 5;

/** Logs of one container at most. Docker's own default has no bound, and fills the disk of the data. */
const logOptions = { "max-size": "20m", "max-file": "5" };

/** Creates a workload's files on its host, and its container. On different hosts containers may have the same name. */
export function createContainer(
    stepName: string,
    workload: Workload,
    { host, engine, target }: ContainerPlace,
    opts: pulumi.CustomResourceOptions,
): docker.Container {
    const name = objectName(target.clusterName, workload.name);
    const labels = clusterLabels(target, workload.labels);
    const directory = `${target.dataRoot}/${target.clusterName}/.files/${workload.name}`;
    // Files wait for their content only, and images for nothing.
    const early = { ...opts, dependsOn: [] };
    const files = workload.files.map((file) => ({
        path: file.path,
        ...createHostFile(stepName, { host, directory, file }, early),
    }));
    // The image is there before the old container goes: a pull takes longer than a restart.
    const image = new docker.RemoteImage(
        objectName(stepName, "image"),
        { name: workload.image, keepLocally: true },
        { ...early, provider: engine.provider, dependsOn: [engine.network] },
    );
    return new docker.Container(
        stepName,
        {
            name,
            image: workload.image,
            command: workload.args,
            envs: sortedEntries(workload.environment ?? {}).map(([variable, value]) => `${variable}=${value}`),
            labels: [...labels, { label: workloadLabel, value: name }],
            user: `${containerUser.uid}:${containerUser.gid}`,
            readOnly: true,
            mounts: mounts(workload, files),
            networksAdvanced: [
                {
                    name: engine.network.name,
                    aliases: workload.networkAlias === undefined ? [] : [workload.networkAlias],
                    ...(workload.address === undefined ? {} : { ipv4Address: workload.address }),
                },
            ],
            // In the order in which the provider reads them back.
            ports: [...workload.ports]
                .sort((a, b) => a.target - b.target)
                .map(({ target: internal, published, protocol = "tcp" }) => ({
                    internal,
                    external: published,
                    ip: "0.0.0.0",
                    protocol,
                })),
            healthcheck: healthcheck(workload),
            ...limits(workload.resources),
            restart: "always",
            stopSignal: workload.stopSignal,
            stopTimeout: workload.stopGraceSeconds,
            destroyGraceSeconds: workload.stopGraceSeconds,
            logDriver: "json-file",
            logOpts: logOptions,
            mustRun: true,
        },
        {
            ...opts,
            provider: engine.provider,
            dependsOn: [
                ...[opts.dependsOn ?? []].flat(),
                image,
                ...files.map(({ resource }) => resource),
            ] as pulumi.Resource[],
            // The name and the ports are taken while the old one is there.
            deleteBeforeReplace: true,
            // Docker sets twice the memory, or -1 on a kernel without accounting of swap.
            ignoreChanges: ["memorySwap"],
            // The provider takes changes for done that it doesn't carry out, such as another mounted file.
            replaceOnChanges: ["*"],
        },
    );
}

type MountedFile = HostFile & { path: string };

function mounts(workload: Workload, files: MountedFile[]): docker.types.input.ContainerMount[] {
    const memory = [...workload.tmpfs, { path: healthDirectory, sizeMiB: 1 }].map((mount) => ({
        type: "tmpfs",
        target: mount.path,
        tmpfsOptions: { sizeBytes: mount.sizeMiB * mebibyte, mode: 0o777 },
    }));
    return [
        ...(workload.data ? [dataMount(workload.data)] : []),
        ...files.map(({ hostPath, path }) => ({ type: "bind", source: hostPath, target: path, readOnly: true })),
        ...memory,
    ];
}

function healthcheck({ health, stopGraceSeconds, stopSignal }: Workload): docker.types.input.ContainerHealthcheck {
    return {
        tests: healthCommand({ ...health, stopGraceSeconds, stopSignal }),
        interval: duration(health.intervalSeconds),
        timeout: duration(health.timeoutSeconds + healthMarginSeconds),
        startPeriod: duration(health.startPeriodSeconds),
        // Docker's own, said because an update would otherwise unset it.
        startInterval: duration(0),
        retries: health.retries,
    };
}

/** Limits as Docker enforces them; what is reserved is checked in the preview. */
function limits({
    cpuLimit,
    memoryLimitMiB,
}: ResourcesArgs): Pick<docker.ContainerArgs, "cpuPeriod" | "cpuQuota" | "memory"> {
    return {
        // Not `cpus`: the provider rounds a few values when it reads them back, such as 0.05 to 0.1.
        ...(cpuLimit === undefined ? {} : { cpuPeriod, cpuQuota: Math.round(cpuLimit * cpuPeriod) }),
        ...(memoryLimitMiB === undefined ? {} : { memory: memoryLimitMiB }),
    };
}

/** A duration as Go writes it: any other spelling of the same time looks like a change at the next refresh. */
function duration(seconds: number): string {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    const rest = `${seconds % 60}s`;
    if (hours > 0) {
        return `${hours}h${minutes}m${rest}`;
    }
    return minutes > 0 ? `${minutes}m${rest}` : rest;
}
