import { spawn } from "node:child_process";
import { resolve } from "node:path";

const repositoryRoot = resolve(__dirname, "../..");

const keptErrorOutput = 2000;

/** Runs a command in the repository's root and returns its standard output; fails with the end of its error output. */
export function run(command: string, args: string[], timeoutMs: number): Promise<string> {
    return new Promise((fulfil, reject) => {
        // A process group of its own: Ctrl-C at the terminal must not end a command that heals the lab.
        const child = spawn(command, args, { cwd: repositoryRoot, detached: true, stdio: ["ignore", "pipe", "pipe"] });
        const name = [command, ...args].join(" ");
        let output = "";
        let errorOutput = "";
        let timedOut = false;
        const timer = setTimeout(() => {
            timedOut = true;
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
        }, timeoutMs);
        child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
        child.stderr.on("data", (chunk: Buffer) => {
            errorOutput = (errorOutput + chunk.toString()).slice(-keptErrorOutput);
        });
        child.on("error", (error) => {
            clearTimeout(timer);
            reject(new Error(`cannot run "${name}": ${error.message}`));
        });
        child.on("close", (status, signal) => {
            clearTimeout(timer);
            if (timedOut) {
                reject(new Error(`"${name}" did not end within ${timeoutMs / 1000} s: ${errorOutput.trim()}`));
            } else if (status !== 0) {
                reject(new Error(`"${name}" ended with ${status ?? signal}: ${errorOutput.trim()}`));
            } else {
                fulfil(output);
            }
        });
    });
}
