import { expect } from "chai";
import { ClusterOperations } from "../../components";
import { workloadLabel } from "../../components/render/shell";
import { clusterArgs, createCluster, hostArgs, hostKey } from "../helpers/cluster";
import { record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";

async function operate(
    changes: Parameters<typeof clusterArgs>[0] = {},
): Promise<{ operations: ClusterOperations; recording: Recording }> {
    let operations: ClusterOperations | undefined;
    const recording = await record(() => {
        ({ operations } = createCluster(clusterArgs(changes)));
    });
    if (operations === undefined) throw new Error("the program was not run");
    return { operations, recording };
}

describe("A cluster's operations", () => {
    it("name every container by the label that it really has", async () => {
        const { operations, recording } = await operate();
        const { patroni, etcd, haproxy, pgbouncer, exporters } = operations;
        const described = [...patroni, ...etcd, ...haproxy, ...pgbouncer, ...exporters].map(({ label }) => label);
        const labels = recording.ofType("Service").map(({ inputs }) => {
            const { containerSpec } = inputs.taskSpec as {
                containerSpec: { labels: { label: string; value: string }[] };
            };
            return containerSpec.labels.find(({ label }) => label === workloadLabel)?.value;
        });
        expect(new Set(described)).to.deep.equal(new Set(labels));
    });

    it("say on which host each runs", async () => {
        const { operations } = await operate({
            patroni: { nodes: { a: { host: "db2" }, b: { host: "db3" } } },
            etcd: { members: { x: { host: "db1" }, y: { host: "db2" }, z: { host: "db3" } } },
            haproxy: { hosts: ["db1"] },
            pgbouncer: { hosts: ["db1", "db3"] },
        });
        expect(operations.patroni).to.deep.equal([
            { name: "patroni-a", host: "db2", label: "pg-patroni-a" },
            { name: "patroni-b", host: "db3", label: "pg-patroni-b" },
        ]);
        expect(operations.etcd[0]).to.deep.equal({ name: "etcd-x", host: "db1", label: "pg-etcd-x" });
        expect(operations.haproxy).to.deep.equal([{ name: "haproxy", host: "db1", label: "pg-haproxy" }]);
        expect(operations.pgbouncer.map(({ host }) => host)).to.deep.equal(["db1", "db3"]);
        expect(operations.exporters.map(({ name, host }) => [name, host])).to.deep.equal([
            ["exporter-a", "db2"],
            ["exporter-b", "db3"],
        ]);
    });

    it("say how each host is reached", async () => {
        const hosts = hostArgs();
        Object.assign(hosts.db2 ?? {}, { sshAddress: "198.51.100.2", ssh: { user: "admin", port: 2222 } });
        const { operations } = await operate({ hosts });
        expect(operations.hosts.db1).to.deep.equal({ address: "192.0.2.11", user: "root", port: 22, hostKey });
        expect(operations.hosts.db2).to.deep.equal({
            address: "198.51.100.2",
            user: "admin",
            port: 2222,
            hostKey: undefined,
        });
    });

    it("lead psql through HAProxy, at the ports that were chosen", async () => {
        const { psql } = (await operate({ haproxy: { ports: { readWrite: 6000, readOnly: 6001 } } })).operations;
        expect(psql.readWrite).to.include("host=192.0.2.11,192.0.2.12,192.0.2.13 port=6000 ");
        expect(psql.readWrite).to.include("target_session_attrs=read-write");
        expect(psql.readOnly).to.include("port=6001 ").and.not.to.include("read-write");
    });

    it("are plain values without a secret", async () => {
        const { operations, recording } = await operate();
        const text = JSON.stringify(operations);
        const passwords = recording.ofType("RandomPassword");
        expect(passwords.length).to.be.greaterThan(0);
        expect(JSON.parse(text)).to.deep.equal(operations);
        expect(text).not.to.include("Generated0");
    });
});
