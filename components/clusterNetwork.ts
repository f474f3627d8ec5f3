import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { checkNetwork } from "./checks/network";
import { defaultPoolerSubnet, defaultSubnet } from "./defaults";
import { objectName } from "./platform/objectName";
import { assertNoProblems } from "./platform/problems";
import { ownLabel } from "./platform/labels";
import { SwarmTarget } from "./platform/workload";

/** The overlay network on which other stacks reach the entry points. */
export interface ClusterNetworkArgs {
    /**
     * Id of an overlay network that is there already and attachable; then none is made, and the other settings here don't apply.
     *
     * @default - a network is made
     *
     * **Change:** replaces HAProxy's and PgBouncer's services.
     */
    existingNetworkId?: pulumi.Input<string>;
    /**
     * Name of the network, for `external: true` in other stacks.
     *
     * @default - `<cluster>-network`
     *
     * **Change:** not possible while a service uses the network.
     */
    name?: string;
    /**
     * Address range in CIDR notation. Source of the default: seed 000.
     *
     * @default "10.0.20.0/24"
     *
     * **Change:** not possible while a service uses the network.
     */
    subnet?: string;
    /**
     * Whether traffic between hosts is encrypted with IPsec; needs ESP in every host's kernel.
     *
     * @default true
     *
     * **Change:** not possible while a service uses the network.
     */
    enableEncryption?: boolean;
    /**
     * Address range of the internal network between HAProxy and PgBouncer, which HAProxy's `ports.pooled` brings.
     *
     * @default "10.0.21.0/24"
     *
     * **Change:** not possible while a service uses the network.
     */
    poolerSubnet?: string;
}

/** Arguments of {@link ClusterNetwork}. */
export interface ClusterNetworkComponentArgs extends ClusterNetworkArgs {
    target: SwarmTarget;
    /**
     * Whether PgBouncer is behind HAProxy and gets a network of its own with it.
     *
     * @default false
     */
    enablePooler?: boolean;
}

/** An attachable overlay network or the one that is there already, and an internal one for a PgBouncer behind HAProxy. */
export class ClusterNetwork extends pulumi.ComponentResource {
    /** The network's id, for services of other stacks. */
    public readonly networkId: pulumi.Output<string>;
    /** The network's name. Unknown to this library for an existing one. */
    public readonly networkName: pulumi.Output<string | undefined>;
    /** Id of the network between HAProxy and PgBouncer, where there is one. */
    public readonly poolerNetworkId?: pulumi.Output<string>;

    constructor(name: string, args: ClusterNetworkComponentArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ClusterNetwork", name, {}, opts);
        assertNoProblems(checkNetwork("network", args));

        if (args.existingNetworkId !== undefined) {
            this.networkId = pulumi.output(args.existingNetworkId);
            this.networkName = pulumi.output(undefined);
        } else {
            const subnet = args.subnet ?? defaultSubnet;
            const network = createOverlay(name, { name: args.name, subnet, attachable: true }, args, this);
            this.networkId = network.id;
            this.networkName = network.name;
        }
        if (args.enablePooler) {
            const pooler = { subnet: args.poolerSubnet ?? defaultPoolerSubnet, attachable: false };
            this.poolerNetworkId = createOverlay(objectName(name, "pooler"), pooler, args, this).id;
        }
        this.registerOutputs({ networkId: this.networkId, networkName: this.networkName });
    }
}

/** An overlay network that other stacks may attach to, or an internal one that leads nowhere else. */
function createOverlay(
    name: string,
    { subnet, attachable, ...overlay }: { name?: string; subnet: string; attachable: boolean },
    args: ClusterNetworkComponentArgs,
    parent: pulumi.Resource,
): docker.Network {
    const encrypted = args.enableEncryption ?? true;
    return new docker.Network(
        name,
        {
            name: overlay.name ?? name,
            driver: "overlay",
            attachable,
            ...(attachable ? {} : { internal: true }),
            ipamConfigs: [{ subnet }],
            options: encrypted ? { encrypted: "" } : {},
            labels: [
                ownLabel(args.target),
                // A changed subnet or encryption shows as a replacement by these, since the settings themselves are ignored.
                { label: "pgha.encrypted", value: String(encrypted) },
                { label: "pgha.subnet", value: subnet },
            ],
        },
        // Swarm adds a gateway and a VXLAN id, which would look like a change at every refresh, and so replace the network.
        { parent, ignoreChanges: ["ipamConfigs", "options"] },
    );
}
