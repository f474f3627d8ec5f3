import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { keepBack } from "./readiness";
import { Workload } from "./workload";

/**
 * A stamp, its `hex`, that is another one after each change of `wanted`, also after a change back.
 *
 * Of a step that failed or was killed Pulumi keeps the earlier inputs, and would not run it again for settings that are put back, although
 * the step may have done its work. With this as its stamp it does. What protects the component must not keep it from being replaced.
 *
 * @param wanted - what the step brings about; a text that isn't secret
 */
export function createAttempt(
    name: string,
    wanted: pulumi.Input<string>,
    parent: pulumi.Resource | undefined,
): random.RandomId {
    return new random.RandomId(`${name}-attempt`, { byteLength: 4, keepers: { wanted } }, { parent, protect: false });
}

/**
 * The workload with files that change only once the attempt has: files that are put back have other names, so that who mounts them is
 * replaced, and that must not happen to members that the attempt has not reached.
 */
export function withAttempt(workload: Workload, attempt: pulumi.Resource): Workload {
    const files = workload.files.map((file) => ({ ...file, content: keepBack(file.content, [attempt.urn]) }));
    return { ...workload, files };
}
