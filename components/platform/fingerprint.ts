import * as pulumi from "@pulumi/pulumi";
import { sortedEntries } from "../render/shell";
import { contentHash } from "./objectName";
import { runtimeOf } from "./target";
import { Target, Workload } from "./workload";

/** Hash of all that makes the platform replace a workload's container, and of nothing else: with it the leader hands its role over. */
export function workloadFingerprint(workload: Workload, target: Target): pulumi.Output<string> {
    const { files, data, ...rest } = workload;
    const contents = files.map(({ frozen, content, ...file }) => ({ ...file, content: frozen ? "" : content }));
    const labels = runtimeOf(target).labelsContainers ? sortedEntries({ ...target.labels, ...workload.labels }) : [];
    const hash = pulumi
        .output({ ...rest, labels, data: data && { ...data, note: undefined, minimumFreeMiB: undefined }, contents })
        .apply((plain) => contentHash(JSON.stringify(plain)));
    // A short hash of what holds random passwords tells nothing about them.
    return pulumi.unsecret(hash);
}

/** One hash for several workloads. */
export function groupFingerprint(fingerprints: pulumi.Output<string>[]): pulumi.Output<string> {
    return pulumi.all(fingerprints).apply((hashes) => contentHash(hashes.join()));
}
