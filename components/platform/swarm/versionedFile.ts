import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { objectName, versionedName } from "../objectName";
import { SwarmTarget, WorkloadFile } from "../workload";
import { clusterLabels } from "../labels";

/** A Swarm config or secret as a service refers to it. */
export interface VersionedFile {
    id: pulumi.Output<string>;
    name: pulumi.Output<string>;
}

/**
 * Creates the Swarm config or secret that holds a file.
 *
 * Swarm's configs and secrets can't be changed, and one that a service uses can't be removed: so the name carries the content's hash,
 * and the new object is there before the service moves over and the old one goes.
 */
export function createVersionedFile(
    workloadName: string,
    file: WorkloadFile,
    target: SwarmTarget,
    opts: pulumi.CustomResourceOptions,
): VersionedFile {
    const logicalName = objectName(target.clusterName, workloadName, file.key);
    const content = pulumi.output(file.content);
    // 40 bits of a hash of generated passwords tell nothing about them; a secret name would hide the whole service in a preview.
    const name = pulumi.unsecret(content.apply((text) => versionedName(logicalName, text)));
    const options: pulumi.CustomResourceOptions = {
        ...opts,
        deleteBeforeReplace: false,
        ignoreChanges: file.frozen ? ["data", "dataRaw", "name"] : [],
    };
    const labels = clusterLabels(target);
    if (file.secret) {
        const data = pulumi.secret(content.apply((text) => Buffer.from(text).toString("base64")));
        const secret = new docker.Secret(logicalName, { name, data, labels }, options);
        return { id: secret.id, name: secret.name };
    }
    const config = new docker.ServiceConfig(logicalName, { name, dataRaw: content, labels }, options);
    return { id: config.id, name: config.name };
}
