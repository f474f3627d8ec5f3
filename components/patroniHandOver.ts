import * as pulumi from "@pulumi/pulumi";
import { defaultDataRoot } from "./defaults";
import type { PatroniEndpoint } from "./patroniGroup";
import type { PatroniGroupArgs } from "./patroniGroupArgs";
import { switchoverDirectory } from "./patroniSwitchover";
import { createHostCommand, RunOn } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import { firstOf, Member } from "./platform/rollout";
import { renderHandOverScript } from "./render/handOverScript";

/**
 * Hands the leader's role over from a node that the settings don't have any more, when all others are well and nothing moves the role again.
 * Its container goes at the end of an update, when HAProxy has not known it for long.
 */
export function letNodesGo(
    name: string,
    { target: { clusterName }, dataRoot = defaultDataRoot }: PatroniGroupArgs,
    nodes: PatroniEndpoint[],
    members: Member[],
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const { host, workload } = firstOf(members);
    return createHostCommand(
        `${name}-handover`,
        {
            host,
            purpose: `hand the role of ${clusterName}'s leader over if it goes`,
            script: renderHandOverScript({
                host,
                serviceName: objectName(clusterName, workload.name),
                scope: clusterName,
                nodes,
                switchoverScript: `${switchoverDirectory(dataRoot, clusterName)}/${workload.name}`,
            }),
            runOn: RunOn.Update,
        },
        opts,
    );
}
