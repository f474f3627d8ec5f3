import { PasswordGenerations } from "./render/roleSql";

/**
 * Generations of the cluster's own passwords. A greater number makes a new password and brings it to all who use it, one after the other, in one
 * `up`; the password before works until then, and is refused at the end. For each the order and what a client sees stand in docs/operations.md.
 */
export interface ClusterPasswordGenerationsArgs {
    /**
     * Generation of all passwords that have no number of their own.
     *
     * @default 1
     *
     * **Change:** rolling restart of all parts but etcd and Consul, with one change of the leader.
     */
    all?: number;
    /**
     * Generation of the superuser's password; greater than `all`, from 1 to 9999, as are those below.
     *
     * @default - `all`
     *
     * **Change:** rolling restart of Patroni's nodes; the role `postgres` gets the new password after it.
     */
    superuser?: number;
    /**
     * Generation of the password by which replicas follow the leader.
     *
     * @default - `all`
     *
     * **Change:** rolling restart of Patroni's nodes.
     */
    replication?: number;
    /**
     * Generation of the password by which a former leader is rewound.
     *
     * @default - `all`
     *
     * **Change:** rolling restart of Patroni's nodes.
     */
    rewind?: number;
    /**
     * Generation of the password of Patroni's unsafe REST calls. A node has one at a time: while they are changed, a node takes such calls only from
     * its own container and from nodes that have the same one.
     *
     * @default - `all`
     *
     * **Change:** rolling restart of Patroni's nodes.
     */
    patroniApi?: number;
    /**
     * Generation of the password by which PgBouncer asks for the verifiers of others.
     *
     * @default - `all`
     *
     * **Change:** rolling restart of PgBouncer.
     */
    pgbouncer?: number;
    /**
     * Generation of the exporters' password.
     *
     * @default - `all`
     *
     * **Change:** restart of the exporters, one at a time.
     */
    exporter?: number;
    /**
     * Generation of the password of HAProxy's statistics page.
     *
     * @default - `all`
     *
     * **Change:** rolling restart of HAProxy. The password before stays valid, because Prometheus has it: see `oldestStatistics`.
     */
    statistics?: number;
    /**
     * Oldest generation of the statistics page's password that is still valid: that of `statistics`, or the one before.
     *
     * @default - the generation before `statistics`
     *
     * **Change:** rolling restart of HAProxy.
     */
    oldestStatistics?: number;
}

/** Passwords with a generation. */
export type ClusterSecret = Exclude<keyof ClusterPasswordGenerationsArgs, "all" | "oldestStatistics">;

/** The passwords with a generation of their own. */
export const clusterSecrets: ClusterSecret[] = [
    ...(["superuser", "replication", "rewind", "patroniApi", "pgbouncer", "exporter", "statistics"] as const),
];

/** Generation of one password. */
export function generationOf(args: ClusterPasswordGenerationsArgs | undefined, secret: ClusterSecret): number {
    return args?.[secret] ?? args?.all ?? 1;
}

/** Settings of a login whose clients are not the cluster's own. */
export interface LoginGenerationArgs {
    passwordGeneration?: number;
    oldestPasswordGeneration?: number;
}

/** Generations of such a login. Its clients change over after an update, so the generation before stays unless the user says otherwise. */
export function loginGenerations({
    passwordGeneration: current = 1,
    oldestPasswordGeneration,
}: LoginGenerationArgs): PasswordGenerations {
    return { current, oldest: oldestPasswordGeneration ?? Math.max(1, current - 1) };
}

/** Generations of the statistics page's password. */
export function statisticsGenerations(args: ClusterPasswordGenerationsArgs | undefined): PasswordGenerations {
    const passwordGeneration = generationOf(args, "statistics");
    return loginGenerations({ passwordGeneration, oldestPasswordGeneration: args?.oldestStatistics });
}
