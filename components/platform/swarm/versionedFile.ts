import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { objectName } from "../objectName";
import { SwarmTarget, WorkloadFile } from "../workload";
import { ownLabel } from "../labels";

/** A Swarm config or secret as a service refers to it. */
export interface VersionedFile {
    id: pulumi.Output<string>;
    name: pulumi.Output<string>;
}

/**
 * Creates the Swarm config or secret that holds a file.
 *
 * Swarm's configs and secrets can't be changed, and one that a service uses can't be removed: so Pulumi names each anew, and the new object
 * is there before the service moves over and the old one goes. A name made of the content would still be taken when content that an
 * update has left behind is put back after the update failed.
 */
export function createVersionedFile(
    workloadName: string,
    file: WorkloadFile,
    target: SwarmTarget,
    opts: pulumi.CustomResourceOptions,
): VersionedFile {
    const logicalName = objectName(target.clusterName, workloadName, file.key);
    const content = pulumi.output(file.content);
    const options: pulumi.CustomResourceOptions = {
        ...opts,
        deleteBeforeReplace: false,
        ignoreChanges: file.frozen ? ["data", "dataRaw"] : [],
    };
    const labels = [ownLabel(target)];
    if (file.secret) {
        const data = pulumi.secret(content.apply((text) => Buffer.from(text).toString("base64")));
        const secret = new docker.Secret(logicalName, { data, labels }, options);
        return { id: secret.id, name: secret.name };
    }
    const config = new docker.ServiceConfig(logicalName, { dataRaw: content, labels }, options);
    return { id: config.id, name: config.name };
}
