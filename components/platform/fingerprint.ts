import * as pulumi from "@pulumi/pulumi";
import { sortedEntries } from "../render/shell";
import { contentHash } from "./objectName";
import { Target, Workload } from "./workload";

/** Hash of all that makes Swarm replace a workload's container, and of nothing else: with it the leader hands its role over. */
export function workloadFingerprint(workload: Workload, { labels }: Pick<Target, "labels">): pulumi.Output<string> {
    const { files, data, ...rest } = workload;
    const contents = files.map(({ frozen, content, ...file }) => ({ ...file, content: frozen ? "" : content }));
    const clusterLabels = sortedEntries(labels);
    const hash = pulumi
        .output({
            ...rest,
            data: data && { ...data, note: undefined, minimumFreeMiB: undefined },
            contents,
            clusterLabels,
        })
        .apply((plain) => contentHash(JSON.stringify(plain)));
    // A short hash of what holds random passwords tells nothing about them.
    return pulumi.unsecret(hash);
}

/** One hash for several workloads. */
export function groupFingerprint(fingerprints: pulumi.Output<string>[]): pulumi.Output<string> {
    return pulumi.all(fingerprints).apply((hashes) => contentHash(hashes.join()));
}
