import { containerPaths, defaultPorts, mostPoolersBehindRouter, systemRoles } from "../defaults";

/** A PostgreSQL server behind HAProxy. */
export interface HaProxyServer {
    name: string;
    address: string;
    postgresPort: number;
    /** Patroni's REST port, where its role is asked. */
    apiPort: number;
    /** Whether it speaks TLS. */
    apiTls?: boolean;
}

/** What haproxy.cfg is made of. */
export interface HaProxyConfig {
    servers: HaProxyServer[];
    /** Connections that all entry points together take. */
    maxConnections: number;
    checkIntervalMilliseconds: number;
    /** Interval of checks while a server is down: how soon a new primary is seen. */
    downCheckIntervalMilliseconds: number;
    connectTimeoutSeconds: number;
    clientTimeoutSeconds: number;
    serverTimeoutSeconds: number;
    /** Replicas that lag more, in MiB, get no read-only connections. */
    readOnlyMaximumLagMiB: number;
    /** Whether read-only connections go to the primary when no replica is fit. */
    enableReadOnlyFallback: boolean;
    /** The PgBouncers, all under one name of Docker's DNS, where clients reach them through HAProxy. */
    poolers?: { name: string; requireTls?: boolean };
    /** Whether statistics and metrics take TLS only. */
    statisticsTls?: boolean;
}

/** Connections kept free for PgBouncers' own way to the primary: clients that took all of them would wait for each other. */
const poolerServerConnections = 1000;

/** Open files beside those of the connections: listeners, checks, threads. */
const ownFiles = 200;

/** Open files that HAProxy needs: one for each side of a connection. */
export function haproxyOpenFiles(config: HaProxyConfig): number {
    return 2 * globalMaxConnections(config) + ownFiles;
}

function globalMaxConnections({ maxConnections, poolers }: HaProxyConfig): number {
    return maxConnections + (poolers === undefined ? 0 : poolerServerConnections);
}

/** Proxies whose servers tell where connections go. */
export const haproxyProxies = { readWrite: "read_write", replicas: "replicas" } as const;

/** Shorter checks of the primary would end all sessions with one that is busy for a moment. */
const leastPrimaryIntervalMilliseconds = 500;

/** Port, inside the container only, of the health check and of the statistics without a login. */
export const haproxyHealthPort = 8404;

/** Names of the user lists of the statistics page, in a file of their own because they hold passwords: a user has one password in each. */
const statisticsUsers = ["stats-users", "stats-users-before"];

/** haproxy.cfg without any secret. */
export function renderHaProxyCfg(config: HaProxyConfig): string {
    const lag = `${config.readOnlyMaximumLagMiB}MB`;
    return lines(
        globalSection(config),
        defaultsSection(config),
        listenStatistics(config),
        [
            ...listenRole(haproxyProxies.readWrite, defaultPorts.readWrite, "/primary", config, { isPrimary: true }),
            ...onePrimary(config),
        ],
        readOnly(config, lag),
        listenRole("any", defaultPorts.any, "/health", config, { isPrimary: false }),
        ...(config.poolers === undefined ? [] : [resolversOfDocker(), listenPooled(config, config.poolers)]),
    );
}

/** The second configuration file: who may see the statistics, with one of at most two passwords. */
export function renderHaProxyUsers(username: string, password: string, previousPassword?: string): string {
    const passwords = [password, previousPassword];
    return lines(
        ...statisticsUsers.map((list, index) => {
            const valid = passwords[index];
            return [
                `userlist ${list}`,
                ...(valid === undefined ? [] : [`  user ${username} insecure-password ${quoted(valid)}`]),
            ];
        }),
    );
}

