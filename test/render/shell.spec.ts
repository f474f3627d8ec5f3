import { expect } from "chai";
import * as fc from "fast-check";
import { failFunction, inContainerFunction, shellQuote, sortedEntries, waitFor } from "../../components/render/shell";
import { ScriptRunner } from "./scriptRunner";

describe("render/shell", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
    });
    afterEach(() => runner.remove());

    it("quotes any value so that a shell reads it back", () => {
        const value = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));
        const lines = fc.sample(
            fc.oneof(value, fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "!", "\n", "a") })),
            200,
        );
        const script = lines.map((line) => `printf '%s\\0' ${shellQuote(line)}`).join("\n");
        expect(runner.run(script).stdout.split("\0").slice(0, -1)).to.deep.equal(lines);
    });

    it("sorts a map by its names", () => {
        expect(sortedEntries({ b: 1, a: 2 })).to.deep.equal([
            ["a", 2],
            ["b", 1],
        ]);
    });

    it("fails with host, reason and next step", () => {
        const fail = failFunction({ key: "db1", sshAddress: "it's here" });
        expect(runner.run(`${fail}\nfail 'no 100%' 'do this'\necho after`)).to.deep.equal({
            status: 1,
            stdout: "",
            stderr: "host db1 (it's here): no 100%\n  next: do this\n",
        });
    });

    it("runs programs in the workload's running container", () => {
        runner.fake(
            "docker",
            'case "$1" in ps) echo "$*" >"$HOME/asked"; echo c1; echo c2 ;; exec) shift; cat; echo "$*" ;; esac',
        );
        const { stdout } = runner.run(
            `${inContainerFunction("pg-etcd-db1")}\necho input | in_container psql -c 'SELECT 1'`,
        );
        expect(stdout).to.equal("input\n-i c1 psql -c SELECT 1\n");
        expect(runner.read("asked")).to.include("label=pgha.workload=pg-etcd-db1").and.to.include("status=running");
    });

    it("fails where no container runs", () => {
        runner.fake("docker", "exit 0");
        const { status } = runner.run(`${inContainerFunction("pg-etcd-db1")}\nin_container true`);
        expect(status).not.to.equal(0);
    });

    it("waits until a command succeeds", () => {
        runner.fake("sleep", 'echo x >>"$HOME/slept"');
        const ready = 'test "$(wc -l <"$HOME/slept" 2>/dev/null || echo 0)" -ge 2';
        expect(runner.run(waitFor(ready, 5, "exit 9")).status).to.equal(0);
        expect(runner.read("slept")).to.equal("x\nx\n");
    });

    it("says when it waited in vain", () => {
        expect(runner.run(waitFor("false", 0, "exit 9")).status).to.equal(9);
    });
});
