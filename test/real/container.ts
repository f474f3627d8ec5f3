import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** What a program did. */
export interface ProgramResult {
    status: number | null;
    stdout: string;
    stderr: string;
}

/** How a container is made. */
export interface ContainerOptions {
    /** Files by absolute path. */
    files?: { [path: string]: string };
    /** Shares the network of another container. Without it there is none but the loopback. */
    networkOf?: Container;
    /** Further options of `docker create`, such as another network. */
    options?: string[];
}

const repository = resolve(__dirname, "../..");

/** Longest time for one program. */
const timeoutMilliseconds = 60_000;

function run(program: string, args: string[], input = ""): ProgramResult {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
        cwd: repository,
        input,
        encoding: "utf8",
        timeout: timeoutMilliseconds,
    });
    if (error !== undefined) {
        throw new Error(
            `${program} ${args.slice(0, 2).join(" ")}: ${error.message}; the lab's engine is started by 'make lab'`,
        );
    }
    return { status, stdout, stderr };
}

function docker(args: string[], input?: string): string {
    const { status, stdout, stderr } = run("docker", args, input);
    if (status !== 0) {
        throw new Error(`docker ${args.slice(0, 2).join(" ")} failed: ${stderr.trim()}`);
    }
    return stdout.trim();
}

function localName(name: string): string {
    return run("bash", [
        "-euo",
        "pipefail",
        "-c",
        'source images/lib.sh && local_name "$1"',
        "bash",
        name,
    ]).stdout.trim();
}

/** Whether one of the project's own images is there. */
function imageIsBuilt(name: string): boolean {
    return run("docker", ["image", "inspect", localName(name)]).status === 0;
}

/** Reference of one of the project's own images, which must have been built. */
export function builtImage(name: string): string {
    const reference = localName(name);
    if (!imageIsBuilt(name)) {
        throw new Error(`the image ${reference} is not there; build it with 'make images'`);
    }
    return reference;
}

/** A throw-away network on which containers find each other by name, and which leads nowhere else. */
export class Network {
    readonly name: string;

    constructor(name: string) {
        this.name = `pgha-test-${name}-${process.pid}`;
        docker(["network", "create", "--internal", "--label", "pgha.test", this.name]);
    }

    /** Options of a container that is found there under a name. */
    as(alias: string): string[] {
        return ["--network", this.name, "--network-alias", alias];
    }

    remove(): void {
        docker(["network", "rm", this.name]);
    }
}

/** A throw-away container of one of the project's own images, cut off from every network unless told otherwise. */
export class Container {
    private constructor(private readonly id: string) {}

    /** Starts a container and returns at once. */
    static start(image: string, command: string[], options: ContainerOptions = {}): Container {
        const container = Container.create(image, command, options);
        docker(["start", container.id]);
        return container;
    }

    /** Runs a program to its end in a container of its own. */
    static run(image: string, command: string[], options: ContainerOptions = {}): ProgramResult {
        const container = Container.create(image, command, options);
        try {
            return run("docker", ["start", "--attach", container.id]);
        } finally {
            container.remove();
        }
    }

    private static create(image: string, command: string[], options: ContainerOptions): Container {
        const { files = {}, networkOf, options: further = [] } = options;
        const network = networkOf === undefined ? "none" : `container:${networkOf.id}`;
        const placed = further.includes("--network") ? further : ["--network", network, ...further];
        const id = docker(["create", ...placed, "--label", "pgha.test", builtImage(image), ...command]);
        // Nothing can be copied to a read-only root file system.
        if (Object.keys(files).length === 0) return new Container(id);
        const folder = mkdtempSync(join(tmpdir(), "pgha-files-"));
        try {
            for (const [path, content] of Object.entries(files)) {
                mkdirSync(dirname(join(folder, path)), { recursive: true });
                writeFileSync(join(folder, path), content);
            }
            docker(["cp", "--quiet", `${folder}/.`, `${id}:/`]);
        } finally {
            rmSync(folder, { recursive: true });
        }
        return new Container(id);
    }

    /** Runs a program inside. */
    exec(command: string[], input?: string, environment: { [name: string]: string } = {}): ProgramResult {
        const variables = Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
        return run("docker", ["exec", "--interactive", ...variables, this.id, ...command], input);
    }

    /** Waits until a program succeeds inside. */
    waitFor(command: string[], seconds = 30): void {
        const loop = 'for _ in $(seq "$1"); do "${@:2}" >/dev/null 2>&1 && exit; sleep 0.2; done; exit 1';
        if (this.exec(["bash", "-c", loop, "bash", String(seconds * 5), ...command]).status !== 0) {
            const logs = this.logs();
            this.remove();
            throw new Error(`${command.join(" ")} did not succeed in ${seconds} s:\n${logs}`);
        }
    }

    logs(): string {
        const { stdout, stderr } = run("docker", ["logs", this.id]);
        return stdout + stderr;
    }

    /** Its address on the one network that it has. */
    address(): string {
        return docker(["inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", this.id]);
    }

    /** Asks the main process to end, and waits for it, meanwhile letting this process go on. */
    stop(): Promise<void> {
        const child = spawn("docker", ["stop", "--time", "30", this.id], { stdio: "ignore" });
        return new Promise((resolve) => child.once("exit", () => resolve()));
    }

    remove(): void {
        docker(["rm", "--force", "--volumes", this.id]);
    }
}
