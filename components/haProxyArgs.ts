import type { ResourcesArgs } from "./platform/workload";

/** Settings of HAProxy. */
export interface HaProxySettingsArgs {
    /**
     * Keys of the hosts that each run one HAProxy; two or more, so that one may fail.
     *
     * @default - all hosts with the `placementLabel`, or else with a Patroni node
     *
     * **Change:** rolling restart of HAProxy, PgBouncer and Patroni's nodes, whose certificates name these hosts; a host that is taken out
     * loses its entry point last. Without certificates only PgBouncer restarts, unless it is behind HAProxy.
     */
    hosts?: string[];
    /**
     * Name of a label that HAProxy's hosts carry in their `labels`, all with the same value, such as `edge` with "1" (seed 004). It chooses
     * the hosts where none are named; a label of the cluster's own leads HAProxy there.
     *
     * @default - none
     *
     * **Change:** what `hosts` says, where other hosts follow from it.
     */
    placementLabel?: string;
    /**
     * Connections that each HAProxy takes from clients. It needs two open files for each: the soft limit is raised to it, and
     * the hard one of Docker's service must allow it (524,288 since Docker 29, more before). An idle one takes 10 KiB of memory.
     *
     * @default 4000
     *
     * **Change:** rolling restart of HAProxy.
     */
    maxConnections?: number;
    /**
     * Time between two checks of a server that is up, in milliseconds; the primary is checked every `downCheckIntervalMilliseconds`, if
     * that is less, but at most twice a second. A failed check is repeated after half of `downCheckIntervalMilliseconds`: two that fail
     * take a server out, three the primary. Seed 000 has 3 seconds.
     *
     * @default 1000
     *
     * **Change:** rolling restart of HAProxy.
     */
    checkIntervalMilliseconds?: number;
    /**
     * Time between two checks of a server that is down, in milliseconds: how soon a new primary is seen. One above 500 is that of the primary,
     * too, up to `checkIntervalMilliseconds`.
     *
     * @default 250
     *
     * **Change:** rolling restart of HAProxy.
     */
    downCheckIntervalMilliseconds?: number;
    /**
     * Time for a connection to a server, in seconds.
     *
     * @default 1
     *
     * **Change:** rolling restart of HAProxy.
     */
    connectTimeoutSeconds?: number;
    /**
     * Time that a client may be silent, in seconds. Shorter ones cut idle sessions of connection pools, as the 30 s of seed 004 do.
     *
     * @default 86400
     *
     * **Change:** rolling restart of HAProxy.
     */
    clientTimeoutSeconds?: number;
    /**
     * Time that a server may be silent, in seconds.
     *
     * @default 86400
     *
     * **Change:** rolling restart of HAProxy.
     */
    serverTimeoutSeconds?: number;
    /**
     * Lag in MiB above which a replica gets no read-only connections.
     *
     * @default 16
     *
     * **Change:** rolling restart of HAProxy.
     */
    readOnlyMaximumLagMiB?: number;
    /**
     * Whether read-only connections go to the primary while no replica is fit.
     *
     * @default true
     *
     * **Change:** rolling restart of HAProxy.
     */
    enableReadOnlyFallback?: boolean;
    /**
     * Published ports.
     *
     * @default - 5433 read-write, 5434 read-only, 5435 any, 7000 statistics (seed 000); none pooled
     *
     * **Change:** rolling restart of HAProxy; with another `readWrite` of PgBouncer after it, too, unless that is behind HAProxy. Until its
     * turn a PgBouncer asks for the old port, so its clients wait from the last HAProxy's replacement to its own.
     */
    ports?: HaProxyPortsArgs;
    /**
     * Address of its own on the bridge network of a single Docker host; its ports are published all the same.
     *
     * @default - one that Docker chooses
     *
     * **Change:** restart of HAProxy.
     */
    address?: string;
    /**
     * CPU and memory of each HAProxy. Source of the default: seed 000.
     *
     * @default - at most 0.5 CPU and 256 MiB, with 0.1 CPU and 64 MiB reserved
     *
     * **Change:** rolling restart of HAProxy.
     */
    resources?: ResourcesArgs;
    /**
     * Labels of HAProxy's service on a Swarm, or of its containers on plain Docker hosts, such as those by which Traefik publishes the
     * statistics page.
     *
     * @default - none beside the cluster's
     *
     * **Change:** in place on a Swarm; rolling restart of HAProxy on plain hosts.
     */
    labels?: { [name: string]: string };
}

/** Published TCP ports of HAProxy. */
export interface HaProxyPortsArgs {
    /** @default 5433 */
    readWrite?: number;
    /** @default 5434 */
    readOnly?: number;
    /** @default 5435 */
    any?: number;
    /** @default 7000 */
    statistics?: number;
    /**
     * To the primary through PgBouncer, as in seed 002. HAProxy then balances over all PgBouncers, which publish nothing and join only
     * an internal network with HAProxy.
     *
     * @default - none: clients reach PgBouncer itself
     *
     * **Change:** rolling restart of HAProxy and PgBouncer; pooled clients must then use the other addresses.
     */
    pooled?: number;
}
