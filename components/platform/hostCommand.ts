import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { shellQuote } from "../render/shell";
import { HostConnection, SshArgs } from "./workload";

/** Dials before a host counts as unreachable, and the time for each: a wrong address must not hide behind minutes of retries. */
const dial = { attempts: 3, timeoutSeconds: 10 } as const;

/** What identifies a host to ssh. */
export type SshHost = Pick<HostConnection, "key" | "sshAddress" | "ssh">;

/** When a command runs. Pulumi runs nothing in a preview. */
export enum RunOn {
    /** At creation, and again when script or stamp changed. */
    CreateAndUpdate,
    /** Only when script or stamp changed. */
    Update,
}

/** Arguments of {@link createHostCommand}. */
export interface HostCommandArgs {
    host: SshHost;
    /** What the script does, in a few words, for previews and errors. */
    purpose: string;
    /** POSIX shell, run as root. It travels by standard input, may hold secrets, and must be safe to run again. */
    script: pulumi.Input<string>;
    /**
     * Whether a preview shows how the script changes: for one without secrets whose lines are worth reading.
     *
     * @default false
     */
    showScript?: boolean;
    /** @default RunOn.CreateAndUpdate */
    runOn?: RunOn;
    /** Something that makes the script run again when it changes. */
    stamp?: pulumi.Input<string>;
    /** Runs when the resource goes, also in `destroy`. */
    deleteScript?: string;
}

/** Runs a script on a host, as root, over ssh with a verified host key. */
export function createHostCommand(
    name: string,
    args: HostCommandArgs,
    opts: pulumi.CustomResourceOptions,
): remote.Command {
    const runOn = args.runOn ?? RunOn.CreateAndUpdate;
    const shell = rootShell(args.host.ssh);
    const run = pulumi.interpolate`${shell} run ${shellQuote(args.purpose)} ${args.stamp ?? ""}`.apply((text) =>
        text.trim(),
    );
    const script = pulumi.output(args.script).apply((text) => standardInput(text, args.deleteScript));
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
            create: runOn === RunOn.CreateAndUpdate ? run : undefined,
            update: runOn === RunOn.Update ? run : undefined,
            delete: args.deleteScript === undefined ? undefined : `${shell} delete`,
            stdin: args.showScript ? script : pulumi.secret(script),
            logging: remote.Logging.None,
            // The previous output would travel as environment variables, which sshd refuses (pulumi-command#430).
            addPreviousOutputInEnv: false,
        },
        opts,
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
    const words = ["ssh", ...sshOptions(host.ssh), "-p", `${sshPort(host.ssh)}`, destination];
    const command = `${words.map(shellQuote).join(" ")} ${shellQuote(`${rootShell(host.ssh)} run`)}`;
    return local
        .runOutput({ command, stdin: standardInput(script), logging: local.Logging.None }, opts)
        .stdout.apply((text) => text.trim());
}

/** The shell that takes its script from standard input. */
function rootShell(ssh: SshArgs): string {
    return sshUser(ssh) === "root" ? "sh -eu -s --" : "sudo -n sh -eu -s --";
}

/** A script as functions: they are read whole before anything runs, and what they call finds an empty standard input. */
function standardInput(script: string, deleteScript = ":"): string {
    return `run() {\n${script}\n}\ndelete() {\n${deleteScript}\n}\n"$1" </dev/null\n`;
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
