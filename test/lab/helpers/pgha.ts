import type { ClusterStatus } from "../../../cli/status";
import { Cluster, readLeader, waitForHealth } from "./cluster";
import { attempt, CommandResult } from "./command";
import { eventually } from "./wait";

const timeoutSeconds = 300;
const handOverSeconds = 180;

/** Runs the command `pgha` from its source, in the environment of the lab. */
export function pgha(words: string[], input?: string): Promise<CommandResult> {
    return attempt("node", ["--import", "tsx", "cli/main.ts", "--stack", "lab", ...words], { input, timeoutSeconds });
}

/** What `pgha status` says, whatever it says. */
export async function readStatus(): Promise<ClusterStatus> {
    return JSON.parse((await pgha(["status", "--json"])).stdout) as ClusterStatus;
}

/** Hands the leader's role on until a node has it: only a synchronous standby can take over, which each switchover may change. */
export async function makeLeader(cluster: Cluster, host: string): Promise<void> {
    await eventually(`${host} leads`, handOverSeconds, async () => {
        if ((await readLeader(cluster)) !== host) await pgha(["switchover", "--yes"]);
        const leader = await readLeader(cluster);
        if (leader !== host) throw new Error(`${leader} leads`);
    });
    await waitForHealth(cluster);
}
