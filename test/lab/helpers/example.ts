import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { attempt, CommandOptions, CommandResult, repositoryRoot, run } from "./command";

const timeoutSeconds = 600;
const stack = "lab";
const update = ["--yes", "--skip-preview", "--non-interactive", "--suppress-outputs", "--color", "never"];

/** A program of `examples/`, installed as its users do it: a copy outside the repository, with the package from a tarball. */
export class Example {
    private readonly scratch = mkdtempSync(join(tmpdir(), "pgha-example-"));
    private readonly directory: string;

    /** The stack's name. */
    public readonly stack = stack;

    /** Names a folder below `examples/`; its program has the name of its last part. */
    public constructor(private readonly folder: string) {
        this.directory = join(this.scratch, folder);
    }

    /** Installs it, and makes its stack with the given settings. */
    public async install(settings: { [name: string]: unknown }): Promise<void> {
        cpSync(join(repositoryRoot, "examples", this.folder), this.directory, {
            recursive: true,
            filter: (path) => !path.includes("node_modules"),
        });
        const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", this.scratch], {
            timeoutSeconds,
        });
        const tarball = join(this.scratch, stdout.trim().split("\n").at(-1) ?? "");
        const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
        await run("npm", ["install", "--prefix", this.directory, ...quiet, tarball], { timeoutSeconds });
        await this.pulumi(["stack", "init", "--no-select"]);
        this.configure(settings);
    }

    /** Gives the stack other settings. */
    public configure(settings: { [name: string]: unknown }): void {
        const project = this.folder.split("/").at(-1) ?? this.folder;
        const config = Object.fromEntries(
            Object.entries(settings).map(([name, setting]) => [`${project}:${name}`, setting]),
        );
        writeFileSync(join(this.directory, `Pulumi.${stack}.yaml`), stringify({ config }));
    }

    /** `pulumi up`; gives the seconds that it took. */
    public async up(...options: string[]): Promise<number> {
        return (await this.pulumi(["up"], [...update, ...options])).seconds;
    }

    /** `pulumi up`, which must find nothing to do. */
    public async upChangesNothing(...options: string[]): Promise<void> {
        await this.up("--expect-no-changes", ...options);
    }

    /** The stack's outputs, with secrets in the clear. */
    public async outputs(): Promise<unknown> {
        return JSON.parse((await this.pulumi(["stack", "output"], ["--json", "--show-secrets"])).stdout);
    }

    /** Runs a command in the example's directory, whatever status it ends with. */
    public attempt([command = "", ...args]: string[], options?: CommandOptions): Promise<CommandResult> {
        return attempt("env", ["--chdir", this.directory, command, ...args], options);
    }

    /** `pulumi destroy`, which leaves the stack without resources. */
    public async destroy(): Promise<void> {
        await this.pulumi(["destroy"], update);
    }

    /** Destroys the stack and removes what is left of it, but not what it left on the hosts. */
    public async remove(): Promise<void> {
        await this.destroy();
        await this.pulumi(["stack", "rm"], ["--yes", "--force"]);
        rmSync(this.scratch, { recursive: true });
    }

    private pulumi(verb: string[], options: string[] = []): Promise<{ stdout: string; seconds: number }> {
        return run("pulumi", ["--cwd", this.directory, ...verb, "--stack", stack, ...options], { timeoutSeconds });
    }
}
