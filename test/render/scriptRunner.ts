import { spawnSync } from "node:child_process";
import {
    chmodSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What a script did. */
export interface ScriptResult {
    status: number | null;
    stdout: string;
    stderr: string;
}

/** A place where rendered scripts run with fake programs before the real ones on their PATH. */
export class ScriptRunner {
    /** Folder that belongs to this runner; the fakes find it in `$HOME`. */
    public readonly directory = mkdtempSync(join(tmpdir(), "pgha-script-"));

    /** Adds a fake program that runs these lines of shell. */
    public fake(name: string, lines: string): void {
        const file = join(this.directory, "bin", name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `#!/bin/sh\n${lines}\n`);
        chmodSync(file, 0o755);
    }

    /** Adds a fake program of the folder `fakes`. */
    public fakeFile(name: string, source: string): void {
        const file = join(this.directory, "bin", name);
        mkdirSync(dirname(file), { recursive: true });
        copyFileSync(join(__dirname, "fakes", source), file);
        chmodSync(file, 0o755);
    }

    public write(path: string, text: string): void {
        const file = join(this.directory, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
    }

    /** Text of a file, or nothing where there is none. */
    public read(path: string): string {
        const file = join(this.directory, path);
        return existsSync(file) ? readFileSync(file, "utf8") : "";
    }

    /** Runs a script as the hosts do, with the host's folders /etc and /run inside this runner's folder. */
    public run(script: string): ScriptResult {
        const moved = script.replaceAll(/(?<![\w.])\/(etc|run)\//g, `${this.directory}/$1/`);
        const environment = { HOME: this.directory, PATH: `${this.directory}/bin:/usr/bin:/bin:/usr/sbin:/sbin` };
        const { status, stdout, stderr } = spawnSync("sh", ["-eu", "-c", moved], {
            env: environment,
            encoding: "utf8",
            timeout: 8000,
        });
        return { status, stdout, stderr };
    }

    public remove(): void {
        // What a script has left in the background may write a last file meanwhile.
        rmSync(this.directory, { recursive: true, maxRetries: 20, retryDelay: 50 });
    }
}
