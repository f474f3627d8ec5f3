import * as pulumi from "@pulumi/pulumi";
import { Announcement } from "../render/changeWords";

/** Says what a change from one text to another does. It throws, with the reason, where the change must not happen. */
export type Announce = (before: string, after: string) => Announcement[];

/**
 * Announces the changes of a resource, in each preview and `up` that changes it.
 *
 * @param input - the input of the resource that tells one change from another: a text that isn't secret
 */
export function announceChanges(
    name: string,
    input: string,
    announce: Announce,
    component?: pulumi.Resource,
): pulumi.ResourceHookBinding | undefined {
    // Pulumi's mocks take no hooks, and nobody reads what they preview.
    if (!("registerResourceHook" in (pulumi.runtime.getMonitor() ?? {}))) {
        return undefined;
    }
    const hook = new pulumi.ResourceHook(
        `${name}-announcement`,
        async ({ oldInputs, newInputs }) => {
            const before = text(oldInputs?.[input]);
            const after = text(newInputs?.[input]);
            if (before === after) {
                return;
            }
            for (const { words, alarming } of announce(before, after)) {
                await (alarming ? pulumi.log.warn(words, component) : pulumi.log.info(words, component));
            }
        },
        { onDryRun: true },
    );
    return { beforeUpdate: [hook] };
}

/** What isn't known before the change, as a text with a new password in it, is something else than all that was. */
function text(value: unknown): string {
    return typeof value === "string" ? value : "";
}
