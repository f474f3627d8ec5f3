import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { attempt, CommandOptions, CommandResult, repositoryRoot, run } from "./command";

const timeoutSeconds = 600;
const stack = "lab";
const update = ["--yes", "--skip-preview", "--non-interactive", "--suppress-outputs", "--color", "never"];

interface Manifest {
    dependencies?: { [name: string]: string };
    devDependencies?: { [name: string]: string };
}

const shared = mkdtempSync(join(tmpdir(), "pgha-examples-"));
process.on("exit", () => rmSync(shared, { recursive: true }));
/** Directories with installed packages, by what was asked for. */
const installations = new Map<string, string>();
let packed: Promise<string> | undefined;

/** Packs the library once for all programs; gives the tarball's path. */
function packLibrary(): Promise<string> {
    packed ??= run("npm", ["pack", "--silent", "--pack-destination", shared], { timeoutSeconds }).then(({ stdout }) =>
        join(shared, stdout.trim().split("\n").at(-1) ?? ""),
    );
    return packed;
}

/** A program of `examples/`, installed as its users do it: a copy outside the repository, with the package from a tarball. */
export class Example {
    private readonly scratch = mkdtempSync(join(tmpdir(), "pgha-example-"));
    private readonly directory: string;

    /** The stack's name. */
    public readonly stack = stack;

    /** Names a folder below `examples/`. */
    public constructor(private readonly folder: string) {
        this.directory = join(this.scratch, folder);
    }

    /** Installs it, and makes its stack with the given settings. */
    public async install(settings: { [name: string]: unknown }): Promise<void> {
        cpSync(join(repositoryRoot, "examples", this.folder), this.directory, {
            recursive: true,
            filter: (path) => !path.includes("node_modules"),
        });
        await this.installPackages();
        await this.pulumi(["stack", "init", "--no-select"]);
        this.configure(settings);
    }

    /** Gives the stack other settings. */
    public configure(settings: { [name: string]: unknown }): void {
        const { name } = parse(readFileSync(join(this.directory, "Pulumi.yaml"), "utf8")) as { name: string };
        const config = Object.fromEntries(
            Object.entries(settings).map(([key, setting]) => [`${name}:${key}`, setting]),
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

    /** Programs that ask for the same packages share one installation. */
    private async installPackages(): Promise<void> {
        const manifest = JSON.parse(readFileSync(join(this.directory, "package.json"), "utf8")) as Manifest;
        const wanted = JSON.stringify([manifest.dependencies, manifest.devDependencies]);
        const known = installations.get(wanted);
        if (known !== undefined) {
            cpSync(known, join(this.directory, "node_modules"), { recursive: true, verbatimSymlinks: true });
            return;
        }
        const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
        const install = ["install", "--prefix", this.directory, ...quiet, await packLibrary()];
        await run("npm", install, { timeoutSeconds });
        const kept = mkdtempSync(join(shared, "node_modules-"));
        cpSync(join(this.directory, "node_modules"), kept, { recursive: true, verbatimSymlinks: true });
        installations.set(wanted, kept);
    }

    private pulumi(verb: string[], options: string[] = []): Promise<{ stdout: string; seconds: number }> {
        return run("pulumi", ["--cwd", this.directory, ...verb, "--stack", stack, ...options], { timeoutSeconds });
    }
}
