import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { PostgresCluster, PostgresClusterArgs } from "../../components";
import { clusterArgs, createCluster, hostArgs, recordCluster } from "../helpers/cluster";
import { record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, serviceInputs } from "../helpers/service";

type Changes = Partial<PostgresClusterArgs>;

const applications = { shop: { roles: { reader: {} } } };

/** The cluster itself, with what it was made of. */
async function made(changes: Changes): Promise<{ cluster: PostgresCluster; recording: Recording }> {
    let cluster: PostgresCluster | undefined;
    const recording = await record(() => {
        cluster = createCluster(clusterArgs({ applications, ...changes }));
    });
    return { cluster: cluster ?? expect.fail("no cluster was made"), recording };
}

const resolved = <T>(output: pulumi.Output<T> | undefined): Promise<T | undefined> =>
    new Promise((resolve) => (output === undefined ? resolve(undefined) : output.apply(resolve)));

const constraintsOf = (recording: Recording, name: string) =>
    serviceInputs(recording, name).taskSpec.placement.constraints;

/** Hosts db1 to db3 with labels of the user's. */
const labelled = (labels: (index: number) => { [name: string]: string }) =>
    Object.fromEntries(
        Object.entries(hostArgs()).map(([key, host], index) => [key, { ...host, labels: labels(index) }]),
    );

