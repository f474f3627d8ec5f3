import { containerPaths, defaultPorts, systemLogins, systemRoles } from "../defaults";
import type { DcsSection } from "./dcsSections";
import type { PermanentSlot } from "./patroniSlots";
import { PostgresParameters } from "./tuning";
import { sortedEntries } from "./shell";
import { renderYaml } from "./yaml";

/** What is a member's own in Patroni's configuration. */
export interface PatroniMemberConfig {
    /** Name of the cluster. */
    scope: string;
    /** The member's name. */
    name: string;
    /** Address under which the other members and the proxies reach it. */
    address: string;
    postgresPort: number;
    apiPort: number;
    /** Where it keeps the leader lock. */
    dcs: DcsSection;
    postgresMajor: number;
    tags: { [name: string]: string | number | boolean };
}

/** What Patroni keeps in the DCS, and what may change while the cluster lives. */
export interface PatroniDynamicConfig {
    ttlSeconds: number;
    loopWaitSeconds: number;
    retryTimeoutSeconds: number;
    primaryStartTimeoutSeconds: number;
    primaryStopTimeoutSeconds: number;
    maximumLagOnFailoverBytes: number;
    synchronousMode: boolean;
    synchronousModeStrict: boolean;
    synchronousNodeCount: number;
    failsafeMode: boolean;
    usePgRewind: boolean;
    useSlots: boolean;
    /** Permanent slots by name. */
    slots: { [name: string]: PermanentSlot };
    /** Slots that Patroni leaves alone. */
    ignoreSlots: object[];
    hbaRules: string[];
    parameters: PostgresParameters;
}

/** Passwords that Patroni needs. */
export interface PatroniPasswords {
    superuser: string;
    replication: PatroniLogin;
    rewind: PatroniLogin;
    api: string;
}

/** A login whose name differs from generation to generation of its password. */
export interface PatroniLogin {
    username: string;
    password: string;
}

/** The member's configuration without any secret. Changing it restarts the container. */
export function renderPatroniMemberYaml(config: PatroniMemberConfig): string {
    return renderYaml({
        scope: config.scope,
        namespace: "/service/",
        name: config.name,
        restapi: {
            listen: `0.0.0.0:${defaultPorts.patroniApi}`,
            connect_address: `${config.address}:${config.apiPort}`,
        },
        [config.dcs.kind]: config.dcs.settings,
        postgresql: {
            listen: `0.0.0.0:${defaultPorts.postgres}`,
            connect_address: `${config.address}:${config.postgresPort}`,
            data_dir: containerPaths.postgresData(config.postgresMajor),
            bin_dir: containerPaths.postgresBinaries(config.postgresMajor),
            pgpass: "/tmp/pgpass",
            // A switchover pauses PgBouncers there.
            before_stop: `sh -c "test ! -e ${containerPaths.beforeStop} || exec sh ${containerPaths.beforeStop}"`,
            use_unix_socket: true,
            parameters: { unix_socket_directories: containerPaths.postgresSocket },
            basebackup: [{ checkpoint: "fast" }],
            // A replica whose rewind was cut short is made anew instead of staying broken.
            remove_data_directory_on_rewind_failure: true,
            remove_data_directory_on_diverged_timelines: true,
        },
        // Swarm services can't map /dev/watchdog.
        watchdog: { mode: "off" },
        tags: config.tags,
    });
}

/**
 * TLS of the connections to PostgreSQL, and on request of Patroni's REST API and of replicas, which verify the primary: in a node's own
 * configuration, so that it comes and goes with the files that it names. What is not here, as `ssl_min_protocol_version` (PostgreSQL's own
 * TLSv1.2), is the user's.
 */
export function renderPatroniTlsYaml(enableInternalTls = false): string {
    const { serverCertificate: certfile, serverKey: keyfile, caCertificate: cacert } = containerPaths;
    const verifying = { sslmode: "verify-full", sslrootcert: cacert };
    return renderYaml({
        // Unsafe calls need the password, which TLS keeps; a certificate of the callers' would lock operators out.
        ...(enableInternalTls ? { restapi: { certfile, keyfile }, ctl: { cacert } } : {}),
        postgresql: {
            ...(enableInternalTls ? { authentication: { replication: verifying, rewind: verifying } } : {}),
            parameters: {
                ssl: "on",
                ssl_cert_file: certfile,
                ssl_key_file: keyfile,
                ssl_ca_file: cacert,
            },
        },
    });
}

/** The part that counts only when the cluster is made. */
export function renderPatroniBootstrapYaml(dynamic: PatroniDynamicConfig, dataChecksums: boolean): string {
    const checksums = dataChecksums ? ["data-checksums"] : [];
    return renderYaml({
        bootstrap: {
            dcs: dynamicConfig(dynamic),
            initdb: [{ encoding: "UTF8" }, { locale: "C.UTF-8" }, ...checksums],
        },
    });
}

/** Logins and passwords: a file of its own, so that the rest can be read in a preview. */
export function renderPatroniPasswordsYaml(passwords: PatroniPasswords): string {
    return renderYaml({
        restapi: { authentication: { username: systemLogins.patroniApi, password: passwords.api } },
        postgresql: {
            authentication: {
                superuser: { username: systemRoles.superuser, password: passwords.superuser },
                replication: passwords.replication,
                rewind: passwords.rewind,
            },
        },
    });
}

/** The dynamic configuration as JSON, for `patronictl edit-config --replace`. */
export function renderPatroniDynamicJson(config: PatroniDynamicConfig): string {
    return JSON.stringify(dynamicConfig(config), null, 2);
}

function dynamicConfig(config: PatroniDynamicConfig) {
    return {
        ttl: config.ttlSeconds,
        loop_wait: config.loopWaitSeconds,
        retry_timeout: config.retryTimeoutSeconds,
        primary_start_timeout: config.primaryStartTimeoutSeconds,
        primary_stop_timeout: config.primaryStopTimeoutSeconds,
        maximum_lag_on_failover: config.maximumLagOnFailoverBytes,
        synchronous_mode: config.synchronousMode,
        synchronous_mode_strict: config.synchronousModeStrict,
        synchronous_node_count: config.synchronousNodeCount,
        failsafe_mode: config.failsafeMode,
        ...(Object.keys(config.slots).length > 0 ? { slots: Object.fromEntries(sortedEntries(config.slots)) } : {}),
        ...(config.ignoreSlots.length > 0 ? { ignore_slots: config.ignoreSlots } : {}),
        postgresql: {
            use_pg_rewind: config.usePgRewind,
            use_slots: config.useSlots,
            pg_hba: config.hbaRules,
            parameters: Object.fromEntries(sortedEntries(config.parameters)),
        },
    };
}

/** A password file of libpq, for one role on every server. */
export function renderPgpass(role: string, password: string): string {
    const escaped = (text: string): string => text.replace(/[\\:]/g, "\\$&");
    return `*:*:*:${escaped(role)}:${escaped(password)}\n`;
}
