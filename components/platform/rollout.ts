import * as pulumi from "@pulumi/pulumi";
import { Announcement, MembersChange } from "../render/changeWords";
import { Announce } from "./announcement";
import { createAttempt, withAttempt } from "./attempt";
import { createDataDirectory, DataDirectory, inDataDirectory } from "./dataDirectory";
import { groupFingerprint, workloadFingerprint } from "./fingerprint";
import { createHostCommand, HostCommandArgs, RunOn } from "./hostCommand";
import { objectName } from "./objectName";
import { recordMembers } from "./membership";
import { keepBack } from "./readiness";
import { Runtime } from "./runtime";
import { runtimeOf } from "./target";
import { HostConnection, Target, Workload } from "./workload";

/** One member of a group that is updated member by member. */
export interface Member {
    /** The user's key of the member. */
    key: string;
    host: HostConnection;
    /** Constraints beside the host's own, which pins the member. */
    constraints?: string[];
    workload: Workload;
    /** What the replacement of its container means, in words for the preview. */
    replacementWords: string;
    /**
     * Makes the script that runs once on each host that the member comes to, before it starts there, and finds its data directory in `$dir`.
     * It is told whether the group is new, that is, no member has data.
     */
    admission?: (isNewGroup: boolean) => string;
    /** Runs on another member's host before `beforeUpdate`, whenever it changes: for a member that comes to a host where that finds nothing. */
    beforeMove?: { host: HostConnection; script: string };
    /**
     * Runs on the member's host before its container is replaced, never at the first creation; what it fails on has changed nothing. It
     * runs, too, when it changes itself: what differs with other members belongs elsewhere.
     */
    beforeUpdate?: string;
    /** Runs on the member's host once all members run: at creation, and whenever it changes; `ready` waits for it. */
    onRunning?: pulumi.Input<string>;
    /** Runs on the member's host after its container was replaced, and must fail unless the member is well again. */
    afterUpdate?: string;
}

/** The member whose turn comes first. */
export function firstOf([first]: Member[]): Member {
    if (first === undefined) {
        throw new pulumi.RunError("the group has no member although the checks passed: please report this");
    }
    return first;
}

/** Arguments of {@link rollOut}. */
export interface RolloutArgs {
    target: Target;
    members: Member[];
    /** Resolves when the first member may be replaced. */
    after?: pulumi.Input<string>;
    /** What the members' scripts before an update find on the hosts. */
    tools?: pulumi.Resource[];
    /** Makes what must be done before any member is replaced, and after what is given. */
    beforeMembers?: (after: pulumi.Output<pulumi.Resource[]>) => pulumi.Resource[];
    /** Script on the first member's host that waits until the whole group is well; runs at creation and after each change. */
    ready?: string;
    /** Says what a change of members or of the places of their data does. */
    announceMembers?: (change: MembersChange) => Announcement[];
    /** Time for all containers to run, in seconds. */
    startTimeoutSeconds: number;
}

/**
 * Runs a group's members, each on its host, and changes them one at a time.
 *
 * The members form a chain: prepare, replace, wait until it runs, gate, next member. At creation the prepare and gate steps run nothing, so that all members
 * come up together, which a quorum needs. In an update a gate that fails stops the chain with the members after it untouched, and the
 * next `up` takes up there, because a failed step is not recorded as done.
 *
 * @returns resources that are there when the group is well.
 */
export function rollOut(name: string, args: RolloutArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    const runtime = runtimeOf(args.target);
    // A change of members that is refused stops here, before any of them is touched.
    const record =
        args.announceMembers === undefined ? [] : [recordMembers(name, args.members, args.announceMembers, opts)];
    let previous =
        args.beforeMembers?.(pulumi.output(args.after).apply(() => [...record, ...(args.tools ?? [])])) ?? record;
    const places = preparePlaces(name, args, record, opts);
    const services = args.members.map((member) => {
        const service = rollOutMember(name, member, args, runtime, places.get(member) ?? [], previous, opts);
        previous = service.gate;
        return service;
    });
    const wanted = groupFingerprint(services.map((service) => service.fingerprint));
    const { hex: stamp } = createAttempt(name, keepBack(wanted, urnsOf(previous)), opts.parent);
    const running = runtime
        .waits(args.members, args.startTimeoutSeconds)
        .map(({ key, host, script }) =>
            createHostCommand(
                objectName(name, "running", ...(key === undefined ? [] : [key])),
                { host, purpose: `wait until ${name} runs`, script, stamp },
                { ...opts, dependsOn: previous },
            ),
        );
    const settled = args.members.flatMap(({ key, host, onRunning }) =>
        onRunning === undefined
            ? []
            : createHostCommand(
                  `${name}-${key}-settle`,
                  { host, purpose: `settle ${key} in ${name}`, script: onRunning },
                  { ...opts, dependsOn: running },
              ),
    );
    const [first] = args.members;
    if (first === undefined || args.ready === undefined) {
        return running;
    }
    const ready = createHostCommand(
        `${name}-ready`,
        { host: first.host, purpose: `wait until ${name} is well`, script: args.ready, stamp },
        { ...opts, dependsOn: settled.length > 0 ? settled : running },
    );
    return [ready];
}

