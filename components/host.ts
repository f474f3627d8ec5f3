import * as pulumi from "@pulumi/pulumi";
import { hostLabel } from "./defaults";
import { assertNoProblems } from "./platform/problems";
import { readiness } from "./platform/readiness";
import { checkHost } from "./checks/hosts";
import { createHostCommand, observeHost } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import { HostConnection, SshArgs } from "./platform/workload";
import { Labelling, refuseOtherValues } from "./render/changeWords";
import { failFunction, sortedEntries } from "./render/shell";
import { renderHostScript, renderLabelCheckScript, renderLabelScript } from "./render/hostScripts";

/** Kernel settings of a database host. Source: https://www.postgresql.org/docs/17/kernel-resources.html and Patroni's own advice. */
const defaultSysctls: { [name: string]: string } = {
    // A database in a container should lose cache before its pages go to disk.
    "vm.swappiness": "1",
    // HAProxy and PgBouncer listen with long queues; the kernel cuts them to this.
    "net.core.somaxconn": "4096",
};

/** A Docker host that may run parts of a cluster. */
export interface HostArgs {
    /**
     * Address under which the other hosts and the clients reach it: an IP address, or a name that all of them resolve.
     *
     * **Change:** rolling restart of all members, since they know each other by it.
     */
    address: string;
    /**
     * Address under which the operator's machine reaches it by ssh.
     *
     * @default - `address`
     *
     * **Change:** in place.
     */
    sshAddress?: string;
    /**
     * How to log in by ssh. The key comes from the ssh agent.
     *
     * @default - user root, port 22, any host key (with a warning)
     *
     * **Change:** in place.
     */
    ssh?: SshArgs;
    /**
     * Name of the Swarm node, as `docker node ls` shows it. On a Swarm only, as `labels` and `placementLabel` are.
     *
     * @default - the host's key
     *
     * **Change:** in place.
     */
    nodeName?: string;
    /**
     * Memory in MiB: PostgreSQL's memory settings follow from it.
     *
     * Allowed: 512 or more.
     *
     * **Change:** rolling restart where a setting that follows from it changes.
     */
    memoryMiB: number;
    /**
     * Further labels for the Swarm node, beside `pgha.host`. A label that was changed or lost is put right by the next `up`.
     *
     * @default - none
     *
     * **Change:** in place. A label that is taken out here stays on the node. Another value of a label by which a `placementLabel` pins
     * members to this host is refused, because Swarm would end them at once: give the label another name instead, and they follow one at a
     * time.
     */
    labels?: { [name: string]: string };
    /**
     * Name of the label that pins members to this host. It must be `pgha.host` or one of `labels`, with a value that no other host has.
     *
     * @default "pgha.host"
     *
     * **Change:** rolling restart of the members on it.
     */
    placementLabel?: string;
    /**
     * Kernel settings, added to the defaults of this library (`vm.swappiness` 1, `net.core.somaxconn` 4096).
     *
     * @default - the defaults alone
     *
     * **Change:** in place. A setting that is taken out here keeps its value until the host restarts.
     */
    sysctls?: { [name: string]: string };
}

/** A host with its key. */
export interface KeyedHostArgs extends HostArgs {
    /** The host's key: the user's name for it, and the value of its label `pgha.host`. */
    key: string;
}

/** Arguments of {@link Host}. */
export interface HostComponentArgs extends KeyedHostArgs {
    /**
     * A Swarm manager, on which the labels are set.
     *
     * @default - the host itself
     */
    manager?: KeyedHostArgs;
    /**
     * Whether its Swarm node gets the labels by which members find their host. A plain Docker host has no node.
     *
     * @default true
     */
    enableSwarmLabels?: boolean;
    /**
     * Names of its labels by which services are pinned to it.
     *
     * @default - the `placementLabel`
     *
     * **Change:** in place.
     */
    pinningLabels?: string[];
}

/**
 * Prepares a Docker host: kernel settings, limits of sshd, and, on a Swarm, labels of its node. Everything is done by ssh, is safe to repeat, and is
 * left in place when the resource goes.
 */
