import type { ClusterOperations, OperationsWorkload } from "../components";
import {
    ContainerState,
    EtcdView,
    parseCertificateEnd,
    parseContainers,
    parseEtcdStatus,
    parseHaProxyStatistics,
    parsePatroniCluster,
    parsePatroniConfig,
    parsePatroniLocal,
    parsePgBouncer,
    PatroniClusterView,
    PatroniLimits,
    PatroniLocalView,
} from "./answers";
import { messageOf } from "./failure";
import { lastLine, RunScript, ScriptResult } from "./hosts";
import { findReasons } from "./health";
import {
    containersProbe,
    parseProbeAnswers,
    Part,
    ProbeAnswers,
    probeName,
    ProbeOf,
    Questions,
    renderProbeScript,
} from "./probes";

/** A cluster's state: what `pgha status --json` prints. docs/cli.md describes it; fields are only ever added. */
export interface ClusterStatus {
    cluster: string;
    healthy: boolean;
    /** Why it isn't healthy. */
    reasons: string[];
    hosts: HostStatus[];
    patroni: PatroniStatus;
    etcd: EtcdMemberStatus[];
    haproxy: HaProxyStatus[];
    pgbouncer: PgBouncerStatus[];
    exporters: ExporterStatus[];
}

export interface HostStatus {
    host: string;
    address: string;
    reachable: boolean;
    /** Why it isn't reachable. */
    error: string | null;
}

/** What every container has. */
export interface WorkloadStatus {
    name: string;
    host: string;
    container: ContainerState;
    /** Why it gave no answer, although it runs. */
    error: string | null;
    /** When the first of its certificates ends; null where it has none, couldn't be asked, or wasn't. */
    certificateEndsAt: string | null;
}

export interface PatroniStatus {
    /** Patroni's maintenance mode; null where no node could be asked. */
    paused: boolean | null;
    /** Null where no node could read the dynamic configuration. */
    limits: PatroniLimits | null;
    members: PatroniMemberStatus[];
}

export interface PatroniMemberStatus extends WorkloadStatus {
    /** Patroni's word: leader, sync_standby, quorum_standby, replica. Null for a node that the DCS doesn't know. */
    role: string | null;
    state: string | null;
    timeline: number | null;
    lagBytes: number | null;
    pendingRestart: boolean;
    tags: { [name: string]: unknown };
    /** What PostgreSQL there says of itself; null where it couldn't be asked. */
    acceptsWrites: boolean | null;
    /** When its PostgreSQL was started; null where it couldn't be asked. */
    startedAt: string | null;
    /** Whether this member has noticed Patroni's maintenance mode; null where it couldn't be asked. */
    paused: boolean | null;
}

export interface EtcdMemberStatus extends WorkloadStatus {
    /** Whether it can commit, which needs a quorum; null without an answer. */
    healthy: boolean | null;
    leader: boolean | null;
    version: string | null;
    dbSizeBytes: number | null;
    alarms: string[];
}

export interface HaProxyStatus extends WorkloadStatus {
    /** Servers that are up, by proxy; null without an answer. */
    up: { [proxy: string]: string[] } | null;
}

export interface PgBouncerStatus extends WorkloadStatus {
    paused: boolean | null;
    clients: number | null;
    waitingClients: number | null;
    longestWaitSeconds: number | null;
}

export interface ExporterStatus extends WorkloadStatus {
    /** Whether it reaches its PostgreSQL; null without an answer. */
    up: boolean | null;
}

/** What a host answered, or why it didn't. */
export type HostAnswer = { answers: ProbeAnswers } | { error: string };

/** Time for a host to answer everything. */
const answerTimeoutSeconds = 20;

const everything: Questions = { parts: ["patroni", "etcd", "haproxy", "pgbouncer", "exporters"], certificates: true };

/** Asks all hosts at the same time. */
export async function readStatus(operations: ClusterOperations, run: RunScript): Promise<ClusterStatus> {
    return describeStatus(operations, await askHosts(operations, run, everything));
}

