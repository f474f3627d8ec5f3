import { AlertRulesConfig, nearlyFull, Rule, scrapeJobs, Severity } from "./alertRule";

/** Rules about the store of the cluster's state, where it is the cluster's own. */
export function storeRules(config: AlertRulesConfig): Rule[] {
    return [...etcdRules(config), ...consulRules(config)];
}

/** Rules about members of a quorum: one that is missing, and too many. */
function quorumRules(name: string, job: string, memberCount: number): Rule[] {
    const answering = `(sum(up{job="${job}"}) or vector(0))`;
    return [
        {
            name: `${name}MemberDown`,
            expression: `up{job="${job}"} == 0`,
            forSeconds: 120,
            severity: Severity.Warning,
            summary: `the ${name} member at {{ $labels.instance }} doesn't answer`,
            next: "See the host, and the member's log.",
        },
        {
            name: `${name}QuorumLost`,
            expression: `${answering} < ${Math.floor(memberCount / 2) + 1}`,
            forSeconds: 30,
            severity: Severity.Critical,
            summary: `only {{ $value }} of ${memberCount} ${name} members answer, too few for a quorum`,
            next: "Bring members back; until then the leader depends on failsafe mode, and nobody can take over.",
        },
    ];
}

function etcdRules({ clusterName, etcd }: AlertRulesConfig): Rule[] {
    if (etcd === undefined) {
        return [];
    }
    const job = scrapeJobs(clusterName).etcd;
    return [
        ...quorumRules("Etcd", job, etcd.memberCount),
        {
            name: "EtcdNoLeader",
            expression: `etcd_server_has_leader{job="${job}"} == 0`,
            forSeconds: 60,
            severity: Severity.Critical,
            summary: "the etcd member at {{ $labels.instance }} sees no leader",
            next: "See whether it reaches the others on their peer port.",
        },
        {
            name: "EtcdLeaderChanges",
            expression: `increase(etcd_server_leader_changes_seen_total{job="${job}"}[15m]) > 3`,
            forSeconds: 60,
            severity: Severity.Warning,
            summary: "etcd at {{ $labels.instance }} saw {{ $value | humanize }} leader changes in 15 minutes",
            next: "Look for slow disks and an unsteady network between the members.",
        },
        {
            name: "EtcdSlowDisk",
            expression: `histogram_quantile(0.99, rate(etcd_disk_wal_fsync_duration_seconds_bucket{job="${job}"}[5m])) > ${etcd.electionTimeoutMilliseconds / 2000}`,
            forSeconds: 300,
            severity: Severity.Warning,
            summary: "etcd at {{ $labels.instance }} takes {{ $value | humanizeDuration }} to write to disk",
            next: "Half an election timeout is reached: move other load away from that disk.",
        },
        {
            name: "EtcdDatabaseNearlyFull",
            expression: `etcd_mvcc_db_total_size_in_bytes{job="${job}"} / etcd_server_quota_backend_bytes{job="${job}"} > ${nearlyFull}`,
            forSeconds: 300,
            severity: Severity.Critical,
            summary: "etcd at {{ $labels.instance }} has used {{ $value | humanizePercentage }} of its quota",
            next: "At the quota it takes no more writes: 'etcdctl defrag', or raise etcd.quotaBackendMiB.",
        },
    ];
}

function consulRules({ clusterName, consul }: AlertRulesConfig): Rule[] {
    if (consul === undefined) {
        return [];
    }
    const job = scrapeJobs(clusterName).consul;
    return [
        ...quorumRules("Consul", job, consul.memberCount),
        {
            name: "ConsulUnhealthy",
            expression: `min(consul_autopilot_healthy{job="${job}"}) == 0`,
            forSeconds: 120,
            severity: Severity.Warning,
            summary: "Consul calls one of its servers unhealthy",
            next: "See 'consul operator raft list-peers' and /v1/operator/autopilot/health.",
        },
    ];
}
