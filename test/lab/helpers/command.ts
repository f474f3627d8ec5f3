import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

export const repositoryRoot = resolve(__dirname, "../../..");

export interface CommandOptions {
    /** Given to the command by standard input. */
    input?: string;
    /** Keeps standard input open until {@link RunningCommand.endInput}. */
    holdInput?: boolean;
    env?: NodeJS.ProcessEnv;
    timeoutSeconds?: number;
}

export interface CommandResult {
    status: number | NodeJS.Signals;
    /** Standard output alone. */
    stdout: string;
    /** Standard output and standard error as they came. */
    output: string;
    seconds: number;
}

/** A command under way, with all processes that it starts. */
export interface RunningCommand {
    pid: number;
    /** What it has written until now. */
    output: () => string;
    endInput: () => void;
    /** Ends it and all processes of its session at once. */
    kill: () => void;
    /** Stops all processes of its session where they are. */
    freeze: () => void;
    thaw: () => void;
    ended: Promise<CommandResult>;
}

const defaultTimeoutSeconds = 60;

/** Starts a command in the repository's root, in a session of its own. */
export function start(command: string, args: string[], options: CommandOptions = {}): RunningCommand {
    const startedAt = performance.now();
    const env = options.env ?? process.env;
    const child = spawn(command, args, { cwd: repositoryRoot, detached: true, env });
    const { pid } = child;
    if (pid === undefined) {
        throw new Error(`cannot run "${command}": is it installed?`);
    }
    const timeoutSeconds = options.timeoutSeconds ?? defaultTimeoutSeconds;
    let stdout = "";
    let output = "";
    const signal = (name: NodeJS.Signals) => (): void => signalSession(pid, name);
    const kill = signal("SIGKILL");
    const ended = new Promise<CommandResult>((fulfil, reject) => {
        const timer = setTimeout(() => {
            kill();
            reject(new Error(`"${[command, ...args].join(" ")}" did not end within ${timeoutSeconds} s:\n${output}`));
        }, timeoutSeconds * 1000);
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            stdout += text;
            output += text;
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
        child.on("error", reject);
        child.on("close", (code, signal) => {
            clearTimeout(timer);
            const seconds = (performance.now() - startedAt) / 1000;
            fulfil({ status: code ?? signal ?? 1, stdout, output, seconds });
        });
    });
    // A command that ends without reading its input must not end the tests.
    child.stdin.on("error", () => undefined);
    if (options.holdInput !== true) child.stdin.end(options.input ?? "");
    return {
        pid,
        output: () => output,
        endInput: () => child.stdin.end(),
        kill,
        freeze: signal("SIGSTOP"),
        thaw: signal("SIGCONT"),
        ended,
    };
}

/** Runs a command and gives its result, whatever its status. */
export function attempt(command: string, args: string[], options?: CommandOptions): Promise<CommandResult> {
    return start(command, args, options).ended;
}

/** Runs a command, which must succeed. */
export async function run(command: string, args: string[], options?: CommandOptions): Promise<CommandResult> {
    const result = await attempt(command, args, options);
    if (result.status !== 0) {
        throw new Error(`"${[command, ...args].join(" ")}" ended with ${result.status}:\n${result.output.trim()}`);
    }
    return result;
}

/** The processes of a session: Pulumi's plugins are in groups of their own, but stay in its session. */
export function sessionProcesses(session: number): number[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .filter((pid) => sessionOf(pid) === session);
}

function sessionOf(pid: number): number | undefined {
    try {
        // The program's name stands in parentheses and may hold anything; state, parent, group and session follow it.
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)?.trim().split(" ");
        return Number(fields?.[3]);
    } catch {
        return undefined;
    }
}

function signalSession(session: number, signal: NodeJS.Signals): void {
    for (const pid of sessionProcesses(session)) {
        try {
            process.kill(pid, signal);
        } catch {
            // It ended by itself meanwhile.
        }
    }
}