/** Asks for Patroni's state only, while something is being waited for. */
export async function readPatroni(operations: ClusterOperations, run: RunScript): Promise<PatroniStatus> {
    return describePatroni(operations, await askHosts(operations, run, { parts: ["patroni"], certificates: false }));
}

async function askHosts(
    operations: ClusterOperations,
    run: RunScript,
    questions: Questions,
): Promise<Map<string, HostAnswer>> {
    const asked = Object.keys(operations.hosts).map(async (host): Promise<[string, HostAnswer]> => {
        try {
            const script = renderProbeScript(operations, host, questions);
            return [host, readHostAnswer(await run(host, script, answerTimeoutSeconds))];
        } catch (error) {
            return [host, { error: messageOf(error) }];
        }
    });
    return new Map(await Promise.all(asked));
}

/** Takes what a host's script printed apart; without a list of containers nothing else says anything. */
export function readHostAnswer({ status, stdout, stderr }: ScriptResult): HostAnswer {
    const answers = parseProbeAnswers(stdout);
    const containers = answers.get(containersProbe);
    return status === 0 && containers?.status === 0
        ? { answers }
        : { error: lastLine(containers?.stderr ?? stderr) || "its script failed" };
}

/** Makes a cluster's state out of what its hosts answered. */
export function describeStatus(
    operations: ClusterOperations,
    hosts: Map<string, HostAnswer>,
    now = new Date(),
): ClusterStatus {
    const state = {
        hosts: Object.entries(operations.hosts).map(([host, { address }]): HostStatus => {
            const answer = hosts.get(host);
            const error = answer !== undefined && "error" in answer ? answer.error : null;
            return { host, address, reachable: error === null, error };
        }),
        patroni: describePatroni(operations, hosts),
        etcd: describeEtcd(operations, hosts),
        haproxy: operations.haproxy.map((workload) => describeHaProxy(workload, hosts)),
        pgbouncer: operations.pgbouncer.map((workload) => describePgBouncer(workload, hosts)),
        exporters: operations.exporters.map((workload) => describeExporter(workload, hosts)),
    };
    const reasons = findReasons(state, now);
    return { cluster: operations.clusterName, healthy: reasons.length === 0, reasons, ...state };
}

/** Asks one container's answers: each reading gives a value, or null and the error that goes to the status. */
class WorkloadReader<P extends Part> {
    private error: string | null = null;
    private readonly answers: ProbeAnswers | undefined;

    constructor(
        private readonly workload: OperationsWorkload,
        hosts: Map<string, HostAnswer>,
    ) {
        const answer = hosts.get(workload.host);
        this.answers = answer !== undefined && "answers" in answer ? answer.answers : undefined;
    }

    /** Reads answers to some probes with a parser. */
    read<T>(probes: ProbeOf<P>[], parse: (...texts: string[]) => T): T | null {
        const texts: string[] = [];
        for (const probe of probes) {
            const answer = this.answers?.get(probeName<P>(this.workload.label, probe));
            if (answer?.status !== 0) {
                this.error ??= lastLine(answer?.stderr ?? "") || "no answer";
                return null;
            }
            texts.push(answer.stdout);
        }
        try {
            return parse(...texts);
        } catch (error) {
            this.error ??= `an answer that can't be read: ${lastLine(messageOf(error))}`;
            return null;
        }
    }

    /** What every container has. After the readings. */
    base(): WorkloadStatus {
        const containers = this.answers?.get(containersProbe);
        const listed = containers && parseContainers(containers.stdout);
        const container = listed === undefined ? "unknown" : (listed.get(this.workload.label) ?? "missing");
        const runs = !["unknown", "missing", "stopped"].includes(container);
        const { name, host } = this.workload;
        const certificate = this.answers?.get(probeName<P>(this.workload.label, "certificate"));
        const certificateEndsAt = parseCertificateEnd(certificate?.stdout ?? "");
        return { name, host, container, error: runs ? this.error : null, certificateEndsAt };
    }
}

