import * as pulumi from "@pulumi/pulumi";
import { checkFirewall } from "./checks/firewall";
import { createAttempt } from "./platform/attempt";
import { createHostCommand } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import { assertNoProblems } from "./platform/problems";
import { keepBack } from "./platform/readiness";
import { HostConnection } from "./platform/workload";
import { FirewallRule, renderFirewall, renderFirewallRemovalScript, renderFirewallScript } from "./render/firewall";
import { failFunction } from "./render/shell";

/** Who may reach the cluster's published ports, beside its own hosts. Each source is an IPv4 address or a network such as "10.1.0.0/16". */
export interface FirewallSettingsArgs {
    /**
     * Sources of clients: they reach the ports of HAProxy and PgBouncer, but not the statistics page.
     *
     * **Change:** in place; connections from a source that is taken out are cut off.
     */
    clients: string[];
    /**
     * Sources of monitoring: they reach HAProxy's statistics page and metrics, and the exporters.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    monitoring?: string[];
    /**
     * Sources of operators: they reach the members themselves, that is PostgreSQL, Patroni's REST API and etcd.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    operators?: string[];
}

/** Published ports of a host, by who has business there. */
export interface FirewallPortsArgs {
    /** Of etcd, Patroni and PostgreSQL. */
    members: number[];
    /** Of HAProxy and PgBouncer. */
    clients: number[];
    /** Of the statistics page and the exporter. */
    monitoring: number[];
}

/** Arguments of {@link Firewall}. */
export interface FirewallArgs extends FirewallSettingsArgs {
    /** Name of the cluster, which the nftables table carries. */
    clusterName: string;
    /** Hosts by key; each is reached at an IPv4 address. */
    hosts: { [key: string]: HostConnection };
    /** Published ports of each host, by its key. */
    ports: { [key: string]: FirewallPortsArgs };
    /**
     * Bridge by which the cluster's containers reach ports that are published on their own host.
     *
     * @default "docker_gwbridge"
     */
    bridge?: string;
    /**
     * Resolves when nothing runs any more on hosts that are none of the cluster's from now on. Until then they reach it as before.
     *
     * @default - at once
     */
    settled?: pulumi.Input<string>;
}

/**
 * Closes the published ports of the cluster's hosts to all but those who have business there, with nftables. Every other port, that of
 * sshd above all, and every other table stay as they are. `destroy` takes it away.
 *
 * Hosts are told apart, and containers are not: one on a cluster's host reaches the members of the others, since its packets carry the
 * host's address.
 */
export class Firewall extends pulumi.ComponentResource {
    constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:Firewall", name, {}, opts);
        assertNoProblems(checkFirewall("firewall", args));

        const addresses = Object.values(args.hosts).map((host) => host.address);
        for (const [key, host] of Object.entries(args.hosts)) {
            const config = {
                clusterName: args.clusterName,
                hosts: addresses,
                rules: rulesOf(key, args),
                bridge: args.bridge ?? "docker_gwbridge",
            };
            const closed = createHostCommand(
                objectName(name, key),
                {
                    host,
                    purpose: "close the cluster's ports to strangers",
                    script: renderFirewallScript(failFunction(host), config, true),
                    deleteScript: renderFirewallRemovalScript(args.clusterName),
                    showScript: true,
                },
                { parent: this },
            );
            const hostsName = objectName(name, key, "hosts");
            createHostCommand(
                hostsName,
                {
                    host,
                    purpose: "close them to hosts that have left",
                    script: keepBack(renderFirewallScript(failFunction(host), config, false), [
                        closed.urn,
                        args.settled,
                    ]),
                    stamp: createAttempt(hostsName, renderFirewall(config), this).hex,
                },
                { parent: this },
            );
        }
        this.registerOutputs({});
    }
}

function rulesOf(key: string, args: FirewallArgs): FirewallRule[] {
    const ports = args.ports[key] ?? { members: [], clients: [], monitoring: [] };
    return [
        { name: "clients", ports: ports.clients, sources: args.clients },
        { name: "monitoring", ports: ports.monitoring, sources: args.monitoring ?? [] },
        { name: "operators", ports: ports.members, sources: args.operators ?? [] },
    ];
}
