import { spawn } from "node:child_process";
import type { ClusterOperations } from "../components";
import { rootShell, sshArguments, standardInput } from "../components/render/ssh";

/** What a script on a host did. */
export interface ScriptResult {
    status: number;
    stdout: string;
    stderr: string;
}

/** Runs a script on a host, as root; rejects where the host can't be reached in time. */
export type RunScript = (host: string, script: string, timeoutSeconds: number) => Promise<ScriptResult>;

/** OpenSSH's status when it can't connect or log in. */
const connectionFailed = 255;

/** Runs scripts on a cluster's hosts by ssh, with keys from the agent. */
export function scriptRunner({ hosts }: ClusterOperations): RunScript {
    return (key, script, timeoutSeconds) => {
        const host = hosts[key];
        if (host === undefined) {
            throw new Error(`the outputs name no host "${key}"`);
        }
        const words = [...sshArguments(host.address, host), `${rootShell(host)} run`];
        const child = spawn("ssh", words, { stdio: ["pipe", "pipe", "pipe"] });
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        // A connection that is refused ends before the script is read.
        child.stdin.on("error", () => undefined);
        child.stdin.end(standardInput(script));
        return new Promise((fulfil, reject) => {
            const timer = setTimeout(() => {
                child.kill("SIGKILL");
                reject(new Error(`no answer within ${timeoutSeconds} s`));
            }, timeoutSeconds * 1000);
            child.on("error", (error) => {
                clearTimeout(timer);
                reject(new Error(`can't run ssh: ${error.message}`));
            });
            child.on("close", (status) => {
                clearTimeout(timer);
                if (status === null || status === connectionFailed) {
                    reject(new Error(lastLine(stderr) || "ssh ended without a message"));
                } else {
                    fulfil({ status, stdout, stderr });
                }
            });
        });
    };
}

/** The last line that isn't the continuation of another: what comes before it is context. */
export function lastLine(text: string): string {
    return (
        text
            .trim()
            .split("\n")
            .findLast((line) => /^\S/.test(line))
            ?.trimEnd() ?? ""
    );
}
