import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PulumiStack, repository, repositoryProgram, Run } from "./pulumiStack";

/** Pulumi's own directory, with the real plugins. */
const pulumiHome = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");

/** A stack that is up, as far as the engine knows: Docker and commands are fakes; passwords, certificates and the engine are real. */
export class LivingStack {
    private constructor(readonly stack: PulumiStack) {}

    static async create(settings: string): Promise<LivingStack> {
        const living = new LivingStack(await PulumiStack.create(repositoryProgram(settings)));
        living.installFakes();
        living.stack.environment.TEST_PULUMI_HOME = living.fakeHome;
        return living;
    }

    /** Brings the settings about, and returns what was done on the way. */
    async up(settings: string, failures: string[] = []): Promise<Run & { journal: string[] }> {
        rmSync(this.journalFile, { force: true });
        this.stack.writeSettings(settings);
        this.stack.environment.FAKE_JOURNAL = this.journalFile;
        this.stack.environment.FAKE_OBJECTS = join(this.stack.scratch, "objects");
        this.stack.environment.FAKE_FAILURES = failures.join();
        const run = await this.stack.up();
        const journal = existsSync(this.journalFile) ? readFileSync(this.journalFile, "utf8").trim().split("\n") : [];
        return { ...run, journal };
    }

    /** Previews settings. */
    preview(settings: string, ...options: string[]): Promise<Run> {
        this.stack.writeSettings(settings);
        return this.stack.preview(...options);
    }

    private get fakeHome(): string {
        return join(this.stack.scratch, "home");
    }

    private get journalFile(): string {
        return join(this.stack.scratch, "journal");
    }

    private installFakes(): void {
        const fake = join(repository, "test/preview/fakeProvider.ts");
        for (const name of ["docker", "command"]) {
            const { directory, version } = pluginPlace(name);
            this.installPlugin(directory, name, [
                `cd '${repository}'`,
                `FAKE_VERSION=${version} exec node --import tsx '${fake}' "$@"`,
            ]);
        }
        for (const name of ["random", "tls"]) {
            const { directory } = pluginPlace(name);
            const real = join(pulumiHome, "plugins", directory, `pulumi-resource-${name}`);
            if (existsSync(real)) {
                this.installPlugin(directory, name, [`exec '${real}' "$@"`]);
            }
        }
    }

    private installPlugin(directory: string, name: string, script: string[]): void {
        const place = join(this.fakeHome, "plugins", directory);
        const program = join(place, `pulumi-resource-${name}`);
        mkdirSync(place, { recursive: true });
        writeFileSync(program, ["#!/bin/sh -e", ...script, ""].join("\n"));
        chmodSync(program, 0o755);
    }
}

/** Where the engine looks for the plugin of an npm package. */
function pluginPlace(name: string): { directory: string; version: string } {
    const manifest = readFileSync(join(repository, `node_modules/@pulumi/${name}/package.json`), "utf8");
    const { version } = JSON.parse(manifest) as { version: string };
    return { directory: `resource-${name}-v${version}`, version };
}
