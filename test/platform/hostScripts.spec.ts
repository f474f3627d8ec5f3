import { expect } from "chai";
import { waitForContainers } from "../../components/platform/hosts/waitScript";
import { createCluster, hostConnection, singleHostArgs } from "../helpers/cluster";
import { record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { ScriptResult, ScriptRunner } from "../render/scriptRunner";

describe("Scripts on plain Docker hosts", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("sleep", "exit 0");
    });
    afterEach(() => runner.remove());

    describe("waiting", () => {
        const script = waitForContainers(hostConnection("db1"), ["pg-etcd-a", "pg-etcd-b"], 1);

        /** A Docker whose containers tell this of themselves; restarts are those counted from the second question on. */
        function containers(states: { [name: string]: string }, restarts = 0): void {
            runner.fake(
                "docker",
                [
                    'for name; do :; done; case "$1 $3" in',
                    '  "inspect {{.RestartCount}}") n=$(cat "$HOME/asked" 2>/dev/null || echo 0); echo $((n + 1)) >"$HOME/asked"',
                    `    if [ "$n" -ge 2 ]; then echo $((7 + ${restarts})); else echo 7; fi ;;`,
                    '  inspect*) case "$name" in',
                    ...Object.entries(states).map(([name, state]) => `${name}) echo '${state}' ;;`),
                    "  *) exit 1 ;; esac ;;",
                    '  ps*) echo "  its state" ;; logs*) echo "its log" ;; esac',
                ].join("\n"),
            );
        }

        it("ends when all run and are healthy, however often they were started before", () => {
            containers({ "pg-etcd-a": "running healthy", "pg-etcd-b": "running healthy" });
            expect(runner.run(script)).to.deep.equal({ status: 0, stdout: "", stderr: "" });
        });

        it("fails with state and log of the one that isn't, and the next step", () => {
            containers({ "pg-etcd-a": "running healthy", "pg-etcd-b": "running starting" });
            const { status, stderr } = runner.run(script);
            expect(status).to.equal(1);
            expect(stderr).to.match(/its state\n {4}its log\nhost db1 .*pg-etcd-b: not healthy after 1 s\n {2}next: /);
        });

        it("names one that is missing", () => {
            containers({ "pg-etcd-a": "running healthy" });
            expect(runner.run(script).stderr).to.include("pg-etcd-b: not healthy");
        });

        it("doesn't wait for one that ends again and again", () => {
            containers({ "pg-etcd-a": "running healthy", "pg-etcd-b": "restarting unhealthy" }, 3);
            expect(runner.run(script).stderr).to.include("pg-etcd-b: it ends again and again");
        });
    });

    describe("files", () => {
        let recording: Recording;

        before(async () => {
            recording = await record(() => createCluster(singleHostArgs()));
        });

        function run(command: string, action: "run" | "delete"): ScriptResult {
            runner.fake("chown", 'echo "$*" >>"$HOME/owners"');
            const script = String(recording.custom(command).inputs.stdin).replaceAll(
                "/srv/pgha",
                `${runner.directory}/srv`,
            );
            return runner.run(`set -- ${action}\n${script}`);
        }

        function fileOf(command: string): string {
            const [path] = recording.custom(command).inputs.triggers as string[];
            return String(path).replace("/srv/pgha/", "srv/");
        }

        it("are written whole, for the container's user alone", () => {
            expect(run("pg-haproxy-db1-config", "run")).to.deep.equal({ status: 0, stdout: "", stderr: "" });
            expect(runner.read(fileOf("pg-haproxy-db1-config"))).to.match(/^global\n[^]*\n$/);
            expect(runner.read("owners")).to.match(/^(999:999 .*\n){2}$/);
        });

        it("go with the directories that they leave empty", () => {
            run("pg-haproxy-db1-config", "run");
            expect(run("pg-haproxy-db1-config", "delete").status).to.equal(0);
            expect(runner.read(fileOf("pg-haproxy-db1-config"))).to.equal("");
            expect(run("pg-haproxy-db1-config", "delete").status, "again").to.equal(0);
        });

        it("that are frozen stay as they are", () => {
            runner.write("srv/pg/.files/patroni-a/bootstrap", "the first");
            expect(run("pg-patroni-a-bootstrap", "run").status).to.equal(0);
            expect(runner.read("srv/pg/.files/patroni-a/bootstrap")).to.equal("the first");
        });

        it("of data lie in a volume, which is made and marked", () => {
            runner.write("volume/.keep", "");
            runner.fake("docker", 'echo "$*" >>"$HOME/asked"; [ "$2" != inspect ] || echo "$HOME/volume"');
            const script = String(recording.custom("pg-patroni-a-data").inputs.stdin);
            runner.fake("chown", "exit 0");
            expect(runner.run(`rm "$HOME/volume/.keep"; set -- run\n${script}`).stderr).to.equal("");
            expect(runner.read("asked")).to.include("volume create pg-patroni-a");
            expect(runner.read("volume/.pgha-identity")).to.equal("pg-patroni-a\n");
        });
    });
});
