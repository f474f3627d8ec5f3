import { PatroniTiming, TimingPreset, timingPresets } from "./checks/timing";
import { defaultPorts } from "./defaults";
import type { IgnoredSlotArgs, SlotArgs } from "./patroniSlots";
import type { ResourcesArgs } from "./platform/workload";
import { permanentSlots } from "./render/patroniSlots";
import { PatroniDynamicConfig } from "./render/patroniYaml";
import { HbaRuleArgs, defaultHbaRules, renderPgHba } from "./render/pgHba";
import { baseParameters, memoryParameters, PostgresParameters } from "./render/tuning";

/** Settings of Patroni and PostgreSQL. Those marked "in place" are changed on the living cluster, without a restart of any container. */
export interface PatroniSettingsArgs {
    /**
     * Failover timing as a named set; the four settings below override single values of it.
     *
     * @default TimingPreset.Default - 30 / 5 / 8 / 15 seconds
     *
     * **Change:** in place.
     */
    timing?: TimingPreset;
    /**
     * Seconds after which a silent leader loses its lock: what a lost host costs. At least 20; lower ones Patroni raises silently.
     * Seed 000 has 30.
     *
     * @default - the preset's
     *
     * **Change:** in place.
     */
    ttlSeconds?: number;
    /**
     * Seconds between two rounds of Patroni's loop. At least 1. Seed 000 has 10.
     *
     * @default - the preset's
     *
     * **Change:** in place.
     */
    loopWaitSeconds?: number;
    /**
     * Seconds for which DCS and PostgreSQL operations are tried again. At least 3, and loopWait + 2 * retryTimeout <= ttl. With more than
     * about a quarter of the ttl a leader that is cut off may still run as primary when another is elected; the cluster warns of that,
     * and names the longest that will do. Seed 000 has 10.
     *
     * @default - the preset's
     *
     * **Change:** in place.
     */
    retryTimeoutSeconds?: number;
    /**
     * Seconds that a crashed primary has to start again before another takes over; 0 fails over at once. Patroni's own default is 300.
     *
     * @default - the preset's
     *
     * **Change:** in place.
     */
    primaryStartTimeoutSeconds?: number;
    /**
     * Seconds that a primary in synchronous mode has to stop before it is killed; 0 means no limit.
     *
     * @default 0
     *
     * **Change:** in place.
     */
    primaryStopTimeoutSeconds?: number;
    /**
     * Replicas that lag more, in bytes, are not promoted. Source of the default: seed 000.
     *
     * @default 1048576
     *
     * **Change:** in place.
     */
    maximumLagOnFailoverBytes?: number;
    /**
     * Whether a commit waits for a replica, so that no acknowledged row is lost in a failover. Source of the default: seed 000.
     *
     * @default true
     *
     * **Change:** in place.
     */
    synchronousMode?: boolean;
    /**
     * Whether the primary refuses commits when no synchronous replica is left. Without it the last node goes on alone, and what it
     * acknowledges then is on one disk only. Source of the default: seed 000.
     *
     * @default false
     *
     * **Change:** in place.
     */
    synchronousModeStrict?: boolean;
    /**
     * Replicas that must confirm a commit: less than the number of nodes. Source of the default: Patroni's own, and seed 004.
     *
     * @default 1
     *
     * **Change:** in place.
     */
    synchronousNodeCount?: number;
    /**
     * Whether the primary stays one while etcd has lost its quorum, as long as it reaches all nodes. Without it Patroni demotes the
     * primary then (patroni: dcs_failsafe_mode.rst), whatever seed 000 says.
     *
     * @default true
     *
     * **Change:** in place.
     */
    failsafeMode?: boolean;
    /**
     * Whether an old primary is rewound instead of copied anew. Source of the default: seed 000.
     *
     * @default true
     *
     * **Change:** in place.
     */
    usePgRewind?: boolean;
    /**
     * Whether replicas hold their WAL on the primary by slots. Source of the default: seed 000.
     *
     * @default true
     *
     * **Change:** in place.
     */
    useSlots?: boolean;
    /**
     * Permanent replication slots by name, of lower-case letters, digits and "_". Patroni keeps them on the primary and takes their
     * positions along to the replicas, so that a consumer goes on after a failover (patroni: dynamic_configuration.rst, `slots`). A slot
     * whose consumer stays away holds at most `max_slot_wal_keep_size` of WAL. A logical slot needs the parameter `wal_level: logical`.
     *
     * @default - none beside those of the nodes
     *
     * **Change:** in place; a slot that is taken out is dropped, with what its consumer had not read.
     */
    slots?: { [name: string]: SlotArgs };
    /**
     * Slots that others make and that Patroni must not drop, as a subscription's own: it drops every other one that it doesn't know.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    ignoreSlots?: IgnoredSlotArgs[];
    /**
     * Whether data pages carry checksums. Source of the default: seed 004.
     *
     * @default true
     *
     * **Change:** not possible; it counts when the cluster is made.
     */
    enableDataChecksums?: boolean;
    /**
     * PostgreSQL parameters with text, a number, true or false, over those of this library: the tuning table of seed 000, with the memory settings derived from the smallest
     * host's memory.
     *
     * @default - none
     *
     * **Change:** in place; those that PostgreSQL takes at start only wait for a restart, which `pulumi up` carries out node by node.
     */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- texts, numbers and booleans: Pulumi's schemas have no unions of them
    parameters?: { [name: string]: any };
    /**
     * Rules of pg_hba.conf for applications. The cluster's own logins come before them.
     *
     * @default - every role from every address, with a SCRAM password
     *
     * **Change:** in place.
     */
    hbaRules?: HbaRuleArgs[];
    /**
     * Major version of PostgreSQL; the image must hold it.
     *
     * @default 17
     *
     * **Change:** only together with `previousPostgresMajor`: an upgrade by pg_upgrade, or the way back from one. Nobody can write until it is
     * done; docs/operations.md has the steps. Upgrades lead to 16 and later.
     */
    postgresMajor?: number;
    /**
     * Major version that `postgresMajor` takes the place of: the consent to an upgrade, or, where it is the higher one, to go back to the data of
     * before the upgrade. The nodes' image must hold both. It may stay when all is done.
     *
     * @default - another `postgresMajor` is refused
     *
     * **Change:** in place.
     */
    previousPostgresMajor?: number;
    /**
     * TCP port of PostgreSQL on each node's host.
     *
     * @default 5432
     *
     * **Change:** rolling restart.
     */
    postgresPort?: number;
    /**
     * TCP port of Patroni's REST API on each node's host.
     *
     * @default 8008
     *
     * **Change:** rolling restart.
     */
    apiPort?: number;
    /**
     * Name of a label that the hosts of Patroni's nodes must carry in their `labels`, beside the one that pins each member to its host. Seed 002
     * gives each host a value of its own, seed 004 all hosts the same, which alone could put two members on one host.
     *
     * @default - none
     *
     * **Change:** rolling restart.
     */
    placementLabel?: string;
    /**
     * CPU and memory of each node. Reservations and CPU limit of the default: seed 000.
     *
     * @default - at most 2 CPUs and the smallest host's memory, with 0.5 CPU and 512 MiB reserved
     *
     * **Change:** rolling restart.
     */
    resources?: ResourcesArgs;
    /**
     * Free space in MiB below which a node's data directory is refused.
     *
     * @default 1024
     *
     * **Change:** in place.
     */
    minimumFreeMiB?: number;
    /**
     * Seconds that a replaced node has to stream again before the roll-out stops. A rewind must fit, or a copy where a node lost its data.
     *
     * @default 600
     *
     * **Change:** in place.
     */
    catchUpTimeoutSeconds?: number;
    /**
     * Keys of nodes that are away for good until this change brings them, and keep no other node from being replaced meanwhile: one that
     * moves away from a lost host, or one that joins two others. Without it a streaming node is left alone while no other replica streams.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    absentNodes?: string[];
    /**
     * Seconds that a node has to stop before it is killed. A shutdown checkpoint must fit, or a 2-second handover becomes a failover.
     *
     * @default 120
     *
     * **Change:** rolling restart.
     */
    stopGraceSeconds?: number;
}

