import { expect } from "chai";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { runProgram } from "../../cli/program";
import { Terminal } from "../../cli/terminal";
import { fixtures, operations } from "./fixtures";

/** Connection refused, as ssh says it. */
const refused = "echo 'ssh: connect to host 192.0.2.13 port 22: Connection refused' >&2; exit 255";

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

describe("pgha", function () {
    this.timeout(15_000);
    const environment = { ...process.env };
    let folder: string;

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "pgha-cli-"));
        process.env.PATH = [join(__dirname, "fakes"), folder, environment.PATH].join(delimiter);
        Object.assign(process.env, { PGHA_FAKE: folder, PGHA_FIXTURES: fixtures });
        put("leader", "patroni-db2\n");
        mkdirSync(join(folder, "switchover"));
        for (const { name } of operations.patroni) put(join("switchover", name), 'exec docker switchover "$@"\n');
        const described = { ...operations, switchoverDirectory: join(folder, "switchover") };
        put("outputs.json", JSON.stringify({ operations: described, endpoints: {}, applications: "[secret]" }));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true });
        process.env = { ...environment };
    });

    const put = (name: string, text = ""): void => writeFileSync(join(folder, name), text);
    const log = (): string => (existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8") : "");
    const everyHost = (text: string): void => {
        for (const { address } of Object.values(operations.hosts)) put(address, text);
    };

    /** Runs a command on the cluster `lab`; an answer makes its input a terminal on which it is typed. */
    async function pgha(
        words: string[],
        answer?: string,
        source = ["--outputs", join(folder, "outputs.json")],
    ): Promise<Result> {
        const output = new Kept();
        const messages = new Kept();
        const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
        if (answer !== undefined) input.end(`${answer}\n`);
        const terminal = { input, output, messages } as unknown as Terminal;
        const status = await runProgram([...source, ...words], terminal);
        return { status, stdout: output.text, messages: messages.text };
    }

    describe("status", () => {
        it("ends with 0 for a healthy cluster", async () => {
            const { status, stdout, messages } = await pgha(["status"]);
            expect([status, messages]).to.deep.equal([0, ""]);
            expect(stdout).to.match(/^lab: healthy\n/);
        });

        it("prints JSON", async () => {
            const { status, stdout } = await pgha(["status", "--json"]);
            expect(status).to.equal(0);
            expect(JSON.parse(stdout)).to.include({ cluster: "lab", healthy: true });
        });

        it("ends with 1 and says why for one that isn't", async () => {
            put("stopped-lab-patroni-db1");
            put("192.0.2.13", refused);
            const { status, stdout } = await pgha(["status"]);
            expect(status).to.equal(1);
            expect(stdout).to.include("lab: not healthy\n");
            expect(stdout).to.include("patroni-db1 on db1: its container is stopped");
            expect(stdout).to.include("host db3 (192.0.2.13) can't be asked: ssh: connect to host 192.0.2.13 port 22");
            expect(stdout).to.match(/^ {2}patroni-db2 +db2 +leader +running/m);
        });

        it("ends with 3 where no host answers", async () => {
            everyHost(refused);
            const { status, stdout } = await pgha(["status", "--json"]);
            expect(status).to.equal(3);
            const { healthy, reasons } = JSON.parse(stdout) as { healthy: boolean; reasons: string[] };
            expect(healthy).to.equal(false);
            expect(reasons.filter((reason) => reason.startsWith("host db"))).to.have.length(3);
        });

        it("logs in as the description says, with the host's own key", async () => {
            await pgha(["status"]);
            const calls = readFileSync(join(folder, "ssh"), "utf8");
            const { hostKey = "" } = operations.hosts.db1 ?? {};
            expect(calls).to.include(`-o StrictHostKeyChecking=yes`).and.to.include(`/bin/echo %H ${hostKey}`);
            expect(calls).to.include("-p 22 root@192.0.2.11 sh -eu -s -- run");
        });
    });

    describe("switchover", () => {
        it("hands the leader's role over and waits for the others", async () => {
            const { status, messages } = await pgha(["switchover", "--yes"]);
            expect([status, log()]).to.deep.equal([0, "switchover patroni-db2\n"]);
            expect(messages).to.match(/^patroni-db3 leads after [\d.]+ s\nall members follow it after [\d.]+ s\n$/);
        });

        it("takes a candidate by its host's key, once that is confirmed", async () => {
            const { status, messages } = await pgha(["switchover", "--candidate", "db1"], "y");
            expect(messages).to.include("from patroni-db2 to patroni-db1? Its sessions end. [y/N] ");
            expect(status).to.equal(0);
            expect(log()).to.equal("switchover patroni-db2 patroni-db1\n");
        });

        it("does nothing when it isn't confirmed", async () => {
            const { status, messages } = await pgha(["switchover"], "n");
            expect([status, log()]).to.deep.equal([1, ""]);
            expect(messages).to.include("not confirmed");
        });

        it("wants --yes where nobody can be asked", async () => {
            const { status, messages } = await pgha(["switchover"]);
            expect([status, log()]).to.deep.equal([2, ""]);
            expect(messages).to.include("next: run it on a terminal, or with --yes");
        });

        const refusals: {
            [title: string]: { prepare: () => void; candidate?: string; message: string; status?: number };
        } = {
            "an unknown candidate": {
                prepare: () => undefined,
                candidate: "db9",
                message: `there is no node "db9"\n  next: name one of: patroni-db1, patroni-db2, patroni-db3, or its host's key`,
                status: 2,
            },
            "the leader itself": { prepare: () => undefined, candidate: "db2", message: "patroni-db2 leads already" },
            "a candidate whose container is stopped": {
                prepare: () => put("stopped-lab-patroni-db1"),
                candidate: "db1",
                message: "patroni-db1 can't take over: its container is stopped",
            },
            "a candidate that doesn't stream": {
                prepare: () => put("state-db1", "starting"),
                candidate: "db1",
                message: "patroni-db1 can't take over: it doesn't follow the leader (starting)",
            },
            "a candidate that isn't synchronous where it must be": {
                prepare: () => undefined,
                candidate: "db3",
                message: "patroni-db3 can't take over: it isn't synchronous (patroni-db1 is)",
            },
            "a cluster without a fit replica": {
                prepare: () => {
                    put("state-db1", "starting");
                    put("192.0.2.13", refused);
                },
                message: "no node can take over: patroni-db1: it doesn't follow",
            },
            "a paused cluster without a candidate": {
                prepare: () => put("paused"),
                message: "Patroni is paused and chooses nobody",
            },
            "a cluster without a leader": { prepare: () => put("leader", "none"), message: "there is no leader" },
            "what Patroni refuses": {
                prepare: () => put("refuse"),
                message: "Patroni refused: Switchover failed, details: 412, no good candidates have been found",
            },
            "a cluster of which no host answers": {
                prepare: () => everyHost(refused),
                message: "no host of a node answers",
                status: 3,
            },
        };
        for (const [title, { prepare, candidate, message, status: expected = 1 }] of Object.entries(refusals)) {
            it(`refuses ${title}`, async () => {
                prepare();
                const options = candidate === undefined ? [] : ["--candidate", candidate];
                const { status, messages } = await pgha(["switchover", "--yes", ...options]);
                expect(messages).to.include(`pgha: ${message}`).and.to.include("\n  next: ");
                expect(status).to.equal(expected);
                expect(readFileSync(join(folder, "leader"), "utf8")).to.match(/^(patroni-db2\n|none)$/);
            });
        }
    });

    describe("pause and resume", () => {
        it("turn maintenance mode on and off, once", async () => {
            expect(await pgha(["pause"])).to.deep.include({
                status: 0,
                messages: "lab is paused: nothing fails over until 'pgha resume'\n",
            });
            expect((await pgha(["status"])).stdout).to.include("Patroni is paused");
            expect((await pgha(["pause"])).messages).to.include("nothing was changed");
            expect(await pgha(["resume"])).to.deep.include({ status: 0, messages: "lab is not paused\n" });
            expect((await pgha(["resume"])).status).to.equal(0);
            expect(log()).to.equal("patronictl pause lab\npatronictl resume lab\n");
        });

        it("end with 3 where no host answers", async () => {
            everyHost(refused);
            expect((await pgha(["pause"])).status).to.equal(3);
        });
    });

    describe("rehearse-upgrade", () => {
        it("asks the leader what is in the way, and then tries it on a replica", async () => {
            const { status, messages } = await pgha(["rehearse-upgrade", "17"]);
            expect([status, log()]).to.deep.equal([
                0,
                "-s -- check patroni-db1 patroni-db3 on db2\n-s -- rehearse on db1\n",
            ]);
            expect(messages).to.equal(
                "check is done\ncopying and upgrading the data of patroni-db1, which takes a while\nrehearse is done\n",
            );
            expect(readFileSync(join(folder, "script"), "utf8")).to.include("from=15 to=17");
        });

        it("tries nothing where something is in the way", async () => {
            put("refuse");
            const { status, messages } = await pgha(["rehearse-upgrade", "17"]);
            expect([status, log()]).to.deep.equal([1, "-s -- check patroni-db1 patroni-db3 on db2\n"]);
            expect(messages).to.include("logical slots: a");
        });

        it("refuses the version that runs, and what is none", async () => {
            expect((await pgha(["rehearse-upgrade", "15"])).messages).to.include("the cluster runs PostgreSQL 15");
            expect((await pgha(["rehearse-upgrade", "soon"])).status).to.equal(2);
            expect(log()).to.equal("");
        });
    });

    describe("reinit", () => {
        it("copies a replica anew and waits until it streams", async () => {
            const { status, messages } = await pgha(["reinit", "patroni-db3", "--yes"]);
            expect([status, log()]).to.deep.equal([0, "patronictl reinit lab patroni-db3 --force\n"]);
            expect(messages).to.match(/patroni-db3 streams after [\d.]+ s\n$/);
        });

        it("refuses the leader", async () => {
            const { status, messages } = await pgha(["reinit", "db2", "--yes"]);
            expect([status, log()]).to.deep.equal([1, ""]);
            expect(messages).to.include("patroni-db2 leads: its data is the cluster's");
        });

        it("refuses a node that believes it leads, whatever the DCS says, and one without a leader to copy from", async () => {
            put("leader", "none");
            expect((await pgha(["reinit", "db1", "--yes"])).messages).to.include("there is no leader to copy from");
        });

        it("refuses a node whose container is stopped", async () => {
            put("stopped-lab-patroni-db1");
            expect((await pgha(["reinit", "db1", "--yes"])).messages).to.include(
                "the container of patroni-db1 is stopped",
            );
        });

        it("wants a node, and a confirmation", async () => {
            expect((await pgha(["reinit"])).status).to.equal(2);
            expect((await pgha(["reinit", "db1"])).status).to.equal(2);
            expect((await pgha(["reinit", "db1"], "")).status).to.equal(1);
            expect(log()).to.equal("");
        });
    });

    describe("psql", () => {
        it("runs on the primary with further arguments, and ends as psql does", async () => {
            const { status } = await pgha(["psql", "--", "-c", "SELECT 'it''s'"]);
            expect(status).to.equal(3);
            expect(log()).to.equal("psql on db1: -d host=192.0.2.11 port=5433 -c SELECT 'it''s'\n");
        });

        it("goes past a host that doesn't answer", async () => {
            put("192.0.2.11", refused);
            await pgha(["psql"]);
            expect(log()).to.match(/^psql on db2: /);
        });

        it("reaches a replica or a certain node", async () => {
            await pgha(["psql", "--read-only"]);
            await pgha(["psql", "--node", "db3"]);
            expect(log()).to.equal("psql on db1: -d host=192.0.2.11 port=5434\npsql on db3: -d host=/run\n");
        });

        it("refuses both at once, and a node that is stopped", async () => {
            expect((await pgha(["psql", "--read-only", "--node", "db3"])).status).to.equal(2);
            put("stopped-lab-patroni-db3");
            expect((await pgha(["psql", "--node", "db3"])).status).to.equal(1);
            expect(log()).to.equal("");
        });

        it("keeps no history", async () => {
            await pgha(["psql"]);
            expect(readFileSync(join(folder, "ssh"), "utf8")).to.include("-e PSQL_HISTORY=/dev/null");
        });
    });

    describe("the description of the cluster", () => {
        const fake = (lines: string): void =>
            writeFileSync(join(folder, "pulumi"), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });

        it("comes from Pulumi, without secrets", async () => {
            fake('echo "$*" >"$PGHA_FAKE/asked"; cat "$PGHA_FAKE/outputs.json"');
            expect((await pgha(["status", "--stack", "prod", "--cwd", "there"], undefined, [])).status).to.equal(0);
            const asked = readFileSync(join(folder, "asked"), "utf8");
            expect(asked).to.equal("stack output --json --non-interactive --stack prod --cwd there\n");
        });

        it("may be another output of the stack", async () => {
            put("outputs.json", JSON.stringify({ orders: operations }));
            expect((await pgha(["status", "--output-name", "orders"])).status).to.equal(0);
            const { status, messages } = await pgha(["status"]);
            expect(messages).to.include('the output "operations" is missing').and.to.include("--output-name");
            expect(status).to.equal(2);
        });

        const unusable: { [title: string]: { source: () => string[]; message: string } } = {
            "Pulumi fails": {
                source: () => (fake("echo 'error: no stack named nope found' >&2; exit 255"), ["--stack", "nope"]),
                message: "no stack named nope found",
            },
            "the file is missing": {
                source: () => ["--outputs", join(folder, "none")],
                message: "can't read the outputs",
            },
            "the file is no JSON": {
                source: () => (put("bad", "{"), ["--outputs", join(folder, "bad")]),
                message: "the outputs are not JSON",
            },
            "the output is something else": {
                source: () => (put("bad", '{"operations": {"clusterName": 1}}'), ["--outputs", join(folder, "bad")]),
                message: 'the output "operations" is not a cluster\'s',
            },
        };
        for (const [title, { source, message }] of Object.entries(unusable)) {
            it(`ends with 2 where ${title}`, async () => {
                const { status, messages } = await pgha(["status"], undefined, source());
                expect(messages).to.include(message).and.to.include("\n  next: ");
                expect(status).to.equal(2);
            });
        }
    });

    describe("the command line", () => {
        for (const words of [
            [],
            ["nonsense"],
            ["status", "--nonsense"],
            ["status", "more"],
            ["psql", "-c", "SELECT 1"],
        ]) {
            it(`ends with 2 for: pgha ${words.join(" ")}`, async () => {
                const { status, stdout, messages } = await pgha(words);
                expect([status, stdout]).to.deep.equal([2, ""]);
                expect(messages).not.to.equal("");
            });
        }

        it("explains itself", async () => {
            const { status, stdout } = await pgha(["--help"]);
            expect(status).to.equal(0);
            for (const command of ["status", "switchover", "pause", "resume", "reinit", "rehearse-upgrade", "psql"]) {
                expect(stdout).to.match(new RegExp(`^ {2}${command}\\b`, "m"));
            }
        });
    });
});