export class Host extends pulumi.ComponentResource implements HostConnection {
    public readonly key: string;
    public readonly address: string;
    public readonly sshAddress: string;
    public readonly ssh: SshArgs;
    public readonly constraint: string;
    public readonly nodeName: string;
    public readonly labels: { [name: string]: string };
    public readonly ready: pulumi.Output<string>;

    constructor(name: string, args: HostComponentArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:Host", name, {}, opts);
        assertNoProblems(checkHost(args.key, args));

        this.key = args.key;
        this.address = args.address;
        this.sshAddress = args.sshAddress ?? args.address;
        this.ssh = args.ssh ?? {};
        this.labels = { ...args.labels, [hostLabel]: args.key };
        this.nodeName = args.nodeName ?? args.key;
        const placementLabel = args.placementLabel ?? hostLabel;
        this.constraint = `node.labels.${placementLabel}==${this.labels[placementLabel]}`;

        const system = createHostCommand(
            objectName(name, "system"),
            {
                host: this,
                purpose: "set kernel settings and sshd's limits",
                script: renderHostScript(failFunction(this), { ...defaultSysctls, ...args.sysctls }),
            },
            { parent: this },
        );
        const nodeLabels =
            (args.enableSwarmLabels ?? true)
                ? [setLabels(name, this, args.pinningLabels ?? [placementLabel], managerOf(args), this)]
                : [];
        this.ready = readiness([system, ...nodeLabels]);
        this.registerOutputs({ address: this.address, ready: this.ready });
    }
}

type SshHost = Pick<HostConnection, "key" | "sshAddress" | "ssh">;

function managerOf(args: HostComponentArgs): SshHost {
    const manager = args.manager ?? args;
    return { key: manager.key, sshAddress: manager.sshAddress ?? manager.address, ssh: manager.ssh ?? {} };
}

/**
 * Sets the node's labels on the manager, and again whenever one of them was changed or lost in between.
 *
 * Pulumi can't see drift behind a command. So each real run asks the manager for the mark that the last setting left; where the labels
 * are no longer there the answer is a new mark, which is a changed input. A preview asks nobody and ignores the mark.
 */
function setLabels(
    name: string,
    host: HostConnection,
    pinning: string[],
    manager: SshHost,
    parent: pulumi.Resource,
): pulumi.Resource {
    const { key, nodeName, labels = {} } = host;
    const node = { nodeName, labels };
    const mark = observeHost(manager, renderLabelCheckScript(node), { parent });
    return createHostCommand(
        objectName(name, "labels"),
        {
            host: manager,
            purpose: labelPurpose({ nodeName, labels, pinning }),
            script: mark.apply((text) => renderLabelScript(failFunction(host), node, text)),
            announce: (before, after) => {
                refuseOtherValues(key, labellingIn(before), labellingIn(after));
                return [];
            },
        },
        { parent, ignoreChanges: pulumi.runtime.isDryRun() ? ["stdin"] : [] },
    );
}

/** What the command that sets labels is for. The state keeps it, and so what the labels were and which of them pinned something. */
function labelPurpose({ nodeName, labels, pinning }: Labelling): string {
    const words = sortedEntries(labels).map(([label, value]) => `${label}=${value}`);
    const pins = [...new Set(pinning)].sort();
    return [`label ${nodeName} ${words.join(" ")}`, ...(pins.length === 0 ? [] : [`pinned by ${pins.join(" ")}`])].join(
        ", ",
    );
}

/** What {@link labelPurpose} says in a command. */
function labellingIn(command: string): Labelling {
    const [, nodeName = "", words = "", pins = ""] =
        /'label (\S+) ([^',]*)(?:, pinned by ([^']*))?'/.exec(command) ?? [];
    const labels = words.split(" ").map((word) => word.split("=") as [string, string]);
    return { nodeName, labels: Object.fromEntries(labels), pinning: pins.split(" ") };
}
