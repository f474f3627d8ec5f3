import { expect } from "chai";
import { ConsulQuorum, ConsulQuorumArgs, ExternalEtcd } from "../../components";
import { clusterArgs, createCluster, hostConnections, image, recordCluster, swarmTarget } from "../helpers/cluster";
import { problemPaths, record, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, serviceInputs } from "../helpers/service";
import { ScriptResult, ScriptRunner } from "../render/scriptRunner";

function consulArgs(changes: Partial<ConsulQuorumArgs> = {}): ConsulQuorumArgs {
    return {
        target: swarmTarget(),
        hosts: hostConnections(),
        members: { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db3" } },
        image: image("consul"),
        ...changes,
    };
}

function recordConsul(changes?: Partial<ConsulQuorumArgs>): Promise<Recording> {
    return record(() => new ConsulQuorum("consul", consulArgs(changes)));
}

describe("ConsulQuorum", () => {
    it("is, for each server, a config, a directory and a service with a step before it and two after it", async () => {
        expect((await recordConsul()).childrenOf("consul")).to.deep.equal(
            [
                ...["a", "b", "c"].flatMap((key) => [
                    `Command consul-${key}-data`,
                    `Command consul-${key}-gate`,
                    `Command consul-${key}-prepare`,
                    `Command consul-${key}-replaced`,
                    `Service pg-consul-${key}`,
                    `ServiceConfig pg-consul-${key}-config`,
                ]),
                "Command consul-ready",
                "Command consul-running",
                "Stash consul-members",
            ].sort(),
        );
    });

    it("publishes the ports that the servers tell each other, gossip by TCP and UDP", async () => {
        const recording = await recordConsul({ httpPort: 18500, gossipPort: 18301, dataRoot: "/data" });
        expect(portsOf(recording, "pg-consul-b")).to.deep.equal([
            "18500:18500",
            "8300:8300",
            "18301:18301",
            "18301:18301",
        ]);
        const { taskSpec, endpointSpec } = serviceInputs(recording, "pg-consul-b");
        const protocols = (endpointSpec.ports as unknown as { protocol: string }[]).map((port) => port.protocol);
        expect(protocols).to.deep.equal(["tcp", "tcp", "tcp", "udp"]);
        expect(taskSpec.containerSpec.mounts[0]).to.include({ source: "/data/pg/consul-b", target: "/var/lib/consul" });
        const config = JSON.parse(fileContent(recording, "pg-consul-b-config")) as object;
        expect(config).to.deep.include({
            advertise_addr: "192.0.2.12",
            bootstrap_expect: 3,
            retry_join: ["192.0.2.11:18301", "192.0.2.13:18301"],
        });
    });

    it("changes one server after the other, and waits until the quorum is healthy", async () => {
        const recording = await recordConsul();
        const chain = ["a", "b", "c"].flatMap((key) => [
            `consul-${key}-prepare`,
            `pg-consul-${key}`,
            `consul-${key}-replaced`,
            `consul-${key}-gate`,
        ]);
        expect(recording.outOfOrder([...chain, "consul-running", "consul-ready"])).to.deep.equal([]);
        expect(String(recording.custom("consul-b-gate").inputs.stdin)).to.include("/v1/operator/autopilot/health");
    });

    describe("asks Consul before a server goes", () => {
        let runner: ScriptRunner;

        beforeEach(() => {
            runner = new ScriptRunner();
            runner.fake("sleep", "exit 0");
            runner.fake(
                "date",
                'seconds=$(cat "$HOME/seconds" 2>/dev/null || echo 0); echo $((seconds + 20)) | tee "$HOME/seconds"',
            );
        });
        afterEach(() => runner.remove());

        /** What the step before the server `b` does with this answer of Consul's. */
        async function prepare(answer: string, status = 0): Promise<ScriptResult> {
            const container = `case "$*" in *pgha.attempt*) ;; ps*) echo c1 ;; *) cat "$HOME/answer"; exit ${status} ;; esac`;
            runner.fake("docker", container);
            runner.write("answer", answer);
            const script = String((await recordConsul()).custom("consul-b-prepare").inputs.stdin);
            return runner.run(`set -- run 'prepare pg-consul-b' stamp\n${script}`);
        }

        const health = (tolerance: number, healthy: { [key: string]: boolean }): string =>
            JSON.stringify({
                Healthy: Object.values(healthy).every(Boolean),
                FailureTolerance: tolerance,
                Servers: Object.entries(healthy).map(([key, Healthy]) => ({
                    Name: `consul-${key}`,
                    Healthy,
                    Voter: true,
                })),
            });

        for (const [title, { answer, status }] of Object.entries({
            "all are well": { answer: health(1, { a: true, b: true, c: true }), status: 0 },
            "it is the one that is ill": { answer: health(0, { a: true, b: false, c: true }), status: 0 },
            "it is alone": { answer: health(0, { b: true }), status: 0 },
            "the quorum is lost": { answer: "No cluster leader", status: 0 },
            "it doesn't answer": { answer: "", status: 7 },
        })) {
            it(`and lets it go where ${title}`, async () => {
                expect(await prepare(answer, status)).to.deep.equal({ status: 0, stdout: "", stderr: "" });
            });
        }

        it("and refuses where another one is ill", async () => {
            const { status, stderr } = await prepare(health(0, { a: false, b: true, c: true }));
            expect(status).to.equal(1);
            expect(stderr).to.match(
                /^host db2 .*: without this server Consul would have no quorum; not healthy: consul-a ?\n {2}next: /,
            );
        });
    });

    it("refuses what can't be", async () => {
        const { error } = await recordRefusal(
            () => new ConsulQuorum("consul", consulArgs({ members: { a: { host: "db1" }, b: { host: "db1" } } })),
        );
        expect(problemPaths(error)).to.have.members(["consul.members", "consul.members.b"]);
    });
});

describe("ExternalEtcd", () => {
    it("creates nothing, and refuses what is no endpoint", async () => {
        const recording = await record(() => new ExternalEtcd("etcd", { endpoints: ["http://192.0.2.21:2379"] }));
        expect(recording.childrenOf("etcd")).to.deep.equal([]);
        const { error } = await recordRefusal(() => new ExternalEtcd("etcd", { endpoints: ["192.0.2.21"] }));
        expect(problemPaths(error)).to.deep.equal(["externalEtcd.endpoints[0]"]);
    });
});

describe("A cluster's store", () => {
    const memberOf = (recording: Recording, key: string): string => fileContent(recording, `pg-patroni-${key}-member`);

    it("may be an etcd that is there already", async () => {
        const endpoints = ["http://192.0.2.21:2379", "http://192.0.2.22:2379"];
        const recording = await recordCluster({ externalEtcd: { endpoints } });
        expect(recording.ofType("Service").map((service) => service.name)).not.to.include("pg-etcd-db1");
        expect(memberOf(recording, "db2")).to.include(
            "etcd3:\n  hosts:\n    - 192.0.2.21:2379\n    - 192.0.2.22:2379\n  protocol: http\n",
        );
    });

    it("may be Consul: each node talks to the server of its own host", async () => {
        const recording = await recordCluster({ consul: {} });
        expect(memberOf(recording, "db2")).to.include("consul:\n  host: 192.0.2.12:8500\n  scheme: http\n");
        expect(memberOf(recording, "db3")).to.include("192.0.2.13:8500").and.not.to.include("etcd3");
        expect(recording.childrenOf("pg"))
            .to.include("ConsulQuorum pg-consul")
            .and.not.to.include("EtcdQuorum pg-etcd");
    });

    it("is what monitoring speaks of", async () => {
        const targets = async (changes: object): Promise<string[]> => {
            let jobs: string[] = [];
            await record(() => {
                jobs = Object.keys(createCluster(clusterArgs(changes)).monitoring.scrapeTargets);
            });
            return jobs;
        };
        const always = ["pg-patroni", "pg-postgres", "pg-haproxy"];
        expect(await targets({})).to.deep.equal([...always, "pg-etcd"]);
        expect(await targets({ consul: {} })).to.deep.equal([...always, "pg-consul"]);
        expect(await targets({ externalEtcd: { endpoints: ["http://192.0.2.21:2379"] } })).to.deep.equal(always);
    });
});

describe("Administrators", () => {
    const administrators = { admin: {}, second: {} };

    it("are roles that make databases and roles, with a password each", async () => {
        const recording = await recordCluster({ administrators });
        expect(recording.childrenOf("pg-administrators")).to.deep.equal([
            "Command pg-administrators-roles",
            "RandomPassword pg-administrators-admin",
            "RandomPassword pg-administrators-second",
        ]);
        expect(String(recording.custom("pg-administrators-roles").inputs.stdin)).to.include(
            'ALTER ROLE "admin" WITH LOGIN NOSUPERUSER CREATEDB CREATEROLE NOREPLICATION NOBYPASSRLS',
        );
    });

    it("can't log in any more once they are taken out", async () => {
        const before = await recordCluster({ administrators });
        const after = await recordCluster({ administrators: { admin: {} } }, { previous: before });
        const sql = String(after.custom("pg-administrators-roles").inputs.stdin);
        expect(sql).to.include("NOLOGIN").and.include("NOT IN ('admin')");
        const none = await recordCluster({ administrators: {} });
        expect(String(none.custom("pg-administrators-roles").inputs.stdin))
            .to.include("NOLOGIN")
            .and.include("NOT IN ('')");
    });
});