/** The settings with all defaults filled in. */
export interface PatroniSettings {
    dynamic: PatroniDynamicConfig;
    timing: PatroniTiming;
    enableDataChecksums: boolean;
    postgresMajor: number;
    previousPostgresMajor?: number;
    postgresPort: number;
    apiPort: number;
    resources: ResourcesArgs;
    minimumFreeMiB: number;
    catchUpTimeoutSeconds: number;
    absentNodes: string[];
    stopGraceSeconds: number;
}

/** The timing of the preset, with single values of it overridden. */
export function patroniTiming(args: PatroniSettingsArgs): PatroniTiming {
    const preset = timingPresets[args.timing ?? TimingPreset.Default];
    return {
        ttlSeconds: args.ttlSeconds ?? preset.ttlSeconds,
        loopWaitSeconds: args.loopWaitSeconds ?? preset.loopWaitSeconds,
        retryTimeoutSeconds: args.retryTimeoutSeconds ?? preset.retryTimeoutSeconds,
        primaryStartTimeoutSeconds: args.primaryStartTimeoutSeconds ?? preset.primaryStartTimeoutSeconds,
    };
}

/** Fills in the defaults. */
export function normalizePatroniSettings(
    args: PatroniSettingsArgs,
    smallestMemoryMiB: number,
    requireTls = false,
): PatroniSettings {
    const timing = patroniTiming(args);
    return {
        timing,
        dynamic: {
            ...timing,
            primaryStopTimeoutSeconds: args.primaryStopTimeoutSeconds ?? 0,
            maximumLagOnFailoverBytes: args.maximumLagOnFailoverBytes ?? 1048576,
            synchronousMode: args.synchronousMode ?? true,
            synchronousModeStrict: args.synchronousModeStrict ?? false,
            synchronousNodeCount: args.synchronousNodeCount ?? 1,
            failsafeMode: args.failsafeMode ?? true,
            usePgRewind: args.usePgRewind ?? true,
            useSlots: args.useSlots ?? true,
            slots: permanentSlots(args.slots ?? {}),
            ignoreSlots: args.ignoreSlots ?? [],
            hbaRules: renderPgHba(args.hbaRules ?? defaultHbaRules, requireTls),
            parameters: postgresParameters(args, smallestMemoryMiB),
        },
        enableDataChecksums: args.enableDataChecksums ?? true,
        postgresMajor: args.postgresMajor ?? 17,
        previousPostgresMajor: args.previousPostgresMajor,
        postgresPort: args.postgresPort ?? defaultPorts.postgres,
        apiPort: args.apiPort ?? defaultPorts.patroniApi,
        resources: args.resources ?? {
            cpuLimit: 2,
            memoryLimitMiB: smallestMemoryMiB,
            cpuReservation: 0.5,
            memoryReservationMiB: 512,
        },
        minimumFreeMiB: args.minimumFreeMiB ?? 1024,
        catchUpTimeoutSeconds: args.catchUpTimeoutSeconds ?? 600,
        absentNodes: args.absentNodes ?? [],
        stopGraceSeconds: args.stopGraceSeconds ?? 120,
    };
}

/** The library's parameters with the user's over them. */
export function postgresParameters(args: PatroniSettingsArgs, smallestMemoryMiB: number): PostgresParameters {
    const maxConnections = Number(args.parameters?.max_connections ?? baseParameters.max_connections);
    return { ...baseParameters, ...memoryParameters(smallestMemoryMiB, maxConnections), ...args.parameters };
}
