import { expect } from "chai";
import { join } from "node:path";
import { ScriptResult, ScriptRunner } from "../render/scriptRunner";

const script = join(__dirname, "../../scripts/repair-stack.sh");

/** Stands in for pulumi: `state.json` is the stack's state, `log` what was asked for beside reading. */
const pulumi = `
case "$1 $2" in
    whoami*) printf '{"url": "file://%s/backend"}' "$HOME" ;;
    "stack export") for last do :; done; cp "$HOME/state.json" "$last" ;;
    "stack import") for last do :; done; cp "$last" "$HOME/imported.json" ;;
    refresh*) echo refresh >>"$HOME/log" ;;
esac`;

/** Stands in for ssh: everything that is asked for is there, and made by this library unless its name says otherwise. */
const ssh = `
case "$*" in
    *inspect*foreign*) ;;
    *inspect*) echo pg ;;
    *) echo "$*" >>"$HOME/log" ;;
esac`;

describe("scripts/repair-stack.sh", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.fake("pulumi", pulumi);
        runner.fake("ssh", ssh);
        runner.write("backend/.pulumi/stacks/project/lab.json.attrs", "");
    });
    afterEach(() => runner.remove());

    const provider = (host: string): object => ({
        type: "pulumi:providers:docker",
        urn: `urn:${host}`,
        id: "1",
        inputs: { host: `ssh://root@${host}`, sshOpts: JSON.stringify(["-o", "BatchMode=yes"]) },
    });

    function repair(...pending: { type: string; name: string; host: string; operation?: string }[]): ScriptResult {
        const operations = pending.map(({ type, name, host, operation = "creating" }) => ({
            type: operation,
            resource: { type: `docker:index/${type}`, inputs: { name }, provider: `urn:${host}::1` },
        }));
        const resources = [provider("192.0.2.11"), provider("192.0.2.12")];
        runner.write("state.json", JSON.stringify({ deployment: { resources, pending_operations: operations } }));
        return runner.run(`bash '${script}' lab`);
    }

    it("removes a container from its own host, with force, and forgets what was pending", () => {
        const { status, stdout } = repair(
            { type: "container:Container", name: "pg-patroni-db1", host: "192.0.2.11" },
            { type: "remoteImage:RemoteImage", name: "image", host: "192.0.2.12" },
            { type: "container:Container", name: "pg-etcd-db2", host: "192.0.2.12", operation: "updating" },
        );
        expect(status).to.equal(0);
        expect(stdout).to.include("removing the container pg-patroni-db1");
        expect(runner.read("log").trim().split("\n")).to.deep.equal([
            "-o BatchMode=yes ssh://root@192.0.2.11 docker container rm --force pg-patroni-db1",
            "refresh",
        ]);
        expect(runner.read("imported.json")).to.match(/"pending_operations": \[\]/);
    });

    it("removes a service and a secret from the Swarm's manager", () => {
        repair(
            { type: "service:Service", name: "pg-haproxy", host: "192.0.2.12" },
            { type: "secret:Secret", name: "pg-haproxy-users-0123456", host: "192.0.2.12" },
        );
        expect(runner.read("log").trim().split("\n")).to.deep.equal([
            "-o BatchMode=yes ssh://root@192.0.2.12 docker service rm pg-haproxy",
            "-o BatchMode=yes ssh://root@192.0.2.12 docker secret rm pg-haproxy-users-0123456",
            "refresh",
        ]);
    });

    it("leaves alone what somebody else made", () => {
        const { status, stderr } = repair({ type: "network:Network", name: "foreign", host: "192.0.2.11" });
        expect(status).to.equal(1);
        expect(stderr).to.include("the network foreign is there but was not made by this library");
        expect(runner.read("log")).to.equal("");
    });

    it("has nothing to do where nothing was interrupted", () => {
        const { status, stdout } = repair();
        expect(status).to.equal(0);
        expect(stdout).to.include("nothing was interrupted in stack lab");
        expect(runner.read("log")).to.equal("");
    });
});
