import * as pulumi from "@pulumi/pulumi";
import { describeSpread } from "../render/changeWords";
import { createAttempt, withAttempt } from "./attempt";
import { workloadFingerprint } from "./fingerprint";
import { createHostCommand, RunOn } from "./hostCommand";
import { recordMembers } from "./membership";
import { keepBack } from "./readiness";
import { rollOut } from "./rollout";
import { SpreadArgs } from "./runtime";
import { runtimeOf } from "./target";
import { Target } from "./workload";

/**
 * Runs interchangeable containers, one on each of some hosts, and replaces them one at a time; the first that doesn't become healthy
 * stops that. Swarm does it by itself; on plain Docker hosts they are rolled out as members are.
 *
 * @returns resources that are there when all of them run.
 */
export function spreadOut(
    name: string,
    args: SpreadArgs & { target: Target },
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    const { target, hosts, workload, replacementWords, after, startTimeoutSeconds } = args;
    const attempt = createAttempt(`${name}-all`, keepBack(workloadFingerprint(workload, target), [after]), opts.parent);
    const stamp = attempt.hex;
    const places = hosts.map((host) => ({ host, workload: { ...workload, name: `${workload.name} on ${host.key}` } }));
    recordMembers(name, places, describeSpread, opts);
    const beside = runBeside(name, args, stamp, opts);
    const replicas = runtimeOf(target).replicate?.(
        { ...args, workload: withAttempt(workload, attempt) },
        { ...opts, dependsOn: attempt },
    );
    if (replicas === undefined) {
        const members = hosts.map((host) => ({ key: host.key, host, workload, replacementWords }));
        return [...beside, ...rollOut(name, { target, members, after, startTimeoutSeconds }, opts)];
    }
    const { host, script } = replicas.wait;
    return [
        ...beside,
        createHostCommand(
            `${name}-running`,
            {
                host,
                purpose: `wait until ${name} runs`,
                script,
                stamp,
                announce: () => [{ words: replacementWords }],
            },
            { ...opts, dependsOn: [replicas.service] },
        ),
    ];
}

/** Starts what runs while the containers are replaced: neither waits for the other. */
function runBeside(
    name: string,
    { duringUpdate }: SpreadArgs,
    stamp: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    if (duringUpdate === undefined) {
        return [];
    }
    const purpose = `look after the clients of ${name}`;
    const command = { ...duringUpdate, purpose, stamp, runOn: RunOn.Update };
    return [createHostCommand(`${name}-clients`, command, { ...opts, dependsOn: [] })];
}
