import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { shellQuote } from "../render/shell";
import { rootShell, sshArguments, sshConnectTimeoutSeconds, sshPort, sshUser, standardInput } from "../render/ssh";
import { Announce, announceChanges } from "./announcement";
import { HostConnection } from "./workload";

/** Dials before a host counts as unreachable. */
const dialAttempts = 3;

/** What identifies a host to ssh. */
export type SshHost = Pick<HostConnection, "key" | "sshAddress" | "ssh">;

/** When a command runs. Pulumi runs nothing in a preview. */
export enum RunOn {
    /** At creation, and again when script or stamp changed. */
    CreateAndUpdate,
    /** Only when script or stamp changed. */
    Update,
    /** At creation only. */
    Create,
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
    deleteScript?: pulumi.Input<string>;
    /** Says what a change of the purpose or the stamp does; with `showScript`, what a change of the script does. */
    announce?: Announce;
    /** Something that, when it changes, makes the command new and then undoes the old one by its delete script. */
    replaceOn?: pulumi.Input<string>;
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
    const script = pulumi
        .all([args.script, args.deleteScript])
        .apply(([text, deleteText]) => standardInput(text, deleteText));
    const told = args.showScript ? "stdin" : runOn === RunOn.Update ? "update" : "create";
    const hooks = args.announce && announceChanges(name, told, args.announce, opts.parent);
    return new remote.Command(
        name,
        {
            connection: {
                host: args.host.sshAddress,
                user: sshUser(args.host.ssh),
                port: sshPort(args.host.ssh),
                hostKey: args.host.ssh.hostKey,
                dialErrorLimit: dialAttempts,
                perDialTimeout: sshConnectTimeoutSeconds,
            },
            create: runOn === RunOn.Update ? undefined : run,
            // Without a command of its own an update runs that of the creation.
            update: runOn === RunOn.Update ? run : runOn === RunOn.Create ? "true" : undefined,
            delete: args.deleteScript === undefined ? undefined : `${shell} delete`,
            stdin: args.showScript ? script : pulumi.secret(script),
            logging: remote.Logging.None,
            triggers: args.replaceOn === undefined ? undefined : [args.replaceOn],
            // The previous output would travel as environment variables, which sshd refuses (pulumi-command#430).
            addPreviousOutputInEnv: false,
        },
        { ...opts, hooks },
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
    const words = ["ssh", ...sshArguments(host.sshAddress, host.ssh)];
    const command = `${words.map(shellQuote).join(" ")} ${shellQuote(`${rootShell(host.ssh)} run`)}`;
    return local
        .runOutput({ command, stdin: standardInput(script), logging: local.Logging.None }, opts)
        .stdout.apply((text) => text.trim());
}
