import * as pulumi from "@pulumi/pulumi";
import { workloadNames } from "./defaults";
import { createHostCommand } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import type { HostConnection } from "./platform/workload";
import { failFunction, shellQuote } from "./render/shell";
import { renderSwitchoverScript, SwitchoverRouters } from "./render/switchoverScript";

/** PgBouncers that are paused around a switchover, so that their clients wait and see no error. */
export interface PoolersArgs {
    /** Addresses of the hosts that publish one. */
    addresses: string[];
    /** TCP port on each. */
    port: number;
    /** Password of PgBouncer's administrator `pgbouncer`. */
    password: pulumi.Input<string>;
    /**
     * The password before, which PgBouncers have until they get a new one.
     *
     * @default - none
     */
    previousPassword?: pulumi.Input<string>;
}

/** How PgBouncers are led away from a HAProxy that is replaced. */
export interface PoolerControl {
    /** The host that runs the script. */
    host: HostConnection;
    /** Shell that runs while HAProxys are replaced. */
    script: string;
}

/** Arguments of {@link createSwitchoverScript}. */
export interface SwitchoverScriptArgs {
    clusterName: string;
    /** The user's key of the node. */
    key: string;
    host: HostConnection;
    dataRoot: string;
    routers?: SwitchoverRouters;
    poolers?: PoolersArgs;
}

/** Directory, on the host of each node, of the scripts that hand the leader's role over: each has the name of its node. */
export function switchoverDirectory(dataRoot: string, clusterName: string): string {
    return `${dataRoot}/${clusterName}/.switchover`;
}

/** Puts a node's script for a switchover on its host: with an address or a password that changes, no node changes. */
export function createSwitchoverScript(
    name: string,
    args: SwitchoverScriptArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const { clusterName, key, host, routers, poolers } = args;
    const directory = switchoverDirectory(args.dataRoot, clusterName);
    const file = `${directory}/${workloadNames.patroni(key)}`;
    const serviceName = objectName(clusterName, workloadNames.patroni(key));
    const passwords = pulumi.all([poolers?.password ?? "", poolers?.previousPassword ?? ""]);
    const script = pulumi.all([passwords, host.ready]).apply(([known]) => {
        const given = known.filter((password) => password !== "");
        const paused = poolers === undefined ? undefined : { ...poolers, passwords: given };
        const content = renderSwitchoverScript({ serviceName, scope: clusterName, routers, poolers: paused });
        return writeScript(host, directory, file, content);
    });
    return createHostCommand(
        `${name}-${key}-switchover`,
        {
            host,
            purpose: `write ${file}`,
            script,
            deleteScript: `rm -f ${shellQuote(file)}\nrmdir ${shellQuote(directory)} 2>/dev/null || true`,
        },
        opts,
    );
}

function writeScript(host: HostConnection, directory: string, file: string, content: string): string {
    return [
        failFunction(host),
        "umask 077",
        `file=${shellQuote(file)}`,
        `write() { mkdir -p ${shellQuote(directory)} && printf '%s\\n' ${shellQuote(content)} >"$file.new" && mv "$file.new" "$file"; }`,
        "write || fail \"can't write $file\" \"look for a full disk with 'df' there, then run 'pulumi up' again\"",
    ].join("\n");
}
