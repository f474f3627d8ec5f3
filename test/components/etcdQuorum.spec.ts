import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { EtcdQuorum, EtcdQuorumArgs, ServerCertificate } from "../../components";
import { hostConnections, image, swarmTarget } from "../helpers/cluster";
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
    it("is, for each member, a config, a directory and a service with two steps after it", async () => {
        const recording = await recordEtcd();
        expect(recording.childrenOf("etcd")).to.deep.equal(
            [
                ...["a", "b", "c"].flatMap((key) => [
                    `Command etcd-${key}-data`,
                    `Command etcd-${key}-gate`,
                    `Command etcd-${key}-replaced`,
                    `Service pg-etcd-${key}`,
                    `ServiceConfig pg-etcd-${key}-config`,
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
        expect(mode.replicated.replicas).to.equal(1);
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
        expect(fileContent(recording, "pg-etcd-a-config")).to.include(
            "etcd-a=http://192.0.2.11:2380,etcd-b=http://192.0.2.12:2380,etcd-c=http://192.0.2.13:2380",
        );
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
            "etcd-a-data",
            "etcd-members",
            "pg-etcd-a-config",
        ]);
        const chain = ["a", "b", "c"].flatMap((key) => [`pg-etcd-${key}`, `etcd-${key}-replaced`, `etcd-${key}-gate`]);
        expect(recording.outOfOrder(["etcd-members", ...chain, "etcd-running", "etcd-ready"])).to.deep.equal([]);
    });

    it("makes the files without waiting for the member before", async () => {
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
                    ...[`pg-etcd-${key}`, `etcd-${key}-replaced`, `etcd-${key}-gate`],
                ]),
                "etcd-ready",
                "etcd-running",
            ].sort(),
        );
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
