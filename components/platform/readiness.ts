import * as pulumi from "@pulumi/pulumi";

/** Resolves when all of some resources are there. */
export function readiness(resources: pulumi.Resource[]): pulumi.Output<string> {
    return pulumi.all(resources.map(({ urn }) => urn)).apply(() => "ready");
}

/**
 * A text that is kept back until others have resolved.
 *
 * The state doesn't record that: where a removal fails, the engine walks each path that the recorded dependencies make, and every further
 * one of a step in a chain multiplies them (`markAsDependency` in Pulumi's resource/graph/dependency_graph.go).
 */
export function keepBack(
    value: pulumi.Input<string>,
    after: (pulumi.Input<string> | undefined)[],
): pulumi.Output<string> {
    return pulumi.output(value).apply(async (text) => {
        await Promise.all(after.map(resolved));
        return text;
    });
}

function resolved(input: pulumi.Input<string> | undefined): Promise<void> {
    return new Promise((resolve) => pulumi.output(input).apply(() => resolve()));
}
