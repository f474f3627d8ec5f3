import { expect } from "chai";
import { waitForServices } from "../../components/platform/swarm/waitScript";
import { hostConnection } from "../helpers/cluster";
import { ScriptResult, ScriptRunner } from "../render/scriptRunner";

describe("Waiting for a Swarm's services", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("sleep", "exit 0");
        runner.fake(
            "docker",
            [
                'for name; do :; done; case "$1 $2" in',
                '  "service inspect") cat "$HOME/state.$name" 2>/dev/null || echo ;;',
                // Swarm forgets that it has stopped an update.
                '  "service update") echo "$name" >>"$HOME/updated"; cp "$HOME/then" "$HOME/state.$name" 2>/dev/null || : >"$HOME/state.$name" ;;',
                '  "service ps") case "$*" in *no-trunc*) printf "  %s\\n" "a on db1: Running 2 minutes ago" "a on db1: Shutdown 2 minutes ago" "its state" ;; *) cat "$HOME/tasks.$name" ;; esac ;;',
                '  "service logs") echo "its log" ;;',
                "esac",
            ].join("\n"),
        );
    });
    afterEach(() => runner.remove());

    function wait(...services: { name: string; nodes?: string[] }[]): ScriptResult {
        return runner.run(waitForServices(hostConnection("db1"), services, 1));
    }

    const spread = { name: "pg-haproxy", nodes: ["db1", "db2"] };
    const done = { status: 0, stdout: "", stderr: "" };

    function tasks(service: string, ...lines: string[]): void {
        runner.write(`tasks.${service}`, lines.map((line) => `${line}\n`).join(""));
    }

    it("ends when each node that is to have a task runs it, and a single service somewhere", () => {
        tasks("pg-haproxy", "Running|db1|Running 3 minutes ago", "Running|db2|Running 5 seconds ago");
        tasks("pg-etcd-a", "Running|db3|Running 3 minutes ago", "Shutdown|db3|Failed 3 minutes ago");
        expect(wait(spread, { name: "pg-etcd-a" })).to.deep.equal(done);
    });

    it("takes no task of a host that is about to go for that of another one", () => {
        tasks(
            "pg-haproxy",
            "Running|db1|Running 3 minutes ago",
            "Running|db3|Running 3 minutes ago",
            "Running|db2|Preparing 2 seconds ago",
        );
        const { status, stderr } = wait(spread);
        expect(status).to.equal(1);
        expect(stderr).to.match(
            /^  its state\n {4}its log\nhost db1 .*pg-haproxy: not running after 1 s\n {2}next: mend/,
        );
    });

    it("doesn't wait for one that ends again and again, unless it is on a host that is about to go", () => {
        const failures = (node: string): string[] =>
            [2, 8, 14].map((age) => `Shutdown|${node}|Failed ${age} seconds ago`);
        const running = ["Running|db1|Running 3 minutes ago", "Running|db2|Running 1 second ago"];
        tasks("pg-haproxy", ...running, ...failures("db2"));
        expect(wait(spread).stderr).to.include("pg-haproxy: it ends again and again");
        tasks("pg-haproxy", ...running, ...failures("db3"));
        expect(wait(spread)).to.deep.equal(done);
    });

    describe("whose update Swarm has stopped,", () => {
        beforeEach(() => runner.write("state.pg-haproxy", "paused\n"));

        it("takes it up again where all run and none has failed for a minute", () => {
            tasks(
                "pg-haproxy",
                "Running|db1|Running 3 minutes ago",
                "Running|db2|Running 2 minutes ago",
                "Shutdown|db2|Failed 2 minutes ago",
            );
            expect(wait(spread)).to.deep.equal(done);
            expect(runner.read("updated")).to.equal("pg-haproxy\n");
        });

        it("does so, too, where it was for a host that is about to go", () => {
            tasks(
                "pg-haproxy",
                "Running|db1|Running 3 minutes ago",
                "Running|db2|Running 2 minutes ago",
                "Shutdown|db3|Failed 2 seconds ago",
            );
            expect(wait(spread)).to.deep.equal(done);
        });

        it("says so where one doesn't run, and leaves the next one alone", () => {
            tasks("pg-haproxy", "Running|db1|Running 3 minutes ago", "Ready|db2|Ready 2 seconds ago");
            expect(wait(spread).stderr).to.include("pg-haproxy: Swarm stopped its update");
            expect(runner.read("updated")).to.equal("");
        });

        it("waits where one has failed a moment ago", () => {
            tasks(
                "pg-haproxy",
                "Running|db1|Running 3 minutes ago",
                "Running|db2|Running 2 seconds ago",
                "Shutdown|db2|Failed 9 seconds ago",
            );
            expect(wait(spread).stderr).to.include("pg-haproxy: not running after 1 s");
            expect(runner.read("updated")).to.equal("");
        });

        it("takes it up once", () => {
            runner.write("then", "paused\n");
            tasks("pg-haproxy", "Running|db1|Running 3 minutes ago", "Running|db2|Running 2 minutes ago");
            expect(wait(spread).stderr).to.include("pg-haproxy: Swarm stopped its update");
            expect(runner.read("updated")).to.equal("pg-haproxy\n");
        });
    });
});
