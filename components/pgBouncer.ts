import * as pulumi from "@pulumi/pulumi";
import { checkPgBouncer } from "./checks/pgBouncer";
import type { ServerCertificate } from "./clusterCertificates";
import {
    containerPaths,
    defaultPorts,
    defaultResources,
    networkAliases,
    pgbouncerDefaults,
    systemRoles,
    workloadNames,
} from "./defaults";
import { RouterConnection } from "./haProxy";
import { assertNoProblems } from "./platform/problems";
import { readiness } from "./platform/readiness";
import { spreadOut } from "./platform/spread";
import { createSqlCommand, SqlConnection } from "./platform/sqlCommand";
import { OverlayNetwork } from "./platform/runtime";
import { HostConnection, ResourcesArgs, Target, Workload, WorkloadFile } from "./platform/workload";
import { replacementWords } from "./render/changeWords";
import { withOpenFiles } from "./render/openFiles";
import { PgBouncerServers, PoolMode, renderPgBouncerIni, renderPgBouncerUsers } from "./render/pgbouncerIni";
import { loginName } from "./render/roleSql";
import { renderPgBouncerSql, renderRefusalSql, SystemLogin, systemLogin } from "./render/systemRolesSql";

/** Settings of PgBouncer. */
export interface PgBouncerSettingsArgs {
    /**
     * Whether there is any PgBouncer.
     *
     * @default true
     *
     * **Change:** in place; its clients are cut off. Its role stays in PostgreSQL.
     */
    enabled?: boolean;
    /**
     * Keys of the hosts that each run one PgBouncer; two or more, so that one may fail.
     *
     * @default - all hosts with the `placementLabel`, or else with a Patroni node
     *
     * **Change:** in place; a host that is taken out loses its entry point last. Rolling restart of PgBouncer where a host comes or goes
     * that runs no HAProxy: its certificate names both, unless it is behind HAProxy.
     */
    hosts?: string[];
    /**
     * Name of a label that PgBouncer's hosts carry in their `labels`, all with the same value, such as `edge` with "1" (seed 004). It chooses
     * the hosts where none are named; a label of the cluster's own leads PgBouncer there.
     *
     * @default - none
     *
     * **Change:** what `hosts` says, where other hosts follow from it.
     */
    placementLabel?: string;
    /**
     * How long a client keeps a server connection.
     *
     * @default PoolMode.Transaction
     *
     * **Change:** rolling restart of PgBouncer.
     */
    poolMode?: PoolMode;
    /**
     * Clients that each PgBouncer takes; seed 002 has 10,000. It needs an open file for each: the soft limit is raised to it,
     * and the hard one of Docker's service must allow it (524,288 since Docker 29, more before).
     *
     * @default 5000
     *
     * **Change:** rolling restart of PgBouncer.
     */
    maxClientConnections?: number;
    /**
     * Server connections of each PgBouncer for each database, which its roles share. Times PgBouncers and databases they must fit into
     * PostgreSQL's `max_connections`.
     *
     * @default 20 - PgBouncer's own; seed 002 has 25
     *
     * **Change:** rolling restart of PgBouncer.
     */
    defaultPoolSize?: number;
    /**
     * Prepared statements that each client may keep in transaction mode; 0 turns their support off.
     *
     * @default 200 - PgBouncer's own
     *
     * **Change:** rolling restart of PgBouncer.
     */
    maxPreparedStatements?: number;
    /**
     * Seconds that a query may wait for a server connection. Longer than a failover takes, so that clients see latency and no error.
     *
     * @default 120 - PgBouncer's own
     *
     * **Change:** rolling restart of PgBouncer.
     */
    queryWaitTimeoutSeconds?: number;
    /**
     * Published TCP port. Behind HAProxy's `ports.pooled` nothing is published.
     *
     * @default 6432
     *
     * **Change:** rolling restart of PgBouncer.
     */
    port?: number;
    /**
     * Address of its own on the bridge network of a single Docker host; its ports are published all the same.
     *
     * @default - one that Docker chooses
     *
     * **Change:** restart of PgBouncer.
     */
    address?: string;
    /**
     * CPU and memory of each PgBouncer. Source of the default: seed 000.
     *
     * @default - at most 0.5 CPU and 256 MiB, with 0.1 CPU and 64 MiB reserved
     *
     * **Change:** rolling restart of PgBouncer.
     */
    resources?: ResourcesArgs;
}

