import { X509Certificate } from "node:crypto";
import { z } from "zod";

/** A member as Patroni's REST API shows it at `/cluster`. */
export interface PatroniMemberView {
    name: string;
    role: string;
    state: string;
    timeline: number | null;
    /** Null for the leader, and where Patroni doesn't know it. */
    lagBytes: number | null;
    pendingRestart: boolean;
    tags: { [name: string]: unknown };
}

/** All members and Patroni's maintenance mode, as the DCS has them. */
export interface PatroniClusterView {
    paused: boolean;
    members: PatroniMemberView[];
}

const patroniMember = z
    .object({
        name: z.string(),
        role: z.string(),
        state: z.string(),
        timeline: z.number().nullish(),
        lag: z.union([z.number(), z.string()]).nullish(),
        pending_restart: z.boolean().nullish(),
        tags: z.record(z.string(), z.unknown()).nullish(),
    })
    .transform((member): PatroniMemberView => ({
        name: member.name,
        role: member.role,
        state: member.state,
        timeline: member.timeline ?? null,
        lagBytes: typeof member.lag === "number" ? member.lag : null,
        pendingRestart: member.pending_restart ?? false,
        tags: member.tags ?? {},
    }));

const patroniCluster = z
    .object({ pause: z.boolean().nullish(), members: z.array(patroniMember) })
    .transform((cluster): PatroniClusterView => ({ paused: cluster.pause ?? false, members: cluster.members }));

/** Patroni's `/cluster`. */
export function parsePatroniCluster(text: string): PatroniClusterView {
    return patroniCluster.parse(JSON.parse(text));
}

/** What a node says of itself at `/patroni`. */
export interface PatroniLocalView {
    role: string;
    state: string;
    timeline: number | null;
    /** Null while PostgreSQL doesn't run. */
    startedAt: string | null;
    paused: boolean;
}

const patroniLocal = z
    .object({
        role: z.string(),
        state: z.string(),
        timeline: z.number().nullish(),
        postmaster_start_time: z.string().nullish(),
        pause: z.boolean().nullish(),
    })
    .transform((local): PatroniLocalView => ({
        role: local.role,
        state: local.state,
        timeline: local.timeline ?? null,
        startedAt: local.postmaster_start_time ?? null,
        paused: local.pause ?? false,
    }));

/** Patroni's `/patroni`. */
export function parsePatroniLocal(text: string): PatroniLocalView {
    return patroniLocal.parse(JSON.parse(text));
}

/** What health is measured by. */
export interface PatroniLimits {
    /** Synchronous standbys that the configuration wants. */
    synchronousNodeCount: number;
    maximumLagOnFailoverBytes: number;
}

/** Patroni's own default. Source: https://patroni.readthedocs.io/en/latest/dynamic_configuration.html */
const defaultMaximumLagBytes = 1048576;

const patroniConfig = z
    .object({
        synchronous_mode: z.union([z.boolean(), z.string()]).nullish(),
        synchronous_node_count: z.number().nullish(),
        maximum_lag_on_failover: z.number().nullish(),
    })
    .transform((config): PatroniLimits => ({
        synchronousNodeCount: [true, "on", "quorum"].includes(config.synchronous_mode ?? false)
            ? (config.synchronous_node_count ?? 1)
            : 0,
        maximumLagOnFailoverBytes: config.maximum_lag_on_failover ?? defaultMaximumLagBytes,
    }));

/** Patroni's `/config`. */
export function parsePatroniConfig(text: string): PatroniLimits {
    return patroniConfig.parse(JSON.parse(text));
}

/** One member's answer to `etcdctl endpoint status`. */
export interface EtcdView {
    memberId: string;
    /** Id of the member that it takes for the leader; null where it knows none. */
    leaderId: string | null;
    version: string;
    dbSizeBytes: number;
    alarms: string[];
}

