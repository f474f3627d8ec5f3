import { haproxyProxies } from "../components/render/haproxyCfg";
import type { ClusterStatus, PatroniMemberStatus, PatroniStatus, WorkloadStatus } from "./status";

/** A cluster's state before anybody has judged it. */
export type ClusterState = Omit<ClusterStatus, "cluster" | "healthy" | "reasons">;

/** Finds why a cluster isn't healthy; docs/cli.md says what healthy is. */
export function findReasons(state: ClusterState, now: Date): string[] {
    return [
        ...hostReasons(state),
        ...containerReasons(state),
        ...leaderReasons(state.patroni),
        ...memberReasons(state.patroni),
        ...synchronousReasons(state.patroni),
        ...etcdReasons(state),
        ...haproxyReasons(state),
        ...pgbouncerReasons(state),
        ...exporterReasons(state),
        ...certificateReasons(state, now),
    ];
}

/** The member that leads. */
export function findLeader({ members }: PatroniStatus): PatroniMemberStatus | undefined {
    return members.find(isLeader);
}

function isLeader({ role }: PatroniMemberStatus): boolean {
    return role === "leader" || role === "standby_leader";
}

/** Whether a member follows the leader: what a replica has to do in a healthy cluster. */
export function isStreaming(member: PatroniMemberStatus, patroni: PatroniStatus): boolean {
    // A node with this tag reads archived WAL, by the user's wish.
    const archive = member.tags.nostream === true && member.state === "in archive recovery";
    const leader = findLeader(patroni);
    return (member.state === "streaming" || archive) && member.timeline === (leader?.timeline ?? null);
}

/** Whether commits wait for a member. */
export function isSynchronous({ role }: PatroniMemberStatus): boolean {
    return role === "sync_standby" || role === "quorum_standby";
}

/** Whether a container runs and passes its health check. */
export function isUp({ container }: WorkloadStatus): boolean {
    return container === "healthy" || container === "running";
}

function hostReasons({ hosts }: ClusterState): string[] {
    return hosts
        .filter(({ reachable }) => !reachable)
        .map(({ host, address, error }) => `host ${host} (${address}) can't be asked: ${error}`);
}

function allWorkloads({ patroni, etcd, haproxy, pgbouncer, exporters }: ClusterState): WorkloadStatus[] {
    return [...patroni.members, ...etcd, ...haproxy, ...pgbouncer, ...exporters];
}

/** Containers that don't run, and those that run and don't answer. */
function containerReasons(state: ClusterState): string[] {
    return allWorkloads(state).flatMap((workload) => {
        const where = `${workload.name} on ${workload.host}`;
        if (workload.container === "unknown") return [];
        if (!isUp(workload)) return [`${where}: its container is ${workload.container}`];
        return workload.error === null ? [] : [`${where}: ${workload.error}`];
    });
}

function leaderReasons(patroni: PatroniStatus): string[] {
    const { paused, members } = patroni;
    const reasons = paused === true ? ["Patroni is paused: nothing fails over (pgha resume)"] : [];
    const writable = members.filter(({ acceptsWrites }) => acceptsWrites === true).map(({ name }) => name);
    if (writable.length > 1) {
        reasons.push(`${writable.length} nodes accept writes: ${writable.join(", ")}`);
    }
    if (members.every(({ role }) => role === null)) {
        const answered = members.some(({ acceptsWrites }) => acceptsWrites !== null);
        return answered ? [...reasons, "no node can read the cluster's state from the DCS"] : reasons;
    }
    const leader = findLeader(patroni);
    if (leader === undefined) {
        reasons.push("there is no leader");
    } else if (leader.state !== "running") {
        reasons.push(`${leader.name} leads and is "${leader.state}"`);
    } else if (leader.acceptsWrites === false) {
        reasons.push(`${leader.name} leads and accepts no writes`);
    }
    return reasons;
}

