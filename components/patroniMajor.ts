import * as pulumi from "@pulumi/pulumi";
import { defaultDataRoot, workloadNames } from "./defaults";
import type { PatroniGroupArgs } from "./patroniGroup";
import type { PatroniSettings } from "./patroniSettings";
import { switchoverDirectory } from "./patroniSwitchover";
import { announceChanges } from "./platform/announcement";
import { createHostCommand, RunOn } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import type { Member } from "./platform/rollout";
import { describeMajorChange, MajorChange, renderMajorChangeScript } from "./render/majorChange";

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
 * Keeps PostgreSQL's major version in the state, so that a preview refuses another one without consent, and changes the data of the first node
 * where the settings consent to it. The nodes' containers come after that.
 */
export function changeMajor(
    name: string,
    { args, members, settings, timeoutSeconds }: MajorChangeArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const { postgresMajor, previousPostgresMajor } = settings;
    const recordName = `${name}-major`;
    const hooks = announceChanges(
        recordName,
        "input",
        (before, after) => describeMajorChange(Number(before), Number(after), previousPostgresMajor),
        opts.parent,
    );
    const record = new pulumi.Stash(recordName, { input: String(postgresMajor) }, { ...opts, hooks });
    const [first, ...others] = members;
    if (first === undefined) {
        return record;
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
    return createHostCommand(
        `${name}-upgrade`,
        {
            host: first.host,
            purpose: `change PostgreSQL's major version in ${name}`,
            script: script ?? ":",
            stamp: change && `${change.from}-${change.to}`,
            runOn: RunOn.Update,
        },
        { ...opts, dependsOn: [record] },
    );
}
