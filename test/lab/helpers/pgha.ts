import type { ClusterStatus } from "../../../cli/status";
import { attempt, CommandResult } from "./command";

const timeoutSeconds = 300;

/** Runs the command `pgha` from its source, in the environment of the lab. */
export function pgha(words: string[], input?: string): Promise<CommandResult> {
    return attempt("node", ["--import", "tsx", "cli/main.ts", "--stack", "lab", ...words], { input, timeoutSeconds });
}

/** What `pgha status` says, whatever it says. */
export async function readStatus(): Promise<ClusterStatus> {
    return JSON.parse((await pgha(["status", "--json"])).stdout) as ClusterStatus;
}
