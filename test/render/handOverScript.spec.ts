import { expect } from "chai";
import { renderHandOverScript } from "../../components/render/handOverScript";
import { ScriptResult, ScriptRunner } from "./scriptRunner";

describe("render/handOverScript", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("docker", 'case "$1" in ps) echo container ;; exec) cat "$HOME/list" ;; esac');
        runner.write("switchover", 'cd "$HOME"; echo "$*" >>log; [ ! -e next ] || mv next list; [ ! -e refuse ]\n');
    });
    afterEach(() => runner.remove());

    function list(nodes: { [name: string]: string }, file = "list"): void {
        const rows = Object.entries(nodes).map(([name, role]) => {
            const state = { Leader: "running", "Stopped Leader": "stopped" }[role] ?? "streaming";
            return ["pg", `patroni-${name}`, "192.0.2.1", role.replace("Stopped ", ""), state, "1", ""];
        });
        const header = ["Cluster", "Member", "Host", "Role", "State", "TL", "Tags"];
        runner.write(file, [header, ...rows].map((cells) => `${cells.join("\t")}\n`).join(""));
    }

    function handOver(): ScriptResult {
        return runner.run(
            renderHandOverScript({
                host: { key: "db1", sshAddress: "192.0.2.11" },
                serviceName: "pg-patroni-a",
                scope: "pg",
                staying: ["patroni-a", "patroni-b"],
                switchoverScript: `${runner.directory}/switchover`,
            }),
        );
    }

    const done = { status: 0, stdout: "", stderr: "" };

    it("hands over from a leader that goes, rather to one that stays", () => {
        list({ a: "Sync Standby", b: "Replica", c: "Leader" });
        list({ a: "Leader", b: "Replica", c: "Replica" }, "next");
        expect(handOver()).to.deep.equal(done);
        expect(runner.read("log")).to.equal("patroni-c patroni-a patroni-b\n");
    });

    const quiet: { [title: string]: { [name: string]: string } } = {
        "the leader stays": { a: "Leader", b: "Replica", c: "Replica" },
        "nobody leads": { a: "Replica", c: "Replica" },
        "the leader that goes is down": { a: "Replica", c: "Stopped Leader" },
    };
    for (const [title, nodes] of Object.entries(quiet)) {
        it(`does nothing where ${title}`, () => {
            list(nodes);
            expect(handOver()).to.deep.equal(done);
            expect(runner.read("log")).to.equal("");
        });
    }

    const refusals: { [said: string]: () => void } = {
        "patroni-c leads and goes, and no other node could take over": () => {
            list({ a: "Replica", c: "Leader" });
            runner.write("refuse", "");
        },
        "patroni-d leads now, and goes, too": () => {
            list({ a: "Replica", c: "Leader", d: "Sync Standby" });
            list({ a: "Replica", c: "Replica", d: "Leader" }, "next");
        },
        "can't list the nodes": () => undefined,
    };
    for (const [said, prepare] of Object.entries(refusals)) {
        it(`stops with host, reason and next step: ${said}`, () => {
            prepare();
            const { status, stderr } = handOver();
            expect(status).to.equal(1);
            expect(stderr)
                .to.include(`host db1 (192.0.2.11): ${said}\n`)
                .and.to.match(/\n {2}next: .+/);
        });
    }
});
