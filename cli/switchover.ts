import type { ClusterOperations } from "../components";
import { shellQuote } from "../components/render/shell";
import { CommandFailure } from "./failure";
import { findLeader, isStreaming, isSynchronous, isUp } from "./health";
import { RunScript } from "./hosts";
import { findNode } from "./operations";
import { answeringNode, askPatroni } from "./patronictl";
import { PatroniMemberStatus, PatroniStatus, readPatroni } from "./status";
import { confirm, Terminal } from "./terminal";
import { secondsSince, waitFor } from "./waiting";

/** Time for the old leader to stop, a replica to be promoted, and all to follow it. */
const timeoutSeconds = 300;

/** Hands the leader's role over, and waits until all other members follow the new leader. */
export async function switchover(
    operations: ClusterOperations,
    run: RunScript,
    options: { candidate?: string; yes: boolean },
    terminal: Terminal,
): Promise<void> {
    const wanted = options.candidate === undefined ? undefined : findNode(operations, options.candidate).name;
    const before = await readPatroni(operations, run);
    // Only in the leader's own container PgBouncers are paused no longer than they need to be.
    const asked = answeringNode(operations, before, findLeader(before)?.name);
    const leader = checkSwitchover(before, wanted);
    const target = wanted ?? "the fittest replica";
    await confirm(`Hand the leader's role from ${leader.name} to ${target}? Its sessions end.`, options.yes, terminal);

    const began = performance.now();
    const words = ["sh", `${operations.switchoverDirectory}/${asked.name}`, leader.name, wanted ?? ""];
    await askPatroni(asked, run, words.filter(Boolean).map(shellQuote).join(" "), timeoutSeconds);
    const successor = await waitFor(async () => {
        const found = findLeader(await readPatroni(operations, run));
        return found !== undefined && found.name !== leader.name && found.acceptsWrites === true ? found : undefined;
    }, timeoutSeconds);
    if (successor === undefined) {
        throw new CommandFailure(`no other node leads after ${timeoutSeconds} s`, "look at 'pgha status'");
    }
    terminal.messages.write(`${successor.name} leads after ${secondsSince(began).toFixed(1)} s\n`);

    const followers = before.members.filter((member) => isUp(member) && member.name !== successor.name);
    const following = await waitFor(async () => {
        const now = await readPatroni(operations, run);
        const late = followers.filter(({ name }) => {
            const member = now.members.find((candidate) => candidate.name === name);
            return member === undefined || !isStreaming(member, now);
        });
        return late.length === 0 ? true : undefined;
    }, timeoutSeconds);
    if (following === undefined) {
        throw new CommandFailure(`not all members follow it after ${timeoutSeconds} s`, "look at 'pgha status'");
    }
    terminal.messages.write(`all members follow it after ${secondsSince(began).toFixed(1)} s\n`);
}

/** The leader, where its role can be handed over; refuses otherwise. */
function checkSwitchover(patroni: PatroniStatus, candidate?: string): PatroniMemberStatus {
    const leader = findLeader(patroni);
    if (leader === undefined) {
        throw refused("there is no leader to hand over from");
    }
    if (candidate === leader.name) {
        throw refused(`${candidate} leads already`);
    }
    if (patroni.paused === true && candidate === undefined) {
        throw refused("Patroni is paused and chooses nobody", "name one with --candidate, or run 'pgha resume'");
    }
    const candidates = patroni.members.filter(({ name }) => name !== leader.name);
    const problems = candidates.map((member) => ({ ...member, problem: problemOf(member, patroni) }));
    const unfit = candidate === undefined ? undefined : problems.find(({ name }) => name === candidate);
    if (unfit?.problem !== undefined) {
        throw refused(`${unfit.name} can't take over: ${unfit.problem}`);
    }
    if (problems.every(({ problem }) => problem !== undefined)) {
        const reasons = problems.map(({ name, problem }) => `${name}: ${problem}`).join("; ");
        throw refused(`no node can take over${reasons && `: ${reasons}`}`);
    }
    return leader;
}

/** Why a member can't become the leader. */
function problemOf(member: PatroniMemberStatus, patroni: PatroniStatus): string | undefined {
    const { limits } = patroni;
    if (!isUp(member)) return `its container is ${member.container}`;
    if (!isStreaming(member, patroni)) return `it doesn't follow the leader (${member.state ?? "no member"})`;
    if (member.tags.nofailover === true) return "it has the tag nofailover";
    if (limits !== null && (member.lagBytes ?? 0) > limits.maximumLagOnFailoverBytes) {
        return `it lags ${member.lagBytes} bytes`;
    }
    // Patroni refuses it, too: it could lack commits.
    if (limits !== null && limits.synchronousNodeCount > 0 && !isSynchronous(member)) {
        const standbys = patroni.members.filter(isSynchronous).map(({ name }) => name);
        return `it isn't synchronous (${standbys.join(", ") || "no node"} is)`;
    }
    return undefined;
}

function refused(message: string, next = "look at 'pgha status'"): CommandFailure {
    return new CommandFailure(message, next);
}
