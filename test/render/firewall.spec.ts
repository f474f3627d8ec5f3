import { expect } from "chai";
import {
    FirewallConfig,
    renderFirewall,
    renderFirewallRemovalScript,
    renderFirewallScript,
} from "../../components/render/firewall";
import { failFunction } from "../../components/render/shell";
import { expectGolden } from "./golden";
import { ScriptRunner } from "./scriptRunner";

const config: FirewallConfig = {
    clusterName: "pg",
    hosts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
    rules: [
        { name: "clients", ports: [5433, 5434, 5435, 6432], sources: ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.50"] },
        { name: "monitoring", ports: [9187, 7000], sources: ["192.0.2.60"] },
        { name: "operators", ports: [2379, 2380, 5432, 8008], sources: [] },
    ],
    bridge: "docker_gwbridge",
};
const fail = failFunction({ key: "db1", sshAddress: "192.0.2.11" });
const script = renderFirewallScript(fail, config, true);
const removal = renderFirewallRemovalScript("pg");

const rulesFile = "etc/pgha/firewall-pg.nft";
const unitFile = "etc/systemd/system/pgha-firewall-pg.service";

describe("render/firewall", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("nft", 'echo "nft $*" >>"$HOME/log"; case "$2" in -) cat >>"$HOME/log" ;; esac');
        runner.fake("systemctl", 'echo "systemctl $*" >>"$HOME/log"');
        runner.write("etc/systemd/system/other.service", "");
    });
    afterEach(() => runner.remove());

    const withSystemd = (): void => runner.write("run/systemd/system/x", "");
    /** Scripts are functions when they run on hosts. */
    const run = (text: string) => runner.run(`run() {\n${text}\n}\nrun </dev/null`);
    const log = (): string[] => runner.read("log").replaceAll(runner.directory, "").trimEnd().split("\n");

    it("renders the rules", () => expectGolden("firewall.nft", renderFirewall(config)));

    it("closes every listed port, and none where none is published", () => {
        expect(renderFirewall(config)).to.include(
            "th dport { 2379, 2380, 5432, 5433, 5434, 5435, 6432, 7000, 8008, 9187 } counter drop",
        );
        expect(renderFirewall({ ...config, rules: [] })).not.to.include("drop");
    });

    it("sets the rules, and a unit that brings them back", () => {
        withSystemd();
        expect(run(script)).to.deep.equal({ status: 0, stdout: "", stderr: "" });
        expect(runner.read(rulesFile)).to.equal(renderFirewall(config));
        expectGolden("firewall.service", runner.read(unitFile).replaceAll(runner.directory, ""));
        expect(log()).to.deep.equal([
            "nft -f /etc/pgha/firewall-pg.nft.new",
            "systemctl daemon-reload",
            "systemctl --quiet enable pgha-firewall-pg.service",
            "systemctl start pgha-firewall-pg.service",
        ]);
    });

    it("lets hosts that leave in until it is told not to", () => {
        const two = { ...config, hosts: ["192.0.2.11", "192.0.2.14"] };
        const hosts = (): string | undefined =>
            /set hosts \{[^}]*elements = \{ ([^}]*) \}/.exec(runner.read(rulesFile))?.[1];
        run(script);
        expect(run(renderFirewallScript(fail, two, true))).to.deep.equal({ status: 0, stdout: "", stderr: "" });
        expect(hosts()).to.equal("192.0.2.11, 192.0.2.12, 192.0.2.13, 192.0.2.11, 192.0.2.14");
        expect(runner.read(rulesFile).match(/elements/g)).to.have.length(3);
        run(renderFirewallScript(fail, two, false));
        expect(runner.read(rulesFile)).to.equal(renderFirewall(two));
    });

    it("sets the rules alone where there is no systemd", () => {
        expect(run(script).status).to.equal(0);
        expect(runner.read(rulesFile)).to.equal(renderFirewall(config));
        expect(runner.read(unitFile)).to.equal("");
    });

    it("names host and remedy where nft is missing", () => {
        const withoutNft = script.replaceAll("command -v nft", "command -v nft-of-nobody");
        const { status, stderr } = run(withoutNft);
        expect(status).to.equal(1);
        expect(stderr)
            .to.include("host db1 (192.0.2.11): nft is missing, so no firewall is set")
            .and.to.include("apt-get install nftables");
    });

    it("keeps the rules before where nft refuses the new ones", () => {
        runner.write(rulesFile, "before");
        runner.fake("nft", "exit 1");
        const { status, stderr } = run(script);
        expect(status).to.equal(1);
        expect(stderr).to.include("nft refuses the rules; those before them still hold");
        expect(runner.read(rulesFile)).to.equal("before");
        expect(runner.read(`${rulesFile}.new`)).to.equal("");
    });

    it("says so where systemd refuses the unit", () => {
        withSystemd();
        runner.fake("systemctl", "exit 1");
        const { status, stderr } = run(script);
        expect(status).to.equal(1);
        expect(stderr).to.include("can't be set again when the host starts");
    });

    it("is taken away whole, and again when it is gone", () => {
        withSystemd();
        run(script);
        runner.write("log", "");
        for (const attempt of [1, 2]) {
            expect(run(removal).status, `attempt ${attempt}`).to.equal(0);
            expect(runner.read(rulesFile)).to.equal("");
            expect(runner.read(unitFile)).to.equal("");
        }
        expect(log().slice(0, 5)).to.deep.equal([
            "systemctl --quiet disable --now pgha-firewall-pg.service",
            "systemctl daemon-reload",
            "nft -f -",
            "table inet pgha_pg {}",
            "delete table inet pgha_pg",
        ]);
    });
});
