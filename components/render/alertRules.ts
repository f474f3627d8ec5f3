import { AlertRulesConfig, nearlyFull, Rule, scrapeJobs, Severity } from "./alertRule";
import { haproxyProxies } from "./haproxyCfg";
import { storeRules } from "./storeAlertRules";
import { renderYaml } from "./yaml";

/** Prometheus' alert rules for a cluster: a file for `rule_files`. */
export function renderAlertRules(config: AlertRulesConfig): string {
    const rules = [
        ...leaderRules(config),
        ...replicaRules(config),
        ...patroniRules(config),
        ...postgresRules(config),
        ...slotRules(config),
        ...haproxyRules(config),
        ...storeRules(config),
    ];
    return renderYaml({
        groups: [{ name: config.clusterName, rules: rules.map((rule) => alert(rule, config.clusterName)) }],
    });
}

function alert({ name, expression, forSeconds, severity, summary, next }: Rule, cluster: string) {
    return {
        alert: name,
        expr: expression,
        for: `${forSeconds}s`,
        labels: { severity, cluster },
        annotations: { summary: `${cluster}: ${summary}`, description: next },
    };
}

function scopeOf({ clusterName }: AlertRulesConfig): string {
    return `{scope="${clusterName}"}`;
}

function leaderRules(config: AlertRulesConfig): Rule[] {
    const leaders = `sum(patroni_primary${scopeOf(config)})`;
    return [
        {
            name: "PostgresNoLeader",
            // Nothing at all is no leader, too.
            expression: `(${leaders} or vector(0)) < 1`,
            // What a failover takes at most.
            forSeconds: 2 * config.ttlSeconds,
            severity: Severity.Critical,
            summary: "no node leads, so nobody can write",
            next: "See 'pgha status' and the store's health: without a quorum nobody may lead.",
        },
        {
            name: "PostgresMultipleLeaders",
            expression: `${leaders} > 1`,
            // Two nodes are asked at different moments of a switchover.
            forSeconds: 2 * config.ttlSeconds,
            severity: Severity.Critical,
            summary: "{{ $value }} nodes say that they lead",
            next: "Compare their timelines; stop the node that 'pgha status' doesn't call the leader.",
        },
        {
            name: "PatroniPaused",
            expression: `max(patroni_is_paused${scopeOf(config)}) == 1`,
            forSeconds: 3600,
            severity: Severity.Warning,
            summary: "in maintenance for an hour, so no node takes over by itself",
            next: "When the work is done: 'pgha resume'.",
        },
    ];
}

function replicaRules(config: AlertRulesConfig): Rule[] {
    const scope = scopeOf(config);
    if (config.nodeCount < 2) {
        return [];
    }
    const replicas: Rule[] = [
        {
            name: "PostgresReplicasMissing",
            expression: `(sum(patroni_postgres_streaming${scope}) or vector(0)) < ${config.nodeCount - 1}`,
            forSeconds: 300,
            severity: Severity.Warning,
            summary: `only {{ $value }} of ${config.nodeCount - 1} replicas stream`,
            next: "See 'pgha status' and the log of the node that is missing.",
        },
        {
            name: "PostgresReplicaLags",
            expression: `scalar(max(patroni_xlog_location${scope})) - patroni_xlog_replayed_location${scope} > ${config.maximumLagOnFailoverBytes} and patroni_replica${scope} == 1`,
            forSeconds: 300,
            severity: Severity.Warning,
            summary: "{{ $labels.name }} lags by {{ $value | humanize1024 }}B, too much to take over",
            next: "Look for long queries on it, and for its disk and network.",
        },
    ];
    if (config.synchronousCount === 0) {
        return replicas;
    }
    const waiting = config.synchronousStrict ? "commits wait" : "what is acknowledged now is on too few disks";
    return [
        ...replicas,
        {
            name: "PostgresSynchronousReplicaMissing",
            expression: `(sum(patroni_sync_standby${scope}) or vector(0)) < ${config.synchronousCount}`,
            forSeconds: 120,
            severity: config.synchronousStrict ? Severity.Critical : Severity.Warning,
            summary: `{{ $value }} of ${config.synchronousCount} synchronous replicas, so ${waiting}`,
            next: "See 'pgha status': a replica must be streaming and not be tagged 'nosync'.",
        },
    ];
}

function patroniRules(config: AlertRulesConfig): Rule[] {
    const scope = scopeOf(config);
    return [
        {
            name: "PatroniDown",
            expression: `up{job="${scrapeJobs(config.clusterName).patroni}"} == 0`,
            forSeconds: 60,
            severity: Severity.Warning,
            summary: "Patroni at {{ $labels.instance }} doesn't answer",
            next: "See the host, and the log of its Patroni.",
        },
        {
            name: "PostgresNotRunning",
            expression: `patroni_postgres_running${scope} == 0`,
            forSeconds: 60 + config.primaryStartTimeoutSeconds,
            severity: Severity.Warning,
            summary: "PostgreSQL of {{ $labels.name }} doesn't run",
            next: "See its log; 'pgha reinit' makes a replica anew.",
        },
        {
            name: "PatroniStoreUnreachable",
            expression: `time() - patroni_dcs_last_seen${scope} > ${2 * config.ttlSeconds}`,
            forSeconds: 60,
            severity: Severity.Critical,
            summary: "{{ $labels.name }} hasn't reached its store for {{ $value | humanizeDuration }}",
            next: "See the store's quorum. In failsafe mode the leader goes on only as long as it reaches all nodes.",
        },
        {
            name: "PatroniRestartPending",
            expression: `patroni_pending_restart${scope} == 1`,
            forSeconds: 1800,
            severity: Severity.Warning,
            summary: "{{ $labels.name }} waits for a restart to take settings over",
            next: "'pulumi up' carries it out, unless the cluster is paused.",
        },
    ];
}

