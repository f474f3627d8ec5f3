import type { Settings } from "../../settings";

/** A planned change of the cluster, which its clients should not notice. */
export interface Change {
    name: string;
    description: string;
    /** What changes in the settings of the stack, until it is put back; without it the leader's role is handed over by `pgha`. */
    edit?: (settings: Settings) => void;
    /** Whether a living stack can't take it back: once it is measured, the stack is destroyed and brought up again on the same data. */
    oneWay?: boolean;
    /** Whether the clients verify servers, with the authorities of before the change. */
    verifyServers?: boolean;
    /**
     * Rounds in `--planned` for each one that is asked for: a change that is quick, and has a target, is worth more of them.
     *
     * @default 1
     */
    repeats?: number;
}

export const changes: Change[] = [
    {
        name: "switchover",
        description: "the leader's role is handed over by `pgha switchover`",
        repeats: 10,
    },
    {
        name: "patroni-resources",
        description: "each Patroni node gets another CPU limit",
        edit: (settings) => {
            settings.patroni = { ...settings.patroni, resources: { cpuLimit: 1.9, memoryLimitMiB: 2048 } };
        },
    },
    {
        name: "max-connections",
        description: "PostgreSQL gets a parameter that needs a restart",
        edit: (settings) => {
            const parameters = { ...settings.patroni?.parameters, max_connections: 321 };
            settings.patroni = { ...settings.patroni, parameters };
        },
    },
    {
        name: "etcd-resources",
        description: "each member of etcd gets another CPU limit",
        edit: (settings) => {
            settings.etcd = { ...settings.etcd, resources: { cpuLimit: 0.6, memoryLimitMiB: 512 } };
        },
    },
    {
        name: "haproxy-timeout",
        description: "HAProxy gets another timeout",
        edit: (settings) => {
            settings.haproxy = { ...settings.haproxy, connectTimeoutSeconds: 3 };
        },
    },
    {
        name: "pgbouncer-pool",
        description: "PgBouncer gets another pool size",
        edit: (settings) => {
            settings.pgbouncer = { ...settings.pgbouncer, defaultPoolSize: 21 };
        },
    },
];
