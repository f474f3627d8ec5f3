import type { PostgresExporter } from "./postgresExporter";
import type { ClusterPlacement } from "./clusterPlacement";
import { defaultDataRoot, workloadNames } from "./defaults";
import type { RouterConnection } from "./haProxy";
import { usesInternalTls } from "./clusterTls";
import { switchoverDirectory } from "./patroniSwitchover";
import { objectName } from "./platform/objectName";
import type { HostConnection } from "./platform/workload";
import type { PostgresClusterArgs } from "./postgresClusterArgs";
import { localConninfo, routerConninfo } from "./render/conninfo";
import { sshPort, sshUser } from "./render/ssh";

/** What looks after a cluster needs, such as the command `pgha`: how its hosts are reached, and what runs there. No secrets. */
export interface ClusterOperations {
    /** Name of the cluster, and Patroni's scope. */
    clusterName: string;
    /** Hosts by key. */
    hosts: { [key: string]: OperationsHost };
    /** The Patroni nodes. */
    patroni: OperationsWorkload[];
    /** The members of etcd. */
    etcd: OperationsWorkload[];
    /** The HAProxys. */
    haproxy: OperationsWorkload[];
    /** The PgBouncers. */
    pgbouncer: OperationsWorkload[];
    /** The exporters. */
    exporters: OperationsWorkload[];
    /**
     * Whether Patroni, etcd and the exporters take TLS only.
     *
     * @default false
     */
    internalTls?: boolean;
    /** Directory, on each node's host, of the script that hands the leader's role over; it has the name of the node. */
    switchoverDirectory: string;
    /** Connection strings for psql in a node's container. */
    psql: OperationsPsql;
}

/** How a host is reached by ssh. */
export interface OperationsHost {
    /** Address for ssh. */
    address: string;
    /** Login. */
    user: string;
    /** TCP port of sshd. */
    port: number;
    /** The host's public key; left out where any is accepted. */
    hostKey?: string;
}

/** A container of the cluster. */
export interface OperationsWorkload {
    /** Its name: a member's in Patroni or etcd, otherwise the program's. */
    name: string;
    /** Key of its host. */
    host: string;
    /** Value of the label `pgha.workload` on its container. */
    label: string;
}

/** Connection strings of the superuser. They name a password file in the container and hold no password. */
export interface OperationsPsql {
    /** To the primary, through HAProxy. */
    readWrite: string;
    /** To a replica, through HAProxy. */
    readOnly: string;
    /** To the node in whose container psql runs. */
    local: string;
}

/** Describes a cluster to those who look after it. */
export function operationsOf(
    clusterName: string,
    hosts: { [key: string]: HostConnection },
    placement: ClusterPlacement,
    router: RouterConnection,
    exporter: PostgresExporter | undefined,
    args: PostgresClusterArgs,
): ClusterOperations {
    const workload = (name: string, host: string): OperationsWorkload => ({
        name,
        host,
        label: objectName(clusterName, name),
    });
    const nodes = Object.entries(placement.patroni.nodes);
    const members = Object.entries(placement.etcd.members);
    return {
        clusterName,
        hosts: Object.fromEntries(Object.entries(hosts).map(([key, host]) => [key, sshHost(host)])),
        patroni: nodes.map(([key, { host }]) => workload(workloadNames.patroni(key), host)),
        etcd: members.map(([key, { host }]) => workload(workloadNames.etcd(key), host)),
        haproxy: placement.haproxy.hosts.map((host) => workload(workloadNames.haproxy, host)),
        pgbouncer: placement.pgbouncer.hosts.map((host) => workload(workloadNames.pgbouncer, host)),
        exporters: (exporter ? nodes : []).map(([key, { host }]) => workload(workloadNames.exporter(key), host)),
        internalTls: usesInternalTls(args),
        switchoverDirectory: switchoverDirectory(args.dataRoot ?? defaultDataRoot, clusterName),
        psql: {
            readWrite: routerConninfo(router.addresses, router.readWritePort, "read-write"),
            readOnly: routerConninfo(router.addresses, router.readOnlyPort, "any"),
            local: localConninfo,
        },
    };
}

function sshHost({ sshAddress, ssh }: HostConnection): OperationsHost {
    return { address: sshAddress, user: sshUser(ssh), port: sshPort(ssh), hostKey: ssh.hostKey };
}
