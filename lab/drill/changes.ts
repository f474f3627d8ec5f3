import type { Settings } from "../../settings";

/** A planned change of the cluster, which its clients should not notice. */
export interface Change {
    name: string;
    description: string;
    /** What changes in the settings of the stack, until it is put back; without it the leader's role is handed over by `pgha`. */
    edit?: (settings: Settings) => void;
    /** Whether the lab's spare hosts, db4 and db5, are to be among the hosts when the settings are edited. */
    needsSpareHosts?: boolean;
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

/** The same digest under another tag: engines pull by digest, so no registry has to know the tag. */
function retag(reference: unknown): string {
    return String(reference).replace(/(:[^:@/]+)?(?=@)/, ":drill");
}

type Places = { [key: string]: { host: string } };

/** A member on each of some hosts, under its host's key. */
function oneOnEach(...hosts: string[]): Places {
    return Object.fromEntries(hosts.map((host) => [host, { host }]));
}

const three = oneOnEach("db1", "db2", "db3");

/** The member of the third host goes to a fourth one, and keeps its key. */
const moved = { ...three, db3: { host: "db4" } };

/** Other places for Patroni's nodes or etcd's members. Those that aren't given would follow hosts or nodes, and stay where they are. */
function place(settings: Settings, { nodes = three, members = three }: { nodes?: Places; members?: Places }): void {
    settings.patroni = { ...settings.patroni, nodes };
    settings.etcd = { ...settings.etcd, members };
}

/** In the order of a run, those without a way back last. */
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
        name: "patroni-image",
        description: "each Patroni node gets the same image under another tag, in place of a minor upgrade",
        edit: (settings) => {
            settings.images = { ...settings.images, patroni: retag(settings.images.patroni) };
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
        name: "ttl",
        description: "the leader's lock gets another time to live, which restarts nothing",
        edit: (settings) => {
            settings.patroni = { ...settings.patroni, ttlSeconds: 30 };
        },
    },
    {
        name: "patroni-two",
        description: "a Patroni node of three is taken out, and comes back to its data",
        edit: (settings) => place(settings, { nodes: oneOnEach("db1", "db2") }),
    },
    {
        name: "patroni-four",
        description: "a fourth Patroni node copies the data to a new host, and is taken out",
        needsSpareHosts: true,
        edit: (settings) => place(settings, { nodes: { ...three, ...oneOnEach("db4") } }),
    },
    {
        name: "patroni-move",
        description: "a Patroni node moves to a new host, where it copies the data, and back to its old data",
        needsSpareHosts: true,
        edit: (settings) => place(settings, { nodes: moved }),
    },
    {
        name: "etcd-resources",
        description: "each member of etcd gets another CPU limit",
        edit: (settings) => {
            settings.etcd = { ...settings.etcd, resources: { cpuLimit: 0.6, memoryLimitMiB: 512 } };
        },
    },
    {
        name: "etcd-five",
        description: "two further members of etcd join from new hosts, and leave",
        needsSpareHosts: true,
        edit: (settings) => place(settings, { members: { ...three, ...oneOnEach("db4", "db5") } }),
    },
    {
        name: "etcd-move",
        description: "a member of etcd moves to a new host, and back",
        needsSpareHosts: true,
        edit: (settings) => place(settings, { members: moved }),
    },
    {
        name: "haproxy-timeout",
        description: "HAProxy gets another timeout",
        edit: (settings) => {
            settings.haproxy = { ...settings.haproxy, connectTimeoutSeconds: 3 };
        },
    },
    {
        name: "haproxy-two",
        description: "HAProxy leaves one host of three",
        edit: (settings) => {
            settings.haproxy = { ...settings.haproxy, hosts: ["db1", "db2"] };
        },
    },
    {
        name: "pgbouncer-pool",
        description: "PgBouncer gets another pool size",
        edit: (settings) => {
            settings.pgbouncer = { ...settings.pgbouncer, defaultPoolSize: 21 };
        },
    },
    {
        name: "pgbouncer-two",
        description: "PgBouncer leaves one host of three",
        edit: (settings) => {
            settings.pgbouncer = { ...settings.pgbouncer, hosts: ["db1", "db2"] };
        },
    },
    {
        name: "passwords",
        description: "every password is replaced, and clients go on with the old ones",
        oneWay: true,
        edit: (settings) => {
            settings.passwordGenerations = { all: 2 };
            for (const application of Object.values(settings.applications ?? {})) {
                application.passwordGeneration = 2;
                for (const role of Object.values(application.roles ?? {})) role.passwordGeneration = 2;
            }
        },
    },
    {
        name: "authorities",
        description: "every certificate authority is replaced, and clients verify with the old ones",
        oneWay: true,
        verifyServers: true,
        edit: (settings) => {
            settings.tls = { ...settings.tls, authorityGeneration: 2 };
        },
    },
];