function postgresRules(config: AlertRulesConfig): Rule[] {
    const job = `{job="${scrapeJobs(config.clusterName).postgres}"}`;
    return [
        {
            name: "PostgresExporterDown",
            expression: `up${job} == 0`,
            forSeconds: 120,
            severity: Severity.Warning,
            summary: "the exporter at {{ $labels.instance }} doesn't answer",
            next: "See the host, and the log of its exporter.",
        },
        {
            name: "PostgresExporterBlind",
            expression: `pg_up${job} == 0`,
            forSeconds: 120,
            severity: Severity.Warning,
            summary: "the exporter at {{ $labels.instance }} can't ask its PostgreSQL",
            next: "See its log: PostgreSQL is down, full, or refuses its password.",
        },
        {
            name: "PostgresConnectionsNearlyUsedUp",
            expression: `sum by (instance) (pg_stat_activity_count${job}) / max by (instance) (pg_settings_max_connections${job}) > ${nearlyFull}`,
            forSeconds: 300,
            severity: Severity.Warning,
            summary: "{{ $value | humanizePercentage }} of the connections of {{ $labels.instance }} are in use",
            next: "See who holds them in pg_stat_activity, and send applications through PgBouncer.",
        },
    ];
}

function slotRules(config: AlertRulesConfig): Rule[] {
    const job = `job="${scrapeJobs(config.clusterName).postgres}"`;
    const onPrimary = `and on (instance) pg_replication_is_replica{${job}} == 0`;
    const rules: Rule[] = [
        {
            name: "PostgresSlotLost",
            expression: `pg_replication_slot_wal_status{${job},wal_status="lost"} == 1 ${onPrimary}`,
            forSeconds: 60,
            severity: Severity.Critical,
            summary: "the slot {{ $labels.slot_name }} has lost WAL that its consumer needs",
            next: "The consumer has to begin anew; a node's own is mended by 'pgha reinit' of that node.",
        },
        {
            name: "PostgresSlotNearlyLost",
            expression: `pg_replication_slot_safe_wal_size_bytes{${job}} < on (instance) group_left () (pg_settings_max_slot_wal_keep_size_bytes{${job}} * ${(1 - nearlyFull).toFixed(1)}) ${onPrimary}`,
            forSeconds: 60,
            severity: Severity.Critical,
            summary: "the slot {{ $labels.slot_name }} loses its WAL after {{ $value | humanize1024 }}B more",
            next: "Bring its consumer back, or raise max_slot_wal_keep_size where the disk allows it.",
        },
    ];
    return config.slots.length === 0
        ? rules
        : [
              ...rules,
              {
                  name: "PostgresSlotWithoutConsumer",
                  expression: `pg_replication_slot_slot_is_active{${job},slot_name=~"${config.slots.join("|")}"} == 0 ${onPrimary}`,
                  forSeconds: 900,
                  severity: Severity.Warning,
                  summary: "nobody reads from the slot {{ $labels.slot_name }}, which holds WAL back",
                  next: "Bring its consumer back, or take the slot out of 'patroni.slots'.",
              },
          ];
}

function haproxyRules(config: AlertRulesConfig): Rule[] {
    const job = `job="${scrapeJobs(config.clusterName).haproxy}"`;
    const noServer = (proxy: string): string => `haproxy_backend_active_servers{${job},proxy="${proxy}"} == 0`;
    const rules: Rule[] = [
        {
            name: "HaproxyDown",
            expression: `up{${job}} == 0`,
            forSeconds: 60,
            severity: Severity.Warning,
            summary: "HAProxy at {{ $labels.instance }} doesn't answer",
            next: "See the host, and the log of its HAProxy.",
        },
        {
            name: "HaproxyNoPrimary",
            expression: noServer(haproxyProxies.readWrite),
            forSeconds: 2 * config.ttlSeconds,
            severity: Severity.Critical,
            summary: "HAProxy at {{ $labels.instance }} has no primary to send clients to",
            next: "With a leader in 'pgha status': this host doesn't reach that node's Patroni.",
        },
        {
            name: "HaproxyConnectionsNearlyUsedUp",
            expression: `haproxy_process_current_connections{${job}} / haproxy_process_max_connections{${job}} > ${nearlyFull}`,
            forSeconds: 300,
            severity: Severity.Warning,
            summary:
                "{{ $value | humanizePercentage }} of the connections of HAProxy at {{ $labels.instance }} are in use",
            next: "Raise haproxy.maxConnections, or find the client that holds them.",
        },
    ];
    return config.nodeCount < 2
        ? rules
        : [
              ...rules,
              {
                  name: "HaproxyNoReplica",
                  expression: noServer(haproxyProxies.replicas),
                  forSeconds: 300,
                  severity: Severity.Warning,
                  summary: "HAProxy at {{ $labels.instance }} has no replica within the lag bound for readers",
                  next: "See 'pgha status' for the replicas' state and lag.",
              },
          ];
}
