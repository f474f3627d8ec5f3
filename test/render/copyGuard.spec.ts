import { expect } from "chai";
import { copyGuard } from "../../components/render/copyGuard";
import { nodesFunctions } from "../../components/render/patroniScripts";
import { failFunction, inContainerFunction } from "../../components/render/shell";
import { ScriptResult, ScriptRunner } from "./scriptRunner";

describe("render/copyGuard", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("docker", 'case "$1" in ps) cat "$HOME/running" ;; exec) cat "$HOME/list" ;; esac');
        runner.write("running", "container\n");
        runner.write("clock", "0\n");
        // Each look at it is ten seconds later, and then the rows of `later` are those of the list.
        runner.fake(
            "date",
            'cd "$HOME"; echo $(($(cat clock) + 10)) >clock; cat clock; if [ -e later ] && [ "$(cat clock)" -gt 10 ]; then mv later list; fi',
        );
        runner.fake("sleep", ":");
    });
    afterEach(() => runner.remove());

    function list(states: { [node: string]: string }, file = "list"): void {
        const rows = Object.entries(states).map(([node, state]) => {
            const role = state === "leads" ? "Leader" : "Replica";
            return ["pg", `patroni-${node}`, "192.0.2.1", role, state === "leads" ? "running" : state, "1", ""];
        });
        const header = ["Cluster", "Member", "Host", "Role", "State", "TL", "Tags"];
        runner.write(file, [header, ...rows].map((cells) => `${cells.join("\t")}\n`).join(""));
    }

    function guard(others = ["patroni-a", "patroni-c"], orElse = ""): ScriptResult {
        const guarded = copyGuard({ node: "patroni-b", others, orElse });
        const host = { key: "db2", sshAddress: "192.0.2.12" };
        return runner.run(
            [
                failFunction(host),
                inContainerFunction("pg-patroni-b"),
                ...nodesFunctions("pg"),
                ...guarded,
                "echo gone",
            ].join("\n"),
        );
    }

    const lets: { [title: string]: { [node: string]: string } } = {
        "a replica where another one streams": { a: "leads", b: "streaming", c: "streaming" },
        "a leader where two replicas stream": { a: "streaming", b: "leads", c: "streaming" },
        "a replica that does not stream, and may be mended by it": { a: "leads", b: "starting" },
        "a replica where one streams that the settings don't have any more": {
            a: "leads",
            b: "streaming",
            z: "streaming",
        },
        "anybody where nobody can be listed": {},
    };
    for (const [title, states] of Object.entries(lets)) {
        it(`lets ${title} go`, () => {
            list(states);
            expect(guard()).to.deep.equal({ status: 0, stdout: "gone\n", stderr: "" });
        });
    }

    const keeps: { [title: string]: { [node: string]: string } } = {
        "a replica where no other one is listed": { a: "leads", b: "streaming" },
        "a replica where no other one streams": { a: "leads", b: "streaming", c: "running" },
        "a leader that would leave only one node": { a: "streaming", b: "leads", c: "starting" },
        "a leader alone": { b: "leads" },
    };
    for (const [title, states] of Object.entries(keeps)) {
        it(`keeps ${title}`, () => {
            list(states);
            const { status, stdout, stderr } = guard();
            expect({ status, stdout }).to.deep.equal({ status: 1, stdout: "" });
            const away = title === "a leader alone" ? "patroni-a patroni-c" : "patroni-c";
            expect(stderr).to.include(
                `host db2 (192.0.2.12): without patroni-b the data would be on one node only; not streaming: ${away}\n  next: `,
            );
            expect(stderr).to.include("--target '**-patroni-c' --target '**-patroni-c-*'' first");
        });
    }

    it("waits for one that is about to stream", () => {
        list({ a: "leads", b: "streaming", c: "starting" });
        list({ a: "leads", b: "streaming", c: "streaming" }, "later");
        expect(guard()).to.deep.equal({ status: 0, stdout: "gone\n", stderr: "" });
    });

    it("lets a node go that doesn't run", () => {
        runner.write("running", "");
        expect(guard().stdout).to.equal("gone\n");
    });

    it("lets a node go for another reason, as where certificates have expired", () => {
        list({ a: "leads", b: "streaming" });
        expect(guard(undefined, " || true").stdout).to.equal("gone\n");
    });

    it("asks for nothing in a group of two", () => {
        expect(guard(["patroni-a"]).stdout).to.equal("gone\n");
    });
});
