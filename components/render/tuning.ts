/** PostgreSQL parameters, by name. */
export type PostgresParameters = { [name: string]: string | number | boolean };

/**
 * Memory settings that follow from a host's memory. Shares: a quarter for shared_buffers, three quarters as planner's estimate, a
 * sixteenth (at most 2 GiB) for maintenance, and the rest of the memory over the connections for sorts and hashes.
 * Source: seed 002, whose values for 16 GiB and 500 connections are 4 GB, 12 GB, 1 GB and 10 MB.
 */
export function memoryParameters(memoryMiB: number, maxConnections: number): PostgresParameters {
    const workMemMiB = Math.floor((memoryMiB * 0.31) / maxConnections);
    return {
        shared_buffers: `${Math.floor(memoryMiB / 4)}MB`,
        effective_cache_size: `${Math.floor((memoryMiB * 3) / 4)}MB`,
        maintenance_work_mem: `${Math.min(Math.floor(memoryMiB / 16), 2048)}MB`,
        work_mem: `${Math.max(workMemMiB, 4)}MB`,
    };
}

/** The tuning of seed 000 that does not follow from memory, and what its figures don't say but a cluster needs. */
export const baseParameters: PostgresParameters = {
    max_connections: 200,
    wal_keep_size: "2GB",
    synchronous_commit: "on",
    wal_level: "replica",
    hot_standby: "on",
    max_wal_senders: 10,
    max_replication_slots: 10,
    // pg_rewind needs checksums or hints; hints also work for a data directory made without checksums.
    wal_log_hints: "on",
    password_encryption: "scram-sha-256",
    // A cut-off old primary stays in "stopping" until its WAL senders give up: 71 to 85 s with PostgreSQL's 60 s, 13 to 32 s with 5 s.
    wal_sender_timeout: "5s",
    wal_receiver_timeout: "5s",
    wal_receiver_status_interval: "2s",
    // A slot of a lost replica must not fill the disk of the primary.
    max_slot_wal_keep_size: "8GB",
    // Dead peers are noticed within 10 + 3 * 5 seconds.
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    logging_collector: "off",
    log_checkpoints: "on",
    log_lock_waits: "on",
};
