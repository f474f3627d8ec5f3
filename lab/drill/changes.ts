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

/** Ports of a node that comes to a host before another one has left it. */
const ownPorts = { postgres: 5442, api: 8018, exporter: 9197 };

/** The same digest under another tag: engines pull by digest, so no registry has to know the tag. */
function retag(reference: unknown): string {
    return String(reference).replace(/(:[^:@/]+)?(?=@)/, ":drill");
}

/** Other nodes of Patroni; etcd's members stay where they are, which otherwise would follow. */
function placeNodes(settings: Settings, nodes: NonNullable<Settings["patroni"]>["nodes"]): void {
    const members = Object.fromEntries(Object.keys(settings.hosts).map((host) => [host, { host }]));
    settings.etcd = { ...settings.etcd, members };
    settings.patroni = { ...settings.patroni, nodes };
}

/** In the order of a run, those without a way back last. On three hosts preview refuses a fourth node, and other members of etcd. */
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
        edit: (settings) => placeNodes(settings, { db1: { host: "db1" }, db2: { host: "db2" } }),
    },
    {
        name: "patroni-new",
        description: "a new Patroni node copies the data beside an old one on its host, which then goes",
        edit: (settings) =>
            placeNodes(settings, {
                db1: { host: "db1" },
                db2: { host: "db2" },
                "db3-new": { host: "db3", ports: ownPorts },
            }),
    },
    {
        name: "patroni-move",
        description: "two Patroni nodes trade hosts, one after the other, and copy the data there",
        edit: (settings) =>
            placeNodes(settings, {
                db1: { host: "db1" },
                db2: { host: "db3", ports: ownPorts },
                db3: { host: "db2", ports: ownPorts },
            }),
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
