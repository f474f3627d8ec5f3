import { expect } from "chai";
import { assertNothingLost, WritersResult } from "./writers";

describe("the writers' result", () => {
    const harmless: WritersResult = {
        acknowledged: 2,
        lost: [],
        stale: 0,
        failed: { direct: 3 },
        reasons: { direct: "3 x terminating connection" },
        gapSeconds: { direct: 1 },
    };

    it("may have failures, which is for each test to judge", () => {
        expect(assertNothingLost(harmless)).to.equal(harmless);
    });

    it("must have no planted lost row", () => {
        expect(() => assertNothingLost({ ...harmless, lost: ["direct/0/1"] })).to.throw("1 lost");
    });

    it("must have no planted row of an old leader", () => {
        expect(() => assertNothingLost({ ...harmless, stale: 1 })).to.throw("old leader");
    });
});