function memberReasons(patroni: PatroniStatus): string[] {
    const { members, limits } = patroni;
    if (members.every(({ role }) => role === null)) {
        return [];
    }
    return members.flatMap((member) => {
        const { name, host, role, state, timeline, lagBytes } = member;
        if (host === "") return [`${name} is a member that the stack doesn't know`];
        // What is wrong with its container has been said.
        if (isLeader(member) || (member.container !== "unknown" && !isUp(member))) return [];
        if (role === null) return [`${name} is no member at the moment: its Patroni doesn't report to the DCS`];
        if (!isStreaming(member, patroni)) {
            const leader = findLeader(patroni);
            const behind =
                leader !== undefined && leader.timeline !== timeline ? ` on timeline ${timeline ?? "?"}` : "";
            return [`${name} doesn't follow the leader: "${state}"${behind}`];
        }
        if (limits !== null && lagBytes !== null && lagBytes > limits.maximumLagOnFailoverBytes) {
            return [
                `${name} lags ${lagBytes} bytes: more than maximum_lag_on_failover (${limits.maximumLagOnFailoverBytes})`,
            ];
        }
        return [];
    });
}

function synchronousReasons({ limits, members }: PatroniStatus): string[] {
    const eligible = members.filter((member) => !isLeader(member) && member.tags.nosync !== true);
    const wanted = Math.min(limits?.synchronousNodeCount ?? 0, eligible.length);
    const found = members.filter(isSynchronous).length;
    const known = members.some(({ role }) => role !== null);
    return known && found < wanted ? [`${found} of ${wanted} synchronous standbys are there`] : [];
}

function etcdReasons({ etcd }: ClusterState): string[] {
    const answering = etcd.filter(({ healthy }) => healthy !== null);
    const reasons = answering.flatMap(({ name, healthy, alarms }) => [
        ...(healthy === true || alarms.length > 0 ? [] : [`${name} can't commit`]),
        ...alarms.map((alarm) => `${name} has the alarm ${alarm}`),
    ]);
    return answering.length > 0 && !answering.some(({ leader }) => leader === true) && answering.length === etcd.length
        ? [...reasons, "etcd has no leader"]
        : reasons;
}

function haproxyReasons({ haproxy, patroni }: ClusterState): string[] {
    const leader = findLeader(patroni);
    const several = patroni.members.length > 1;
    return haproxy.flatMap(({ host, up }) => {
        if (up === null) return [];
        const writes = up[haproxyProxies.readWrite] ?? [];
        const reads = up[haproxyProxies.replicas] ?? [];
        const right = leader === undefined ? writes.length === 1 : writes.join() === leader.name;
        return [
            ...(right ? [] : [`haproxy on ${host} sends writes to ${writes.join(", ") || "no node"}`]),
            ...(several && reads.length === 0 ? [`haproxy on ${host} has no replica for reads`] : []),
        ];
    });
}

function pgbouncerReasons({ pgbouncer }: ClusterState): string[] {
    return pgbouncer.filter(({ paused }) => paused === true).map(({ host }) => `pgbouncer on ${host} is paused`);
}

function exporterReasons({ exporters }: ClusterState): string[] {
    return exporters
        .filter(({ up }) => up === false)
        .map(({ name, host }) => `${name} on ${host} doesn't reach its PostgreSQL`);
}

const millisecondsPerDay = 86_400_000;

/** An `up` renews certificates 90 days before their end, so that one with less has had no `up` for two months. */
const certificateDays = 30;

/** Certificates that have ended or will soon: one sentence for each day, since most end together. */
function certificateReasons(state: ClusterState, now: Date): string[] {
    const ending = new Map<number, string[]>();
    for (const { name, host, certificateEndsAt } of allWorkloads(state)) {
        if (certificateEndsAt === null) continue;
        const left = Date.parse(certificateEndsAt) - now.getTime();
        const days = left < 0 ? -1 : Math.floor(left / millisecondsPerDay);
        if (days < certificateDays) ending.set(days, [...(ending.get(days) ?? []), `${name} on ${host}`]);
    }
    return [...ending]
        .sort(([one], [other]) => one - other)
        .map(([days, names]) => {
            const end = days < 0 ? "have ended" : days < 1 ? "end within a day" : `end within ${days + 1} days`;
            return `certificates ${end} (pulumi up renews them; the certificate of an authority of your own is yours to renew): ${names.join(", ")}`;
        });
}
