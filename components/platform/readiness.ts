import * as pulumi from "@pulumi/pulumi";

/** Resolves when all of some resources are there. */
export function readiness(resources: pulumi.Resource[]): pulumi.Output<string> {
    return pulumi.all(resources.map(({ urn }) => urn)).apply(() => "ready");
}
