import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/**
 * A stamp that is new whenever `wanted` changes, and stays so when it changes back.
 *
 * Of a step that failed or was killed Pulumi keeps the earlier inputs, and would not run it again for settings that are put back, although
 * the step may have done its work. With this as its stamp it does.
 *
 * @param wanted - what the step brings about; a text that isn't secret
 */
export function createAttempt(
    name: string,
    wanted: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    return new random.RandomId(`${name}-attempt`, { byteLength: 4, keepers: { wanted } }, opts).hex;
}
