import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { containersProbe, parseProbeAnswers, Part, renderProbeScript } from "../../cli/probes";
import { ScriptRunner } from "../render/scriptRunner";
import { operations } from "./fixtures";

const parts: Part[] = ["patroni", "etcd", "haproxy", "pgbouncer", "exporters"];

describe("cli/probes", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
    });
    afterEach(() => runner.remove());

    it("asks everything in a host's containers, and brings the answers back whole", () => {
        runner.fake(
            "docker",
            [
                'case "$*" in',
                "  'ps -a'*) printf 'lab-haproxy\\trunning\\tUp (healthy)\\n' ;;",
                "  ps*workload=lab-exporter*) ;;",
                "  ps*) echo c1 ;;",
                "  *csv*) printf 'a b\\n\\tc \\303\\274 %s\\n' \"$*\" ;;",
                '  *etcdctl*) echo "no quorum" >&2; exit 3 ;;',
                '  *) echo "$*" ;;',
                "esac",
            ].join("\n"),
        );
        const { status, stdout, stderr } = runner.run(renderProbeScript(operations, "db2", parts));
        expect([status, stderr]).to.deep.equal([0, ""]);
        const answers = parseProbeAnswers(stdout);
        expect([...answers.keys()]).to.deep.equal([
            containersProbe,
            "lab-patroni-db2/cluster",
            "lab-patroni-db2/local",
            "lab-patroni-db2/config",
            "lab-etcd-db2/status",
            "lab-etcd-db2/health",
            "lab-haproxy/statistics",
            "lab-pgbouncer/state",
            "lab-pgbouncer/pools",
            "lab-exporter-db2/up",
        ]);
        expect(answers.get(containersProbe)?.stdout).to.equal("lab-haproxy\trunning\tUp (healthy)\n");
        expect(answers.get("lab-haproxy/statistics")?.stdout).to.match(/^a b\n\tc ü exec -i c1 curl /);
        expect(answers.get("lab-etcd-db2/health")).to.deep.equal({ status: 3, stdout: "", stderr: "no quorum\n" });
        expect(answers.get("lab-exporter-db2/up")?.status).not.to.equal(0);
    });

    it("leaves nothing behind on the host", () => {
        runner.fake("docker", "exit 0");
        runner.fake("mktemp", 'mkdir "$HOME/answers"; echo "$HOME/answers"');
        runner.run(renderProbeScript(operations, "db1", parts));
        expect(runner.run("ls answers").status).not.to.equal(0);
    });

    it("asks by TLS where the cluster's parts speak nothing else", () => {
        const script = renderProbeScript({ ...operations, internalTls: true }, "db1", parts);
        expect(script.match(/https:\/\/127\.0\.0\.1:(8008|2379|9187)/g)).to.have.length(6);
        expect(script.match(/http:\/\/127\.0\.0\.1:\d+/g)).to.deep.equal(["http://127.0.0.1:8404"]);
    });

    it("needs no password in any command", () => {
        expect(renderProbeScript(operations, "db1", parts)).not.to.match(/secret|passw/i);
    });

    it("passes shellcheck as POSIX shell", () => {
        const { error, stdout } = spawnSync(
            "shellcheck",
            ["--shell=sh", "--format=gcc", "--exclude=SC2016,SC2030,SC2031,SC2317,SC2329", "-"],
            { input: renderProbeScript(operations, "db1", parts), encoding: "utf8" },
        );
        expect(error?.message, "shellcheck is missing: apt-get install shellcheck").to.equal(undefined);
        expect(stdout).to.equal("");
    });
});