/** A word for HAProxy's parser, which reads quotes as a shell does. */
function quoted(word: string): string {
    return `'${word.replaceAll("'", `'\\''`)}'`;
}

function globalSection(config: HaProxyConfig): string[] {
    return [
        "global",
        `  maxconn ${globalMaxConnections(config)}`,
        "  log stdout format raw local0 notice",
        // A soft stop lets sessions end by themselves; the stop grace of the container bounds it.
        "  hard-stop-after 10s",
    ];
}

function defaultsSection(config: HaProxyConfig): string[] {
    return [
        "defaults",
        "  mode tcp",
        "  log global",
        "  option dontlognull",
        "  option clitcpka",
        "  option srvtcpka",
        "  option redispatch 1",
        "  retries 2",
        `  timeout connect ${config.connectTimeoutSeconds}s`,
        `  timeout client ${config.clientTimeoutSeconds}s`,
        `  timeout server ${config.serverTimeoutSeconds}s`,
        "  timeout check 1s",
    ];
}

function listenStatistics({ statisticsTls }: HaProxyConfig): string[] {
    const tls = statisticsTls ? ` ssl crt ${containerPaths.haproxyCertificate}` : "";
    return [
        "listen stats",
        "  mode http",
        `  bind :${defaultPorts.haproxyStats}${tls}`,
        `  bind 127.0.0.1:${haproxyHealthPort}`,
        "  timeout client 10s",
        `  monitor-uri /healthz`,
        `  http-request auth realm HAProxy unless ${statisticsUsers.map((list) => `{ http_auth(${list}) } or `).join("")}{ dst_port ${haproxyHealthPort} }`,
        "  http-request use-service prometheus-exporter if { path /metrics }",
        "  stats enable",
        "  stats uri /",
        "  stats refresh 5s",
    ];
}

function listenRole(
    name: string,
    port: number,
    check: string,
    config: HaProxyConfig,
    options: { isPrimary: boolean },
): string[] {
    return [
        `listen ${name}`,
        `  bind :${port}`,
        "  option tcplog",
        "  balance leastconn",
        ...servers(check, config, options),
    ];
}

/**
 * Holds connections back while several servers count as primary: all do when HAProxy has just started, and the old and the new one in a
 * switchover. They are looked at once more when each server has been checked.
 */
function onePrimary(config: HaProxyConfig): string[] {
    return [
        `  tcp-request inspect-delay ${primaryInterval(config) + config.downCheckIntervalMilliseconds}ms`,
        `  tcp-request content accept if { nbsrv(${haproxyProxies.readWrite}) le 1 }`,
        "  tcp-request content reject if WAIT_END",
    ];
}

function readOnly(config: HaProxyConfig, lag: string): string[] {
    const frontend = [
        "frontend read_only",
        `  bind :${defaultPorts.readOnly}`,
        "  option tcplog",
        `  default_backend ${haproxyProxies.replicas}`,
    ];
    const replicas = [
        `backend ${haproxyProxies.replicas}`,
        "  balance leastconn",
        // A long query on a replica must not die because one health check was late.
        ...servers(`/replica?lag=${lag}`, config, { isPrimary: false }),
    ];
    if (!config.enableReadOnlyFallback) {
        return [...frontend, ...replicas];
    }
    return [
        ...frontend,
        `  use_backend primary_for_reads if { nbsrv(${haproxyProxies.replicas}) eq 0 }`,
        ...replicas,
        "backend primary_for_reads",
        // The checks of the read-write entry point are enough.
        "  default-server on-marked-down shutdown-sessions",
        ...config.servers.map((server) => `${serverLine(server)} track ${haproxyProxies.readWrite}/${server.name}`),
    ];
}

/** Docker's DNS, which knows the containers that run and are healthy. */
function resolversOfDocker(): string[] {
    return [
        "resolvers docker",
        "  nameserver dns 127.0.0.11:53",
        "  accepted_payload_size 8192",
        "  resolve_retries 2",
        "  timeout resolve 1s",
        "  timeout retry 1s",
        "  hold valid 1s",
        // A container is taken out by its health check, not by one answer that lacks it.
        "  hold obsolete 10s",
    ];
}

function listenPooled(config: HaProxyConfig, { name, requireTls }: { name: string; requireTls?: boolean }): string[] {
    return [
        "listen pooled",
        `  bind :${defaultPorts.pgbouncer}`,
        `  maxconn ${config.maxConnections}`,
        "  option tcplog",
        "  balance leastconn",
        ...poolerCheck(requireTls ?? false),
        // Sessions of one that stops end with it, transaction by transaction; those of a lost host end by keepalive.
        "  srvtcpka-idle 5s",
        "  srvtcpka-intvl 2s",
        "  srvtcpka-cnt 3",
        `  default-server ${checkTimes(config)} resolvers docker resolve-prefer ipv4 init-addr none`,
        `  server-template pgbouncer ${mostPoolersBehindRouter} ${name}:${defaultPorts.pgbouncer} check`,
    ];
}

/** The first message of a client: PgBouncer answers it itself, whether or not there is a primary. */
function poolerCheck(requireTls: boolean): string[] {
    if (!requireTls) {
        return [`  option pgsql-check user ${systemRoles.pgbouncer}`];
    }
    // Without TLS a login gets an error then. This is the question whether it takes TLS (PostgreSQL's SSLRequest), and the "S" of yes.
    return ["  option tcp-check", "  tcp-check send-binary 0000000804d2162f", "  tcp-check expect binary 53"];
}

function checkTimes(
    { downCheckIntervalMilliseconds: down, ...config }: HaProxyConfig,
    { interval, fall } = { interval: config.checkIntervalMilliseconds, fall: 2 },
): string {
    return `inter ${interval}ms fastinter ${Math.round(down / 2)}ms downinter ${down}ms rise 1 fall ${fall}`;
}

function servers(check: string, config: HaProxyConfig, options: { isPrimary: boolean }): string[] {
    return [
        ...(options.isPrimary
            ? [
                  `  option httpchk GET ${check}`,
                  "  http-check expect status 200",
                  // Patroni says 200 for /primary as long as the node has the leader's key, also while PostgreSQL stops for a switchover, and
                  // while it is in recovery after a crash. Before Patroni 4.0 a primary was called master. One that is about to stop gets no
                  // connection more, and may end its transactions.
                  `  http-check expect error-status L7OKC ! string '"state": "stopping"'`,
                  `  http-check expect rstring '"role": "(primary|master)"'`,
                  // No session must go on with a server that is no primary any more, and none may take the old one for it when the new one comes.
                  `  default-server ${checkTimes(config, { interval: primaryInterval(config), fall: 3 })} on-marked-down shutdown-sessions`,
              ]
            : [
                  `  option httpchk OPTIONS ${check}`,
                  "  http-check expect status 200",
                  `  default-server ${checkTimes(config)}`,
              ]),
        ...config.servers.map((server) => `${serverLine(server)} check port ${server.apiPort}${checkTls(server)}`),
    ];
}

function serverLine({ name, address, postgresPort }: HaProxyServer): string {
    return `  server ${name} ${address}:${postgresPort}`;
}

/** The old primary is to be noticed as soon as the new one, but a check has no longer than this to connect, with TLS. */
function primaryInterval({ checkIntervalMilliseconds, downCheckIntervalMilliseconds }: HaProxyConfig): number {
    return Math.max(
        leastPrimaryIntervalMilliseconds,
        Math.min(checkIntervalMilliseconds, downCheckIntervalMilliseconds),
    );
}

/** The check's own TLS, which must show that node's certificate; what clients send is passed on as it is. */
function checkTls({ name, apiTls }: HaProxyServer): string {
    return apiTls ? ` check-ssl verify required ca-file ${containerPaths.haproxyCa} verifyhost ${name}` : "";
}

function lines(...sections: string[][]): string {
    return sections.map((section) => `${section.join("\n")}\n`).join("\n");
}
