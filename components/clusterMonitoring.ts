import type { ClusterPlacement } from "./clusterPlacement";
import { usesEtcd } from "./clusterPlacement";
import { usesInternalTls } from "./clusterTls";
import type { ClusterEndpoints } from "./clusterEndpoints";
import { defaultPorts, etcdDefaults } from "./defaults";
import { locateEtcdMember } from "./memberLocation";
import type { PatroniConnection } from "./patroniGroup";
import { normalizePatroniSettings } from "./patroniSettings";
import type { PostgresClusterArgs } from "./postgresClusterArgs";
import { scrapeJobs } from "./render/alertRule";
import { httpScheme } from "./render/http";
import { renderAlertRules } from "./render/alertRules";

/** What Prometheus needs to watch a cluster. */
export interface ClusterMonitoring {
    /**
     * Targets as `host:port`, by the name of the job that the rules know them by. HAProxy asks for the login `admin` with the password
     * `haproxy-statistics`; Consul answers under `/v1/agent/metrics?format=prometheus`, the others under `/metrics`.
     */
    scrapeTargets: { [job: string]: string[] };
    /** `http` or `https`, by job. Certificates are the cluster's: Prometheus verifies them with `caCertificate`. */
    scrapeSchemes: { [job: string]: string };
    /** Alert rules, as a file for Prometheus' `rule_files`. */
    alertRules: string;
}

/** Collects targets, and renders the rules from the cluster's own values. */
export function monitoringOf(
    clusterName: string,
    args: PostgresClusterArgs,
    placement: ClusterPlacement,
    patroni: PatroniConnection,
    endpoints: ClusterEndpoints,
): ClusterMonitoring {
    const jobs = scrapeJobs(clusterName);
    const on = (members: { [key: string]: { host: string } }, port: number): string[] =>
        Object.values(members).map(({ host }) => `${args.hosts[host]?.address ?? host}:${port}`);
    const etcdTargets = Object.values(placement.etcd.members).map((member) => {
        const { address, metrics } = locateEtcdMember(args.hosts[member.host]?.address ?? "", member, args.etcd ?? {});
        return `${address}:${metrics.known}`;
    });
    const consulTargets = on(placement.consul.members, args.consul?.httpPort ?? defaultPorts.consulHttp);
    const scrapeTargets: { [job: string]: string[] } = {
        [jobs.patroni]: patroni.nodeEndpoints.map(({ address, apiPort }) => `${address}:${apiPort}`),
        ...(endpoints.metrics.length > 0 ? { [jobs.postgres]: endpoints.metrics } : {}),
        [jobs.haproxy]: endpoints.statistics,
        ...(etcdTargets.length > 0 ? { [jobs.etcd]: etcdTargets } : {}),
        ...(consulTargets.length > 0 ? { [jobs.consul]: consulTargets } : {}),
    };
    const withTls = usesInternalTls(args) ? [jobs.patroni, jobs.postgres, jobs.haproxy] : [];
    return {
        scrapeTargets,
        scrapeSchemes: Object.fromEntries(
            Object.keys(scrapeTargets).map((job) => [job, httpScheme(withTls.includes(job))]),
        ),
        alertRules: alertRules(clusterName, args, placement),
    };
}

function alertRules(clusterName: string, args: PostgresClusterArgs, placement: ClusterPlacement): string {
    const { dynamic } = normalizePatroniSettings(args.patroni ?? {}, placement.smallestMemoryMiB);
    const nodeCount = Object.keys(placement.patroni.nodes).length;
    return renderAlertRules({
        ...dynamic,
        clusterName,
        nodeCount,
        synchronousCount: dynamic.synchronousMode ? Math.min(dynamic.synchronousNodeCount, nodeCount - 1) : 0,
        synchronousStrict: dynamic.synchronousModeStrict,
        slots: Object.keys(dynamic.slots),
        etcd: usesEtcd(args)
            ? {
                  memberCount: Object.keys(placement.etcd.members).length,
                  electionTimeoutMilliseconds:
                      args.etcd?.electionTimeoutMilliseconds ?? etcdDefaults.electionTimeoutMilliseconds,
              }
            : undefined,
        consul: args.consul === undefined ? undefined : { memberCount: Object.keys(placement.consul.members).length },
    });
}