function describePatroni(operations: ClusterOperations, hosts: Map<string, HostAnswer>): PatroniStatus {
    const nodes = operations.patroni.map((workload) => {
        const reader = new WorkloadReader<"patroni">(workload, hosts);
        const local = reader.read(["local"], parsePatroniLocal);
        // Without the DCS the other questions fail; that is no fault of this container.
        const base = reader.base();
        return {
            local,
            base,
            view: reader.read(["cluster"], parsePatroniCluster),
            limits: reader.read(["config"], parsePatroniConfig),
        };
    });
    const view = nodes.find((node) => node.view !== null)?.view ?? null;
    const declared = nodes.map(({ base, local }) => describeMember(base, local, view));
    const names = declared.map(({ name }) => name);
    const unknown: WorkloadStatus = {
        name: "",
        host: "",
        container: "unknown",
        error: null,
        certificateEndsAt: null,
    };
    const others = (view?.members ?? []).filter(({ name }) => !names.includes(name));
    const locals = nodes.flatMap(({ local }) => local ?? []);
    return {
        paused: view?.paused ?? (locals.length === 0 ? null : locals.some(({ paused }) => paused)),
        limits: nodes.find((node) => node.limits !== null)?.limits ?? null,
        members: [...declared, ...others.map(({ name }) => describeMember({ ...unknown, name }, null, view))],
    };
}

function describeMember(
    base: WorkloadStatus,
    local: PatroniLocalView | null,
    view: PatroniClusterView | null,
): PatroniMemberStatus {
    const member = view?.members.find(({ name }) => name === base.name);
    const acceptsWrites = local === null ? null : ["primary", "master"].includes(local.role);
    // Without the DCS a node's own word has to do, and nobody is known to lead.
    const own = view === null && local !== null ? local : undefined;
    return {
        ...base,
        role: member?.role ?? null,
        state: member?.state ?? own?.state ?? null,
        timeline: member?.timeline ?? own?.timeline ?? null,
        lagBytes: member?.lagBytes ?? null,
        pendingRestart: member?.pendingRestart ?? false,
        tags: member?.tags ?? {},
        acceptsWrites,
        startedAt: local?.startedAt ?? null,
        paused: local?.paused ?? null,
    };
}

function describeEtcd({ etcd }: ClusterOperations, hosts: Map<string, HostAnswer>): EtcdMemberStatus[] {
    return etcd.map((workload) => {
        const reader = new WorkloadReader<"etcd">(workload, hosts);
        const view = reader.read<EtcdView>(["status"], parseEtcdStatus);
        // A member without a quorum answers, and can't commit; etcdctl's status is 0 only where it could.
        const base = reader.base();
        return {
            ...base,
            healthy: view && reader.read(["health"], () => true) === true,
            leader: view && view.leaderId === view.memberId,
            version: view?.version ?? null,
            dbSizeBytes: view?.dbSizeBytes ?? null,
            alarms: view?.alarms ?? [],
        };
    });
}

function describeHaProxy(workload: OperationsWorkload, hosts: Map<string, HostAnswer>): HaProxyStatus {
    const reader = new WorkloadReader<"haproxy">(workload, hosts);
    const up = reader.read(["statistics"], parseHaProxyStatistics);
    return { ...reader.base(), up };
}

function describePgBouncer(workload: OperationsWorkload, hosts: Map<string, HostAnswer>): PgBouncerStatus {
    const reader = new WorkloadReader<"pgbouncer">(workload, hosts);
    const view = reader.read(["state", "pools"], parsePgBouncer);
    return {
        ...reader.base(),
        paused: view?.paused ?? null,
        clients: view?.clients ?? null,
        waitingClients: view?.waitingClients ?? null,
        longestWaitSeconds: view?.longestWaitSeconds ?? null,
    };
}

function describeExporter(workload: OperationsWorkload, hosts: Map<string, HostAnswer>): ExporterStatus {
    const reader = new WorkloadReader<"exporters">(workload, hosts);
    const up = reader.read(["up"], (text) => text.trim().endsWith(" 1"));
    return { ...reader.base(), up };
}
