import { expect } from "chai";
import {
    renderHostScript,
    renderLabelCheckScript,
    renderLabelRemovalScript,
    renderLabelScript,
} from "../../components/render/hostScripts";
import { failFunction } from "../../components/render/shell";
import { ScriptRunner } from "./scriptRunner";

const fail = failFunction({ key: "db1", sshAddress: "192.0.2.11" });
const sysctlFile = "etc/sysctl.d/60-pgha.conf";
const sshdFile = "etc/ssh/sshd_config.d/10-pgha.conf";

describe("render/hostScripts", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
    });
    afterEach(() => runner.remove());

    describe("host script", () => {
        const script = renderHostScript(fail, { "vm.swappiness": "1", "net.core.somaxconn": "4096" });

        beforeEach(() => {
            runner.fake("docker", "echo 29.0");
            runner.fake("sysctl", 'cat "$3" >/dev/null');
            runner.fake("sshd", "exit 0");
            runner.fake("systemctl", 'echo "$*" >>"$HOME/log"');
        });

        it("writes kernel settings and sshd's limits, and reloads sshd", () => {
            expect(runner.run(script)).to.deep.equal({ status: 0, stdout: "", stderr: "" });
            expect(runner.read(sysctlFile)).to.equal("net.core.somaxconn = 4096\nvm.swappiness = 1\n");
            expect(runner.read(sshdFile)).to.equal("MaxStartups 100:30:200\nMaxSessions 100\n");
            expect(runner.read("log")).to.equal("reload ssh\n");
        });

        it("is the same whatever the order of the settings", () => {
            expect(renderHostScript(fail, { "net.core.somaxconn": "4096", "vm.swappiness": "1" })).to.equal(script);
        });

        it("doesn't reload sshd again when nothing changed", () => {
            runner.run(script);
            expect(runner.run(script).status).to.equal(0);
            expect(runner.read("log")).to.equal("reload ssh\n");
        });

        it("puts a changed file right", () => {
            runner.run(script);
            runner.write(sysctlFile, "vm.swappiness = 60\n");
            expect(runner.run(script).status).to.equal(0);
            expect(runner.read(sysctlFile)).to.include("vm.swappiness = 1\n");
        });

        const failures = [
            { program: "docker", said: "no Docker engine answers", next: "install and start Docker there" },
            { program: "sysctl", said: "a kernel setting was refused", next: "correct 'sysctls' of this host" },
            { program: "sshd", said: "sshd refuses", next: "run 'sshd -t' there" },
            { program: "systemctl", said: "can't reload sshd", next: "look at 'systemctl status ssh' there" },
        ];
        for (const { program, said, next } of failures) {
            it(`names host and remedy when ${program} fails, and a second run finishes`, () => {
                runner.fake(program, "exit 1");
                const failed = runner.run(script);
                expect(failed.status).to.equal(1);
                expect(failed.stderr).to.include(`host db1 (192.0.2.11): ${said}`).and.to.include(`next: ${next}`);

                runner.fake(program, 'echo "$*" >>"$HOME/log"');
                expect(runner.run(script).status).to.equal(0);
                expect(runner.read(sshdFile)).to.include("MaxStartups");
                expect(runner.read("log")).to.match(program === "systemctl" ? /reload ssh\n$/ : /./);
            });
        }
    });

    describe("label scripts", () => {
        const node = { nodeName: "db1", labels: { "pgha.host": "db1", infra_node: "1" } };

        /** A manager that knows these nodes, and these labels of the one with id `ready1`. */
        function fakeManager(nodes: string, labels: string): void {
            runner.write("nodes", nodes);
            runner.write("labels", labels);
            runner.fake(
                "docker",
                [
                    'case "$2" in',
                    '    ls) cat "$HOME/nodes" ;;',
                    '    inspect) [ "$5" = ready1 ] && cat "$HOME/labels" ;;',
                    '    update) shift 2; printf "%s\\n" "$@" >"$HOME/updated" ;;',
                    "esac",
                ].join("\n"),
            );
        }
        const nodes = "db2 Ready ready2\ndb1 Down old1\ndb1 Ready ready1\n";
        const check = (): string => runner.run(renderLabelCheckScript(node)).stdout.trim();

        it("prints the mark of the last setting while all labels are there", () => {
            fakeManager(nodes, "infra_node=1\npgha.host=db1\npgha.mark=7\nother=x\n");
            expect(check()).to.equal("7");
        });

        const losses = {
            "a label is lost": "pgha.host=db1\npgha.mark=7\n",
            "a label is changed": "infra_node=12\npgha.host=db1\npgha.mark=7\n",
            "there was no setting": "",
            "the mark is lost": "infra_node=1\npgha.host=db1\n",
        };
        for (const [loss, labels] of Object.entries(losses)) {
            it(`prints a new mark when ${loss}`, () => {
                fakeManager(nodes, labels);
                expect(check()).to.match(/^\d{16,}$/);
            });
        }

        it("prints a new mark when there is no such node", () => {
            fakeManager("db2 Ready ready2\n", "infra_node=1\npgha.host=db1\npgha.mark=7\n");
            expect(check()).to.match(/^\d{16,}$/);
        });

        it("sets all labels and the mark on the node that is ready", () => {
            fakeManager(`${nodes}db1 Down old2\n`, "");
            expect(runner.run(renderLabelScript(fail, node, "8"))).to.deep.equal({ status: 0, stdout: "", stderr: "" });
            expect(runner.read("updated").trim().split("\n")).to.deep.equal([
                ...[
                    "--label-add",
                    "infra_node=1",
                    "--label-add",
                    "pgha.host=db1",
                    "--label-add",
                    "pgha.mark=8",
                    "ready1",
                ],
            ]);
        });

        it("takes a node that is down where there is no other", () => {
            fakeManager("db1 Down old1\n", "");
            expect(runner.run(renderLabelScript(fail, node, "8")).status).to.equal(0);
            expect(runner.read("updated")).to.match(/\nold1\n$/);
        });

        it("names host and remedy when there is no such node", () => {
            fakeManager("db10 Ready ready10\n", "");
            const { status, stderr } = runner.run(renderLabelScript(fail, node, "8"));
            expect(status).to.equal(1);
            expect(stderr)
                .to.include("host db1 (192.0.2.11): no Swarm node is called db1")
                .and.to.include("docker node ls");
        });

        const holders = [
            { label: "pgha.pg.haproxy", nodeNames: ["db1", "db2"] },
            { label: "pgha.pg.pgbouncer", nodeNames: [] },
        ];

        it("takes labels from all nodes but some, where they are", () => {
            runner.fake(
                "docker",
                [
                    'case "$2" in',
                    "    ls) printf '%s\\n' 'id1 db1' 'id2 db2' 'id3 db3' 'id30 db30' ;;",
                    '    inspect) [ "$5" = id30 ] || echo pgha.pg.haproxy=true; echo pgha.pg.haproxyx=true ;;',
                    '    update) echo "$*" >>"$HOME/updated" ;;',
                    "esac",
                ].join("\n"),
            );
            expect(runner.run(renderLabelRemovalScript(fail, holders))).to.deep.equal({
                status: 0,
                stdout: "",
                stderr: "",
            });
            expect(runner.read("updated")).to.equal("node update --label-rm pgha.pg.haproxy id3\n");
        });

        it("names host and remedy when the manager doesn't take a label from a node", () => {
            runner.fake(
                "docker",
                'case "$2" in ls) echo "id3 db3" ;; inspect) echo pgha.pg.haproxy=true ;; *) exit 1 ;; esac',
            );
            const { status, stderr } = runner.run(renderLabelRemovalScript(fail, holders));
            expect(status).to.equal(1);
            expect(stderr).to.include("can't take pgha.pg.haproxy from a node").and.to.include("pulumi up");
        });

        it("names host and remedy when the manager refuses", () => {
            runner.fake("docker", 'case "$2" in ls) echo "db1 Ready ready1" ;; *) exit 1 ;; esac');
            const { status, stderr } = runner.run(renderLabelScript(fail, node, "8"));
            expect(status).to.equal(1);
            expect(stderr).to.include("can't set its labels").and.to.include("'swarm.manager'");
        });
    });
});
