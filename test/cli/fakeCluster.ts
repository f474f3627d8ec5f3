import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { runProgram } from "../../cli/program";
import { Terminal } from "../../cli/terminal";
import { fixtures, operations } from "./fixtures";

/** Connection refused, as ssh says it. */
export const refused = "echo 'ssh: connect to host 192.0.2.13 port 22: Connection refused' >&2; exit 255";

/** What the command came to. */
interface Result {
    status: number;
    stdout: string;
    messages: string;
}

/** A stream that keeps what is written. */
class Kept extends Writable {
    text = "";
    override _write(chunk: Buffer, _: string, done: () => void): void {
        this.text += chunk.toString();
        done();
    }
}

/** The cluster `lab` as programs that stand in for ssh and docker show it, and the command `pgha` on it. */
export class FakeCluster {
    private folder = "";
    private readonly environment = { ...process.env };

    /** Makes one anew for each test of the suite that is being described. */
    static forEachTest(): FakeCluster {
        const cluster = new FakeCluster();
        beforeEach(() => cluster.create());
        afterEach(() => cluster.remove());
        return cluster;
    }

    private create(): void {
        this.folder = mkdtempSync(join(tmpdir(), "pgha-cli-"));
        process.env.PATH = [join(__dirname, "fakes"), this.folder, this.environment.PATH].join(delimiter);
        Object.assign(process.env, { PGHA_FAKE: this.folder, PGHA_FIXTURES: fixtures });
        this.put("leader", "patroni-db2\n");
        mkdirSync(this.path("switchover"));
        for (const { name } of operations.patroni) {
            this.put(join("switchover", name), `exec docker switchover ${name} "$@"\n`);
        }
        const described = { ...operations, switchoverDirectory: this.path("switchover") };
        this.put("outputs.json", JSON.stringify({ operations: described, endpoints: {}, applications: "[secret]" }));
    }

    private remove(): void {
        rmSync(this.folder, { recursive: true });
        process.env = { ...this.environment };
    }

    /** Path of a file that the stand-ins know. */
    path(name: string): string {
        return join(this.folder, name);
    }

    put(name: string, text = ""): void {
        writeFileSync(this.path(name), text);
    }

    read(name: string): string {
        return readFileSync(this.path(name), "utf8");
    }

    /** What patronictl, psql and the like were asked. */
    log(): string {
        return existsSync(this.path("log")) ? this.read("log") : "";
    }

    /** Makes every connection to a host do as the script says. */
    everyHost(script: string): void {
        for (const { address } of Object.values(operations.hosts)) this.put(address, script);
    }

    /** Runs a command on the cluster; an answer makes its input a terminal on which it is typed. */
    async pgha(words: string[], answer?: string, source = ["--outputs", this.path("outputs.json")]): Promise<Result> {
        const output = new Kept();
        const messages = new Kept();
        const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
        if (answer !== undefined) input.end(`${answer}\n`);
        const terminal = { input, output, messages } as unknown as Terminal;
        const status = await runProgram([...source, ...words], terminal);
        return { status, stdout: output.text, messages: messages.text };
    }
}
