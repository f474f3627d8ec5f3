import { containerPaths, defaultPorts, systemRoles } from "../defaults";

/** How long a client keeps a server connection. */
export enum PoolMode {
    /** For a transaction: what makes thousands of clients fit on a few connections. */
    Transaction = "transaction",
    /** For as long as the client stays: for applications that need session state. */
    Session = "session",
    /** For a statement: transactions of several statements are refused. */
    Statement = "statement",
}

/** The read-write entry points. */
export interface PgBouncerServers {
    /** Addresses, tried one after the other; a name stands for all that it resolves to. */
    addresses: string[];
    port: number;
    /**
     * How long a resolved name counts, and a failure to resolve it.
     *
     * @default - PgBouncer's own 15
     */
    dnsTtlSeconds?: number;
}

/** What pgbouncer.ini is made of. */
export interface PgBouncerConfig {
    /** The login by which it asks for verifiers. */
    authUser: string;
    servers: PgBouncerServers;
    poolMode: PoolMode;
    /** Clients that one PgBouncer takes. */
    maxClientConnections: number;
    /** Server connections for each pair of database and role. */
    defaultPoolSize: number;
    /** Server connections for each database, over all roles. */
    maxDatabaseConnections: number;
    maxPreparedStatements: number;
    /** Time after which a waiting query fails: longer than a failover takes. */
    queryWaitTimeoutSeconds: number;
    /**
     * TLS on both sides.
     *
     * @default - none with clients, and with servers where they take it
     */
    tls?: {
        /** Whether clients without it are refused. */
        required: boolean;
    };
}

/** Schema, in the database `postgres`, of the function that gives PgBouncer a role's SCRAM verifier. */
export const pgbouncerSchema = "pgbouncer";

/** pgbouncer.ini without any secret. */
export function renderPgBouncerIni(config: PgBouncerConfig): string {
    const { addresses, port } = config.servers;
    const settings: [string, string | number][] = [
        ["listen_addr", "0.0.0.0"],
        ["listen_port", defaultPorts.pgbouncer],
        // Inside the container only: PgBouncer's own user is administrator there without a password.
        ["unix_socket_dir", containerPaths.pgbouncerSocket],
        ["auth_type", "scram-sha-256"],
        ["auth_file", containerPaths.pgbouncerUsers],
        ["auth_user", config.authUser],
        ["auth_dbname", "postgres"],
        ["auth_query", `SELECT role_name, verifier FROM ${pgbouncerSchema}.verifier_of($1)`],
        ["admin_users", ownUsers(config.authUser).join(",")],
        ["stats_users", ownUsers(config.authUser).join(",")],
        ["pool_mode", config.poolMode],
        ["max_client_conn", config.maxClientConnections],
        ["default_pool_size", config.defaultPoolSize],
        ["max_db_connections", config.maxDatabaseConnections],
        ["max_prepared_statements", config.maxPreparedStatements],
        ["query_wait_timeout", config.queryWaitTimeoutSeconds],
        // PgBouncer's own 15 s add to every failover (pgbouncer#872).
        ["server_login_retry", 1],
        ["server_connect_timeout", 2],
        ["server_check_delay", 5],
        ["tcp_keepalive", 1],
        ["tcp_keepidle", 5],
        ["tcp_keepintvl", 2],
        ["tcp_keepcnt", 3],
        // Drivers send these at start-up; in transaction mode they can't be kept.
        ["ignore_startup_parameters", "extra_float_digits,options"],
        ["log_connections", 0],
        ["log_disconnections", 0],
        ...tlsSettings(config),
        ...dnsSettings(config.servers),
    ];
    return [
        "[databases]",
        // One entry point until it fails, then the next: a list is not skipped over by itself.
        `* = host=${addresses.join(",")} port=${port} load_balance_hosts=disable`,
        "",
        "[pgbouncer]",
        ...settings.map(([name, value]) => `${name} = ${value}`),
        "",
    ].join("\n");
}

function dnsSettings({ dnsTtlSeconds }: PgBouncerServers): [string, number][] {
    if (dnsTtlSeconds === undefined) {
        return [];
    }
    return [
        ["dns_max_ttl", dnsTtlSeconds],
        // Every retry within this time gets the failed look-up of before, and clients its error, though the name is back.
        ["dns_nxdomain_ttl", dnsTtlSeconds],
    ];
}

function tlsSettings({ tls }: PgBouncerConfig): [string, string][] {
    if (tls === undefined) {
        return [];
    }
    return [
        ["client_tls_sslmode", tls.required ? "require" : "allow"],
        ["client_tls_cert_file", containerPaths.pgbouncerCertificate],
        ["client_tls_key_file", containerPaths.serverKey],
        // PgBouncer compares the whole list of hosts with the names in a certificate: verify-full would refuse every server.
        ["server_tls_sslmode", "verify-ca"],
        ["server_tls_ca_file", containerPaths.pgbouncerCa],
    ];
}

/** The file with PgBouncer's own login; all others are asked from PostgreSQL. */
export function renderPgBouncerUsers(authUser: string, password: string): string {
    return ownUsers(authUser)
        .map((user) => `"${user}" "${password.replaceAll('"', '""')}"\n`)
        .join("");
}

/** Its administrators: one whose name stays, as the socket and health checks need it, and one whose name tells the password's generation. */
function ownUsers(authUser: string): string[] {
    return [...new Set<string>([systemRoles.pgbouncer, authUser])];
}