/** Arguments of {@link PgBouncer}. */
export interface PgBouncerArgs {
    target: Target;
    /** Hosts that each run one PgBouncer. */
    hosts: HostConnection[];
    /** Swarm placement constraint that exactly those hosts fulfil. */
    constraint: string;
    /** The entry points that lead to the primary. */
    router: RouterConnection;
    /** How its role and its look-up function are made. */
    sql: SqlConnection;
    /** On a Swarm: overlay network on which other stacks find it as `pg-pgbouncer`, unless it is behind HAProxy. */
    networkId?: pulumi.Input<string>;
    /**
     * Overlay network with HAProxy, and the only one then; needed where the router has a pooled port.
     *
     * @default - none
     */
    poolerNetworkId?: pulumi.Input<string>;
    /** Password of PgBouncer's own role. */
    password: pulumi.Input<string>;
    /**
     * Generation of the password. Each generation has a login of its own.
     *
     * @default 1
     *
     * **Change:** rolling restart; earlier ones are refused after it.
     */
    passwordGeneration?: number;
    /** Salt of its SCRAM verifier. */
    salt: pulumi.Input<string>;
    /**
     * Certificate for TLS with clients. With its authorities PgBouncer verifies PostgreSQL, too.
     *
     * @default - none: no TLS with clients
     *
     * **Change:** rolling restart, also when it is renewed.
     */
    certificate?: ServerCertificate;
    /**
     * Whether clients without TLS are refused; needs `certificate`.
     *
     * @default false
     *
     * **Change:** rolling restart.
     */
    requireTls?: boolean;
    settings: PgBouncerSettingsArgs;
    /** Image, by digest. It must honour the contract in images/README.md. */
    image: pulumi.Input<string>;
}

const startTimeoutSeconds = 120;

/** Open files beside those of the clients: server connections, listeners, DNS. */
const ownFiles = 1024;

/**
 * PgBouncer on several hosts, in front of the read-write entry points. It knows no password but its own: every other login is checked
 * against the SCRAM verifier that PostgreSQL has.
 */
export class PgBouncer extends pulumi.ComponentResource {
    /** Addresses where clients reach it: of its own hosts, or of HAProxy's. */
    public readonly addresses: string[];
    public readonly port: number;
    /** Resolves when all of them run and can ask for verifiers. */
    public readonly ready: pulumi.Output<string>;

    constructor(name: string, args: PgBouncerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:PgBouncer", name, {}, opts);
        assertNoProblems(checkPgBouncer("pgbouncer", args));

        const { router, settings } = args;
        this.addresses = router.pooledPort === undefined ? args.hosts.map((host) => host.address) : router.addresses;
        this.port = router.pooledPort ?? settings.port ?? defaultPorts.pgbouncer;
        const login = pulumi
            .all([args.password, args.salt])
            .apply(([password, salt]) =>
                systemLogin(systemRoles.pgbouncer, password, args.passwordGeneration ?? 1, salt),
            );
        const role = createRole(name, args, login, this);
        const running = spreadOut(
            name,
            {
                target: args.target,
                hosts: args.hosts,
                constraints: [args.constraint],
                workload: pgBouncerWorkload(this.port, args, role),
                networks: networksOf(args),
                replacementWords: replacementWords.proxy("PgBouncer", args.hosts.length),
                after: router.settled,
                startTimeoutSeconds,
            },
            { parent: this },
        );
        refuseEarlierPasswords(name, args, login, { parent: this, dependsOn: running });
        this.ready = readiness([role, ...running]);
        this.registerOutputs({ addresses: this.addresses, port: this.port, ready: this.ready });
    }
}

function createRole(
    name: string,
    args: PgBouncerArgs,
    login: pulumi.Output<SystemLogin>,
    parent: pulumi.Resource,
): pulumi.Resource {
    const sql = login.apply(renderPgBouncerSql);
    return createSqlCommand(
        `${name}-role`,
        { connection: args.sql, sql, purpose: "make PgBouncer's role" },
        { parent },
    );
}

function refuseEarlierPasswords(
    name: string,
    args: PgBouncerArgs,
    login: pulumi.Output<SystemLogin>,
    opts: pulumi.CustomResourceOptions,
): void {
    const sql = login.apply((current) => renderRefusalSql(systemRoles.pgbouncer, current));
    const purpose = "refuse PgBouncer's earlier passwords";
    createSqlCommand(`${name}-refusal`, { connection: args.sql, sql, purpose }, opts);
}

