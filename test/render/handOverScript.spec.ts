import { expect } from "chai";
import { HandOverScript, renderHandOverScript } from "../../components/render/handOverScript";
import { ScriptResult, ScriptRunner } from "./scriptRunner";

describe("render/handOverScript", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("docker", 'case "$1" in ps) cat "$HOME/running" ;; exec) cat "$HOME/list" ;; esac');
        runner.write("running", "container\n");
        runner.write("switchover", 'cd "$HOME"; echo "$*" >>log; [ ! -e next ] || mv next list; [ ! -e refuse ]\n');
    });
    afterEach(() => runner.remove());

    /** Nodes are at their address, or at that of the host where they come from. */
    function list(nodes: { [name: string]: string }, from: { [name: string]: string } = {}, file = "list"): void {
        const rows = Object.entries(nodes).map(([name, role]) => {
            const state = { Leader: "running", "Stopped Leader": "stopped" }[role] ?? "streaming";
            const host = from[name] ?? `${addressOf(name)}:5433`;
            return ["pg", `patroni-${name}`, host, role.replace("Stopped ", ""), state, "1", ""];
        });
        const header = ["Cluster", "Member", "Host", "Role", "State", "TL", "Tags"];
        runner.write(file, [header, ...rows].map((cells) => `${cells.join("\t")}\n`).join(""));
    }

    const then = (nodes: { [name: string]: string }): void => list(nodes, {}, "next");

    const addressOf = (name: string): string => `192.0.2.${name.charCodeAt(0)}`;

    function handOver(changes: Partial<HandOverScript> = {}): ScriptResult {
        return runner.run(
            renderHandOverScript({
                host: { key: "db1", sshAddress: "192.0.2.11" },
                serviceName: "pg-patroni-a",
                scope: "pg",
                nodes: ["a", "b"].map((name) => ({ name: `patroni-${name}`, address: addressOf(name) })),
                switchoverScript: `${runner.directory}/switchover`,
                ...changes,
            }),
        );
    }

    const done = { status: 0, stdout: "", stderr: "" };

    it("hands over from a leader that goes, rather to one that stays", () => {
        list({ a: "Sync Standby", b: "Replica", c: "Leader" });
        then({ a: "Leader", b: "Replica", c: "Replica" });
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
            then({ a: "Replica", c: "Replica", d: "Leader" });
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

    describe("before a node moves", () => {
        const nodes = ["a", "b", "c"].map((name) => ({ name: `patroni-${name}`, address: addressOf(name) }));
        const guarding = ["patroni-a", "patroni-b"];
        const elsewhere = { c: "192.0.2.1:5433" };
        const move = (): ScriptResult => handOver({ nodes, moving: "patroni-c", guarding });

        it("hands over from it, rather to one that stays where it is", () => {
            list({ a: "Replica", b: "Replica", c: "Leader" }, { ...elsewhere, a: "192.0.2.2" });
            then({ a: "Replica", b: "Leader", c: "Replica" });
            expect(move()).to.deep.equal(done);
            expect(runner.read("log")).to.equal("patroni-c patroni-b patroni-a\n");
        });

        it("hands over from one that goes", () => {
            list({ a: "Replica", b: "Replica", c: "Replica", d: "Leader" });
            then({ a: "Leader", b: "Replica", c: "Replica", d: "Replica" });
            expect(move()).to.deep.equal(done);
            expect(runner.read("log")).to.equal("patroni-d patroni-a patroni-b patroni-c\n");
        });

        it("leaves it alone where it stays, and another one whose turn has not come", () => {
            list({ a: "Replica", b: "Replica", c: "Leader" }, { a: "192.0.2.2" });
            expect(move()).to.deep.equal(done);
            list({ a: "Leader", c: "Replica" }, { a: "192.0.2.2" });
            expect(move()).to.deep.equal(done);
            expect(runner.read("log")).to.equal("");
        });

        it("stops where its data would be on one node only", () => {
            runner.fake("date", 'cd "$HOME"; echo . >>clock; echo "$(wc -l <clock)0"');
            runner.fake("sleep", ":");
            list({ a: "Leader", c: "Replica" }, elsewhere);
            const { status, stderr } = move();
            expect(status).to.equal(1);
            expect(stderr).to.include("without patroni-c the data would be on one node only; not streaming: patroni-b");
        });

        it("does nothing on a host where no node runs yet", () => {
            runner.write("running", "");
            list({ a: "Replica", b: "Replica", c: "Leader" }, elsewhere);
            expect(move()).to.deep.equal(done);
            expect(runner.read("log")).to.equal("");
        });

        it("does not stand in the way where certificates have expired", () => {
            const gate = { functions: ["expired() { true; }"], orExpired: " || expired" };
            list({ a: "Leader", c: "Replica" }, elsewhere);
            expect(handOver({ nodes, moving: "patroni-c", guarding, gate })).to.deep.equal(done);
            runner.write("refuse", "");
            list({ a: "Replica", c: "Leader" }, elsewhere);
            expect(handOver({ nodes, moving: "patroni-c", guarding, gate })).to.deep.equal(done);
        });
    });
});
