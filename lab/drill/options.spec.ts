import { expect } from "chai";
import { parseOptions, roundsOf, usage, UsageError } from "./options";
import { changes } from "./changes";
import { scenarios } from "./scenarios";

describe("the drill's options", () => {
    const [switchover, other] = changes;

    it("choose every fault and the quick change, or every planned change and no fault", () => {
        expect(parseOptions([])).to.deep.include({ scenarios, changes: [switchover], planned: false });
        expect(parseOptions(["--planned"])).to.deep.include({ scenarios: [], changes, planned: true });
    });

    it("repeat the quick change where all are asked for, and no other", () => {
        if (switchover === undefined || other === undefined) throw new Error("there are no changes");
        const all = parseOptions(["--planned", "--rounds", "2"]);
        const alone = parseOptions(["--scenario", "switchover", "--rounds", "2"]);
        expect([roundsOf(all, switchover), roundsOf(all, other), roundsOf(alone, switchover)]).to.deep.equal([
            20, 2, 2,
        ]);
    });

    it("are explained in lines that fit a terminal, with each change by name", () => {
        for (const { name } of [...scenarios, ...changes]) expect(usage).to.match(new RegExp(`[ :]${name}[,. \\n]`));
        expect(Math.max(...usage.split("\n").map((line) => line.length))).to.be.at.most(120);
    });

    it("refuse a change that is not there", () => {
        expect(() => parseOptions(["--scenario", "patroni-nine"])).to.throw(UsageError, "patroni-nine");
    });
});
