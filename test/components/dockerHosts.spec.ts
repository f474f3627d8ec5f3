import { expect } from "chai";
import { DockerHosts, EtcdQuorum, PostgresClusterArgs } from "../../components";
import { createCluster, dockerHostsArgs, hostConnections, image, singleHostArgs } from "../helpers/cluster";
import { containerInputs, publishedBy } from "../helpers/container";
import { record, RecordOptions } from "../helpers/mocks";
import { Recording } from "../helpers/recording";

function recordOnHosts(changes: Partial<PostgresClusterArgs> = {}, options?: RecordOptions): Promise<Recording> {
    return record(() => createCluster(dockerHostsArgs(changes)), options);
}

function recordOnOneHost(changes: Partial<PostgresClusterArgs> = {}): Promise<Recording> {
    return record(() => createCluster(singleHostArgs(changes)));
}

describe("A cluster on plain Docker hosts", () => {
    let recording: Recording;

    before(async () => {
        recording = await recordOnHosts({ applications: { shop: {} }, labels: { team: "data" } });
    });

    it("has nothing of a Swarm", () => {
        for (const type of ["Service", "ServiceConfig", "Secret"]) {
            expect(recording.ofType(type), type).to.deep.equal([]);
        }
        expect(recording.names().filter((name) => /-(labels|released)$/.test(name))).to.deep.equal([]);
        for (const { name, inputs } of recording.ofType("Command")) {
            expect(String(inputs.stdin), name).not.to.match(/docker (service|node)/);
        }
    });

    it("runs the same containers as a Swarm, each by its host's own engine", () => {
        const containers = recording.ofType("Container").map(({ name, provider }) => `${name} by ${provider}`);
        const kinds = ["etcd", "exporter", "haproxy", "patroni", "pgbouncer"];
        expect(containers.sort()).to.deep.equal(
            kinds.flatMap((kind) =>
                ["db1", "db2", "db3"].map((host) => `pg-${kind}-${host} by pg-hosts-${host}-engine`),
            ),
        );
        expect(recording.custom("pg-hosts-db2-engine").inputs.host).to.equal("ssh://root@192.0.2.12:22");
    });

    it("hardens each container, and has it run again after a restart of the host", () => {
        for (const { name } of recording.ofType("Container")) {
            const container = containerInputs(recording, name);
            expect(container, name).to.include({ user: "999:999", readOnly: true, restart: "always", mustRun: true });
            expect(container.logOpts, name).to.deep.equal({ "max-size": "20m", "max-file": "5" });
            expect(container.labels, name).to.deep.include.members([
                { label: "pgha.cluster", value: "pg" },
                { label: "team", value: "data" },
                { label: "pgha.workload", value: container.name },
            ]);
        }
    });

    it("gives each container its limits, its time to stop and its health check", () => {
        expect(containerInputs(recording, "pg-haproxy-db1")).to.include({ memory: 256, cpuQuota: 50000 });
        const { healthcheck, ...patroni } = containerInputs(recording, "pg-patroni-db1");
        expect(patroni).to.include({ memory: 4096, stopTimeout: 120, destroyGraceSeconds: 120 });
        expect(healthcheck).to.include({ interval: "5s", timeout: "10s", startPeriod: "30s", retries: 6 });
        expect(healthcheck.tests.slice(0, 3)).to.deep.equal(["CMD", "sh", "-c"]);
        expect(healthcheck.tests.at(-1)).to.equal("https://127.0.0.1:8008/liveness");
        expect(containerInputs(recording, "pg-etcd-db1").healthcheck.startPeriod).to.equal("1m0s");
    });

    it("publishes ports in the order in which they are read back", () => {
        expect(publishedBy(recording, "pg-patroni-db2")).to.deep.equal(["5432:5432", "8008:8008"]);
        expect(publishedBy(recording, "pg-haproxy-db2")).to.deep.equal([
            "5433:5433",
            "5434:5434",
            "5435:5435",
            "7000:7000",
        ]);
    });

    it("lets the members know each other by host address", () => {
        const directory = String(recording.custom("pg-etcd-db1-data").inputs.stdin);
        expect(directory).to.include("etcd-db2 https://192.0.2.12:2380");
        const member = String(recording.custom("pg-patroni-db1-member").inputs.stdin);
        expect(member).to.include("connect_address: 192.0.2.11:5432");
    });

    it("joins a host's containers by a bridge on which the entry points have names", () => {
        expect(recording.ofType("Network").map(({ name, inputs }) => `${name} ${String(inputs.name)}`)).to.deep.equal(
            ["db1", "db2", "db3"].map((host) => `pg-hosts-${host}-network pg`),
        );
        const network = (name: string) => containerInputs(recording, name).networksAdvanced;
        expect(network("pg-patroni-db1")).to.deep.equal([{ name: "pg", aliases: [] }]);
        expect(network("pg-haproxy-db1")).to.deep.equal([{ name: "pg", aliases: ["pg-haproxy"] }]);
        expect(network("pg-pgbouncer-db3")).to.deep.equal([{ name: "pg", aliases: ["pg-pgbouncer"] }]);
    });

    it("names containers as a Swarm's services, so that the same commands find them", () => {
        const names = recording.ofType("Container").map(({ inputs }) => String(inputs.name));
        expect(
            [...new Set(names)].filter((name) => !name.endsWith("db2") && !name.endsWith("db3")).sort(),
        ).to.deep.equal(["pg-etcd-db1", "pg-exporter-db1", "pg-haproxy", "pg-patroni-db1", "pg-pgbouncer"]);
        expect(recording.custom("pg-haproxy-running-db3").inputs.stdin).to.include('names="pg-haproxy"');
    });

    it("asks no engine for anything before its host is prepared", () => {
        expect(recording.ancestorsOf("pg-hosts-db1-network")).to.include("pg-host-db1-system");
        expect(recording.ancestorsOf("pg-etcd-db1-image")).to.include("pg-hosts-db1-network");
    });

    it("has image and files there before a container goes", async () => {
        expect(recording.custom("pg-etcd-db3").dependsOn).to.include.members([
            "pg-etcd-db3-image",
            "pg-etcd-db3-config",
            "pg-etcd-db3-data",
        ]);
        expect(recording.ancestorsOf("pg-etcd-db3-image")).not.to.include("pg-etcd-db2");
        expect(recording.ancestorsOf("pg-etcd-db3-config")).not.to.include("pg-etcd-db2");
        expect(recording.custom("pg-etcd-db3").deleteBeforeReplace).to.equal(true);
        expect(recording.custom("pg-etcd-db3-image").inputs).to.include({ keepLocally: true, name: image("etcd") });
        const after = await recordOnHosts({ etcd: { quotaBackendMiB: 4096 } });
        const sourceIn = (from: Recording) =>
            containerInputs(from, "pg-etcd-db1").mounts.find(({ target }) => target === "/etc/etcd/etcd.yml");
        expect(sourceIn(recording)?.source).to.match(/^\/srv\/pgha\/pg\/\.files\/etcd-db1\/config-[0-9a-f]{10}$/);
        expect(sourceIn(after)?.source).not.to.equal(sourceIn(recording)?.source);
        expect(after.custom("pg-etcd-db1-config").inputs.triggers).to.deep.equal([sourceIn(after)?.source]);
        expect(after.custom("pg-etcd-db1-config").deleteBeforeReplace).to.equal(false);
    });

    it("keeps a frozen file as it is", () => {
        const bootstrap = recording.custom("pg-patroni-db1-bootstrap");
        expect(bootstrap.ignoreChanges).to.deep.equal(["stdin"]);
        expect(containerInputs(recording, "pg-patroni-db1").mounts).to.deep.include({
            type: "bind",
            source: "/srv/pgha/pg/.files/patroni-db1/bootstrap",
            target: "/etc/patroni/20-bootstrap.yml",
            readOnly: true,
        });
    });

    it("changes one container after the other, entry points included", () => {
        for (const kind of ["etcd", "patroni", "haproxy", "pgbouncer"]) {
            const last = kind === "etcd" || kind === "patroni" ? ["gate"] : [];
            const chain = ["db1", "db2", "db3"].flatMap((key) => [
                `pg-${kind}-${key}`,
                ...["replaced", ...last].map((step) => `pg-${kind}-${key}-${step}`),
            ]);
            expect(recording.outOfOrder([...chain, `pg-${kind}-running-db1`]), kind).to.deep.equal([]);
        }
    });

    it("waits on each host for its own containers", () => {
        const script = String(recording.custom("pg-etcd-running-db2").inputs.stdin);
        expect(script).to.include('names="pg-etcd-db2"');
        expect(recording.custom("pg-etcd-running-db2").inputs.connection).to.include({ host: "192.0.2.12" });
    });

    it("points to a container's logs as they are read there", () => {
        expect(String(recording.custom("pg-patroni-db1-gate").inputs.update)).to.be.a("string");
        expect(String(recording.custom("pg-patroni-db1-gate").inputs.stdin)).to.include("docker logs pg-patroni-db1");
    });

    it("changes nothing but the entry points when they change", async () => {
        const before = await recordOnHosts();
        const after = await recordOnHosts({ haproxy: { maxConnections: 5000 } }, { previous: before });
        const expected = ["db1", "db2", "db3"].flatMap((host) => [
            `pg-haproxy-${host}`,
            `pg-haproxy-${host}-config`,
            `pg-haproxy-${host}-replaced`,
            `pg-haproxy-running-${host}`,
        ]);
        expect(after.changedSince(before)).to.deep.equal([...expected, "pg-haproxy-clients"].sort());
    });

    it("keeps the data, and removes the files", () => {
        expect(recording.custom("pg-etcd-db1-data").inputs.delete).to.equal(undefined);
        expect(recording.custom("pg-etcd-db1-config").inputs.delete).to.be.a("string");
        expect(recording.custom("pg-etcd-db1-config").inputs.stdin).to.match(/delete\(\) \{\nfile='.*config-/);
    });
});

describe("A cluster on a single Docker host", () => {
    let recording: Recording;

    before(async () => {
        recording = await recordOnOneHost();
    });

    it("gives members their own addresses, and publishes only the entry points", () => {
        expect(containerInputs(recording, "pg-patroni-b").networksAdvanced).to.deep.equal([
            { name: "pg", aliases: [], ipv4Address: "172.19.0.22" },
        ]);
        expect(containerInputs(recording, "pg-haproxy-db1").networksAdvanced[0]?.ipv4Address).to.equal("172.19.0.30");
        const published = recording.ofType("Container").filter(({ name }) => publishedBy(recording, name).length > 0);
        expect(published.map(({ name }) => name).sort()).to.deep.equal(["pg-haproxy-db1", "pg-pgbouncer-db1"]);
    });

    it("lets all others find a member at its own address and the container's port", () => {
        expect(recording.custom("pg-etcd-a-data").inputs.stdin).to.include("etcd-c https://172.19.0.13:2380");
        expect(recording.custom("pg-patroni-c-member").inputs.stdin).to.include("connect_address: 172.19.0.23:5432");
        expect(recording.custom("pg-haproxy-db1-config").inputs.stdin).to.include("172.19.0.22:5432");
        expect(containerInputs(recording, "pg-exporter-b").envs).to.include(
            "DATA_SOURCE_URI=172.19.0.22:5432/postgres?sslmode=verify-full&sslrootcert=/etc/exporter/ca.crt",
        );
    });

    it("keeps data in named volumes", () => {
        expect(containerInputs(recording, "pg-patroni-a").mounts[0]).to.deep.equal({
            type: "volume",
            source: "pg-patroni-a",
            target: "/var/lib/postgresql",
            readOnly: false,
        });
        expect(recording.custom("pg-patroni-a-data").inputs.stdin).to.include("docker volume create 'pg-patroni-a'");
    });

    it("shares the host's memory between the nodes", () => {
        expect(containerInputs(recording, "pg-patroni-a").memory).to.equal(Math.floor(4096 / 3));
    });

    it("says what it doesn't survive", () => {
        expect(recording.warnings).to.have.length(2);
        expect(recording.warnings.join()).to.match(
            /patroni\.nodes: .*survives the loss of a container, but not of the host/,
        );
    });

    it("publishes the ports that a member asks for", async () => {
        const ports = { postgres: 5442, api: 8001, exporter: 9188 };
        const nodes = { a: { host: "db1", address: "172.19.0.21", ports }, b: { host: "db1", address: "172.19.0.22" } };
        const own = await recordOnOneHost({ patroni: { nodes } });
        expect(publishedBy(own, "pg-patroni-a")).to.deep.equal(["5442:5432", "8001:8008"]);
        expect(publishedBy(own, "pg-exporter-a")).to.deep.equal(["9188:9187"]);
        expect(own.custom("pg-haproxy-db1-config").inputs.stdin).to.include("172.19.0.21:5432");
    });
});

describe("What plain Docker hosts have in common with a Swarm", () => {
    it("a firewall, which lets the containers of the cluster's bridge through", async () => {
        const recording = await recordOnHosts({ firewall: { clients: ["10.0.0.0/8"] } });
        const { options } = recording.custom("pg-hosts-db1-network").inputs as { options: { [name: string]: string } };
        const bridge = options["com.docker.network.bridge.name"] ?? "";
        expect(bridge).to.match(/^pgha-[0-9a-f]{10}$/);
        expect(String(recording.custom("pg-firewall-db1").inputs.stdin)).to.include(
            `iifname { "lo", "${bridge}" } return`,
        );
    });

    it("a label of the cluster, container by container, and never on the network", async () => {
        const before = await recordOnHosts();
        const after = await recordOnHosts({ labels: { team: "data" } }, { previous: before });
        const changed = after.changedSince(before);
        for (const name of [
            "pg-patroni-db2-prepare",
            "pg-patroni-db2",
            "pg-patroni-db2-gate",
            "pg-haproxy-db2-replaced",
        ]) {
            expect(changed).to.include(name);
        }
        // With another network all containers on it would go at once.
        expect(changed.filter((name) => name.endsWith("-network"))).to.deep.equal([]);
    });

    it("labels of the user's on HAProxy's containers", async () => {
        const labels = { "traefik.enable": "true" };
        const container = containerInputs(await recordOnHosts({ haproxy: { labels } }), "pg-haproxy-db1");
        expect(container.labels).to.deep.include({ label: "traefik.enable", value: "true" });
    });

    it("a cluster without PgBouncer and exporters", async () => {
        const parts = { pgbouncer: { enabled: false }, exporter: { enabled: false } };
        const names = (await recordOnHosts(parts)).names();
        expect(names.filter((name) => /pgbouncer|exporter/.test(name))).to.deep.equal([]);
    });
});

describe("DockerHosts", () => {
    it("is a target for single parts", async () => {
        const recording = await record(() => {
            const hosts = hostConnections();
            const target = new DockerHosts("docker", { clusterName: "pg", hosts, dataRoot: "/data" });
            const members = { a: { host: "db1" } };
            new EtcdQuorum("etcd", { target, hosts, members, image: image("etcd"), dataRoot: "/data" });
        });
        expect(recording.custom("etcd-a").provider).to.equal("docker-db1-engine");
        expect(recording.custom("etcd-a-config").inputs.stdin).to.include("/data/pg/.files/etcd-a");
    });

    it("gives the bridge the range that is asked for", async () => {
        const recording = await record(
            () => new DockerHosts("docker", { clusterName: "pg", hosts: hostConnections(), subnet: "172.19.0.0/24" }),
        );
        expect(recording.custom("docker-db1-network").inputs.ipamConfigs).to.deep.equal([{ subnet: "172.19.0.0/24" }]);
    });
});
