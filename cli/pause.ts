import type { ClusterOperations } from "../components";
import { CommandFailure } from "./failure";
import { RunScript } from "./hosts";
import { answeringNode, runPatronictl } from "./patronictl";
import { readPatroni } from "./status";
import { Terminal } from "./terminal";
import { waitFor } from "./waiting";

/** Time for all members to notice, which takes them one `loop_wait`. */
const timeoutSeconds = 60;

/** Turns Patroni's maintenance mode on or off, and waits until every member that answers has noticed. */
export async function setPaused(
    operations: ClusterOperations,
    run: RunScript,
    paused: boolean,
    { messages }: Terminal,
): Promise<void> {
    const before = await readPatroni(operations, run);
    const asked = answeringNode(operations, before);
    const state = paused ? "paused: nothing fails over until 'pgha resume'" : "not paused";
    if (before.paused === paused) {
        messages.write(`${operations.clusterName} is ${state}; nothing was changed\n`);
        return;
    }
    await runPatronictl(operations, asked, run, [paused ? "pause" : "resume"], timeoutSeconds);
    const noticed = await waitFor(async () => {
        const { members } = await readPatroni(operations, run);
        return members.every((member) => member.paused === null || member.paused === paused) ? true : undefined;
    }, timeoutSeconds);
    if (noticed === undefined) {
        throw new CommandFailure(`not all members have noticed after ${timeoutSeconds} s`, "look at 'pgha status'");
    }
    messages.write(`${operations.clusterName} is ${state}\n`);
}
