import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { PostgresExporter, PostgresExporterArgs } from "../../components";
import { hostConnection, image, sqlConnection, swarmTarget } from "../helpers/cluster";
import { record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, serviceInputs } from "../helpers/service";

function recordExporter(changes: Partial<PostgresExporterArgs> = {}): Promise<Recording> {
    const nodeEndpoints = ["a", "b"].map((key, index) => ({
        key,
        name: `patroni-${key}`,
        address: `192.0.2.${index + 11}`,
        postgresPort: 6000,
        apiPort: 8008,
    }));
    return record(
        () =>
            new PostgresExporter("metrics", {
                target: swarmTarget(),
                nodes: { a: hostConnection("db1"), b: hostConnection("db2") },
                patroni: { nodeEndpoints },
                sql: sqlConnection(),
                password: pulumi.secret("exporter-word"),
                salt: pulumi.secret("salt"),
                settings: {},
                image: image("exporter"),
                ...changes,
            }),
    );
}

describe("PostgresExporter", () => {
    it("is one service beside each node with a step after it, its role, and a wait for all containers", async () => {
        expect((await recordExporter()).childrenOf("metrics")).to.deep.equal([
            "Command metrics-a-replaced",
            "Command metrics-b-replaced",
            "Command metrics-refusal",
            "Command metrics-role",
            "Command metrics-running",
            "Secret pg-exporter-a-password",
            "Secret pg-exporter-b-password",
            "Service pg-exporter-a",
            "Service pg-exporter-b",
        ]);
    });

    it("watches the node on its own host", async () => {
        const recording = await recordExporter({ settings: { port: 9999 } });
        const { taskSpec } = serviceInputs(recording, "pg-exporter-b");
        expect(taskSpec.placement.constraints).to.deep.equal(["node.labels.pgha.host==db2"]);
        expect(taskSpec.containerSpec.args.join(" ")).to.match(/^env .* DATA_SOURCE_URI=192\.0\.2\.12:6000\/postgres/);
        // The provider gives variables in another order each time, and tasks restart.
        expect(taskSpec.containerSpec.env).to.deep.equal({});
        expect(portsOf(recording, "pg-exporter-b")).to.deep.equal(["9999:9187"]);
    });

    it("reads its password from a file", async () => {
        const recording = await recordExporter();
        const { args, secrets } = serviceInputs(recording, "pg-exporter-a").taskSpec.containerSpec;
        expect(args).to.include(`DATA_SOURCE_PASS_FILE=${secrets[0]?.fileName}`);
        expect(fileContent(recording, "pg-exporter-a-password")).to.equal("exporter-word");
        expect(String(recording.custom("metrics-role").inputs.stdin)).not.to.include("exporter-word");
    });
});