describe("Routing", () => {
    describe("without PgBouncer", () => {
        it("makes nothing of it, and gives nobody its address", async () => {
            const { cluster, recording } = await made({ pgbouncer: { enabled: false } });
            expect(recording.names().filter((name) => name.includes("pgbouncer"))).to.deep.equal([]);
            expect(cluster.endpoints.pooled).to.deep.equal([]);
            expect(cluster.operations.pgbouncer).to.deep.equal([]);
            expect(Object.keys(cluster.passwords)).not.to.include("pgbouncer");
            expect(await resolved(cluster.applications.shop?.urls)).to.have.all.keys("direct", "readOnly");
            const roles = await resolved(cluster.applications.shop?.roles);
            expect(roles?.reader?.urls).to.have.all.keys("direct", "readOnly");
        });
    });

    describe("without exporters", () => {
        it("makes nothing of them", async () => {
            const { cluster, recording } = await made({ exporter: { enabled: false } });
            expect(recording.names().filter((name) => name.includes("exporter"))).to.deep.equal([]);
            expect(cluster.endpoints.metrics).to.deep.equal([]);
            expect(cluster.operations.exporters).to.deep.equal([]);
            expect(
                Object.keys(cluster.monitoring.scrapeTargets).filter((job) => job.includes("postgres")),
            ).to.deep.equal([]);
            expect(Object.keys(cluster.passwords)).not.to.include("exporter");
        });
    });

    describe("through HAProxy to PgBouncer", () => {
        const pooled = { haproxy: { ports: { pooled: 6432 } } };

        it("names HAProxy as pooled endpoint, in URLs too", async () => {
            const { cluster } = await made({ ...pooled, pgbouncer: { hosts: ["db3"] } });
            const endpoints = ["192.0.2.11:6432", "192.0.2.12:6432", "192.0.2.13:6432"];
            expect(cluster.endpoints.pooled).to.deep.equal(endpoints);
            const urls = await resolved(cluster.applications.shop?.urls);
            expect(urls?.pooled).to.include(`@${endpoints.join(",")}/shop`);
        });

        it("joins each part to its networks and no other", async () => {
            const { recording } = await made(pooled);
            const networks: { [service: string]: string[] } = {};
            for (const { name } of recording.ofType("Service")) {
                const ids = serviceInputs(recording, name).taskSpec.networksAdvanceds.map(({ id }) => id);
                if (ids.length > 0) {
                    networks[name] = ids;
                }
            }
            expect(networks).to.deep.equal({
                "pg-haproxy": ["pg-network-id", "pg-network-pooler-id"],
                "pg-pgbouncer": ["pg-network-pooler-id"],
            });
            expect(portsOf(recording, "pg-pgbouncer")).to.deep.equal([]);
        });

        it("makes no loop: what PgBouncer asks leads to the servers", async () => {
            const { recording } = await made(pooled);
            const port = /host=pg-haproxy port=(\d+)/.exec(fileContent(recording, "pg-pgbouncer-config"))?.[1];
            const listener = fileContent(recording, "pg-haproxy-config")
                .split(/^(?=listen |frontend )/m)
                .find((section) => section.includes(`bind :${port}\n`));
            expect(listener).to.include("server patroni-db1 192.0.2.11:5432").and.not.include("pgbouncer");
        });
    });

    describe("hosts that change", () => {
        const [few, many] = [["db1", "db2"], Object.keys(hostArgs(4))];
        /** As little as there can be beside the entry points. */
        const rest = {
            hosts: hostArgs(4),
            etcd: { members: { db1: { host: "db1" } } },
            patroni: { nodes: { db1: { host: "db1" } } },
            exporter: { enabled: false },
        };
        const changed = async (before: Changes, after: Changes): Promise<string[]> => {
            const earlier = await recordCluster({ ...rest, ...before });
            const later = await recordCluster({ ...rest, ...after }, { previous: earlier });
            return later.changedSince(earlier);
        };

        for (const [name, before, after] of [
            ["more", few, many],
            ["fewer", many, few],
        ] as const) {
            it(`of PgBouncer, ${name} of them, touch labels, and their certificate's addresses`, async () => {
                const names = await changed({ pgbouncer: { hosts: before } }, { pgbouncer: { hosts: after } });
                expect(names).to.deep.equal([
                    "pg-certificates-pgbouncer-request",
                    "pg-host-db3-labels",
                    "pg-host-db4-labels",
                    "pg-patroni-db1-switchover",
                    "pg-pgbouncer-members",
                    "pg-pgbouncer-running",
                    "pg-released",
                ]);
            });
        }

        it("of PgBouncer, one for another, wait for the one that comes", async () => {
            const names = await changed(
                { pgbouncer: { hosts: ["db1", "db2"] } },
                { pgbouncer: { hosts: ["db1", "db3"] } },
            );
            expect(names).to.include.members(["pg-pgbouncer-running", "pg-released"]);
        });

        it("are left only when all containers elsewhere know", async () => {
            const names = (await recordCluster({ ...rest, haproxy: { hosts: few } })).names();
            const last = names.indexOf("pg-released");
            expect(last).to.be.above(names.indexOf("pg-haproxy-running"));
            expect(last).to.be.above(names.indexOf("pg-pgbouncer-running"));
        });

        it("that leave reach the others until then", async () => {
            const firewall = { clients: ["10.0.0.0/8"] };
            const names = (await recordCluster({ ...rest, firewall, haproxy: { hosts: few } })).names();
            expect(names.indexOf("pg-firewall-db1-hosts")).to.be.above(names.indexOf("pg-released"));
            expect(names.indexOf("pg-firewall-db1")).to.be.below(names.indexOf("pg-released"));
        });

        it("of HAProxy leave its containers as they are, and PgBouncers behind it", async () => {
            const ports = { pooled: 6432 };
            const before = { haproxy: { ports, hosts: few }, pgbouncer: { hosts: few } };
            const earlier = await recordCluster({ ...rest, ...before });
            const later = await recordCluster({ ...rest, ...before, haproxy: { ports, hosts: many } });
            const names = later.changedSince(earlier);
            expect(names).to.include.members(["pg-haproxy-running", "pg-host-db4-labels", "pg-released"]);
            expect(
                names.filter((name) => /-(config|users)$|^pg-haproxy$|^pg-pgbouncer(-running)?$/.test(name)),
            ).to.deep.equal([]);
            const task = (recording: Recording) => serviceInputs(recording, "pg-haproxy").taskSpec;
            expect(task(later)).to.deep.equal(task(earlier));
        });

        it("of PgBouncer behind HAProxy leave HAProxy alone", async () => {
            const haproxy = { ports: { pooled: 6432 }, hosts: few };
            const names = await changed(
                { haproxy, pgbouncer: { hosts: few } },
                { haproxy, pgbouncer: { hosts: many } },
            );
            expect(names).to.include("pg-pgbouncer-running");
            expect(names.filter((name) => name.startsWith("pg-haproxy"))).to.deep.equal([]);
        });
    });

    describe("labels that the user places by", () => {
        it("seed 002: patroni=nodeN and etcd=nodeN, beside the host's own", async () => {
            const hosts = labelled((index) => ({ patroni: `node${index + 1}`, etcd: `node${index + 1}` }));
            const { recording } = await made({
                hosts,
                patroni: { placementLabel: "patroni" },
                etcd: { placementLabel: "etcd" },
            });
            expect(constraintsOf(recording, "pg-patroni-db2")).to.deep.equal([
                "node.labels.pgha.host==db2",
                "node.labels.patroni==node2",
            ]);
            expect(constraintsOf(recording, "pg-etcd-db3")).to.deep.equal([
                "node.labels.pgha.host==db3",
                "node.labels.etcd==node3",
            ]);
        });

        it("seed 004: pg==1 on all data hosts never puts two members on one of them", async () => {
            const hosts = labelled(() => ({ pg: "1" }));
            const { recording } = await made({
                hosts,
                patroni: { placementLabel: "pg" },
                etcd: { placementLabel: "pg" },
            });
            const members = recording.names().filter((name) => /^pg-(patroni|etcd)-db\d$/.test(name));
            const services = recording.ofType("Service").filter(({ name }) => members.includes(name));
            const pins = services.map(({ name }) => constraintsOf(recording, name));
            expect(pins).to.have.lengthOf(6);
            expect(pins.every((pin) => pin.includes("node.labels.pg==1"))).to.equal(true);
            expect(new Set(pins.map(([own]) => own)).size).to.equal(3);
        });

        it("seed 004: edge==1 gives HAProxy its hosts", async () => {
            const hosts = labelled((index): { [name: string]: string } => (index > 0 ? { edge: "1" } : {}));
            const { cluster, recording } = await made({ hosts, haproxy: { placementLabel: "edge" } });
            expect(cluster.endpoints.readWrite).to.deep.equal(["192.0.2.12:5433", "192.0.2.13:5433"]);
            expect(constraintsOf(recording, "pg-haproxy")).to.deep.equal(["node.labels.pgha.pg.haproxy==true"]);
            const labelling = ["db1", "db2"].map((key) => recording.custom(`pg-host-${key}-labels`).inputs.create);
            expect(labelling[0]).not.to.include("pgha.pg.haproxy=true");
            expect(labelling[1]).to.include("pgha.pg.haproxy=true");
        });
    });
});
