import type { ClusterOperations, OperationsWorkload } from "../components";
import { patronictlFunctions } from "../components/render/patroniScripts";
import { inContainerFunction, shellQuote } from "../components/render/shell";
import { CommandFailure, ExitStatus, messageOf } from "./failure";
import { isUp } from "./health";
import { RunScript } from "./hosts";
import { PatroniStatus } from "./status";

/** Runs patronictl in a node's container. */
export async function runPatronictl(
    { clusterName }: ClusterOperations,
    node: OperationsWorkload,
    run: RunScript,
    words: string[],
    timeoutSeconds: number,
): Promise<void> {
    const [verb = "", ...others] = words;
    const script = [
        inContainerFunction(node.label),
        patronictlFunctions,
        `asked ${[verb, clusterName, ...others].map(shellQuote).join(" ")}`,
    ].join("\n");
    await askPatroni(node, run, script, timeoutSeconds);
}

/** Runs a script, on a node's host, that asks Patroni for a change and fails if it refused. */
export async function askPatroni(
    { host }: OperationsWorkload,
    run: RunScript,
    script: string,
    timeoutSeconds: number,
): Promise<void> {
    const { status, stderr } = await run(host, script, timeoutSeconds).catch((error: unknown) => {
        throw new CommandFailure(`host ${host}: ${messageOf(error)}`, "look at 'pgha status'", ExitStatus.Unreachable);
    });
    if (status !== 0) {
        throw new CommandFailure(`Patroni refused: ${refusalOf(stderr)}`, "look at 'pgha status'");
    }
}

/** A node whose Patroni can be asked: rather the preferred one, or else the first. */
export function answeringNode(
    operations: ClusterOperations,
    { members }: PatroniStatus,
    preferred?: string,
): OperationsWorkload {
    const answering = members.filter((candidate) => isUp(candidate) && candidate.error === null);
    const member = answering.find(({ name }) => name === preferred) ?? answering[0];
    const workload = operations.patroni.find(({ name }) => name === member?.name);
    if (workload === undefined) {
        const unknown = members.every(({ container }) => container === "unknown");
        throw new CommandFailure(
            unknown ? "no host of a node answers" : "no node's container answers",
            "look at 'pgha status'",
            unknown ? ExitStatus.Unreachable : ExitStatus.Failure,
        );
    }
    return workload;
}

/** The line of patronictl's output that says why. */
function refusalOf(output: string): string {
    const lines = output.trim().split("\n");
    const [reason = ""] = lines.filter((line) => /failed|error/i.test(line)).slice(-1);
    return reason || (lines.at(-1) ?? "");
}
