import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { renderLabelCheckScript } from "../../components/render/hostScripts";
import { recordCluster } from "../helpers/cluster";
import { ScriptRunner } from "./scriptRunner";

/** What is meant: `$` inside single quotes, functions that not every script calls, loops over lists that may have one word. */
const accepted = ["SC2016", "SC2317", "SC2329", "SC2043"];

describe("All scripts of a cluster", () => {
    let runner: ScriptRunner;

    before(() => {
        runner = new ScriptRunner();
    });
    after(() => runner.remove());

    it("pass shellcheck as POSIX shell", async () => {
        const recording = await recordCluster({
            firewall: { clients: ["10.0.0.0/8"] },
            applications: { shop: { allowDrop: true, roles: { shop_reader: {} } } },
            administrators: { admin: {} },
        });
        const withConsul = await recordCluster({ consul: {} });
        const recorded = [...recording.ofType("Command"), withConsul.custom("pg-consul-db1-gate")];
        const commands = recorded.map(({ name, inputs }) => [name, String(inputs.stdin)] as const);
        const scripts = [
            ...commands,
            ["label-check", renderLabelCheckScript({ nodeName: "db1", labels: { "pgha.host": "db1" } })] as const,
        ];
        expect(scripts.map(([name]) => name)).to.include.members([
            "pg-host-db1-system",
            "pg-host-db1-labels",
            "pg-firewall-db1",
            "pg-etcd-db1-data",
            "pg-etcd-ready",
            "pg-consul-db1-gate",
            "pg-administrators-roles",
            "pg-patroni-db1-prepare",
            "pg-patroni-db1-gate",
            "pg-patroni-dynamic-config",
            "pg-application-shop-database",
        ]);
        const files = scripts.map(([name, script]) => {
            runner.write(`${name}.sh`, script);
            return `${runner.directory}/${name}.sh`;
        });
        const options = ["--shell=sh", "--format=gcc", `--exclude=${accepted.join(",")}`];
        const { error, stdout } = spawnSync("shellcheck", [...options, ...files], { encoding: "utf8" });
        expect(error?.message, "shellcheck is missing: apt-get install shellcheck").to.equal(undefined);
        expect(stdout.replaceAll(`${runner.directory}/`, "")).to.equal("");
    }).timeout(20000);
});
