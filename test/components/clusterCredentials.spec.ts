import { expect } from "chai";
import { ClusterCredentials } from "../../components";
import { record } from "../helpers/mocks";

describe("ClusterCredentials", () => {
    it("makes a password for each name, and a salt", async () => {
        const recording = await record(() => new ClusterCredentials("c", { names: ["a", "b"] }));
        expect(recording.childrenOf("c")).to.deep.equal([
            "RandomPassword c-a",
            "RandomPassword c-b",
            "RandomPassword c-salt",
        ]);
    });

    it("never changes what a password is made of, since that would make it anew", async () => {
        const recording = await record(() => new ClusterCredentials("c", { names: ["a"] }));
        for (const password of recording.ofType("RandomPassword")) {
            expect(password.inputs).to.deep.equal({ length: 32, special: false, keepers: { generation: "1" } });
        }
    });

    it("leaves the others alone when a name is added", async () => {
        const before = await record(() => new ClusterCredentials("c", { names: ["a", "b"] }));
        const after = await record(() => new ClusterCredentials("c", { names: ["new", "a", "b"] }), {
            previous: before,
        });
        expect(after.changedSince(before)).to.deep.equal(["c-new"]);
    });
});
