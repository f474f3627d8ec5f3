import { expect } from "chai";
import { RefusedChange } from "../../components/render/changeWords";
import { describeRotation } from "../../components/render/generationWords";

describe("render/generationWords", () => {
    it("says which passwords are made anew", () => {
        expect(describeRotation({ a: 1, b: 2, c: 3 }, { a: 2, b: 2, c: 9 })).to.deep.equal([
            { words: "new passwords: a 1 -> 2, c 3 -> 9" },
        ]);
    });

    it("says nothing of settings that come or go", () => {
        expect(describeRotation({ a: 1, gone: 4 }, { a: 1, come: 2 })).to.deep.equal([]);
    });

    it("refuses all that would go back", () => {
        expect(() => describeRotation({ a: 2, b: 3, c: 1 }, { a: 1, b: 2, c: 2 })).to.throw(
            RefusedChange,
            "a 2 -> 1, b 3 -> 2 would",
        );
    });
});
