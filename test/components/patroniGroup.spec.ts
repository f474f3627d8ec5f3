import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { PatroniGroup, PatroniGroupArgs } from "../../components";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { hostConnection, hostConnections, image, swarmTarget } from "../helpers/cluster";
import { problemPaths, record, RecordOptions, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, prepareScript, serviceInputs } from "../helpers/service";
import { ScriptRunner } from "../render/scriptRunner";

function patroniArgs(changes: Partial<PatroniGroupArgs> = {}): PatroniGroupArgs {
    return {
        target: swarmTarget(),
        hosts: hostConnections(),
        memoryMiB: 4096,
        nodes: { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db3" } },
        dcs: { dcsKind: DcsKind.Etcd3, dcsSettings: etcd3Settings(["http://192.0.2.11:2379"]) },
        settings: {},
        passwords: {
            superuser: pulumi.secret("superuser-word"),
            replication: pulumi.secret("replication-word"),
            rewind: pulumi.secret("rewind-word"),
            api: pulumi.secret("api-word"),
            salt: pulumi.secret("salt"),
        },
        image: image("patroni"),
        ...changes,
    };
}

/** Where each node runs. */
const hostOf: { [key: string]: string } = { a: "db1", b: "db2", c: "db3" };

function recordPatroni(changes?: Partial<PatroniGroupArgs>, options?: RecordOptions): Promise<Recording> {
    return record(() => new PatroniGroup("group", patroniArgs(changes)), options);
}

describe("PatroniGroup", () => {
    it("is, for each node, files, a directory and a service with four steps before it and three after it", async () => {
        const recording = await recordPatroni();
        expect(recording.childrenOf("group")).to.deep.equal(
            [
                ...["a", "b", "c"].flatMap((key, index) => [
                    `Command group-${key}-admission-db${index + 1}`,
                    `Command group-${key}-data`,
                    `Command group-${key}-gate`,
                    `Command group-${key}-logins-${hostOf[key]}`,
                    `Command group-${key}-move`,
                    `Command group-${key}-prepare`,
                    `Command group-${key}-replaced`,
                    `Command group-${key}-settle`,
                    `Command group-${key}-switchover`,
                    `Secret pg-patroni-${key}-passwords`,
                    `Secret pg-patroni-${key}-pgpass`,
                    `Service pg-patroni-${key}`,
                    `ServiceConfig pg-patroni-${key}-bootstrap`,
                    `ServiceConfig pg-patroni-${key}-member`,
                ]),
                "Command group-dynamic-config",
                "Command group-handover",
                "Command group-ready",
                "Command group-running",
                "Command group-upgrade",
                "Stash group-members",
            ].sort(),
        );
    });

    it("pins each node to its host, with its data there and its ports on it", async () => {
        const recording = await recordPatroni({ settings: { postgresPort: 6000, apiPort: 6001 } });
        const { taskSpec } = serviceInputs(recording, "pg-patroni-b");
        expect(taskSpec.placement).to.deep.equal({ constraints: ["node.labels.pgha.host==db2"], maxReplicas: 1 });
        expect(taskSpec.containerSpec.mounts[0]).to.include({
            type: "bind",
            source: "/srv/pgha/pg/patroni-b",
            target: "/var/lib/postgresql",
        });
        expect(portsOf(recording, "pg-patroni-b")).to.deep.equal(["6000:5432", "6001:8008"]);
        expect(fileContent(recording, "pg-patroni-b-member"))
            .to.include("192.0.2.12:6000")
            .and.include("192.0.2.12:6001");
    });

    it("mounts secrets as files, and what is no secret as configs", async () => {
        const { containerSpec } = serviceInputs(await recordPatroni(), "pg-patroni-a").taskSpec;
        expect(containerSpec.configs.map((file) => file.fileName)).to.deep.equal([
            "/etc/patroni/10-member.yml",
            "/etc/patroni/20-bootstrap.yml",
        ]);
        expect(containerSpec.secrets.map((file) => file.fileName)).to.deep.equal([
            "/etc/patroni/30-passwords.yml",
            "/run/secrets/pgpass",
        ]);
    });

    it("creates all nodes together: no step of an update runs anything then", async () => {
        const recording = await recordPatroni();
        for (const step of ["move", "prepare", "replaced", "gate"]) {
            expect(recording.custom(`group-b-${step}`).inputs.create, step).to.equal(undefined);
            expect(recording.custom(`group-b-${step}`).inputs.update, step).to.be.a("string");
        }
    });

    it("changes one node after the other: let it move, prepare, replace, gate, next", async () => {
        const recording = await recordPatroni();
        const chain = ["a", "b", "c"].flatMap((key) => [
            `group-${key}-move`,
            `group-${key}-prepare`,
            `pg-patroni-${key}`,
            `group-${key}-replaced`,
            `group-${key}-gate`,
        ]);
        const end = ["group-running", "group-b-settle", "group-ready", "group-dynamic-config", "group-handover"];
        expect(recording.outOfOrder(["group-members", ...chain, ...end])).to.deep.equal([]);
        expect(recording.ancestorsOf("group-a-prepare")).to.have.members([
            "group-members",
            "group-upgrade",
            "group-a-move",
            ...["a", "b", "c"].flatMap((key) => [`group-${key}-logins-${hostOf[key]}`, `group-${key}-switchover`]),
        ]);
    });

    it("hands the leader's role over before a node goes, and waits until it streams again", async () => {
        const recording = await recordPatroni();
        expect(prepareScript(recording, "group-b")).to.include(
            // Rather to a, which has been replaced by then, than to c.
            "sh '/srv/pgha/pg/.switchover/patroni-b' 'patroni-b' 'patroni-a' 'patroni-c'",
        );
        expect(String(recording.custom("group-b-gate").inputs.stdin)).to.include("/readiness?lag=");
    });

    it("lets no node go whose data would then be on one other only, where there are more than two", async () => {
        expect(prepareScript(await recordPatroni(), "group-b")).to.include("-v names='patroni-a patroni-c'");
        const two = await recordPatroni({ nodes: { a: { host: "db1" }, b: { host: "db2" } } });
        expect(prepareScript(two, "group-b")).not.to.include("spared");
    });

    it("lets it go where another one is known to be absent", async () => {
        const absent = await recordPatroni({ settings: { absentNodes: ["c"] } });
        expect(prepareScript(absent, "group-b")).not.to.include("spared");
        expect(String(absent.custom("group-b-move").inputs.stdin)).not.to.include("spared");
        expect(prepareScript(absent, "group-c")).to.include("-v names='patroni-a patroni-b'");
    });

    it("gives a node that was replaced the time to stream again that is asked for", async () => {
        const recording = await recordPatroni({ settings: { catchUpTimeoutSeconds: 7200 } });
        expect(String(recording.custom("group-b-gate").inputs.stdin))
            .to.include("deadline=$(($(date +%s) + 7200))")
            .and.include("does not stream within 7200 s");
    });

    it("says how the script of a node whose disk was lost comes back", async () => {
        const recording = await recordPatroni();
        const runner = new ScriptRunner();
        try {
            const prepare = String(recording.custom("group-b-prepare").inputs.stdin);
            const { status, stderr } = runner.run(`set -- run\n${prepare}`);
            expect(status).to.equal(1);
            expect(stderr)
                .to.match(/^host db2 \(\S+\): \/srv\/pgha\/pg\/.switchover\/patroni-b.prepare is missing$/m)
                .and.to.include("'-b-switchover'");
        } finally {
            runner.remove();
        }
    });

    it("prepares for no replacement where only another node comes", async () => {
        const hosts = hostConnections();
        const three = await recordPatroni();
        const nodes = { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db3" }, d: { host: "db4" } };
        const four = await recordPatroni({ nodes, hosts: { ...hosts, db4: hostConnection("db4") } });
        const step = (recording: Recording): unknown => recording.custom("group-b-prepare").inputs;
        expect(step(four)).to.deep.equal(step(three));
        expect(prepareScript(four, "group-b")).to.include("'patroni-d'");
    });

    it("hands the role over from a leader that is no longer among the nodes, at the end and only then", async () => {
        const three = await recordPatroni();
        const nodes = { a: { host: "db1" }, b: { host: "db2" } };
        const two = await recordPatroni({ nodes }, { previous: three });
        const { create, stdin } = two.custom("group-handover").inputs;
        expect(create).to.equal(undefined);
        expect(String(stdin)).to.include("pairs='patroni-a 192.0.2.11 patroni-b 192.0.2.12'");
        expect(two.changedSince(three)).to.include("group-handover");
        const changed = await recordPatroni({ settings: { ttlSeconds: 45 } }, { previous: three });
        expect(changed.changedSince(three)).not.to.include("group-handover");
    });

    it("lets a node move beside the one before it, which knows where all of them come to be", async () => {
        const before = await recordPatroni();
        const [second, fourth] = [hostConnection("db2"), hostConnection("db4")];
        const hosts = { ...hostConnections(), db4: fourth };
        const nodes = { a: { host: "db4" }, b: { host: "db2" }, c: { host: "db3" } };
        const after = await recordPatroni({ nodes, hosts }, { previous: before });
        const move = (key: string): string => String(after.custom(`group-${key}-move`).inputs.stdin);
        const { host } = after.custom("group-a-move").inputs.connection as { host: string };
        expect(host).to.equal(second.sshAddress);
        const others = "patroni-c 192.0.2.13 patroni-b 192.0.2.12";
        expect(move("a")).to.include(`pairs='${others} patroni-a ${fourth.address}' -v moving='patroni-a'`);
        expect(move("a")).to.include("sh '/srv/pgha/pg/.switchover/patroni-b'");
        expect(move("c")).to.include("sh '/srv/pgha/pg/.switchover/patroni-b'");
        expect(after.changedSince(before)).to.include.members(["group-a-move", "group-b-move", "group-c-move"]);
        const alone = await recordPatroni({ nodes: { a: { host: "db1" } } });
        expect(alone.names()).not.to.include("group-a-move");
    });

    it("looks at a node's data before its first start, and refuses what is of another major version only", async () => {
        const recording = await recordPatroni({ settings: { postgresMajor: 16 } });
        expect(String(recording.custom("group-b-admission-db2").inputs.stdin)).to.include(
            '[ ! -e "$dir"/16/data/PG_VERSION ]',
        );
        expect(recording.outOfOrder(["group-b-data", "group-b-admission-db2", "pg-patroni-b"])).to.deep.equal([]);
    });

    it("changes the major version with consent: the first node's data before all containers, and never at creation", async () => {
        const without = await recordPatroni();
        expect(String(without.custom("group-upgrade").inputs.stdin)).not.to.include("pg_upgrade");
        const recording = await recordPatroni({ settings: { postgresMajor: 17, previousPostgresMajor: 15 } });
        const { create, stdin } = recording.custom("group-upgrade").inputs;
        expect(create).to.equal(undefined);
        expect(String(stdin)).to.include("on_node upgrade 'patroni-b' 'patroni-c'");
        expect(recording.outOfOrder(["group-members", "group-upgrade", "pg-patroni-a"])).to.deep.equal([]);
        expect(String(recording.custom("group-b-gate").inputs.stdin)).to.include("vacuumdb");
        // With another script the step would run, and hand the leader's role over, where only the consent comes or goes.
        const prepare = recording.custom("group-a-prepare").inputs.stdin;
        expect(prepare).to.equal(without.custom("group-a-prepare").inputs.stdin);
        expect(prepareScript(recording, "group-a")).to.match(
            /\.upgrade\/paused; then exit 0; fi\n[^]*\nuntil spared; do\n[^]*\napi \/primary/,
        );
        const back = await recordPatroni({ settings: { postgresMajor: 15, previousPostgresMajor: 17 } });
        expect(String(back.custom("group-upgrade").inputs.stdin)).to.include("on_node back ");
    });

    it("keeps the bootstrap section of the first day, which counts only then", async () => {
        const before = await recordPatroni();
        const after = await recordPatroni({ settings: { ttlSeconds: 45 } }, { previous: before });
        expect(after.changedSince(before)).to.deep.equal(["group-dynamic-config"]);
        expect(fileContent(before, "pg-patroni-a-bootstrap")).to.include("ttl: 30");
    });

    it("changes only its secrets and services when a password changes", async () => {
        const before = await recordPatroni();
        const { passwords } = patroniArgs();
        const changed = { ...passwords, rewind: pulumi.secret("another-word") };
        const after = await recordPatroni({ passwords: changed }, { previous: before });
        expect(after.changedSince(before)).to.deep.equal(
            [
                ...["a", "b", "c"].flatMap((key) => [
                    `group-${key}-gate`,
                    `group-${key}-logins-${hostOf[key]}`,
                    `group-${key}-prepare`,
                    `group-${key}-replaced`,
                    `group-${key}-settle`,
                    `pg-patroni-${key}`,
                    `pg-patroni-${key}-passwords`,
                ]),
                "group-ready",
                "group-running",
            ].sort(),
        );
    });

    it("keeps the data when a node or the group goes", async () => {
        for (const command of (await recordPatroni()).ofType("Command")) {
            if (command.name.endsWith("-switchover")) continue;
            expect(command.inputs.delete, command.name).to.equal(undefined);
        }
    });

    it("refuses what can't be, all at once, and creates nothing", async () => {
        const nodes = { a: { host: "db1" }, b: { host: "db1" } };
        const settings = { synchronousNodeCount: 2, parameters: { shared_buffers: "8GB" } };
        const poolers = { addresses: ["192.0.2.11"], port: 6432, password: "word" };
        const { recording, error } = await recordRefusal(
            () => new PatroniGroup("group", patroniArgs({ nodes, settings, poolers })),
        );
        expect(problemPaths(error)).to.have.members([
            "patroni.poolers",
            "patroni.nodes.b",
            "patroni.synchronousNodeCount",
            "patroni.parameters.shared_buffers",
        ]);
        expect(recording.names()).to.deep.equal(["group"]);
    });
});