/** Makes the members' data directories, and admits the members to them. */
function preparePlaces(
    name: string,
    { target, members }: RolloutArgs,
    record: pulumi.Resource[],
    opts: pulumi.CustomResourceOptions,
): Map<Member, pulumi.Resource[]> {
    const directories = new Map<Member, DataDirectory>();
    for (const member of members) {
        const { key, host, workload } = member;
        if (workload.data) {
            const serviceName = objectName(target.clusterName, workload.name);
            const directory = createDataDirectory(
                `${name}-${key}`,
                serviceName,
                workload.data,
                host,
                urnsOf(record),
                opts,
            );
            directories.set(member, directory);
        }
    }
    const isNewGroup = pulumi
        .all([...directories.values()].map(({ empty }) => empty))
        .apply((empty) => empty.every((each) => each));
    return new Map(
        members.map((member) => {
            const directory = directories.get(member)?.resource;
            const made = directory === undefined ? [] : [directory];
            return [member, [...made, ...admit(name, member, isNewGroup, [...record, ...made], opts)]];
        }),
    );
}

function admit(
    name: string,
    { key, host, workload, admission }: Member,
    isNewGroup: pulumi.Output<boolean>,
    dependsOn: pulumi.Resource[],
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    const { data } = workload;
    if (admission === undefined || data === undefined) {
        return [];
    }
    const script = isNewGroup.apply((isNew) => inDataDirectory(host, data, admission(isNew)));
    const command = createHostCommand(
        `${name}-${key}-admission-${host.key}`,
        { host, purpose: `admit ${workload.name} on ${host.key}`, script },
        {
            ...opts,
            dependsOn,
            // Never again on that host: a member that has lost its data must not take its group for a new one.
            ignoreChanges: ["connection", "create", "stdin"],
        },
    );
    return [command];
}

/** One step around the replacement of a member. */
type RolloutStep = Pick<HostCommandArgs, "host" | "purpose" | "script" | "stamp" | "announce">;

function rollOutMember(
    name: string,
    member: Member,
    { target, after, startTimeoutSeconds, tools = [] }: RolloutArgs,
    runtime: Runtime,
    place: pulumi.Resource[],
    previous: pulumi.Resource[],
    opts: pulumi.CustomResourceOptions,
) {
    const stepName = `${name}-${member.key}`;
    const serviceName = objectName(target.clusterName, member.workload.name);
    const fingerprint = workloadFingerprint(member.workload, target);
    const step = (
        kind: string,
        { host, purpose, script, stamp, announce }: RolloutStep,
        dependsOn: pulumi.Resource[],
    ): pulumi.Resource =>
        createHostCommand(
            `${stepName}-${kind}`,
            { host, purpose, script, stamp, runOn: RunOn.Update, announce },
            { ...opts, dependsOn },
        );
    const { host, beforeMove, beforeUpdate, afterUpdate } = member;
    const moved =
        beforeMove === undefined
            ? previous
            : [step("move", { ...beforeMove, purpose: `let ${serviceName} move` }, [...previous, ...tools])];
    const purpose = `prepare ${serviceName}`;
    const prepare =
        beforeUpdate === undefined
            ? moved
            : [step("prepare", { host, purpose, script: beforeUpdate, stamp: fingerprint }, [...moved, ...tools])];
    // Only when its turn has come and nothing was in the way: members that an update has not touched stay as they are when its settings
    // are put back.
    const attempt = createAttempt(stepName, keepBack(fingerprint, [after, ...urnsOf(prepare)]), opts.parent);
    const stamp = attempt.hex;
    const placed = { ...member, workload: withAttempt(member.workload, attempt) };
    const container = runtime.run(stepName, placed, { ...opts, dependsOn: [...place, attempt, ...prepare] });
    const replaced = runtime.waits([member], startTimeoutSeconds).map(({ host: waiting, script }) => {
        const announce: Announce = () => [{ words: member.replacementWords }];
        const wait = { host: waiting, purpose: `wait until ${serviceName} runs`, script, stamp, announce };
        return step("replaced", wait, [container]);
    });
    const gate =
        afterUpdate === undefined
            ? replaced
            : [
                  step(
                      "gate",
                      { host, purpose: `wait until ${serviceName} is well`, script: afterUpdate, stamp },
                      replaced,
                  ),
              ];
    return { fingerprint, gate };
}

function urnsOf(resources: pulumi.Resource[]): pulumi.Output<string>[] {
    return resources.map(({ urn }) => urn);
}
