import type { ClusterOperations, OperationsWorkload } from "../components";
import { localConninfo } from "../components/render/conninfo";
import { renderMajorNodeScript } from "../components/render/majorNodeScript";
import { inContainerFunction, shellQuote } from "../components/render/shell";
import { CommandFailure, ExitStatus, messageOf } from "./failure";
import { findLeader, isStreaming, isUp } from "./health";
import { RunScript } from "./hosts";
import { findNode } from "./operations";
import { readPatroni } from "./status";
import { Terminal } from "./terminal";

/** Time for a question. */
const answerTimeoutSeconds = 60;

/** Time to copy and upgrade all data. */
const rehearsalTimeoutSeconds = 24 * 3600;

/**
 * Says what is in the way of an upgrade to another major version of PostgreSQL, and tries it with a copy of a replica's data, which is
 * removed afterwards. The cluster goes on as it is.
 */
export async function rehearseUpgrade(
    operations: ClusterOperations,
    run: RunScript,
    given: string,
    { messages }: Terminal,
): Promise<void> {
    const to = Number(given);
    if (!Number.isInteger(to) || to < 1) {
        throw new CommandFailure(`"${given}" is no major version`, "give a number such as 17", ExitStatus.Usage);
    }
    const patroni = await readPatroni(operations, run);
    const leading = findLeader(patroni);
    if (leading === undefined || !isUp(leading)) {
        throw new CommandFailure("there is no leader that can be asked", "look at 'pgha status'");
    }
    const leader = findNode(operations, leading.name);
    const from = await readMajor(leader, run);
    if (to <= from) {
        throw new CommandFailure(`the cluster runs PostgreSQL ${from}`, `give a version after ${from}`);
    }
    const script = renderMajorNodeScript({
        scope: operations.clusterName,
        change: { from, to },
        timeoutSeconds: answerTimeoutSeconds,
    });
    const others = operations.patroni.map(({ name }) => name).filter((name) => name !== leader.name);
    messages.write(await askNode(leader, run, script, ["check", ...others]));

    const replica = patroni.members.find((member) => isUp(member) && isStreaming(member, patroni));
    const node = replica === undefined ? leader : findNode(operations, replica.name);
    messages.write(`copying and upgrading the data of ${node.name}, which takes a while\n`);
    messages.write(await askNode(node, run, script, ["rehearse"]));
}

/** Major version of the server that runs on a node. */
async function readMajor(node: OperationsWorkload, run: RunScript): Promise<number> {
    const query = "SELECT current_setting('server_version_num')::int / 10000";
    const script = [
        inContainerFunction(node.label),
        `in_container psql -X -q -t -A -d ${shellQuote(localConninfo)} -c ${shellQuote(query)}`,
    ].join("\n");
    return Number((await runOn(node, run, script, answerTimeoutSeconds)).stdout);
}

/** Runs the script of a change of version in a node's container, and gives what it says. */
async function askNode(node: OperationsWorkload, run: RunScript, script: string, words: string[]): Promise<string> {
    const lines = [
        inContainerFunction(node.label),
        `in_container sh -s -- ${words.map(shellQuote).join(" ")} <<'END_OF_SCRIPT'`,
        script,
        "END_OF_SCRIPT",
    ];
    return (await runOn(node, run, lines.join("\n"), rehearsalTimeoutSeconds)).stderr;
}

async function runOn({ host, name }: OperationsWorkload, run: RunScript, script: string, timeoutSeconds: number) {
    const result = await run(host, script, timeoutSeconds).catch((error: unknown) => {
        throw new CommandFailure(`host ${host}: ${messageOf(error)}`, "look at 'pgha status'", ExitStatus.Unreachable);
    });
    if (result.status !== 0) {
        throw new CommandFailure(`${name}: ${result.stderr.trim()}`, "mend what is named, and rehearse again");
    }
    return result;
}
