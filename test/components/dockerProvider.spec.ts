import { expect } from "chai";
import { createDockerProvider } from "../../components";
import { clusterArgs, createCluster, hostKey } from "../helpers/cluster";
import { problemPaths, record, recordRefusal } from "../helpers/mocks";

describe("createDockerProvider", () => {
    it("talks to the manager over ssh, the only way that a preview doesn't dial", async () => {
        const hosts = {
            db1: { address: "192.0.2.11" },
            db2: { address: "192.0.2.12", sshAddress: "jump.example.com", ssh: { user: "ops", port: 2222 } },
        };
        const recording = await record(() => createDockerProvider("swarm", hosts, "db2"));
        expect(recording.custom("swarm").inputs.host).to.equal("ssh://ops@jump.example.com:2222");
    });

    it("lets in only the host key that it is given", async () => {
        const hosts = { db1: { address: "192.0.2.11", ssh: { hostKey } } };
        const options = String(
            (await record(() => createDockerProvider("swarm", hosts, "db1"))).custom("swarm").inputs.sshOpts,
        );
        expect(options).to.include("StrictHostKeyChecking=yes").and.include(hostKey.split(" ")[1]);
    });

    it("leaves it to the cluster to refuse an unknown manager, together with all else", async () => {
        const { error } = await recordRefusal(() =>
            createCluster(clusterArgs({ swarm: { manager: "db9" }, network: { subnet: "none" } })),
        );
        expect(problemPaths(error)).to.deep.equal(["swarm.manager", "network.subnet"]);
    });
});
