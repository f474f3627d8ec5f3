import { expect } from "chai";
import { clusterArgs, createCluster, hostArgs, images, recordCluster } from "../helpers/cluster";
import { problemPaths, record, recordRefusal } from "../helpers/mocks";

describe("PostgresCluster", () => {
    it("is made of its parts, each by its key", async () => {
        const recording = await recordCluster({ applications: { shop: {} } });
        expect(recording.childrenOf("pg")).to.deep.equal([
            "ApplicationDatabase pg-application-shop",
            "ClusterCertificates pg-certificates",
            "ClusterCertificates pg-etcd-certificates",
            "ClusterCredentials pg-credentials",
            "ClusterNetwork pg-network",
            "Command pg-released",
            "EtcdQuorum pg-etcd",
            "HaProxy pg-haproxy",
            "Host pg-host-db1",
            "Host pg-host-db2",
            "Host pg-host-db3",
            "PatroniGroup pg-patroni",
            "PgBouncer pg-pgbouncer",
            "PostgresExporter pg-exporter",
            "Stash pg-generations",
            "Stash pg-guard",
            "Stash pg-tls",
            "Stash pg-tls-finished",
        ]);
    });

    it("puts nothing but itself directly under the stack", async () => {
        const recording = await recordCluster({ applications: { shop: {} } });
        const top = recording.resources.filter((resource) => resource.parent === undefined);
        expect(top.map((resource) => resource.type)).to.deep.equal([
            "pulumi:providers:docker",
            "pgha:index:PostgresCluster",
        ]);
    });

    it("makes every Swarm object through the provider that it was given", async () => {
        const recording = await recordCluster();
        const objects = recording.resources.filter((resource) => resource.type.startsWith("docker:"));
        expect(objects).to.have.length.above(10);
        expect(objects.filter((resource) => resource.provider !== "swarm")).to.deep.equal([]);
    });

    it("names Swarm objects after clusterName and resources after the component", async () => {
        const recording = await recordCluster({ clusterName: "orders" });
        expect(recording.component("pg-etcd").parent).to.equal("pg");
        const services = recording.ofType("Service").map((service) => service.inputs.name);
        expect(services).to.have.members(
            [
                ["etcd-db1", "etcd-db2", "etcd-db3"],
                ["patroni-db1", "patroni-db2", "patroni-db3"],
                ["exporter-db1", "exporter-db2", "exporter-db3"],
                ["haproxy", "pgbouncer"],
            ]
                .flat()
                .map((name) => `orders-${name}`),
        );
    });

    it("labels every Swarm object as the cluster's, and with the user's labels those that can change theirs", async () => {
        const recording = await recordCluster({ labels: { team: "data" } });
        for (const { type, name, inputs } of recording.resources.filter((each) => each.type.startsWith("docker:"))) {
            expect(inputs.labels, name).to.deep.include({ label: "pgha.cluster", value: "pg" });
            const team = { label: "team", value: "data" };
            if (type.endsWith("/service:Service")) expect(inputs.labels, name).to.deep.include(team);
            else expect(inputs.labels, name).not.to.deep.include(team);
        }
    });

    it("puts members on their own hosts, and entry points on labelled ones", async () => {
        const recording = await recordCluster({
            patroni: { nodes: { a: { host: "db1" }, b: { host: "db3" } } },
            etcd: { members: { x: { host: "db2" } } },
            haproxy: { hosts: ["db1", "db2"] },
            pgbouncer: { hosts: ["db2", "db3"] },
        });
        const constraints = Object.fromEntries(
            recording.ofType("Service").map((service) => [service.name, placementOf(service.inputs).constraints]),
        );
        expect(constraints).to.deep.equal({
            "pg-etcd-x": ["node.labels.pgha.host==db2"],
            "pg-patroni-a": ["node.labels.pgha.host==db1"],
            "pg-patroni-b": ["node.labels.pgha.host==db3"],
            "pg-exporter-a": ["node.labels.pgha.host==db1"],
            "pg-exporter-b": ["node.labels.pgha.host==db3"],
            "pg-haproxy": ["node.labels.pgha.pg.haproxy==true"],
            "pg-pgbouncer": ["node.labels.pgha.pg.pgbouncer==true"],
        });
        const labelsOf = (host: string): unknown => recording.custom(`pg-host-${host}-labels`).inputs.create;
        expect(labelsOf("db1")).to.include("pgha.pg.haproxy=true").and.not.include("pgbouncer");
        expect(labelsOf("db2")).to.include("pgha.pg.haproxy=true pgha.pg.pgbouncer=true");
        expect(labelsOf("db3")).to.include("pgha.pg.pgbouncer=true").and.not.include("haproxy");
    });

    it("touches no other member when one more host joins", async () => {
        const three = {
            patroni: { nodes: { a: { host: "db1" } } },
            haproxy: { hosts: ["db1"] },
            pgbouncer: { hosts: ["db1"] },
        };
        const before = await recordCluster(three);
        const after = await recordCluster({ ...three, hosts: hostArgs(4) }, { previous: before });
        expect(after.changedSince(before)).to.deep.equal(["pg-host-db4", "pg-host-db4-labels", "pg-host-db4-system"]);
    });

    it("makes roles and databases only when the primary can be reached through the router", async () => {
        const recording = await recordCluster({ applications: { shop: {} } });
        for (const name of ["pg-pgbouncer-role", "pg-exporter-role", "pg-application-shop-database"]) {
            expect(recording.ancestorsOf(name), name).to.include.members([
                "pg-patroni-dynamic-config",
                "pg-haproxy-running",
                "pg-patroni-db3",
            ]);
        }
    });

    it("asks no host anything in a preview", async () => {
        const recording = await recordCluster({ applications: { shop: {} } }, { preview: true });
        expect(recording.invocations).to.deep.equal([]);
        expect(recording.names()).to.include("pg-application-shop");
    });

    it("tells of each application in plain data, which another stack can read as a secret", async () => {
        let told: object = {};
        await record(() => {
            told = createCluster(clusterArgs({ applications: { shop: {} } })).applications.shop ?? {};
        });
        expect(Object.keys(told)).to.deep.equal([
            "database",
            "owner",
            "username",
            "password",
            "urls",
            "roles",
            "replicationRoles",
        ]);
    });

    it("guards the applications' databases, too", async () => {
        const recording = await recordCluster({ applications: { shop: {} } });
        expect(recording.ancestorsOf("pg-guard")).to.include("pg-application-shop-database");
    });

    it("tells where everything answers", async () => {
        let told: unknown;
        await record(() => {
            const { endpoints, nodes } = createCluster(clusterArgs({ hosts: hostArgs(1) }));
            told = { endpoints, nodes };
        });
        expect(told).to.deep.equal({
            endpoints: {
                readWrite: ["192.0.2.11:5433"],
                readOnly: ["192.0.2.11:5434"],
                any: ["192.0.2.11:5435"],
                pooled: ["192.0.2.11:6432"],
                statistics: ["192.0.2.11:7000"],
                metrics: ["192.0.2.11:9187"],
            },
            nodes: {
                db1: {
                    name: "patroni-db1",
                    address: "192.0.2.11",
                    postgres: "192.0.2.11:5432",
                    patroniApi: "https://192.0.2.11:8008",
                },
            },
        });
    });

    describe("refusals", () => {
        it("names all problems at once, and creates nothing", async () => {
            const { recording, error } = await recordRefusal(() => {
                createCluster(
                    clusterArgs({
                        clusterName: "No Name",
                        swarm: { manager: "db9" },
                        etcd: { members: { a: { host: "db1" }, b: { host: "db1" } } },
                        patroni: { ttlSeconds: 5 },
                        network: { subnet: "10.0.0.0" },
                        applications: { postgres: {} },
                    }),
                );
            });
            expect(problemPaths(error)).to.include.members([
                "clusterName",
                "swarm.manager",
                "etcd.members",
                "etcd.members.b",
                "patroni.ttlSeconds",
                "network.subnet",
                "applications.postgres.owner",
            ]);
            expect(recording.childrenOf("pg")).to.deep.equal([]);
        });

        it("refuses two nodes on one host", async () => {
            const nodes = { a: { host: "db1" }, b: { host: "db1" } };
            const { error } = await recordRefusal(() => createCluster(clusterArgs({ patroni: { nodes } })));
            expect(problemPaths(error)).to.deep.equal(["patroni.nodes.b"]);
            expect(String(error)).to.include('both on host "db1"');
        });

        it("refuses two nodes whose hosts have the same label value", async () => {
            const hosts = hostArgs();
            for (const host of Object.values(hosts)) {
                Object.assign(host, { labels: { rack: "r1" }, placementLabel: "rack" });
            }
            const { error, recording } = await recordRefusal(() => createCluster(clusterArgs({ hosts })));
            expect(problemPaths(error)).to.include.members(["patroni.nodes.db3", "etcd.members.db3"]);
            expect(recording.childrenOf("pg")).to.deep.equal([]);
        });
    });

    describe("warnings", () => {
        it("says nothing when there is nothing to say", async () => {
            expect((await recordCluster()).warnings).to.deep.equal([]);
        });

        it("tells of a host without a host key", async () => {
            const hosts = hostArgs();
            delete hosts.db2?.ssh;
            const { warnings } = await recordCluster({ hosts });
            expect(warnings).to.have.length(1);
            expect(warnings[0]).to.match(/^hosts\.db2\.ssh\.hostKey: .*ssh-keyscan -t ed25519 192\.0\.2\.12/);
        });

        it("tells of an image without a digest", async () => {
            const { warnings } = await recordCluster({ images: { ...images, etcd: "registry.example.com/etcd:3.5" } });
            expect(warnings).to.have.length(1);
            expect(warnings[0]).to.match(/^images\.etcd: "registry\.example\.com\/etcd:3\.5" has no digest/);
        });

        it("tells of a single entry point", async () => {
            const { warnings } = await recordCluster({ haproxy: { hosts: ["db1"] } });
            expect(warnings).to.have.length(1);
            expect(warnings[0]).to.match(/^haproxy\.hosts: one host/);
        });
    });
});

function placementOf(service: { [name: string]: unknown }): { constraints: string[] } {
    return (service.taskSpec as { placement: { constraints: string[] } }).placement;
}
