import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { sshOptions, sshPort, sshUser } from "./hostCommand";
import { SshArgs } from "./workload";

/**
 * Creates the Docker provider that talks to a Swarm manager over ssh: `ssh://` is the only kind that a preview doesn't contact.
 *
 * Needs the `ssh` program and an agent that holds the key. Pass it to the components as `{ providers: [provider] }`.
 *
 * @param hosts - the cluster's hosts, by key
 * @param manager - key of the manager among them
 */
export function createDockerProvider(
    name: string,
    hosts: { [key: string]: { address: string; sshAddress?: string; ssh?: SshArgs } },
    manager: string,
    opts?: pulumi.CustomResourceOptions,
): docker.Provider {
    const host = hosts[manager];
    if (host === undefined) {
        const known = Object.keys(hosts).join(", ");
        throw new pulumi.RunError(`swarm.manager: "${manager}" was given; a known host is allowed: ${known}`);
    }
    const ssh = host.ssh ?? {};
    return new docker.Provider(
        name,
        { host: `ssh://${sshUser(ssh)}@${host.sshAddress ?? host.address}:${sshPort(ssh)}`, sshOpts: sshOptions(ssh) },
        opts,
    );
}
