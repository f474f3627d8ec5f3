import { spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Top of this repository. */
export const repository = resolve(__dirname, "../..");

/** What a run of Pulumi came to. */
export interface Run {
    status: number;
    /** Standard output and standard error as a user sees them. */
    text: string;
    stdout: string;
    /** Time that passed. */
    seconds: number;
    /** Time that the processors worked for it. */
    processorSeconds: number;
}

/** A program to run, and where its project is. */
export interface Program {
    directory: string;
    stack: string;
    /** Text of the stack's settings. */
    settings: string;
}

/** The repository's own program with settings for the stack `prod`. */
export function repositoryProgram(settings: string): Program {
    return { directory: repository, stack: "prod", settings };
}

/** A resource in the state. */
export interface StateResource {
    urn: string;
    dependencies?: string[];
    propertyDependencies?: { [property: string]: string[] | null };
}

/** A stack that exists for one test: its state, its settings and its caches are in a directory of their own, and no ssh agent is there. */
export class PulumiStack {
    readonly scratch = mkdtempSync(join(tmpdir(), "pgha-preview-"));
    /** Further environment of every run. */
    readonly environment: { [name: string]: string } = {};
    private readonly sshLog = join(this.scratch, "ssh.log");

    private constructor(private readonly program: Program) {}

    static async create(program: Program): Promise<PulumiStack> {
        const stack = new PulumiStack(program);
        mkdirSync(join(stack.scratch, "state"));
        // A stack writes its salt into its settings: into this copy, not into the project's file.
        cpSync(join(program.directory, "Pulumi.yaml"), join(stack.scratch, "Pulumi.yaml"));
        stack.writeSettings(program.settings);
        stack.interceptSsh();
        await stack.succeed(["--cwd", stack.scratch, "stack", "init", program.stack, "--no-select"]);
        return stack;
    }

    /** Puts another project's stack with these outputs into the same backend. */
    async addNeighbour(project: string, stack: string, outputs: { [name: string]: unknown }): Promise<void> {
        const directory = join(this.scratch, project);
        mkdirSync(directory);
        writeFileSync(join(directory, "Pulumi.yaml"), `name: ${project}\nruntime: nodejs\n`);
        const type = "pulumi:pulumi:Stack";
        const urn = `urn:pulumi:${stack}::${project}::${type}::${project}-${stack}`;
        const deployment = { version: 3, deployment: { resources: [{ urn, type, custom: false, outputs }] } };
        const file = join(directory, "deployment.json");
        writeFileSync(file, JSON.stringify(deployment));
        await this.succeed(["--cwd", directory, "stack", "init", stack, "--no-select"]);
        await this.succeed(["--cwd", directory, "stack", "import", "--stack", stack, "--file", file]);
    }

    writeSettings(text: string): void {
        const salt = existsSync(this.settingsFile)
            ? /^encryptionsalt:.*$/m.exec(readFileSync(this.settingsFile, "utf8"))?.[0]
            : undefined;
        writeFileSync(this.settingsFile, salt === undefined ? text : `${text}\n${salt}\n`);
    }

    preview(...options: string[]): Promise<Run> {
        return this.run(["preview", ...this.stackOptions(), ...options]);
    }

    up(...options: string[]): Promise<Run> {
        return this.run(["up", "--yes", "--skip-preview", ...this.stackOptions(), ...options]);
    }

    destroy(): Promise<Run> {
        return this.run(["destroy", "--yes", "--skip-preview", ...this.stackOptions()]);
    }

    /** Types and names of all that the state holds. */
    async resources(): Promise<string[]> {
        return (await this.state()).map(({ urn }) => urn.split("::").slice(2).join(" "));
    }

    /** All that the state holds, each after what it depends on. */
    async state(): Promise<StateResource[]> {
        const { stdout } = await this.succeed([
            "--cwd",
            this.scratch,
            "stack",
            "export",
            "--stack",
            this.program.stack,
        ]);
        const { deployment } = JSON.parse(stdout) as { deployment: { resources?: StateResource[] } };
        return deployment.resources ?? [];
    }

    /** An output of the stack, in the clear. */
    async output(name: string): Promise<unknown> {
        const words = ["stack", "output", name, "--json", "--show-secrets", "--stack", this.program.stack];
        const { stdout } = await this.succeed(["--cwd", this.scratch, ...words]);
        return JSON.parse(stdout);
    }

    /** Calls of the program ssh, one a line. */
    sshCalls(): string[] {
        return existsSync(this.sshLog) ? readFileSync(this.sshLog, "utf8").trim().split("\n") : [];
    }

    /** Forgets the compiled program, as on a fresh machine. */
    clearCaches(): void {
        rmSync(this.cache, { recursive: true, force: true });
    }

    remove(): void {
        rmSync(this.scratch, { recursive: true });
    }

    private get settingsFile(): string {
        return join(this.scratch, `Pulumi.${this.program.stack}.yaml`);
    }

    private get timesFile(): string {
        return join(this.scratch, "times");
    }

    private get cache(): string {
        return join(this.scratch, "cache");
    }

    private stackOptions(): string[] {
        return ["--stack", this.program.stack, "--config-file", this.settingsFile, "--suppress-progress"];
    }

    /** Puts a program before ssh that only takes note of its call. */
    private interceptSsh(): void {
        const program = join(this.scratch, "bin/ssh");
        mkdirSync(join(this.scratch, "bin"));
        writeFileSync(program, `#!/bin/sh\necho "$*" >> '${this.sshLog}'\nexit 255\n`);
        chmodSync(program, 0o755);
    }

    private async succeed(words: string[]): Promise<Run> {
        const run = await this.run(words);
        if (run.status !== 0) {
            throw new Error(`pulumi ${words.join(" ")} failed:\n${run.text}`);
        }
        return run;
    }

    private async run(words: string[]): Promise<Run> {
        mkdirSync(this.cache, { recursive: true });
        const toolchain = join(repository, "toolchain/env.sh");
        const script = [
            `source '${toolchain}'`,
            "command -v pulumi >/dev/null || { echo 'pulumi is missing; run: make toolchain' >&2; exit 127; }",
            `export PATH='${join(this.scratch, "bin")}':$PATH`,
            // Set only now, because the toolchain is found by it.
            'export PULUMI_HOME="${TEST_PULUMI_HOME:-${PULUMI_HOME:-$HOME/.pulumi}}"',
            'pulumi --non-interactive --color never "$@" || status=$?',
            // The second line is that of the children: minutes and seconds of user and system.
            `times > '${this.timesFile}'`,
            "exit ${status:-0}",
        ];
        const { SSH_AUTH_SOCK: _agent, ...environment } = process.env;
        const child = spawn("bash", ["-c", script.join("\n"), "bash", ...words], {
            cwd: this.program.directory,
            env: {
                ...environment,
                PULUMI_BACKEND_URL: `file://${join(this.scratch, "state")}`,
                PULUMI_CONFIG_PASSPHRASE: "throw-away",
                TMPDIR: this.cache,
                ...this.environment,
            },
        });
        const run = await collect(child);
        const [, children = ""] = readFileSync(this.timesFile, "utf8").split("\n");
        const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
        const processorSeconds = times.reduce((sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest), 0);
        return { ...run, processorSeconds };
    }
}

/** Waits for a program's end. */
export function collect(child: ReturnType<typeof spawn>): Promise<Omit<Run, "processorSeconds">> {
    const began = performance.now();
    let text = "";
    let stdout = "";
    child.stdout?.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
        text += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
        text += chunk.toString();
    });
    return new Promise((resolveRun, reject) => {
        child.on("error", reject);
        child.on("close", (status) => {
            resolveRun({ status: status ?? -1, text, stdout, seconds: (performance.now() - began) / 1000 });
        });
    });
}
