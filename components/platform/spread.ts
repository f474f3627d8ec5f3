import * as pulumi from "@pulumi/pulumi";
import { workloadFingerprint } from "./fingerprint";
import { createHostCommand, RunOn } from "./hostCommand";
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
    const { target, hosts, workload, replacementWords, startTimeoutSeconds } = args;
    const beside = runBeside(name, args, opts);
    const replicas = runtimeOf(target).replicate?.(args, { ...opts, dependsOn: [] });
    if (replicas === undefined) {
        const members = hosts.map((host) => ({ key: host.key, host, workload, replacementWords }));
        return [...beside, ...rollOut(name, { target, members, startTimeoutSeconds }, opts)];
    }
    const { host, script } = replicas.wait;
    const stamp = workloadFingerprint(workload);
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
    { duringUpdate, workload }: SpreadArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    if (duringUpdate === undefined) {
        return [];
    }
    const purpose = `look after the clients of ${name}`;
    const stamp = workloadFingerprint(workload);
    const command = { ...duringUpdate, purpose, stamp, runOn: RunOn.Update };
    return [createHostCommand(`${name}-clients`, command, { ...opts, dependsOn: [] })];
}
