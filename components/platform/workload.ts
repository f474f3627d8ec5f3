import * as pulumi from "@pulumi/pulumi";

/** How to reach a host by ssh. Logins use the ssh agent only, so no private key enters config or state. */
export interface SshArgs {
    /**
     * Login name. Anyone but root needs password-less sudo and membership in the group `docker`.
     *
     * @default "root"
     */
    user?: string;
    /**
     * TCP port of sshd.
     *
     * @default 22
     */
    port?: number;
    /**
     * The host's public key as in `/etc/ssh/ssh_host_ed25519_key.pub`, for example `ssh-ed25519 AAAA…`. A host that shows another
     * key is refused.
     *
     * @default - any key is accepted, and the preview warns.
     */
    hostKey?: string;
}

/** What a component must know of a host to run something there. `Host` satisfies it. */
export interface HostConnection {
    /** Key of the host, as the user calls it. */
    key: string;
    /** Address under which the other hosts and the clients reach it. */
    address: string;
    /** Address under which the operator's machine reaches it by ssh. */
    sshAddress: string;
    /** Login. */
    ssh: SshArgs;
    /** On a Swarm: placement constraint that only this host fulfils, such as `node.labels.pgha.host==db1`. */
    constraint: string;
    /** Hostname of its Swarm node. */
    nodeName: string;
    /** Labels of its Swarm node by which placement may ask for it. */
    labels?: { [name: string]: string };
    /** Resolves when the host's kernel settings and labels are in place. It has to be known in a preview, as URNs are. */
    ready: pulumi.Output<string>;
}

/** How Swarm publishes ports. */
export enum PublishMode {
    /** On the hosts that run the workload; client addresses are kept and no IPVS idle limit applies. */
    Host = "host",
    /** On every host of the Swarm, through the ingress mesh; needs IPVS in the kernel. */
    Ingress = "ingress",
}

/** How Swarm's DNS answers for a service's name. */
export enum EndpointMode {
    /** All task addresses in turn. */
    DnsRoundRobin = "dnsrr",
    /** One virtual address; needs IPVS in the kernel. */
    VirtualIp = "vip",
}

/** Where workloads run, and under whose names: a `SwarmTarget` or `DockerHosts`. */
export interface Target {
    /** Prefix of every name that Docker knows. */
    clusterName: string;
    /** Labels of the services on a Swarm, or of the containers on plain Docker hosts. */
    labels: { [name: string]: string };
}

/** A Swarm. */
export interface SwarmTarget extends Target {
    /** A Swarm manager; `docker service` and `docker node` run there. */
    manager: HostConnection;
    /** How ports of entry points (HAProxy, PgBouncer) are published. Members are always published on their host. */
    publishMode: PublishMode;
    /** How Swarm's DNS answers for the entry points. */
    endpointMode: EndpointMode;
}

/** CPU and memory of one container. Swarm keeps what is reserved free; on plain Docker hosts the preview checks that it fits. */
export interface ResourcesArgs {
    /** CPUs that it may use at most. */
    cpuLimit?: number;
    /** Memory that it may use at most, in MiB. */
    memoryLimitMiB?: number;
    /** CPUs that must be free on the host for it to start. */
    cpuReservation?: number;
    /** Memory that must be free on the host for it to start, in MiB. */
    memoryReservationMiB?: number;
}

/** A file inside the container. A changed content is a new Swarm object or file on the host, and so a restart of the container. */
export interface WorkloadFile {
    /** Name of the file among the workload's files; part of the name of the Swarm object or of the file on the host. */
    key: string;
    /** Absolute path inside the container. */
    path: string;
    /** What is in it. */
    content: pulumi.Input<string>;
    /** A secret is mode 0400 and never shown; a config is mode 0444 and its changes can be read in a preview. */
    secret: boolean;
    /** Keep the content of the first `up`: for files that count only once, such as Patroni's bootstrap section. */
    frozen?: boolean;
}

/** A directory of the host that outlives the container, `destroy` included. */
export interface WorkloadData {
    /** Absolute path on the host. */
    hostPath: string;
    /** Named volume that takes the place of `hostPath`. */
    volumeName?: string;
    /** Absolute path inside the container. */
    path: string;
    /** Free space, in MiB, below which the directory is refused. */
    minimumFreeMiB: number;
    /** A file in the directory that is kept up to date without a restart of the container, and holds no secret. */
    note?: { name: string; content: string };
}

/** When a container counts as healthy. */
export interface HealthCheck {
    /** Program and arguments, run inside the container; exit status 0 means healthy. */
    command: string[];
    intervalSeconds: number;
    timeoutSeconds: number;
    /** Failures in a row that make it unhealthy; it is then stopped and started again. */
    retries: number;
    /** Time during which failures don't count. */
    startPeriodSeconds: number;
}

/** What runs: said once, for every platform. */
export interface Workload {
    /** Name without the cluster's prefix, such as `etcd-db1`. */
    name: string;
    image: pulumi.Input<string>;
    /** Program and arguments, appended to the image's entry point. */
    args: pulumi.Input<string>[];
    /** Plain values only: a secret never travels by environment. */
    environment?: { [name: string]: string };
    files: WorkloadFile[];
    data?: WorkloadData;
    /** Writable directories in memory, with their sizes in MiB; the rest of the root file system is read-only. */
    tmpfs: { path: string; sizeMiB: number }[];
    /** TCP unless it says UDP. */
    ports: { target: number; published: number; protocol?: "udp" }[];
    /** Its own address on the bridge network of a single Docker host. */
    address?: string;
    /** On plain Docker hosts: name under which other containers of the same host find it. */
    networkAlias?: string;
    resources: ResourcesArgs;
    /** Labels of the service or the containers, beside those of the cluster. */
    labels?: { [name: string]: string };
    health: HealthCheck;
    /**
     * Longest time between the stop signal and the kill. The container must stop well within it: the Docker provider gives up a deletion
     * after the same time, and then needs a refresh.
     */
    stopGraceSeconds: number;
    stopSignal?: string;
    /** Wait before a stopped container is started again; plain Docker has its own, which begins at 0.1 s and doubles. */
    restartDelaySeconds: number;
}
