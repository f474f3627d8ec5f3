import * as pulumi from "@pulumi/pulumi";
import type { ServerCertificate } from "./clusterCertificates";
import type { DcsConnection } from "./dcsConnection";
import type { PatroniNodeArgs } from "./patroniNode";
import type { PatroniSettingsArgs } from "./patroniSettings";
import type { PoolersArgs } from "./patroniSwitchover";
import type { HostConnection, Target } from "./platform/workload";
import type { SwitchoverRouters } from "./render/switchoverScript";

/** Passwords of a group's own roles. */
export interface PatroniPasswordArgs {
    superuser: pulumi.Input<string>;
    replication: pulumi.Input<string>;
    rewind: pulumi.Input<string>;
    /** Password of Patroni's unsafe REST calls. */
    api: pulumi.Input<string>;
    /** Salt of the roles' SCRAM verifiers. */
    salt: pulumi.Input<string>;
    /**
     * Generation of `replication`. Each generation has a login of its own.
     *
     * @default 1
     *
     * **Change:** rolling restart; earlier ones are refused after it.
     */
    replicationGeneration?: number;
    /**
     * Generation of `rewind`, as that of `replication`.
     *
     * @default 1
     *
     * **Change:** rolling restart; earlier ones are refused after it.
     */
    rewindGeneration?: number;
}

/** Arguments of {@link PatroniGroup}. */
export interface PatroniGroupArgs {
    target: Target;
    /** Hosts by key. */
    hosts: { [key: string]: HostConnection };
    /** Memory of the smallest host that a node runs on, in MiB. */
    memoryMiB: number;
    /**
     * Nodes by key, each on a host of its own.
     *
     * **Change:** in place: a new node copies the leader's data; one that is taken out hands its role over, and its data stays where it is.
     * A change after which no node would have the data is refused.
     */
    nodes: { [key: string]: PatroniNodeArgs };
    /** Store of the leader lock and the dynamic configuration. */
    dcs: DcsConnection;
    settings: PatroniSettingsArgs;
    passwords: PatroniPasswordArgs;
    /**
     * Certificates by node, for TLS between PostgreSQL and its clients, replicas among them.
     *
     * @default - none: no TLS
     *
     * **Change:** rolling restart, also when one is renewed.
     */
    certificates?: { [key: string]: ServerCertificate };
    /**
     * Whether connections over the network without TLS are refused; needs `certificates`.
     *
     * @default false
     *
     * **Change:** in place.
     */
    requireTls?: boolean;
    /**
     * Whether Patroni's REST API takes TLS only, and replicas verify the primary; needs `certificates`.
     *
     * @default false
     *
     * **Change:** rolling restart.
     */
    enableInternalTls?: boolean;
    /**
     * The read-write entry points, which a switchover waits for. They may come later than the group.
     *
     * @default - none: a switchover waits for Patroni alone
     *
     * **Change:** in place.
     */
    routers?: SwitchoverRouters;
    /**
     * PgBouncers that are paused around a switchover; needs `routers`. They may come later than the group.
     *
     * @default - none: clients of PgBouncer see errors in a switchover
     *
     * **Change:** in place.
     */
    poolers?: PoolersArgs;
    /** Image, by digest. It must honour the contract in images/README.md. */
    image: pulumi.Input<string>;
    /**
     * Directory on each host that gets `<cluster>/<node>`.
     *
     * @default "/srv/pgha"
     *
     * **Change:** not possible: data is never moved.
     */
    dataRoot?: string;
    /**
     * Whether data is kept in a named volume `<cluster>-<node>` on each host, instead of a directory under `dataRoot`.
     *
     * @default false
     *
     * **Change:** not possible: data is never moved.
     */
    dataVolumes?: boolean;
}
