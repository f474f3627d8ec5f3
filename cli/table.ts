import { styleText } from "node:util";
import type { ClusterStatus, EtcdMemberStatus, HaProxyStatus, PatroniMemberStatus, WorkloadStatus } from "./status";

/** Puts emphasis on text, or leaves it as it is. */
export type Style = (format: "red" | "green" | "yellow" | "bold" | "dim", text: string) => string;

/** Colours for a terminal, unless the user doesn't want them: https://no-color.org */
export function styleFor(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): Style {
    const wanted = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
    return (format, text) => (wanted ? styleText(format, text, { validateStream: false }) : text);
}

/** A cluster's state for people to read. */
export function renderStatus(status: ClusterStatus, style: Style): string {
    const { cluster, healthy, reasons, patroni } = status;
    const verdict = healthy ? style("green", "healthy") : style("red", "not healthy");
    const sections = [
        [`${style("bold", cluster)}: ${verdict}`, ...reasons.map((reason) => `  - ${reason}`)],
        table(`Patroni${patroni.paused === true ? ", paused" : ""}`, patroniRows(patroni.members), style),
        table("etcd", etcdRows(status), style),
        table("HAProxy, servers that are up", haproxyRows(status), style),
        table("PgBouncer", pgbouncerRows(status), style),
        table("Exporters", exporterRows(status), style),
    ];
    return `${sections
        .filter((lines) => lines.length > 0)
        .map((lines) => lines.join("\n"))
        .join("\n\n")}\n`;
}

function patroniRows(members: PatroniMemberStatus[]): string[][] {
    const rows = members.map((member) => [
        member.name,
        member.host || "?",
        (member.role ?? (member.acceptsWrites === true ? "primary" : "-")).replaceAll("_", " "),
        member.state ?? stateOf(member),
        textOf(member.timeline),
        member.lagBytes === null ? "-" : sizeOf(member.lagBytes),
        [
            ...(member.pendingRestart ? ["pending restart"] : []),
            ...Object.entries(member.tags).map(([tag, value]) => `${tag}=${String(value)}`),
        ].join(", "),
    ]);
    return [["MEMBER", "HOST", "ROLE", "STATE", "TL", "LAG", "NOTES"], ...rows];
}

function etcdRows({ etcd }: ClusterStatus): string[][] {
    const rows = etcd.map((member) => [
        member.name,
        member.host,
        member.leader === null ? "-" : member.leader ? "leader" : "follower",
        etcdState(member),
        member.dbSizeBytes === null ? "-" : sizeOf(member.dbSizeBytes),
        member.alarms.join(", "),
    ]);
    return [["MEMBER", "HOST", "ROLE", "STATE", "DB SIZE", "ALARMS"], ...rows];
}

function etcdState(member: EtcdMemberStatus): string {
    if (member.healthy === null) return stateOf(member);
    if (member.healthy) return "healthy";
    return member.alarms.length > 0 ? "alarm" : "can't commit";
}

function haproxyRows({ haproxy }: ClusterStatus): string[][] {
    const proxies = [...new Set(haproxy.flatMap(({ up }) => Object.keys(up ?? {})))];
    const rows = haproxy.map((proxy) => [proxy.host, stateOf(proxy), ...proxies.map((name) => serversOf(proxy, name))]);
    return [["HOST", "STATE", ...proxies.map((name) => name.toUpperCase())], ...rows];
}

function serversOf({ up }: HaProxyStatus, proxy: string): string {
    const servers = up?.[proxy] ?? [];
    return servers.length === 0 ? "-" : servers.join(", ");
}

function pgbouncerRows({ pgbouncer }: ClusterStatus): string[][] {
    const rows = pgbouncer.map((pooler) => [
        pooler.host,
        pooler.paused === true ? "paused" : stateOf(pooler),
        textOf(pooler.clients),
        textOf(pooler.waitingClients),
        pooler.longestWaitSeconds === null ? "-" : `${pooler.longestWaitSeconds} s`,
    ]);
    return [["HOST", "STATE", "CLIENTS", "WAITING", "LONGEST WAIT"], ...rows];
}

function exporterRows({ exporters }: ClusterStatus): string[][] {
    const rows = exporters.map((exporter) => [
        exporter.name,
        exporter.host,
        stateOf(exporter),
        exporter.up === null ? "-" : exporter.up ? "up" : "down",
    ]);
    return [["EXPORTER", "HOST", "STATE", "POSTGRESQL"], ...rows];
}

/** A container's state, for a part that gave nothing better. */
function stateOf({ container, error }: WorkloadStatus): string {
    return error === null ? container : "no answer";
}

function textOf(value: number | null): string {
    return value === null ? "-" : String(value);
}

/** A size in the largest unit of which there is at least one. */
function sizeOf(bytes: number): string {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
    const value = bytes / 1024 ** step;
    return `${step === 0 ? value : value.toFixed(1)} ${units[step]}`;
}

/** Lines of a table with a title; none for one without rows. */
function table(title: string, [heading = [], ...rows]: string[][], style: Style): string[] {
    if (rows.length === 0) {
        return [];
    }
    const widths = heading.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
    const line = (cells: string[], paint: (cell: string) => string): string => {
        const padded = cells.map((cell, column) => [cell, " ".repeat((widths[column] ?? 0) - cell.length)] as const);
        return `  ${padded.map(([cell, padding]) => paint(cell) + padding).join("  ")}`.trimEnd();
    };
    const paintCell = (cell: string): string => {
        const format = emphasis[cell];
        return format === undefined ? cell : style(format, cell);
    };
    return [
        style("bold", title),
        line(heading, (cell) => style("dim", cell)),
        ...rows.map((row) => line(row, paintCell)),
    ];
}

/** Cells that call for attention. */
const emphasis: { [cell: string]: "red" | "yellow" | undefined } = {
    unhealthy: "red",
    stopped: "red",
    missing: "red",
    "no answer": "red",
    "can't commit": "red",
    alarm: "red",
    "start failed": "red",
    crashed: "red",
    down: "red",
    paused: "yellow",
    starting: "yellow",
    unknown: "yellow",
    "creating replica": "yellow",
    "pending restart": "yellow",
};
