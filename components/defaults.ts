/**
 * The values that more than one part must agree on. Each is said here and nowhere else.
 */

/** TCP ports. Source: the port table of seed 000 (5432, 5433, 5434, 6432, 7000, 8008, 9187); etcd's own 2379 and 2380 with the next for its metrics, Consul's own 8300, 8301 and 8500. */
export const defaultPorts = {
    postgres: 5432,
    patroniApi: 8008,
    readWrite: 5433,
    readOnly: 5434,
    any: 5435,
    haproxyStats: 7000,
    pgbouncer: 6432,
    exporter: 9187,
    etcdClient: 2379,
    etcdPeer: 2380,
    etcdMetrics: 2381,
    consulHttp: 8500,
    consulServer: 8300,
    consulGossip: 8301,
} as const;

/** User and group that every image runs as, and that owns the data directories (seed 002 uses the same 999:999). */
export const containerUser = { uid: 999, gid: 999 } as const;

/** Names of the workloads; the cluster's name stands before them. The first two are members' names in Patroni and etcd, too. */
export const workloadNames = {
    patroni: (key: string): string => `patroni-${key}`,
    etcd: (key: string): string => `etcd-${key}`,
    haproxy: "haproxy",
    pgbouncer: "pgbouncer",
    exporter: (key: string): string => `exporter-${key}`,
} as const;

/**
 * Names under which other stacks on the cluster's network reach the entry points (seed 000 calls the first `pg-haproxy`), and under which
 * HAProxy finds the PgBouncers behind it: `pg-pgbouncer` is HAProxy itself then.
 */
export const networkAliases = { haproxy: "pg-haproxy", pgbouncer: "pg-pgbouncer", poolers: "pg-poolers" } as const;

/** The overlay network's address range, as in seed 000. */
export const defaultSubnet = "10.0.20.0/24";

/** The address range of the network between HAProxy and PgBouncer: the one beside the default of the other. */
export const defaultPoolerSubnet = "10.0.21.0/24";

/** PgBouncers that HAProxy finds by name: with a fixed number, one more or less needs no restart of HAProxy. */
export const mostPoolersBehindRouter = 8;

/** Host directory under which each cluster gets `<cluster>/<member>`. */
export const defaultDataRoot = "/srv/pgha";

/** Paths inside the containers: the contract that another image has to honour, see images/README.md. */
export const containerPaths = {
    etcdConfig: "/etc/etcd/etcd.yml",
    etcdCertificate: "/etc/etcd/server.crt",
    etcdCa: "/etc/etcd/ca.crt",
    etcdStart: "/etc/etcd/start.sh",
    etcdMembers: "/etc/etcd/members",
    etcdData: "/var/lib/etcd",
    consulConfig: "/etc/consul/consul.json",
    consulData: "/var/lib/consul",
    patroniConfigDirectory: "/etc/patroni",
    postgresRoot: "/var/lib/postgresql",
    postgresBinaries: (major: number): string => `/usr/lib/postgresql/${major}/bin`,
    postgresData: (major: number): string => `/var/lib/postgresql/${major}/data`,
    postgresSocket: "/var/run/postgresql",
    serverCertificate: "/etc/patroni/server.crt",
    serverKey: "/run/secrets/server.key",
    caCertificate: "/etc/patroni/ca.crt",
    dcsCertificate: "/etc/patroni/dcs.crt",
    dcsKey: "/run/secrets/dcs.key",
    dcsCa: "/etc/patroni/dcs-ca.crt",
    superuserPgpass: "/run/secrets/pgpass",
    /** Script that runs before Patroni stops PostgreSQL, where there is one. */
    beforeStop: "/tmp/before-stop",
    haproxyConfig: "/etc/haproxy/haproxy.cfg",
    haproxyUsers: "/run/secrets/stats-users.cfg",
    haproxyCertificate: "/run/secrets/server.pem",
    haproxyCa: "/etc/haproxy/ca.crt",
    pgbouncerConfig: "/etc/pgbouncer/pgbouncer.ini",
    pgbouncerCertificate: "/etc/pgbouncer/server.crt",
    pgbouncerCa: "/etc/pgbouncer/ca.crt",
    pgbouncerSocket: "/tmp",
    pgbouncerUsers: "/run/secrets/userlist.txt",
    exporterPassword: "/run/secrets/exporter-password",
    exporterWebConfig: "/etc/exporter/web.yml",
    exporterCertificate: "/etc/exporter/server.crt",
    exporterCa: "/etc/exporter/ca.crt",
} as const;

/** PostgreSQL's own roles of the cluster. `postgres` and `replicator` are named so in the seeds. */
export const systemRoles = {
    superuser: "postgres",
    replication: "replicator",
    rewind: "rewinder",
    pgbouncer: "pgbouncer",
    exporter: "exporter",
} as const;

/** Login of HAProxy's statistics page and of Patroni's unsafe REST calls. */
export const systemLogins = { haproxyStats: "admin", patroniApi: "patroni" } as const;

/** Connections that one HAProxy takes. */
export const haproxyDefaults = { maxConnections: 4000 } as const;

/** PgBouncer's own limits, which other parts reckon with. */
export const pgbouncerDefaults = { defaultPoolSize: 20, maxClientConnections: 5000 } as const;

/** etcd's own timing, which its alert rules reckon with. */
export const etcdDefaults = { heartbeatIntervalMilliseconds: 100, electionTimeoutMilliseconds: 1000 } as const;

/** CPU and memory of a container of each part. Source: the resource table of seed 000; a Consul server gets what an etcd member does. */
export const defaultResources = {
    etcd: { cpuLimit: 0.5, memoryLimitMiB: 512, cpuReservation: 0.1, memoryReservationMiB: 128 },
    haproxy: { cpuLimit: 0.5, memoryLimitMiB: 256, cpuReservation: 0.1, memoryReservationMiB: 64 },
    pgbouncer: { cpuLimit: 0.5, memoryLimitMiB: 256, cpuReservation: 0.1, memoryReservationMiB: 64 },
    exporter: { cpuLimit: 0.25, memoryLimitMiB: 128, cpuReservation: 0.05, memoryReservationMiB: 32 },
} as const;

/** Label that every host gets, with its key as value: members are pinned by it. */
export const hostLabel = "pgha.host";

/** Connections that PostgreSQL must have left beside the poolers': superusers, Patroni, exporters, replication checks. */
export const reservedConnections = 20;
