import { z } from "zod";
import type { Nodes } from "./stack";
import { errorText } from "./wait";

const requestTimeoutMs = 2000;

const clusterView = z.object({
    pause: z.boolean().optional(),
    members: z.array(
        z.object({ host: z.string(), role: z.string(), state: z.string(), timeline: z.number().optional() }),
    ),
});
export type ClusterView = z.infer<typeof clusterView>;

const dynamicConfiguration = z.object({
    ttl: z.number(),
    synchronous_mode: z.union([z.boolean(), z.string()]).optional(),
    synchronous_node_count: z.number().optional(),
});

async function get(url: string): Promise<unknown> {
    const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) });
    if (!response.ok) {
        throw new Error(`${url} answered ${response.status}`);
    }
    return response.json();
}

/** Asks all nodes and takes the first answer: some may be down. */
async function getFromAny(nodes: Nodes, path: string): Promise<unknown> {
    try {
        return await Promise.any(Object.values(nodes).map((node) => get(node.patroniApi + path)));
    } catch (error) {
        throw new Error(`no node's Patroni answers ${path} (is the cluster up?): ${errorText(error)}`);
    }
}

export async function readCluster(nodes: Nodes): Promise<ClusterView> {
    return clusterView.parse(await getFromAny(nodes, "/cluster"));
}

/** How many synchronous standbys a healthy cluster of this configuration has. */
export async function readSynchronousStandbys(nodes: Nodes): Promise<number> {
    const configuration = dynamicConfiguration.parse(await getFromAny(nodes, "/config"));
    const standbys = Object.keys(nodes).length - 1;
    switch (configuration.synchronous_mode) {
        case undefined:
        case false:
        case "off":
            return 0;
        case "quorum":
            return standbys;
        default:
            return Math.min(configuration.synchronous_node_count ?? 1, standbys);
    }
}

/** How long a leader holds its lock without renewing it. */
export async function readTtlSeconds(nodes: Nodes): Promise<number> {
    return dynamicConfiguration.parse(await getFromAny(nodes, "/config")).ttl;
}

/** The name of the node that runs as leader; throws while there is none. */
export function findLeader(view: ClusterView, nodes: Nodes): string {
    const leader = view.members.find((member) => member.role === "leader" && member.state === "running");
    const name = Object.keys(nodes).find((key) => nodes[key]?.address === leader?.host);
    if (name === undefined) {
        throw new Error(`no running leader: ${describe(view)}`);
    }
    return name;
}

/** Throws unless there is one leader and every other node streams from it, as many synchronously as configured. */
export function assertReplicating(view: ClusterView, nodes: Nodes, synchronousStandbys: number): void {
    const leader = view.members.find((member) => member.host === nodes[findLeader(view, nodes)]?.address);
    const streaming = view.members.filter(
        (member) => member.state === "streaming" && member.timeline === leader?.timeline,
    );
    const synchronous = streaming.filter((member) => /^(sync|quorum)_standby$/.test(member.role));
    const complete =
        view.members.length === Object.keys(nodes).length &&
        streaming.length === view.members.length - 1 &&
        synchronous.length >= synchronousStandbys;
    if (!complete) {
        throw new Error(describe(view));
    }
    if (view.pause === true) {
        throw new Error("Patroni is paused and fails over to nobody (patronictl resume)");
    }
}

/** Every node answers for itself: what the DCS holds may be older than the node's end. */
export async function assertNodesAnswer(nodes: Nodes): Promise<void> {
    await Promise.all(Object.values(nodes).map((node) => get(`${node.patroniApi}/health`)));
}

function describe(view: ClusterView): string {
    return view.members
        .map(({ host, role, state, timeline }) => `${host} ${role} ${state} timeline ${timeline ?? "?"}`)
        .join(", ");
}
