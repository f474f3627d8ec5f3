import { expect } from "chai";
import { spawn } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
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

/** The example that is installed as its README says; the others share its packages. */
const installed = "import-into-stack";

interface ExampleCase {
    /** Some of what a preview creates. */
    resources: string[];
    /** What a preview warns of. */
    warnings?: RegExp[];
    /** The stack whose outputs it reads. */
    neighbour?: { project: string; outputs: { [name: string]: unknown } };
}

const login = { owner: "homeassistant", password: "given", roles: {} };
const urls = { direct: "given", readOnly: "given" };

const examples: { [folder: string]: ExampleCase } = {
    "import-into-stack": {
        resources: ["PostgresCluster orders-db", "ApplicationDatabase orders-db-application-orders"],
    },
    "etcd-alone": { resources: ["EtcdQuorum etcd", "Host host-db1", "Service coordination-etcd-db3"] },
    "swarm-postgres-ha": {
        resources: [
            "Service postgres-ha-patroni-docker-infra-3",
            "ApplicationDatabase postgres-ha-application-homeassistant",
        ],
    },
    "swarm-postgres-ha/application": {
        resources: ["Service recorder"],
        neighbour: {
            project: "swarm-postgres-ha",
            outputs: {
                endpoints: {},
                networkId: "given",
                caCertificate: "given",
                applications: { homeassistant: { database: "homeassistant", ...login, urls } },
            },
        },
    },
    "three-docker-hosts": { resources: ["Container postgres-ha-patroni-vm3", "Container postgres-ha-haproxy-vm1"] },
    "swarm-ten-thousand-clients": {
        resources: ["Service saasodoo-cluster-pgbouncer", "Service saasodoo-cluster-etcd-node3"],
    },
    "single-host": {
        resources: ["Container pg-ha-patroni-0", "Container pg-ha-exporter-2"],
        warnings: [/warning: .* survives the loss of a container, but not of the host/],
    },
    "swarm-edge-nodes": {
        resources: ["Service pgprod-patroni-1", "Service pgprod-haproxy"],
        // A label of alert rules, in the output.
        warnings: [/severity: "warning"/],
    },
};

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

    /** As deep as in the repository, so that the path of the tarball fits. */
    const place = (folder: string): string => join(scratch, "examples", folder);

    const copyExample = (folder: string): void =>
        cpSync(join(repository, "examples", folder), place(folder), {
            recursive: true,
            filter: (path) => !path.includes("node_modules"),
        });

    describe("installed by npm", () => {
        const directory = place(installed);

        before(async () => {
            copyExample(installed);
            await succeed(directory, "npm install --no-audit --no-fund --prefer-offline --loglevel error");
        });

        it("shares one Pulumi runtime with the program", () => {
            expect(existsSync(join(directory, "node_modules/@pulumi/docker"))).to.equal(true);
            expect(existsSync(join(directory, "node_modules/pulumi-postgres-ha/node_modules"))).to.equal(false);
        });

        it("brings its types", async () => {
            await succeed(directory, "npx --no-install tsc");
        });

        it("brings the command pgha", async () => {
            const help = await succeed(directory, "npx --no-install pgha --help");
            expect(help).to.match(/^Usage: pgha /);
        });

        it("gives what it exports, and no other path", async () => {
            const names = await succeed(
                directory,
                `node -p 'JSON.stringify(Object.keys(require("pulumi-postgres-ha")))'`,
            );
            expect(JSON.parse(names)).to.have.members(Object.keys(library));
            const deep = await shell(directory, `node -e 'require("pulumi-postgres-ha/bin/components/etcdQuorum")'`);
            expect(deep.status).not.to.equal(0);
            expect(deep.text).to.include("ERR_PACKAGE_PATH_NOT_EXPORTED");
        });
    });

    it("has an example of every topology in the table of this test", () => {
        const folders = globSync("**/Pulumi.yaml", {
            cwd: join(repository, "examples"),
            exclude: ["**/node_modules"],
        }).map((path) => dirname(path));
        expect(Object.keys(examples)).to.have.members(folders);
    });

    for (const [folder, { resources, warnings = [], neighbour }] of Object.entries(examples)) {
        describe(`in the example ${folder}`, () => {
            const directory = place(folder);

            before(() => {
                if (folder === installed) return;
                copyExample(folder);
                // Two hundred packages that are the same in every example.
                rmSync(join(directory, "node_modules"), { force: true });
                symlinkSync(join(place(installed), "node_modules"), join(directory, "node_modules"));
            });

            it("asks npm for what the test has installed", () => {
                const { "@pulumi/docker": _docker, ...dependencies } = dependenciesOf(directory);
                expect(dependencies).to.deep.equal(dependenciesOf(place(installed)));
            });

            // Pulumi compiles the program with its types, so that this checks them, too.
            it("is previewed without hosts", async () => {
                const settings = readFileSync(join(directory, "Pulumi.dev.yaml"), "utf8");
                const stack = await PulumiStack.create({ directory, stack: "dev", settings });
                try {
                    if (neighbour !== undefined) await stack.addNeighbour(neighbour.project, "dev", neighbour.outputs);
                    const preview = await stack.preview();
                    expect(preview.status, preview.text).to.equal(0);
                    const said = preview.text.split("\n").filter((line) => /warning|error/.test(line));
                    expect(said.filter((line) => !warnings.some((warning) => warning.test(line)))).to.deep.equal([]);
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

/** Packages that a program asks for, without the path of the library's tarball, which depends on the folder's depth. */
function dependenciesOf(directory: string): { [name: string]: string } {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
        dependencies: { [name: string]: string };
        devDependencies: { [name: string]: string };
    };
    const library = dependencies["pulumi-postgres-ha"] ?? "";
    return { ...dependencies, ...devDependencies, "pulumi-postgres-ha": basename(library) };
}
