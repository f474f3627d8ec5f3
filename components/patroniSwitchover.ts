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
    /** What runs before the node's container is replaced. */
    prepareScript: string;
    routers?: SwitchoverRouters;
    poolers?: PoolersArgs;
}

/** Directory, on the host of each node, of the scripts that hand the leader's role over: each has the name of its node. */
export function switchoverDirectory(dataRoot: string, clusterName: string): string {
    return `${dataRoot}/${clusterName}/.switchover`;
}

/** On a node's host, the script that runs before its container is replaced. */
export function prepareFile(dataRoot: string, clusterName: string, nodeKey: string): string {
    return `${switchoverDirectory(dataRoot, clusterName)}/${workloadNames.patroni(nodeKey)}.prepare`;
}

/**
 * Puts a node's scripts for a switchover on its host. A step of the roll-out runs again when its text changes: with an address, a password
 * or a further node only these files change, and nobody hands the leader's role over for nothing.
 */
export function createSwitchoverScript(
    name: string,
    args: SwitchoverScriptArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const { clusterName, key, host, dataRoot, prepareScript, routers, poolers } = args;
    const directory = switchoverDirectory(dataRoot, clusterName);
    const prepare = prepareFile(dataRoot, clusterName, key);
    const file = `${directory}/${workloadNames.patroni(key)}`;
    const serviceName = objectName(clusterName, workloadNames.patroni(key));
    const passwords = pulumi.all([poolers?.password ?? "", poolers?.previousPassword ?? ""]);
    const script = pulumi.all([passwords, host.ready]).apply(([known]) => {
        const given = known.filter((password) => password !== "");
        const paused = poolers === undefined ? undefined : { ...poolers, passwords: given };
        const content = renderSwitchoverScript({ serviceName, scope: clusterName, routers, poolers: paused });
        return writeScripts(host, directory, { [file]: content, [prepare]: prepareScript });
    });
    return createHostCommand(
        `${name}-${key}-switchover`,
        {
            host,
            purpose: `write ${file}`,
            script,
            deleteScript: `rm -f ${shellQuote(file)} ${shellQuote(prepare)}\nrmdir ${shellQuote(directory)} 2>/dev/null || true`,
        },
        // Replaced by an operator, the old one would otherwise go after the new one has come.
        { ...opts, deleteBeforeReplace: true },
    );
}

function writeScripts(host: HostConnection, directory: string, scripts: { [file: string]: string }): string {
    return [
        failFunction(host),
        "umask 077",
        `write() { mkdir -p ${shellQuote(directory)} && printf '%s\\n' "$2" >"$1.new" && mv "$1.new" "$1"; }`,
        ...Object.entries(scripts).map(
            ([file, content]) =>
                `write ${shellQuote(file)} ${shellQuote(content)} || fail ${shellQuote(`can't write ${file}`)} "look for a full disk with 'df' there, then run 'pulumi up' again"`,
        ),
    ].join("\n");
}
