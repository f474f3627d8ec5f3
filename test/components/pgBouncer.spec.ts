import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { PgBouncer, PgBouncerArgs, PoolMode, PublishMode } from "../../components";
import { hostConnection, image, sqlConnection, swarmTarget } from "../helpers/cluster";
import { problemPaths, record, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, serviceInputs } from "../helpers/service";

function pgBouncerArgs(changes: Partial<PgBouncerArgs> = {}): PgBouncerArgs {
    return {
        target: swarmTarget(),
        hosts: [hostConnection("db1"), hostConnection("db2"), hostConnection("db3")],
        constraint: "node.labels.role==true",
        router: {
            addresses: ["192.0.2.11", "192.0.2.12"],
            readWritePort: 5433,
            readOnlyPort: 5434,
            anyPort: 5435,
            statisticsPort: 7000,
        },
        sql: sqlConnection(),
        networkId: "network-id",
        password: pulumi.secret("bouncer-word"),
        salt: pulumi.secret("salt"),
        settings: {},
        image: image("pgbouncer"),
        ...changes,
    };
}

function recordPgBouncer(changes?: Partial<PgBouncerArgs>): Promise<Recording> {
    return record(() => new PgBouncer("pooler", pgBouncerArgs(changes)));
}

describe("PgBouncer", () => {
    it("is one service with its files, its role, a record of its hosts, and a wait for all its containers", async () => {
        expect((await recordPgBouncer()).childrenOf("pooler")).to.deep.equal([
            "Command pooler-refusal",
            "Command pooler-role",
            "Command pooler-running",
            "Secret pg-pgbouncer-users",
            "Service pg-pgbouncer",
            "ServiceConfig pg-pgbouncer-config",
            "Stash pooler-members",
        ]);
    });

    it("runs one container on each of its hosts, on the cluster's network", async () => {
        const recording = await recordPgBouncer({ settings: { port: 7432 } });
        const { mode, taskSpec } = serviceInputs(recording, "pg-pgbouncer");
        expect(mode).to.deep.equal({ global: true });
        expect(taskSpec.placement).to.deep.equal({ constraints: ["node.labels.role==true"], maxReplicas: 0 });
        expect(taskSpec.networksAdvanceds).to.deep.equal([{ id: "network-id", aliases: ["pg-pgbouncer"] }]);
        expect(portsOf(recording, "pg-pgbouncer")).to.deep.equal(["7432:6432"]);
    });

    it("goes to the primary through all entry points", async () => {
        const config = fileContent(
            await recordPgBouncer({ settings: { poolMode: PoolMode.Session } }),
            "pg-pgbouncer-config",
        );
        expect(config).to.include("host=192.0.2.11,192.0.2.12").and.include("port=5433");
        expect(config).to.match(/^pool_mode = session$/m);
    });

    it("behind HAProxy is on their network alone, publishes nothing, and asks HAProxy's read-write port", async () => {
        const router = { ...pgBouncerArgs().router, pooledPort: 6432 };
        const recording = await recordPgBouncer({ router, poolerNetworkId: "pooler-id" });
        const { taskSpec, endpointSpec } = serviceInputs(recording, "pg-pgbouncer");
        expect(taskSpec.networksAdvanceds).to.deep.equal([{ id: "pooler-id", aliases: ["pg-poolers"] }]);
        expect(endpointSpec.ports).to.deep.equal([]);
        const config = fileContent(recording, "pg-pgbouncer-config");
        expect(config)
            .to.match(/^\* = host=pg-haproxy port=5433 /m)
            .and.to.match(/^dns_max_ttl = 1$/m)
            .and.to.match(/^dns_nxdomain_ttl = 1$/m);
    });

    it("keeps every address behind its name where ports go through the ingress", async () => {
        const router = { ...pgBouncerArgs().router, pooledPort: 6432 };
        const target = swarmTarget({ publishMode: PublishMode.Ingress });
        const recording = await recordPgBouncer({ router, poolerNetworkId: "pooler-id", target });
        expect(serviceInputs(recording, "pg-pgbouncer").endpointSpec.mode).to.equal("dnsrr");
    });

    it("has the open files that its clients need", async () => {
        const recording = await recordPgBouncer({ settings: { maxClientConnections: 10000 } });
        const { args } = serviceInputs(recording, "pg-pgbouncer").taskSpec.containerSpec;
        expect(args.join(" ")).to.match(/^sh -c ulimit -S -n 11024 .* pgbouncer \/etc\/pgbouncer\/pgbouncer.ini$/);
    });

    it("refuses to be behind HAProxy without a network with it", async () => {
        const router = { ...pgBouncerArgs().router, pooledPort: 6432 };
        const { error } = await recordRefusal(() => new PgBouncer("pooler", pgBouncerArgs({ router })));
        expect(problemPaths(error)).to.deep.equal(["pgbouncer.poolerNetworkId"]);
    });

    it("knows no password but its own, and that in a secret", async () => {
        const recording = await recordPgBouncer();
        expect(fileContent(recording, "pg-pgbouncer-users").trim().split("\n")).to.deep.equal([
            '"pgbouncer" "bouncer-word"',
        ]);
        expect(fileContent(recording, "pg-pgbouncer-config")).not.to.include("bouncer-word");
    });

    it("makes its role with a verifier instead of the password", async () => {
        const statements = String((await recordPgBouncer()).custom("pooler-role").inputs.stdin);
        expect(statements).to.include("SCRAM-SHA-256$4096:").and.not.include("bouncer-word");
    });

    it("refuses what can't be, and creates nothing", async () => {
        const { recording, error } = await recordRefusal(
            () => new PgBouncer("pooler", pgBouncerArgs({ settings: { defaultPoolSize: 0, port: -1 } })),
        );
        expect(problemPaths(error)).to.deep.equal(["pgbouncer.defaultPoolSize", "pgbouncer.port"]);
        expect(recording.names()).to.deep.equal(["pooler"]);
    });
});
