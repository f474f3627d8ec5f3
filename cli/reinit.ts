import type { ClusterOperations } from "../components";
import { CommandFailure } from "./failure";
import { findLeader, isStreaming, isUp } from "./health";
import { RunScript } from "./hosts";
import { findNode } from "./operations";
import { answeringNode, runPatronictl } from "./patronictl";
import { PatroniMemberStatus, PatroniStatus, readPatroni } from "./status";
import { confirm, Terminal } from "./terminal";
import { secondsSince, waitFor } from "./waiting";

/** Time for Patroni to take the order. */
const orderTimeoutSeconds = 60;

/** Throws a replica's data away, lets it copy the leader's, and waits until it streams, however long that takes. */
export async function reinit(
    operations: ClusterOperations,
    run: RunScript,
    options: { node: string; yes: boolean },
    terminal: Terminal,
): Promise<void> {
    const { name } = findNode(operations, options.node);
    const before = await readPatroni(operations, run);
    const asked = answeringNode(operations, before);
    checkReinit(before, name);
    await confirm(`Throw the data of ${name} away and copy the leader's?`, options.yes, terminal);

    const startedAt = memberOf(before, name)?.startedAt ?? null;
    const began = performance.now();
    await runPatronictl(operations, asked, run, ["reinit", name, "--force"], orderTimeoutSeconds);
    let shown = "";
    await waitFor(async () => {
        const now = await readPatroni(operations, run);
        const member = memberOf(now, name);
        const state = member?.state ?? "no answer";
        if (state !== shown) {
            terminal.messages.write(`${name}: ${state} (${secondsSince(began).toFixed(0)} s)\n`);
            shown = state;
        }
        // It goes on streaming for a moment after the order.
        const isNew = member !== undefined && member.startedAt !== null && member.startedAt !== startedAt;
        return isNew && isStreaming(member, now) ? true : undefined;
    });
    terminal.messages.write(`${name} streams after ${secondsSince(began).toFixed(1)} s\n`);
}

/** Refuses what would lose data or can't work. */
function checkReinit(patroni: PatroniStatus, name: string): void {
    const next = "look at 'pgha status'";
    const leader = findLeader(patroni);
    if (leader === undefined) {
        throw new CommandFailure("there is no leader to copy from", next);
    }
    const member = memberOf(patroni, name);
    if (leader.name === name || member?.acceptsWrites === true) {
        throw new CommandFailure(
            `${name} leads: its data is the cluster's`,
            "hand its role over with 'pgha switchover'",
        );
    }
    if (member === undefined || !isUp(member)) {
        throw new CommandFailure(`the container of ${name} is ${member?.container ?? "missing"}`, next);
    }
    if (member.role === null) {
        throw new CommandFailure(`${name} is no member at the moment: its Patroni doesn't report to the DCS`, next);
    }
}

function memberOf({ members }: PatroniStatus, name: string): PatroniMemberStatus | undefined {
    return members.find((member) => member.name === name);
}
