/** What the rules are made of: the same values as the cluster. */
export interface AlertRulesConfig {
    clusterName: string;
    nodeCount: number;
    ttlSeconds: number;
    primaryStartTimeoutSeconds: number;
    maximumLagOnFailoverBytes: number;
    /** Replicas that must confirm a commit; 0 without synchronous mode. */
    synchronousCount: number;
    /** Whether commits wait while no replica confirms them. */
    synchronousStrict: boolean;
    /** Permanent slots with a consumer, by name. */
    slots: string[];
    /** Own etcd members; none with another store. */
    etcd?: { memberCount: number; electionTimeoutMilliseconds: number };
    /** Consul servers; none with another store. */
    consul?: { memberCount: number };
}

/** Names of the jobs in Prometheus' configuration, as the rules expect them. */
export function scrapeJobs(clusterName: string) {
    return {
        patroni: `${clusterName}-patroni`,
        postgres: `${clusterName}-postgres`,
        haproxy: `${clusterName}-haproxy`,
        etcd: `${clusterName}-etcd`,
        consul: `${clusterName}-consul`,
    };
}

export enum Severity {
    /** Somebody has to get up. */
    Critical = "critical",
    /** Somebody has to look within the day. */
    Warning = "warning",
}

/** One alert. */
export interface Rule {
    name: string;
    expression: string;
    forSeconds: number;
    severity: Severity;
    summary: string;
    next: string;
}

/** Connections in use, of those allowed, that are worth a word. */
export const nearlyFull = 0.8;
