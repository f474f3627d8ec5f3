import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { containersProbe, parseProbeAnswers, Questions, renderProbeScript } from "../../cli/probes";
import { containerPaths } from "../../components/defaults";
import { ScriptRunner } from "../render/scriptRunner";
import { fixture, operations } from "./fixtures";

const everything: Questions = { parts: ["patroni", "etcd", "haproxy", "pgbouncer", "exporters"], certificates: true };

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
        const { status, stdout, stderr } = runner.run(renderProbeScript(operations, "db2", everything));
        expect([status, stderr]).to.deep.equal([0, ""]);
        const answers = parseProbeAnswers(stdout);
        expect([...answers.keys()]).to.deep.equal([
            containersProbe,
            "lab-patroni-db2/cluster",
            "lab-patroni-db2/local",
            "lab-patroni-db2/config",
            "lab-patroni-db2/certificate",
            "lab-etcd-db2/status",
            "lab-etcd-db2/health",
            "lab-etcd-db2/certificate",
            "lab-haproxy/statistics",
            "lab-haproxy/certificate",
            "lab-pgbouncer/state",
            "lab-pgbouncer/pools",
            "lab-pgbouncer/certificate",
            "lab-exporter-db2/up",
            "lab-exporter-db2/certificate",
        ]);
        expect(answers.get(containersProbe)?.stdout).to.equal("lab-haproxy\trunning\tUp (healthy)\n");
        expect(answers.get("lab-haproxy/statistics")?.stdout).to.match(/^a b\n\tc ü exec -i c1 curl /);
        expect(answers.get("lab-etcd-db2/health")).to.deep.equal({ status: 3, stdout: "", stderr: "no quorum\n" });
        expect(answers.get("lab-exporter-db2/up")?.status).not.to.equal(0);
    });

    it("leaves nothing behind on the host", () => {
        runner.fake("docker", "exit 0");
        runner.fake("mktemp", 'mkdir "$HOME/answers"; echo "$HOME/answers"');
        runner.run(renderProbeScript(operations, "db1", everything));
        expect(runner.run("ls answers").status).not.to.equal(0);
    });

    it("asks by TLS where the cluster's parts speak nothing else", () => {
        const script = renderProbeScript({ ...operations, internalTls: true }, "db1", everything);
        expect(script.match(/https:\/\/127\.0\.0\.1:(8008|2379|9187)/g)).to.have.length(6);
        expect(script.match(/http:\/\/127\.0\.0\.1:\d+/g)).to.deep.equal(["http://127.0.0.1:8404"]);
    });

    it("needs no password in any command", () => {
        const script = renderProbeScript(operations, "db1", everything);
        expect(script.replaceAll(containerPaths.haproxyCertificate, "")).not.to.match(/secret|passw/i);
    });

    it("shows no private key of a file that holds one beside the certificate", () => {
        runner.fake("docker", 'case "$1" in ps) echo c1 ;; *) shift 3; exec "$@" ;; esac');
        runner.write("run/secrets/server.pem", `${fixture("server.crt")}-----BEGIN PRIVATE KEY-----\nhidden\n`);
        const { stdout } = runner.run(renderProbeScript(operations, "db2", { parts: ["haproxy"], certificates: true }));
        expect(parseProbeAnswers(stdout).get("lab-haproxy/certificate")).to.deep.equal({
            status: 0,
            stdout: fixture("server.crt"),
            stderr: "",
        });
    });

    it("passes shellcheck as POSIX shell", () => {
        const { error, stdout } = spawnSync(
            "shellcheck",
            ["--shell=sh", "--format=gcc", "--exclude=SC2016,SC2030,SC2031,SC2317,SC2329", "-"],
            { input: renderProbeScript(operations, "db1", everything), encoding: "utf8" },
        );
        expect(error?.message, "shellcheck is missing: apt-get install shellcheck").to.equal(undefined);
        expect(stdout).to.equal("");
    });
});
