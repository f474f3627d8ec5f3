import * as pulumi from "@pulumi/pulumi";
import { workloadFingerprint } from "./fingerprint";
import { createHostCommand } from "./hostCommand";
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
    const replicas = runtimeOf(target).replicate?.(args, { ...opts, dependsOn: [] });
    if (replicas === undefined) {
        const members = hosts.map((host) => ({ key: host.key, host, workload, replacementWords }));
        return rollOut(name, { target, members, startTimeoutSeconds }, opts);
    }
    const { host, script } = replicas.wait;
    const stamp = workloadFingerprint(workload);
    return [
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
