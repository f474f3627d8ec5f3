import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { sshOptions, sshPort, sshUser } from "../render/ssh";
import { SshArgs } from "./workload";

/**
 * Creates the Docker provider that talks to a Swarm manager over ssh: `ssh://` is the only kind that a preview doesn't contact.
 *
 * Needs the `ssh` program and an agent that holds the key. Pass it to the components as `{ providers: [provider] }`.
 *
 * @param hosts - the cluster's hosts, by key
 * @param manager - key of the manager among them; what is no key is taken for an address, and the components refuse it
 */
export function createDockerProvider(
    name: string,
    hosts: { [key: string]: { address: string; sshAddress?: string; ssh?: SshArgs } },
    manager: string,
    opts?: pulumi.CustomResourceOptions,
): docker.Provider {
    const host = hosts[manager] ?? { address: manager };
    const ssh = host.ssh ?? {};
    return new docker.Provider(
        name,
        { host: `ssh://${sshUser(ssh)}@${host.sshAddress ?? host.address}:${sshPort(ssh)}`, sshOpts: sshOptions(ssh) },
        opts,
    );
}
