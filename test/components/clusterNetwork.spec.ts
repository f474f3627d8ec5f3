import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { ClusterNetwork } from "../../components";
import { swarmTarget } from "../helpers/cluster";
import { record, recordRefusal } from "../helpers/mocks";

const target = swarmTarget();

describe("ClusterNetwork", () => {
    it("is an encrypted, attachable overlay by default", async () => {
        const recording = await record(() => new ClusterNetwork("pg-network", { target }));
        expect(recording.custom("pg-network").inputs).to.deep.include({
            name: "pg-network",
            driver: "overlay",
            attachable: true,
            ipamConfigs: [{ subnet: "10.0.20.0/24" }],
            options: { encrypted: "" },
        });
    });

    it("takes name, range and encryption as given", async () => {
        const settings = { name: "backend", subnet: "10.7.0.0/16", enableEncryption: false };
        const recording = await record(() => new ClusterNetwork("pg-network", { target, ...settings }));
        expect(recording.custom("pg-network").inputs).to.deep.include({
            name: "backend",
            ipamConfigs: [{ subnet: "10.7.0.0/16" }],
            options: {},
        });
    });

    it("has an internal network beside it for a PgBouncer behind HAProxy, to which nobody can attach", async () => {
        const recording = await record(() => new ClusterNetwork("pg-network", { target, enablePooler: true }));
        expect(recording.childrenOf("pg-network")).to.deep.equal(["Network pg-network", "Network pg-network-pooler"]);
        expect(recording.custom("pg-network-pooler").inputs).to.deep.include({
            internal: true,
            attachable: false,
            ipamConfigs: [{ subnet: "10.0.21.0/24" }],
            options: { encrypted: "" },
        });
        expect(recording.custom("pg-network").inputs).not.to.have.property("internal");
    });

    it("makes none where one is there already", async () => {
        let networkId: pulumi.Output<string> | undefined;
        const recording = await record(() => {
            networkId = new ClusterNetwork("pg-network", { target, existingNetworkId: "n1" }).networkId;
        });
        expect(recording.childrenOf("pg-network")).to.deep.equal([]);
        expect(await new Promise((resolve) => networkId?.apply(resolve))).to.equal("n1");
    });

    it("refuses a range that is none, and creates nothing", async () => {
        const { recording, error } = await recordRefusal(
            () => new ClusterNetwork("pg-network", { target, subnet: "10.0.20.1/24" }),
        );
        expect(String(error)).to.include("network.subnet").and.include('"10.0.20.1/24" was given');
        expect(recording.childrenOf("pg-network")).to.deep.equal([]);
    });
});
