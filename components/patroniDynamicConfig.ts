import * as pulumi from "@pulumi/pulumi";
import type { PatroniSettings } from "./patroniSettings";
import { createAttempt } from "./platform/attempt";
import { createHostCommand } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import { firstOf, Member } from "./platform/rollout";
import { logsCommand } from "./platform/target";
import type { Target } from "./platform/workload";
import { describeDynamicChange } from "./render/dynamicChange";
import { configInScript, renderDynamicConfigScript } from "./render/patroniScripts";
import { renderPatroniDynamicJson } from "./render/patroniYaml";

/** Arguments of {@link applyDynamicConfig}. */
export interface DynamicConfigArgs {
    target: Target;
    members: Member[];
    config: PatroniSettings["dynamic"];
    /** Directory on each host that keeps the scripts of switchovers. */
    switchoverDirectory: string;
    gateTimeoutSeconds: number;
}

/** Brings the dynamic configuration to what the settings say, and carries out restarts that PostgreSQL waits for. */
export function applyDynamicConfig(
    name: string,
    { target, members, config, switchoverDirectory, gateTimeoutSeconds }: DynamicConfigArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const { host, workload } = firstOf(members);
    const configJson = renderPatroniDynamicJson(config);
    return createHostCommand(
        `${name}-dynamic-config`,
        {
            host,
            purpose: `bring ${target.clusterName}'s dynamic configuration up to date`,
            script: renderDynamicConfigScript({
                host,
                serviceName: objectName(target.clusterName, workload.name),
                logsCommand: logsCommand(target, "$1"),
                switchoverScript: `${switchoverDirectory}/${workload.name}`,
                scope: target.clusterName,
                configJson,
                timeoutSeconds: gateTimeoutSeconds,
            }),
            stamp: createAttempt(`${name}-dynamic-config`, configJson, opts.parent).hex,
            showScript: true,
            announce: (before, after) =>
                describeDynamicChange(configInScript(before), configInScript(after), members.length),
        },
        opts,
    );
}