function pgBouncerWorkload(port: number, args: PgBouncerArgs, role: pulumi.Resource): Workload {
    return {
        name: workloadNames.pgbouncer,
        image: args.image,
        args: withOpenFiles(maxClientConnections(args) + ownFiles, ["pgbouncer", containerPaths.pgbouncerConfig]),
        files: [
            { key: "config", path: containerPaths.pgbouncerConfig, content: pgBouncerIni(args), secret: false },
            {
                key: "users",
                path: containerPaths.pgbouncerUsers,
                content: usersFile(args, role),
                secret: true,
            },
            ...tlsFiles(args),
        ],
        tmpfs: [{ path: "/tmp", sizeMiB: 16 }],
        address: args.settings.address,
        networkAlias: networkAliases.pgbouncer,
        ports: args.router.pooledPort === undefined ? [{ target: defaultPorts.pgbouncer, published: port }] : [],
        resources: args.settings.resources ?? defaultResources.pgbouncer,
        health: {
            // Without a role that it knows PgBouncer logs a warning for each check.
            command:
                `pg_isready -q -h 127.0.0.1 -p ${defaultPorts.pgbouncer} -U ${systemRoles.pgbouncer} -d pgbouncer`.split(
                    " ",
                ),
            intervalSeconds: 3,
            timeoutSeconds: 3,
            retries: 3,
            startPeriodSeconds: 10,
        },
        stopGraceSeconds: 30,
        restartDelaySeconds: 1,
    };
}

/** With a later password PgBouncer waits for its login; at first all parts start at once. */
function usersFile({ password, passwordGeneration = 1 }: PgBouncerArgs, role: pulumi.Resource): pulumi.Output<string> {
    const known = passwordGeneration === 1 ? "" : role.urn;
    return pulumi
        .all([password, known])
        .apply(([plain]) => renderPgBouncerUsers(loginName(systemRoles.pgbouncer, passwordGeneration), plain));
}

function tlsFiles({ certificate: server }: PgBouncerArgs): WorkloadFile[] {
    if (server === undefined) {
        return [];
    }
    const { certificate, privateKey, caCertificate } = server;
    return [
        { key: "cert", path: containerPaths.pgbouncerCertificate, content: certificate, secret: false },
        { key: "key", path: containerPaths.serverKey, content: privateKey, secret: true },
        { key: "ca", path: containerPaths.pgbouncerCa, content: caCertificate, secret: false },
    ];
}

function pgBouncerIni(args: PgBouncerArgs): string {
    const { settings } = args;
    const defaultPoolSize = settings.defaultPoolSize ?? pgbouncerDefaults.defaultPoolSize;
    return renderPgBouncerIni({
        authUser: loginName(systemRoles.pgbouncer, args.passwordGeneration ?? 1),
        servers: serversOf(args.router),
        poolMode: settings.poolMode ?? PoolMode.Transaction,
        maxClientConnections: maxClientConnections(args),
        defaultPoolSize,
        // Further roles share what the check has reckoned with for the database.
        maxDatabaseConnections: defaultPoolSize,
        maxPreparedStatements: settings.maxPreparedStatements ?? 200,
        queryWaitTimeoutSeconds: settings.queryWaitTimeoutSeconds ?? 120,
        tls: args.certificate === undefined ? undefined : { required: args.requireTls ?? false },
    });
}

function networksOf({ networkId, poolerNetworkId }: PgBouncerArgs): OverlayNetwork[] {
    if (poolerNetworkId !== undefined) {
        return [{ id: poolerNetworkId, aliases: [networkAliases.poolers] }];
    }
    return networkId === undefined ? [] : [{ id: networkId, aliases: [networkAliases.pgbouncer] }];
}

function maxClientConnections({ settings }: PgBouncerArgs): number {
    return settings.maxClientConnections ?? pgbouncerDefaults.maxClientConnections;
}

/**
 * The entry points to the primary: by address, or by HAProxy's name on the network that both share. Its read-write port asks Patroni,
 * never PgBouncer, so there is no loop.
 */
function serversOf(router: RouterConnection): PgBouncerServers {
    return router.pooledPort === undefined
        ? { addresses: router.addresses, port: router.readWritePort }
        : { addresses: [networkAliases.haproxy], port: defaultPorts.readWrite, dnsTtlSeconds: 1 };
}
