import { expect } from "chai";
import { renderDynamicConfigScript } from "../../components/render/patroniScripts";
import { ScriptResult, ScriptRunner } from "./scriptRunner";

const config = '{"ttl":30,"postgresql":{"parameters":{"max_connections":300}}}';

describe("render/patroniScripts", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fakeFile("docker", "patroni");
        runner.fake("sleep", 'echo "sleep $1" >>"$HOME/log"');
        runner.write("nodes", "patroni-db1\npatroni-db2\npatroni-db3\n");
        runner.write("leader", "patroni-db1\n");
        runner.write("switchover", 'exec docker switchover "$@"\n');
        runner.write("pending", "");
        runner.write("config", "{}");
        runner.write("shown", "loop_wait: 2\nttl: 20\n");
    });
    afterEach(() => runner.remove());

    function apply(): ScriptResult {
        return runner.run(
            renderDynamicConfigScript({
                host: { key: "db1", sshAddress: "192.0.2.11" },
                serviceName: "pg-patroni-db1",
                scope: "pg",
                switchoverScript: `${runner.directory}/switchover`,
                logsCommand: "docker service logs pg-$1",
                configJson: config,
                timeoutSeconds: 3,
            }),
        );
    }

    function expectSuccess(result: ScriptResult): void {
        expect(result).to.deep.equal({ status: 0, stdout: "", stderr: "" });
    }

    it("gives the configuration to patronictl as it is, and waits one loop for it", () => {
        expectSuccess(apply());
        expect(runner.read("config")).to.equal(config);
        expect(runner.read("log")).to.equal("sleep 3\n");
    });

    it("does and waits for nothing when nothing changed", () => {
        runner.write("config", config);
        expectSuccess(apply());
        expect(runner.read("log")).to.equal("");
    });

    it("restarts waiting replicas one by one, then hands the leader's role over", () => {
        runner.write("pending", "patroni-db3\npatroni-db1\npatroni-db2\n");
        expectSuccess(apply());
        expect(runner.read("log").trim().split("\n")).to.deep.equal([
            "sleep 3",
            "restart pg patroni-db2 --pending --force",
            "restart pg patroni-db3 --pending --force",
            "sleep 3",
            "switchover patroni-db1",
            "sleep 3",
        ]);
        expect(runner.read("pending")).to.equal("");
    });

    it("leaves the leader alone when only a replica waits", () => {
        runner.write("pending", "patroni-db2\n");
        expectSuccess(apply());
        expect(runner.read("log")).to.equal("sleep 3\nrestart pg patroni-db2 --pending --force\n");
    });

    it("restarts a single node in place", () => {
        runner.write("nodes", "patroni-db1\n");
        runner.write("pending", "patroni-db1\n");
        expectSuccess(apply());
        expect(runner.read("log")).to.equal("sleep 3\nswitchover --restart patroni-db1\nsleep 3\nsleep 3\n");
    });

    it("restarts the leader where it is, and then the replicas, when a value was lowered", () => {
        runner.write("lowered", "");
        runner.write("pending", "patroni-db1\npatroni-db2\npatroni-db3\n");
        expectSuccess(apply());
        expect(runner.read("log").trim().split("\n")).to.deep.equal([
            "sleep 3",
            "restart pg patroni-db2 --pending --force",
            "restart pg patroni-db3 --pending --force",
            "sleep 3",
            "switchover --restart patroni-db1",
            "sleep 3",
            "restart pg patroni-db2 --pending --force",
            "restart pg patroni-db3 --pending --force",
            "sleep 3",
        ]);
        expect(runner.read("pending")).to.equal("");
    });

    it("fails while a node still waits for its restart", () => {
        runner.write("pending", "patroni-db1\n");
        runner.write("stubborn", "");
        const { status, stderr } = apply();
        expect(status).to.equal(1);
        expect(stderr).to.include("still waiting for a restart: patroni-db1");
    });

    it("says so when the leader can't be restarted", () => {
        runner.write("nodes", "patroni-db1\n");
        runner.write("pending", "patroni-db1\n");
        runner.write("refuse-switchover", "");
        expect(apply().stderr).to.include("can't restart patroni-db1");
    });

    it("keeps a cluster in maintenance, and restarts nothing in it", () => {
        runner.write("shown", "loop_wait: 2\npause: true\nttl: 20\n");
        runner.write("pending", "patroni-db1\npatroni-db2\n");
        expectSuccess(apply());
        expect(JSON.parse(runner.read("config"))).to.deep.equal({ ...(JSON.parse(config) as object), pause: true });
        expect(runner.read("log")).to.equal("sleep 3\n");
    });

    const failures = [
        { file: "refuse-config", said: "Patroni refused the configuration" },
        { file: "refuse-restart", said: "can't restart patroni-db2" },
        { file: "refuse-switchover", said: "no other node could take over from patroni-db1" },
        { file: "no-container", said: "Patroni refused the configuration" },
    ];
    for (const { file, said } of failures) {
        it(`stops with host, reason and next step: ${file}`, () => {
            runner.write("pending", file === "refuse-switchover" ? "patroni-db1\n" : "patroni-db2\n");
            runner.write(file, "");
            const { status, stderr } = apply();
            expect(status).to.equal(1);
            expect(stderr)
                .to.include(`host db1 (192.0.2.11): ${said}`)
                .and.to.match(/\n {2}next: .+/);
        });
    }

    it("shows what patronictl said when it refused", () => {
        runner.write("pending", "patroni-db1\n");
        runner.write("refuse-switchover", "");
        expect(apply().stderr).to.include("no good candidates have been found");
    });
});
