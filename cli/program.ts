import { Command, CommanderError, Option } from "commander";
import type { ClusterOperations } from "../components";
import { CommandFailure, ExitStatus, messageOf } from "./failure";
import { RunScript, scriptRunner } from "./hosts";
import { readOperations, Source } from "./operations";
import { setPaused } from "./pause";
import { runPsql } from "./psql";
import { rehearseUpgrade } from "./rehearse";
import { reinit } from "./reinit";
import { readStatus } from "./status";
import { switchover } from "./switchover";
import { renderStatus, styleFor } from "./table";
import { Terminal } from "./terminal";

/** Runs a command, and gives the status with which the process ends. */
export async function runProgram(words: string[], terminal: Terminal): Promise<number> {
    let status: number = ExitStatus.Success;
    const program = createProgram(terminal, (result) => (status = result));
    try {
        await program.parseAsync(words, { from: "user" });
        return status;
    } catch (error) {
        if (error instanceof CommanderError) {
            // Help and version end with 0; everything else is wrong use, and has been said.
            return error.exitCode === 0 ? ExitStatus.Success : ExitStatus.Usage;
        }
        const next = error instanceof CommandFailure ? `\n  next: ${error.next}` : "";
        terminal.messages.write(`pgha: ${messageOf(error)}${next}\n`);
        return error instanceof CommandFailure ? error.status : ExitStatus.Failure;
    }
}

function createProgram(terminal: Terminal, end: (status: number) => void): Command {
    const program = new Command("pgha")
        .description("Look after a highly available PostgreSQL cluster, from the outputs of its Pulumi stack.")
        .option("--stack <name>", "the Pulumi stack (default: the one that is selected)")
        .option("--cwd <directory>", "directory of the Pulumi project")
        .option(
            "--outputs <file>",
            "JSON of 'pulumi stack output --json' instead of asking Pulumi; - is standard input",
        )
        .option("--output-name <name>", "output that holds the cluster's property 'operations'", "operations")
        .exitOverride()
        .configureOutput({
            writeOut: (text) => terminal.output.write(text),
            writeErr: (text) => terminal.messages.write(text),
        })
        .showHelpAfterError("(see 'pgha --help')");
    const connect = async (): Promise<{ operations: ClusterOperations; run: RunScript }> => {
        const operations = await readOperations(program.opts<Source>());
        return { operations, run: scriptRunner(operations) };
    };

    program
        .command("status")
        .description("show all parts of the cluster; ends with 0 if it is healthy, 1 if not, 3 if no host answers")
        .option("--json", "print JSON, whose shape docs/cli.md describes", false)
        .action(async ({ json }: { json: boolean }) => {
            const { operations, run } = await connect();
            const status = await readStatus(operations, run);
            terminal.output.write(
                json
                    ? `${JSON.stringify(status, null, 2)}\n`
                    : renderStatus(status, styleFor(terminal.output, process.env)),
            );
            const reached = status.hosts.some(({ reachable }) => reachable);
            end(reached ? (status.healthy ? ExitStatus.Success : ExitStatus.Failure) : ExitStatus.Unreachable);
        });

    program
        .command("switchover")
        .description("hand the leader's role over, and wait until all members follow the new leader")
        .option("--candidate <node>", "the new leader, by its name or its host's key (default: Patroni chooses)")
        .option("--yes", "don't ask", false)
        .action(async (options: { candidate?: string; yes: boolean }) => {
            const { operations, run } = await connect();
            await switchover(operations, run, options, terminal);
        });

    for (const [name, paused, description] of [
        ["pause", true, "turn Patroni's maintenance mode on: nothing fails over"],
        ["resume", false, "turn Patroni's maintenance mode off"],
    ] as const) {
        program
            .command(name)
            .description(`${description}; waits until all members have noticed`)
            .action(async () => {
                const { operations, run } = await connect();
                await setPaused(operations, run, paused, terminal);
            });
    }

    program
        .command("reinit")
        .description("throw a replica's data away, let it copy the leader's, and wait until it streams")
        .argument("<node>", "the replica, by its name or its host's key")
        .option("--yes", "don't ask", false)
        .action(async (node: string, { yes }: { yes: boolean }) => {
            const { operations, run } = await connect();
            await reinit(operations, run, { node, yes }, terminal);
        });

    program
        .command("rehearse-upgrade")
        .description("say what is in the way of a major version of PostgreSQL, and upgrade a copy of a replica's data")
        .argument("<major>", "the version, such as 17")
        .action(async (major: string) => {
            const { operations, run } = await connect();
            await rehearseUpgrade(operations, run, major, terminal);
        });

    program
        .command("psql")
        .description("run psql as superuser in a node's container, on the primary; ends as psql does")
        .argument("[arguments...]", "arguments for psql, after --")
        .option("--read-only", "on a replica", false)
        .addOption(new Option("--node <node>", "on this node, past HAProxy").conflicts("readOnly"))
        .action(async (words: string[], options: { readOnly: boolean; node?: string }) => {
            const { operations, run } = await connect();
            const isTerminal = terminal.input.isTTY && terminal.output.isTTY;
            end(await runPsql(operations, run, { ...options, words, terminal: isTerminal }));
        });
    return program;
}
