import { expect } from "chai";
import { Host, HostComponentArgs } from "../../components";
import { hostArgs, hostKey } from "../helpers/cluster";
import { record, RecordOptions, problemPaths, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";

const given: HostComponentArgs = { key: "db1", address: "192.0.2.11", memoryMiB: 4096 };

function recordHost(changes: Partial<HostComponentArgs> = {}, options?: RecordOptions): Promise<Recording> {
    return record(() => new Host("db1", { ...given, ...changes }), options);
}

describe("Host", () => {
    it("is two commands: the system and the labels", async () => {
        expect((await recordHost()).childrenOf("db1")).to.deep.equal(["Command db1-labels", "Command db1-system"]);
    });

    it("dials the host as given, with few and short attempts", async () => {
        const ssh = { user: "ops", port: 2222, hostKey };
        const recording = await recordHost({ sshAddress: "jump.example.com", ssh });
        expect(recording.custom("db1-system").inputs.connection).to.deep.equal({
            host: "jump.example.com",
            user: "ops",
            port: 2222,
            hostKey,
            dialErrorLimit: 3,
            perDialTimeout: 10,
        });
    });

    it("becomes root by sudo for any other login", async () => {
        expect((await recordHost()).custom("db1-system").inputs.create).to.match(/^sh -eu/);
        const recording = await recordHost({ ssh: { user: "ops" } });
        expect(recording.custom("db1-system").inputs.create).to.match(/^sudo -n sh -eu/);
    });

    it("sets the labels on the manager, and says which", async () => {
        const manager = { key: "db2", ...hostArgs().db2, address: "192.0.2.12", memoryMiB: 4096 };
        const recording = await recordHost({ nodeName: "node-one", labels: { rack: "r1" }, manager });
        const { create, connection } = recording.custom("db1-labels").inputs;
        expect(create).to.include("node-one pgha.host=db1 rack=r1");
        expect(connection).to.include({ host: "192.0.2.12" });
        expect(recording.custom("db1-system").inputs.connection).to.include({ host: "192.0.2.11" });
    });

    it("adds the user's kernel settings to its own", async () => {
        const recording = await recordHost({ sysctls: { "vm.overcommit_memory": "2", "vm.swappiness": "5" } });
        const script = String(recording.custom("db1-system").inputs.stdin);
        expect(script).to.include("vm.overcommit_memory = 2").and.include("vm.swappiness = 5");
        expect(script).to.include("net.core.somaxconn = ");
    });

    it("asks the manager in a real run whether the labels are still there", async () => {
        const recording = await recordHost();
        expect(recording.invocations.map(({ token }) => token)).to.deep.equal(["command:local:run"]);
        expect(String(recording.invocations[0]?.inputs.command)).to.match(/^'ssh' .*'root@192\.0\.2\.11'/);
    });

    it("sets the labels again when the manager's answer changes", async () => {
        const before = await recordHost({}, { answer: "mark 1" });
        const same = await recordHost({}, { answer: "mark 1", previous: before });
        const lost = await recordHost({}, { answer: "mark 2", previous: before });
        expect(same.changedSince(before)).to.deep.equal([]);
        expect(lost.changedSince(before)).to.deep.equal(["db1-labels"]);
    });

    it("asks nobody in a preview, and shows no change for it", async () => {
        const before = await recordHost({}, { answer: "mark 1" });
        const preview = await recordHost({}, { preview: true, previous: before });
        expect(preview.invocations).to.deep.equal([]);
        expect(preview.changedSince(before)).to.deep.equal([]);
    });

    it("shows a changed label in a preview", async () => {
        const before = await recordHost();
        const preview = await recordHost({ labels: { rack: "r2" } }, { preview: true, previous: before });
        expect(preview.changedSince(before)).to.deep.equal(["db1-labels"]);
    });

    it("checks the host key that it is given, and lets no other in", async () => {
        const recording = await recordHost({ ssh: { hostKey } });
        const command = String(recording.invocations[0]?.inputs.command);
        expect(command).to.include("StrictHostKeyChecking=yes").and.include(hostKey.split(" ")[1]);
    });

    it("has the constraint of its placement label", async () => {
        const constraints: string[] = [];
        await record(() => {
            constraints.push(new Host("a", given).constraint);
            constraints.push(new Host("b", { ...given, labels: { rack: "r1" }, placementLabel: "rack" }).constraint);
        });
        expect(constraints).to.deep.equal(["node.labels.pgha.host==db1", "node.labels.rack==r1"]);
    });

    it("removes nothing from the host when it goes", async () => {
        const recording = await recordHost();
        expect(recording.ofType("Command").map((command) => command.inputs.delete)).to.deep.equal([
            undefined,
            undefined,
        ]);
    });

    it("refuses what can't be, all at once, and creates nothing", async () => {
        const { recording, error } = await recordRefusal(
            () => new Host("db1", { ...given, key: "Db 1", address: "127.0.0.1", ssh: { hostKey: "none", port: 0 } }),
        );
        expect(problemPaths(error)).to.have.length(4);
        expect(recording.names()).to.deep.equal(["db1"]);
    });
});
