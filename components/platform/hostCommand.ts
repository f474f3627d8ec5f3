import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { shellQuote } from "../render/shell";
import { HostConnection, SshArgs } from "./workload";

/** Dials before a host counts as unreachable, and the time for each: a wrong address must not hide behind minutes of retries. */
const dial = { attempts: 3, timeoutSeconds: 10 } as const;

/** What identifies a host to ssh. */
export type SshHost = Pick<HostConnection, "key" | "sshAddress" | "ssh">;

/** Arguments of {@link createHostCommand}. Scripts are POSIX shell, run as root, and must be safe to run again. */
export interface HostCommandArgs {
    host: SshHost;
    /** Runs when the resource is created. Nothing runs if it is left out. */
    create?: pulumi.Input<string>;
    /** Runs when `create`, `update` or `stdin` changed. */
    update?: pulumi.Input<string>;
    /** Runs when the resource goes, also in `destroy`. Nothing runs if it is left out. */
    delete?: pulumi.Input<string>;
    /** Standard input of the script: the only way for a secret. */
    stdin?: pulumi.Input<string>;
}

/** Runs a script on a host, as root, over ssh with a verified host key. */
export function createHostCommand(
    name: string,
    args: HostCommandArgs,
    opts: pulumi.CustomResourceOptions,
): remote.Command {
    const asRoot = (script: pulumi.Input<string> | undefined): pulumi.Output<string> | undefined =>
        script === undefined ? undefined : pulumi.output(script).apply((text) => rootShell(text, args.host.ssh));
    return new remote.Command(
        name,
        {
            connection: {
                host: args.host.sshAddress,
                user: sshUser(args.host.ssh),
                port: sshPort(args.host.ssh),
                hostKey: args.host.ssh.hostKey,
                dialErrorLimit: dial.attempts,
                perDialTimeout: dial.timeoutSeconds,
            },
            create: asRoot(args.create),
            update: asRoot(args.update),
            delete: asRoot(args.delete),
            stdin: args.stdin === undefined ? undefined : pulumi.secret(args.stdin),
            logging: remote.Logging.None,
            // The previous output would travel as environment variables, which sshd refuses (pulumi-command#430).
            addPreviousOutputInEnv: false,
        },
        // A changed address, login or key of a host is no reason to run everything on it again.
        { ...opts, ignoreChanges: ["connection.hostKey", ...(opts.ignoreChanges ?? [])] },
    );
}

/**
 * Runs a script on a host each time that the program runs for real, and gives its output. In a preview nothing runs, so that previews
 * need no host; the caller must hide the value's absence with `ignoreChanges`.
 */
export function observeHost(host: SshHost, script: string, opts: pulumi.InvokeOptions): pulumi.Output<string> {
    if (pulumi.runtime.isDryRun()) {
        return pulumi.output("");
    }
    const destination = `${sshUser(host.ssh)}@${host.sshAddress}`;
    const words = ["ssh", ...sshOptions(host.ssh), "-p", `${sshPort(host.ssh)}`, destination, rootShell(script, host.ssh)];
    const command = words.map(shellQuote).join(" ");
    return local
        .runOutput({ command, logging: local.Logging.None }, opts)
        .stdout.apply((text) => text.trim());
}

/** Options of OpenSSH's client that refuse an unknown key without a file on the operator's machine. */
export function sshOptions(ssh: SshArgs): string[] {
    const options = ["BatchMode=yes", `ConnectTimeout=${dial.timeoutSeconds}`];
    if (ssh.hostKey !== undefined) {
        const [type, key] = ssh.hostKey.trim().split(/\s+/);
        options.push("StrictHostKeyChecking=yes", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null");
        options.push(`KnownHostsCommand=/bin/echo %H ${type} ${key}`, `HostKeyAlgorithms=${type}`);
    } else {
        options.push("StrictHostKeyChecking=accept-new");
    }
    return options.flatMap((option) => ["-o", option]);
}

/** The login on a host. */
export function sshUser(ssh: SshArgs): string {
    return ssh.user ?? "root";
}

/** The port of a host's sshd. */
export function sshPort(ssh: SshArgs): number {
    return ssh.port ?? 22;
}

function rootShell(script: string, ssh: SshArgs): string {
    const shell = `sh -eu -c ${shellQuote(script)}`;
    return sshUser(ssh) === "root" ? shell : `sudo -n ${shell}`;
}
