import { expect } from "chai";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as library from "../../components";
import { collect, PulumiStack, repository } from "./pulumiStack";

/** Runs a shell command with this project's Node.js. */
async function shell(directory: string, command: string): Promise<{ status: number; text: string; stdout: string }> {
    const script = `source '${join(repository, "toolchain/env.sh")}'; ${command}`;
    return collect(spawn("bash", ["-c", script], { cwd: directory }));
}

async function succeed(directory: string, command: string): Promise<string> {
    const { status, text, stdout } = await shell(directory, command);
    expect(status, `${command}:\n${text}`).to.equal(0);
    return stdout;
}

describe("The package", function () {
    // Packages come from the registry.
    this.timeout(300_000);

    const scratch = mkdtempSync(join(tmpdir(), "pgha-package-"));
    let files: string[];

    before(async () => {
        const packed = await succeed(repository, `npm pack --silent --json --pack-destination '${scratch}'`);
        const [description] = JSON.parse(packed.slice(packed.indexOf("["))) as { files: { path: string }[] }[];
        files = description?.files.map((file) => file.path) ?? [];
    });

    after(() => {
        rmSync(scratch, { recursive: true });
    });

    it("holds the compiled components and the command with their types, and nothing else", () => {
        const sources = ["cli", "components"].flatMap((folder) =>
            readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
                .filter((path) => path.endsWith(".ts"))
                .map((path) => `${folder}/${path.replace(/\.ts$/, "")}`),
        );
        const expected = [
            "CHANGELOG.md",
            "LICENSE",
            "README.md",
            "package.json",
            ...sources.flatMap((path) => [`bin/${path}.js`, `bin/${path}.d.ts`]),
        ];
        expect(files).to.have.members(expected);
    });

    const examples: { [name: string]: string[] } = {
        "import-into-stack": ["PostgresCluster orders-db", "ApplicationDatabase orders-db-application-orders"],
        "etcd-alone": ["EtcdQuorum etcd", "Host host-db1", "Service coordination-etcd-db3"],
    };
    for (const [name, resources] of Object.entries(examples)) {
        describe(`in the example ${name}`, () => {
            // As deep as in the repository, so that the path of the tarball fits.
            const directory = join(scratch, "examples", name);

            before(async () => {
                cpSync(join(repository, "examples", name), directory, {
                    recursive: true,
                    filter: (path) => !path.includes("node_modules"),
                });
                await succeed(directory, "npm install --no-audit --no-fund --prefer-offline --loglevel error");
            });

            it("brings its types", async () => {
                await succeed(directory, "npx --no-install tsc");
            });

            it("shares one Pulumi runtime with the program", () => {
                expect(existsSync(join(directory, "node_modules/@pulumi/docker"))).to.equal(true);
                expect(existsSync(join(directory, "node_modules/pulumi-postgres-ha/node_modules"))).to.equal(false);
            });

            it("gives what it exports, and no other path", async () => {
                const names = await succeed(
                    directory,
                    `node -p 'JSON.stringify(Object.keys(require("pulumi-postgres-ha")))'`,
                );
                expect(JSON.parse(names)).to.have.members(Object.keys(library));
                const deep = await shell(
                    directory,
                    `node -e 'require("pulumi-postgres-ha/bin/components/etcdQuorum")'`,
                );
                expect(deep.status).not.to.equal(0);
                expect(deep.text).to.include("ERR_PACKAGE_PATH_NOT_EXPORTED");
            });

            it("brings the command pgha", async () => {
                const help = await succeed(directory, "npx --no-install pgha --help");
                expect(help).to.match(/^Usage: pgha /);
            });

            it("is previewed without hosts", async () => {
                const settings = readFileSync(join(directory, "Pulumi.dev.yaml"), "utf8");
                const stack = await PulumiStack.create({ directory, stack: "dev", settings });
                try {
                    const preview = await stack.preview();
                    expect(preview.status, preview.text).to.equal(0);
                    expect(preview.text).not.to.match(/warning|error/);
                    for (const resource of resources) {
                        expect(preview.text).to.include(`:${resource} create`);
                    }
                    expect(stack.sshCalls()).to.deep.equal([]);
                } finally {
                    stack.remove();
                }
            });
        });
    }
});
