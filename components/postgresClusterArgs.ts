import * as pulumi from "@pulumi/pulumi";
import type { ApplicationArgs } from "./applicationArgs";
import { AdministratorArgs } from "./clusterAdministrators";
import { ClusterNetworkArgs } from "./clusterNetwork";
import { ConsulMemberArgs, ConsulSettingsArgs } from "./consulQuorum";
import { ClusterTlsArgs } from "./clusterTls";
import { DockerHostsArgs } from "./dockerHosts";
import { EtcdMemberArgs, EtcdSettingsArgs } from "./etcdQuorum";
import { ExternalEtcdArgs } from "./externalEtcd";
import { FirewallSettingsArgs } from "./firewall";
import type { HaProxySettingsArgs } from "./haProxyArgs";
import { HostArgs } from "./host";
import { ClusterPasswordGenerationsArgs } from "./passwordGenerations";
import { PatroniNodeArgs } from "./patroniNode";
import { PatroniSettingsArgs } from "./patroniSettings";
import { PgBouncerSettingsArgs } from "./pgBouncer";
import { EndpointMode, PublishMode } from "./platform/workload";
import { PostgresExporterSettingsArgs } from "./postgresExporter";

/** Images of all parts, by digest. */
export interface ClusterImagesArgs {
    patroni: pulumi.Input<string>;
    /** Needed where `etcd` has members. */
    etcd?: pulumi.Input<string>;
    /** Needed where `consul` is given. */
    consul?: pulumi.Input<string>;
    haproxy: pulumi.Input<string>;
    pgbouncer: pulumi.Input<string>;
    exporter: pulumi.Input<string>;
}

/** The Swarm. */
export interface SwarmArgs {
    /**
     * Key of a host that is a Swarm manager. The Docker provider must talk to the same one.
     *
     * **Change:** in place.
     */
    manager: string;
    /**
     * How the ports of HAProxy and PgBouncer are published.
     *
     * @default PublishMode.Host
     *
     * **Change:** restart of HAProxy and PgBouncer.
     */
    publishMode?: PublishMode;
    /**
     * How Swarm's DNS answers for HAProxy and PgBouncer on the cluster's network.
     *
     * @default EndpointMode.DnsRoundRobin
     *
     * **Change:** restart of HAProxy and PgBouncer.
     */
    endpointMode?: EndpointMode;
}

/** etcd's members and settings. */
export interface ClusterEtcdArgs extends EtcdSettingsArgs {
    /**
     * Members by key.
     *
     * @default - one on each host with a Patroni node
     *
     * **Change:** in place: members join and leave one after the other, and data of those that leave stays where it is. Patroni is told the
     * first three, of seven the first four; only where one of these changes, its nodes restart one after the other. A change by which more
     * than a minority would leave or move is refused.
     */
    members?: { [key: string]: EtcdMemberArgs };
}

/** Consul's servers and settings. */
export interface ClusterConsulArgs extends ConsulSettingsArgs {
    /**
     * Servers by key. Each Patroni node needs one on its host.
     *
     * @default - one on each host with a Patroni node
     *
     * **Change:** not possible yet for a living quorum.
     */
    members?: { [key: string]: ConsulMemberArgs };
}

/** Patroni's nodes and settings. */
export interface ClusterPatroniArgs extends PatroniSettingsArgs {
    /**
     * Nodes by key.
     *
     * @default - one on each host
     *
     * **Change:** in place: a new node copies the leader's data; one that is taken out hands its role over, and its data stays where it is.
     * HAProxy is replaced, one host after the other. A change after which no node would have the data is refused. Where `etcd.members` is
     * not set, etcd's members change with the nodes; where `haproxy.hosts` is not, HAProxy's hosts do, as is said there.
     */
    nodes?: { [key: string]: PatroniNodeArgs };
}

/** Arguments of {@link PostgresCluster}. */
export interface PostgresClusterArgs {
    /**
     * Name of the cluster: prefix of every name that Docker knows, Patroni's scope, name of the data directories.
     *
     * @default - the component's name
     *
     * **Change:** not possible: it would be another cluster.
     */
    clusterName?: string;
    /**
     * Hosts by key.
     *
     * **Change:** in place for hosts without a member.
     */
    hosts: { [key: string]: HostArgs };
    /**
     * The Swarm that the hosts form.
     *
     * @default - none; then `dockerHosts` is needed
     *
     * **Change:** not possible: the cluster would be taken down and made anew on its data.
     */
    swarm?: SwarmArgs;
    /**
     * The hosts as plain Docker hosts, without a Swarm; `{}` takes all defaults.
     *
     * @default - none; then `swarm` is needed
     *
     * **Change:** not possible, as for `swarm`.
     */
    dockerHosts?: DockerHostsArgs;
    /** Images of all parts. */
    images: ClusterImagesArgs;
    /** On a Swarm only. @default - an encrypted overlay network on 10.0.20.0/24 */
    network?: ClusterNetworkArgs;
    /** @default - one member on each host with a Patroni node, unless `externalEtcd` or `consul` is given */
    etcd?: ClusterEtcdArgs;
    /**
     * An etcd quorum that is there already, in place of `etcd`.
     *
     * @default - none
     *
     * **Change:** to and from another store is not possible: its keys would be missing there.
     */
    externalEtcd?: ExternalEtcdArgs;
    /**
     * Consul in place of etcd. On a Swarm only.
     *
     * @default - none
     *
     * **Change:** to and from another store is not possible: its keys would be missing there.
     */
    consul?: ClusterConsulArgs;
    /** @default - one node on each host */
    patroni?: ClusterPatroniArgs;
    /** @default - one on each host with a Patroni node */
    haproxy?: HaProxySettingsArgs;
    /** @default - one on each host with a Patroni node */
    pgbouncer?: PgBouncerSettingsArgs;
    /** @default - one beside each Patroni node */
    exporter?: PostgresExporterSettingsArgs;
    /** @default - TLS for clients that ask for it, with an authority of the cluster's own */
    tls?: ClusterTlsArgs;
    /**
     * Who may reach the cluster's published ports; needs nftables on every host.
     *
     * @default - no firewall: everybody who reaches the hosts
     *
     * **Change:** in place.
     */
    firewall?: FirewallSettingsArgs;
    /**
     * Applications by key.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    applications?: { [key: string]: ApplicationArgs };
    /**
     * Logins that make databases and roles, by name. No superuser: that is `postgres`, whose password is among the outputs.
     *
     * @default - none
     *
     * **Change:** in place; one that is taken out can't log in any more, as long as the setting itself stays (it may be empty).
     */
    administrators?: { [name: string]: AdministratorArgs };
    /**
     * Generations of the cluster's own passwords: a greater number rotates one, or all.
     *
     * @default - the first of all
     *
     * **Change:** rolling restart of the parts that use them.
     */
    passwordGenerations?: ClusterPasswordGenerationsArgs;
    /**
     * Directory on each host under which the cluster's data lies. Data is never removed, not even by `destroy`.
     *
     * @default "/srv/pgha"
     *
     * **Change:** not possible: data is never moved.
     */
    dataRoot?: string;
    /**
     * Whether data is kept in a named volume `<cluster>-<member>` for each member, instead of a directory under `dataRoot`.
     *
     * @default false
     *
     * **Change:** not possible: data is never moved.
     */
    dataVolumes?: boolean;
    /**
     * Labels of the services on a Swarm, or of the containers on plain Docker hosts.
     *
     * @default - none beside `pgha.cluster`
     *
     * **Change:** in place on a Swarm; rolling restart on plain hosts.
     */
    labels?: { [name: string]: string };
}
