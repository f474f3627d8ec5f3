import * as pulumi from "@pulumi/pulumi";
import { defaultDataRoot, workloadNames } from "./defaults";
import type { PatroniGroupArgs } from "./patroniGroupArgs";
import type { PatroniSettings } from "./patroniSettings";
import { switchoverDirectory } from "./patroniSwitchover";
import { createHostCommand, RunOn } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import type { Member } from "./platform/rollout";
import { describeMajorChange, renderMajorChangeScript } from "./render/majorChange";
import type { MajorChange } from "./render/majorNodeScript";

/** What {@link changeMajor} needs. */
export interface MajorChangeArgs {
    args: PatroniGroupArgs;
    members: Member[];
    settings: PatroniSettings;
    timeoutSeconds: number;
}

/** The change of PostgreSQL's major version that the settings consent to. */
export function majorChangeOf({ postgresMajor, previousPostgresMajor }: PatroniSettings): MajorChange | undefined {
    return previousPostgresMajor === undefined ? undefined : { from: previousPostgresMajor, to: postgresMajor };
}

/**
 * Changes the data of the first node to another major version of PostgreSQL where the settings consent to it; the nodes' containers come after
 * that. In a preview it says so, or refuses it. A change that failed is not recorded: the version in the state is the one that serves.
 */
export function changeMajor(
    name: string,
    { args, members, settings, timeoutSeconds }: MajorChangeArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    const [first, ...others] = members;
    if (first === undefined) {
        return [];
    }
    const { clusterName } = args.target;
    const change = majorChangeOf(settings);
    const nodeName = workloadNames.patroni(first.key);
    const script =
        change &&
        renderMajorChangeScript({
            scope: clusterName,
            change,
            timeoutSeconds,
            host: first.host,
            node: nodeName,
            serviceName: objectName(clusterName, nodeName),
            others: others.map(({ key }) => workloadNames.patroni(key)),
            switchoverScript: `${switchoverDirectory(args.dataRoot ?? defaultDataRoot, clusterName)}/${nodeName}`,
            synchronousMode: settings.dynamic.synchronousMode,
            synchronousNodeCount: settings.dynamic.synchronousNodeCount,
        });
    const upgrade = createHostCommand(
        `${name}-upgrade`,
        {
            host: first.host,
            purpose: `change PostgreSQL's major version in ${name}`,
            script: script ?? ":",
            stamp: String(settings.postgresMajor),
            runOn: RunOn.Update,
            announce: (before, after) =>
                describeMajorChange(lastNumber(before), lastNumber(after), settings.previousPostgresMajor),
        },
        opts,
    );
    return [upgrade];
}

/** The stamp at the end of a command. */
function lastNumber(command: string): number {
    return Number(command.split(" ").at(-1));
}
