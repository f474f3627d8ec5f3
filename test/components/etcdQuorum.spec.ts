import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { EtcdQuorum, EtcdQuorumArgs, ServerCertificate } from "../../components";
import { hostConnection, hostConnections, image, swarmTarget } from "../helpers/cluster";
import { problemPaths, record, RecordOptions, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, serviceInputs } from "../helpers/service";

function etcdArgs(changes: Partial<EtcdQuorumArgs> = {}): EtcdQuorumArgs {
    return {
        target: swarmTarget(),
        hosts: hostConnections(),
        members: { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db3" } },
        image: image("etcd"),
        ...changes,
    };
}

function recordEtcd(changes?: Partial<EtcdQuorumArgs>, options?: RecordOptions): Promise<Recording> {
    return record(() => new EtcdQuorum("etcd", etcdArgs(changes)), options);
}

describe("EtcdQuorum", () => {
    it("is, for each member, configs, a directory with an admission, and a service with a step before it and two after it", async () => {
        const recording = await recordEtcd();
        expect(recording.childrenOf("etcd")).to.deep.equal(
            [
                ...["a", "b", "c"].flatMap((key, index) => [
                    `Command etcd-${key}-admission-db${index + 1}`,
                    `Command etcd-${key}-data`,
                    `Command etcd-${key}-gate`,
                    `Command etcd-${key}-prepare`,
                    `Command etcd-${key}-replaced`,
                    `Service pg-etcd-${key}`,
                    `ServiceConfig pg-etcd-${key}-config`,
                    `ServiceConfig pg-etcd-${key}-members`,
                    `ServiceConfig pg-etcd-${key}-start`,
                ]),
                "Command etcd-ready",
                "Command etcd-running",
                "Stash etcd-members",
            ].sort(),
        );
    });

    it("pins each member to its host, with its data there and its ports on it", async () => {
        const recording = await recordEtcd({ clientPort: 12379, metricsPort: 12381, dataRoot: "/data" });
        const { taskSpec, endpointSpec, mode } = serviceInputs(recording, "pg-etcd-b");
        expect(taskSpec.placement).to.deep.equal({ constraints: ["node.labels.pgha.host==db2"], maxReplicas: 1 });
        expect(mode).to.deep.equal({ replicated: { replicas: 1 } });
        expect(taskSpec.containerSpec.mounts[0]).to.include({
            type: "bind",
            source: "/data/pg/etcd-b",
            target: "/var/lib/etcd",
        });
        expect(portsOf(recording, "pg-etcd-b")).to.deep.equal(["12379:2379", "2380:2380", "12381:2381"]);
        expect(endpointSpec.ports.map((port) => port.publishMode)).to.deep.equal(["host", "host", "host"]);
        expect(String(recording.custom("etcd-b-data").inputs.stdin)).to.include("dir='/data/pg/etcd-b'");
    });

    it("lets the members know each other by host address", async () => {
        const recording = await recordEtcd();
        const list = [
            "etcd-a http://192.0.2.11:2380 http://192.0.2.11:2379",
            "etcd-b http://192.0.2.12:2380 http://192.0.2.12:2379",
            "etcd-c http://192.0.2.13:2380 http://192.0.2.13:2379",
        ].join("\n");
        expect(fileContent(recording, "pg-etcd-a-members")).to.include(list);
        expect(String(recording.custom("etcd-a-data").inputs.stdin)).to.include(list);
    });

    it("hardens the container", async () => {
        const { taskSpec, updateConfig } = serviceInputs(await recordEtcd(), "pg-etcd-a");
        expect(taskSpec.containerSpec).to.include({ user: "999:999", readOnly: true });
        expect(updateConfig).to.deep.include({ order: "stop-first", failureAction: "pause", parallelism: 1 });
    });

    it("creates all members together: no step runs anything then", async () => {
        const recording = await recordEtcd();
        for (const step of ["etcd-a-replaced", "etcd-a-gate", "etcd-b-replaced", "etcd-b-gate"]) {
            expect(recording.custom(step).inputs.create, step).to.equal(undefined);
            expect(recording.custom(step).inputs.update, step).to.be.a("string");
        }
    });

    it("changes one member after the other: each service waits for the gate of the one before", async () => {
        const recording = await recordEtcd();
        expect(recording.custom("pg-etcd-a").dependsOn).to.deep.equal([
            "etcd-a-admission-db1",
            "etcd-a-attempt",
            "etcd-a-data",
            "etcd-a-prepare",
            "pg-etcd-a-config",
            "pg-etcd-a-members",
            "pg-etcd-a-start",
        ]);
        const chain = ["a", "b", "c"].flatMap((key) => [
            ...[`etcd-${key}-prepare`, `pg-etcd-${key}`, `etcd-${key}-replaced`, `etcd-${key}-gate`],
        ]);
        expect(recording.outOfOrder(["etcd-members", ...chain, "etcd-running", "etcd-ready"])).to.deep.equal([]);
    });

    it("records nothing for files and directories to depend on, and so few paths through the group", async () => {
        const recording = await recordEtcd();
        expect(recording.custom("pg-etcd-c-config").dependsOn).to.deep.equal([]);
        expect(recording.custom("etcd-c-data").dependsOn).to.deep.equal([]);
    });

    it("leaves a config's name to Pulumi, and has the new one there before the old one goes", async () => {
        const before = await recordEtcd();
        const after = await recordEtcd({ quotaBackendMiB: 4096 });
        const nameIn = (recording: Recording): unknown =>
            serviceInputs(recording, "pg-etcd-a").taskSpec.containerSpec.configs[0]?.configName;
        expect(after.custom("pg-etcd-a-config").inputs).not.to.have.property("name");
        expect(nameIn(after)).to.be.a("string").and.not.to.equal(nameIn(before));
        expect(after.custom("pg-etcd-a-config").deleteBeforeReplace).to.equal(false);
    });

    it("runs the steps again when the member changed", async () => {
        const before = await recordEtcd();
        const after = await recordEtcd({ image: image("newer") }, { previous: before });
        expect(after.changedSince(before)).to.deep.equal(
            [
                ...["a", "b", "c"].flatMap((key) => [
                    ...[`pg-etcd-${key}`, `etcd-${key}-prepare`, `etcd-${key}-replaced`, `etcd-${key}-gate`],
                ]),
                "etcd-ready",
                "etcd-running",
            ].sort(),
        );
    });

    it("changes nothing but the services where a label of the cluster changes", async () => {
        const before = await recordEtcd();
        const target = { ...swarmTarget(), labels: { team: "data" } };
        const after = await recordEtcd({ target }, { previous: before });
        expect(after.changedSince(before)).to.deep.equal(["pg-etcd-a", "pg-etcd-b", "pg-etcd-c"]);
        const taskSpec = (recording: Recording): unknown => serviceInputs(recording, "pg-etcd-b").taskSpec;
        expect(taskSpec(after)).to.deep.equal(taskSpec(before));
    });

    describe("whose members change", () => {
        const hosts = Object.fromEntries(["db1", "db2", "db3", "db4", "db5"].map((key) => [key, hostConnection(key)]));
        const three = { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db3" } };
        const five = { ...three, d: { host: "db4" }, e: { host: "db5" } };
        const inPlace = ["etcd-a-data", "etcd-b-data", "etcd-c-data", "etcd-members", "etcd-ready", "etcd-running"];

        function admission(recording: Recording, name: string): string {
            return String(recording.custom(name).inputs.stdin);
        }

        it("leaves the containers of the others as they are, and tells them of it", async () => {
            const before = await recordEtcd({ hosts, members: three });
            const after = await recordEtcd({ hosts, members: five }, { previous: before });
            const changed = (now: Recording, earlier: Recording): string[] =>
                now.changedSince(earlier).filter((name) => !/-[de](-|$)/.test(name));
            expect(changed(after, before)).to.deep.equal(inPlace);
            const back = await recordEtcd({ hosts, members: three }, { previous: after });
            expect(changed(back, after)).to.deep.equal(inPlace);
        });

        it("makes a quorum of members without data, and none where a member has some", async () => {
            const options = { members: three, hosts };
            const made = await recordEtcd(options, { printed: "empty\n" });
            expect(admission(made, "etcd-b-admission-db2")).to.match(/new 'etcd-a http/);
            const joined = await recordEtcd(options, { printed: "" });
            expect(admission(joined, "etcd-b-admission-db2")).to.match(/join 'etcd-a http/);
        });

        it("admits a member once on a host, so that one without its data never takes the quorum for a new one", async () => {
            const before = await recordEtcd({ hosts, members: three }, { printed: "empty" });
            const renewed = { ...hosts, db2: { ...hostConnection("db2"), ssh: {} } };
            const changes = { hosts: renewed, members: three, dataRoot: "/data" };
            const after = await recordEtcd(changes, { printed: "", previous: before });
            expect(after.changedSince(before).filter((name) => name.includes("admission"))).to.deep.equal([]);
        });

        it("admits a member anew on another host", async () => {
            const recording = await recordEtcd({ hosts, members: { ...three, b: { host: "db4" } } });
            expect(recording.names()).to.include("etcd-b-admission-db4");
        });

        it("does not admit a member before the change was let through", async () => {
            const recording = await recordEtcd();
            expect(recording.custom("etcd-a-admission-db1").dependsOn).to.include.members([
                "etcd-a-data",
                "etcd-members",
            ]);
        });

        it("keeps who must stay in the last step's hands", async () => {
            const recording = await recordEtcd({ hosts, members: five });
            const ready = String(recording.custom("etcd-ready").inputs.stdin);
            expect(ready).to.include("wanted='etcd-a etcd-b etcd-c etcd-d etcd-e'");
        });

        const known: [string, EtcdQuorumArgs["members"], number][] = [
            ["all of three", three, 3],
            ["three of five, so that its nodes need not restart where two come after them", five, 3],
            ["four of seven", { ...five, f: { host: "db6" }, g: { host: "db7" } }, 4],
        ];
        for (const [what, members, count] of known) {
            it(`has Patroni ask ${what}`, async () => {
                const more = { ...hosts, db6: hostConnection("db6"), db7: hostConnection("db7") };
                let quorum: EtcdQuorum | undefined;
                await record(() => {
                    quorum = new EtcdQuorum("etcd", etcdArgs({ hosts: more, members }));
                });
                expect(quorum?.dcsSettings.hosts).to.have.length(count);
                expect(quorum?.endpointUrls).to.have.length(Object.keys(members).length);
            });
        }
    });

    it("shows certificates, and hands Patroni one of its own", async () => {
        const certificate = (name: string): ServerCertificate => ({
            certificate: pulumi.output(`certificate of ${name}`),
            privateKey: pulumi.secret(`key of ${name}`),
            caCertificate: pulumi.output("authorities"),
        });
        const certificates = {
            members: { a: certificate("a"), b: certificate("b"), c: certificate("c") },
            client: certificate("client"),
        };
        let quorum: EtcdQuorum | undefined;
        const recording = await record(() => {
            quorum = new EtcdQuorum("etcd", etcdArgs({ certificates }));
        });
        expect(fileContent(recording, "pg-etcd-b-cert")).to.equal("certificate of b");
        expect(fileContent(recording, "pg-etcd-b-key")).to.equal("key of b");
        const { configs, secrets } = serviceInputs(recording, "pg-etcd-b").taskSpec.containerSpec;
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        const config = fileContent(recording, "pg-etcd-b-config");
        const named = [...config.matchAll(/(?:cert|key|ca)-file: (\S+)/g)].map(([, path]) => path);
        expect(named).to.have.length(6);
        expect(files).to.include.members(named);
        expect(config).not.to.match(/(peer|client)-urls: http:/);
        expect(quorum?.endpointUrls[0]).to.equal("https://192.0.2.11:2379");
        expect(quorum?.dcsSettings).to.include({ protocol: "https", cert: "/etc/patroni/dcs.crt" });
        expect(quorum?.dcsCertificate).to.equal(certificates.client);
        const missing = { ...certificates, members: { a: certificate("a") } };
        const { error } = await recordRefusal(() => new EtcdQuorum("etcd", etcdArgs({ certificates: missing })));
        expect(problemPaths(error)).to.deep.equal(["etcd.certificates.members.b", "etcd.certificates.members.c"]);
    });

    it("keeps the data when a member or the quorum goes", async () => {
        const recording = await recordEtcd();
        for (const command of recording.ofType("Command")) {
            expect(command.inputs.delete, command.name).to.equal(undefined);
        }
    });

    it("tells its client URLs", async () => {
        let urls: string[] = [];
        await record(() => {
            urls = new EtcdQuorum("etcd", etcdArgs({ clientPort: 12379 })).endpointUrls;
        });
        expect(urls).to.deep.equal(["http://192.0.2.11:12379", "http://192.0.2.12:12379", "http://192.0.2.13:12379"]);
    });

    const refused: { [what: string]: EtcdQuorumArgs["members"] } = {
        "an even number of members": { a: { host: "db1" }, b: { host: "db2" } },
        "no member": {},
        "two members on one host": { a: { host: "db1" }, b: { host: "db1" }, c: { host: "db3" } },
        "an unknown host": { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db9" } },
    };
    for (const [what, members] of Object.entries(refused)) {
        it(`refuses ${what}, and creates nothing`, async () => {
            const { recording, error } = await recordRefusal(() => new EtcdQuorum("etcd", etcdArgs({ members })));
            expect(error).to.have.property("errors").that.has.length(1);
            expect(recording.names()).to.deep.equal(["etcd"]);
        });
    }
});
