import { expect } from "chai";
import { Firewall, FirewallArgs, PublishMode } from "../../components";
import { hostConnections, recordCluster } from "../helpers/cluster";
import { problemPaths, record, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";

const ports = { members: [5432], clients: [5433], monitoring: [7000] };

function firewallArgs(changes: Partial<FirewallArgs> = {}): FirewallArgs {
    return {
        clusterName: "pg",
        hosts: hostConnections(),
        ports: { db1: ports, db2: ports, db3: ports },
        clients: ["10.0.0.0/8"],
        ...changes,
    };
}

const scriptOf = (recording: Recording, name: string): string => String(recording.custom(name).inputs.stdin);

describe("Firewall", () => {
    it("is a script for each host, which a preview shows, and which goes with the stack", async () => {
        const recording = await record(() => new Firewall("guard", firewallArgs()));
        expect(recording.childrenOf("guard")).to.include.members(
            ["db1", "db2", "db3"].map((key) => `Command guard-${key}`),
        );
        const { wire, inputs } = recording.custom("guard-db1");
        expect(wire.stdin).to.be.a("string").and.include("th dport { 5432, 5433, 7000 } counter drop");
        expect(String(inputs.delete)).to.match(/ delete$/);
        expect(scriptOf(recording, "guard-db1")).to.include("delete table %s");
    });

    it("lets the cluster's hosts in everywhere, and others where they are named", async () => {
        const changes = { monitoring: ["192.0.2.60"], operators: ["192.0.2.70"] };
        const script = scriptOf(await record(() => new Firewall("guard", firewallArgs(changes))), "guard-db2");
        expect(script).to.include("elements = { 192.0.2.11, 192.0.2.12, 192.0.2.13 }");
        for (const line of [
            "th dport { 5433 } ip saddr @clients return",
            "th dport { 7000 } ip saddr @monitoring return",
            "th dport { 5432 } ip saddr @operators return",
        ]) {
            expect(script).to.include(line);
        }
    });

    it("opens a part's ports only where the part runs", async () => {
        const recording = await recordCluster({
            firewall: { clients: ["10.0.0.0/8"] },
            etcd: { members: { db1: { host: "db1" } } },
            patroni: { nodes: { db1: { host: "db1" }, db2: { host: "db2" } } },
            haproxy: { hosts: ["db3"], ports: { pooled: 6400 } },
            exporter: { port: 9999 },
        });
        const closed = (name: string) => /th dport \{ ([^}]*) \} counter drop/.exec(scriptOf(recording, name))?.[1];
        expect(closed("pg-firewall-db1")).to.equal("2379, 2380, 2381, 5432, 8008, 9999");
        expect(closed("pg-firewall-db2")).to.equal("5432, 8008, 9999");
        expect(closed("pg-firewall-db3")).to.equal("5433, 5434, 5435, 6400, 7000");
        expect(scriptOf(recording, "pg-firewall-db3")).to.include(
            "th dport { 5433, 5434, 5435, 6400 } ip saddr @clients return",
        );
    });

    it("covers the ingress mesh, which has a port on every host", async () => {
        const recording = await recordCluster({
            firewall: { clients: ["10.0.0.0/8"] },
            swarm: { manager: "db1", publishMode: PublishMode.Ingress },
            haproxy: { hosts: ["db3"] },
        });
        expect(scriptOf(recording, "pg-firewall-db1")).to.match(/dport \{ 5433,[^}]*\} ip saddr @clients return/);
    });

    it("is not there unless it is asked for", async () => {
        expect((await recordCluster()).names().filter((name) => name.includes("firewall"))).to.deep.equal([]);
    });

    it("refuses what would keep everybody out, and creates nothing", async () => {
        const args = firewallArgs({ clients: [], ports: { db1: { ...ports, clients: [22] } } });
        const { recording, error } = await recordRefusal(() => new Firewall("guard", args));
        expect(problemPaths(error)).to.deep.equal(["firewall.clients", "hosts.db1.ssh.port"]);
        expect(recording.names()).to.deep.equal(["guard"]);
    });
});