const etcdStatus = z
    .tuple([
        z.object({
            Status: z.object({
                header: z.object({ member_id: z.string() }),
                version: z.string(),
                dbSize: z.number(),
                leader: z.string().optional(),
                errors: z.array(z.string()).nullish(),
            }),
        }),
    ])
    .transform(([{ Status: status }]): EtcdView => ({
        memberId: status.header.member_id,
        leaderId: status.leader ?? null,
        version: status.version,
        dbSizeBytes: status.dbSize,
        alarms: (status.errors ?? []).map((error) => /alarm:(\w+)/.exec(error)?.[1] ?? error),
    }));

/** `etcdctl endpoint status -w json` of one member. */
export function parseEtcdStatus(text: string): EtcdView {
    // Ids have 64 bits, more than a JavaScript number holds.
    return etcdStatus.parse(JSON.parse(text.replaceAll(/"(member_id|leader)":\s*(\d+)/g, '"$1":"$2"')));
}

/** Servers of HAProxy that are up, by proxy; frontends have none. */
export function parseHaProxyStatistics(text: string): { [proxy: string]: string[] } {
    const rows = parseCsv(text.replace(/^# /, ""));
    if (rows[0]?.pxname === undefined) {
        throw new Error("not the statistics of HAProxy");
    }
    const up: { [proxy: string]: string[] } = {};
    for (const { pxname = "", svname = "", status = "" } of rows) {
        if (!["FRONTEND", "BACKEND"].includes(svname)) {
            const servers = (up[pxname] ??= []);
            // "UP 1/2" is on its way down and still gets connections.
            if (/^UP\b/.test(status)) {
                servers.push(svname);
            }
        }
    }
    return up;
}

/** What one PgBouncer does with its clients. */
export interface PgBouncerView {
    paused: boolean;
    clients: number;
    waitingClients: number;
    longestWaitSeconds: number;
}

/** `SHOW STATE` and `SHOW POOLS` of PgBouncer as CSV. */
export function parsePgBouncer(state: string, pools: string): PgBouncerView {
    const states = new Map(parseCsv(state).map(({ key = "", value = "" }) => [key, value]));
    if (!states.has("paused")) {
        throw new Error("not the state of PgBouncer");
    }
    // The administration's own pool holds this question.
    const rows = parseCsv(pools).filter(({ database }) => database !== "pgbouncer");
    const sum = (column: string): number => rows.reduce((total, row) => total + Number(row[column]), 0);
    return {
        paused: states.get("paused") === "yes",
        clients: sum("cl_active") + sum("cl_waiting"),
        waitingClients: sum("cl_waiting"),
        longestWaitSeconds: Math.max(0, ...rows.map(({ maxwait }) => Number(maxwait))),
    };
}

/** Rows of a CSV text by the names in its first line. */
export function parseCsv(text: string): { [column: string]: string | undefined }[] {
    const [names = [], ...rows] = text
        .split(/\r?\n/)
        .filter((line) => line !== "")
        .map(parseCsvLine);
    return rows.map((cells) => Object.fromEntries(names.map((name, index) => [name, cells[index]])));
}

function parseCsvLine(line: string): string[] {
    return [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)].map(([, cell = ""]) =>
        cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
    );
}

/** When the first of some certificates in PEM ends, as a time of ISO 8601; null where there is none. */
export function parseCertificateEnd(text: string): string | null {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const ends = blocks.map((block) => Date.parse(new X509Certificate(block).validTo));
    return ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString();
}

/** The state of a container, as `docker ps` tells it. */
export type ContainerState = "healthy" | "running" | "starting" | "unhealthy" | "stopped" | "missing" | "unknown";

/** States of a host's containers by label; where several have one, the one that runs counts. */
export function parseContainers(text: string): Map<string, ContainerState> {
    const states = new Map<string, ContainerState>();
    for (const line of text.split("\n").filter((row) => row !== "")) {
        const [label = "", state = "", status = ""] = line.split("\t");
        const runs = state === "running";
        if (runs || !states.has(label)) {
            states.set(label, runs ? runningState(status) : "stopped");
        }
    }
    return states;
}

function runningState(status: string): ContainerState {
    if (status.includes("(unhealthy)")) return "unhealthy";
    if (status.includes("(health: starting)")) return "starting";
    return status.includes("(healthy)") ? "healthy" : "running";
}
