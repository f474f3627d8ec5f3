import { spawn } from "node:child_process";
import type { ClusterOperations, OperationsWorkload } from "../components";
import { shellQuote, workloadLabel } from "../components/render/shell";
import { sshArguments } from "../components/render/ssh";
import { CommandFailure, ExitStatus } from "./failure";
import { isUp } from "./health";
import { RunScript } from "./hosts";
import { findNode } from "./operations";
import { answeringNode } from "./patronictl";
import { readPatroni } from "./status";

/** Options of {@link runPsql}. */
export interface PsqlOptions {
    readOnly: boolean;
    node?: string;
    /** Further arguments for psql. */
    words: string[];
    /** Whether there is a terminal to pass on. */
    terminal: boolean;
}

/** Runs psql as superuser in a node's container, and gives its exit status. */
export async function runPsql(operations: ClusterOperations, run: RunScript, options: PsqlOptions): Promise<number> {
    const patroni = await readPatroni(operations, run);
    let node: OperationsWorkload;
    if (options.node === undefined) {
        node = answeringNode(operations, patroni);
    } else {
        node = findNode(operations, options.node);
        const member = patroni.members.find(({ name }) => name === node.name);
        if (member === undefined || !isUp(member)) {
            throw new CommandFailure(
                `the container of ${node.name} is ${member?.container ?? "missing"}`,
                "look at 'pgha status'",
            );
        }
    }
    const child = spawn("ssh", psqlArguments(operations, node, options), { stdio: "inherit" });
    return new Promise((fulfil, reject) => {
        child.on("error", (error) =>
            reject(new CommandFailure(`can't run ssh: ${error.message}`, "install OpenSSH's client", ExitStatus.Usage)),
        );
        child.on("close", (status) => fulfil(status ?? ExitStatus.Failure));
    });
}

/** The arguments of ssh. No password is among them: psql finds it in a file of the container, or needs none. */
function psqlArguments({ hosts, psql }: ClusterOperations, node: OperationsWorkload, options: PsqlOptions): string[] {
    const host = hosts[node.host];
    if (host === undefined) {
        throw new Error(`the outputs name no host "${node.host}"`);
    }
    const routed = options.readOnly ? psql.readOnly : psql.readWrite;
    const conninfo = options.node === undefined ? routed : psql.local;
    const container = `"$(docker ps -q -f label=${workloadLabel}=${node.label} -f status=running | head -n 1)"`;
    const words = ["psql", "-d", conninfo, ...options.words].map(shellQuote).join(" ");
    // A history could hold passwords, and would lie beside the data.
    const command = `docker exec ${options.terminal ? "-it" : "-i"} -e PSQL_HISTORY=/dev/null ${container} ${words}`;
    return [options.terminal ? "-t" : "-T", ...sshArguments(host.address, host), command];
}
