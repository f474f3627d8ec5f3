import { expect } from "chai";
import * as fc from "fast-check";
import { parse } from "yaml";
import { renderYaml } from "../../components/render/yaml";

/** The same data with the keys of every map the other way round. */
function reversed(data: unknown): unknown {
    if (Array.isArray(data)) {
        return data.map(reversed);
    }
    if (typeof data !== "object" || data === null) {
        return data;
    }
    return Object.fromEntries(
        Object.entries(data)
            .reverse()
            .map(([key, value]) => [key, reversed(value)]),
    );
}

describe("render/yaml", () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    // No setting has a key that merges.
    const key = fc.string().filter((text) => text !== "<<");
    const data = fc.object({ key, values: [scalar], maxDepth: 3 });

    it("says what stands in two places twice", () => {
        const shared = { a: 1 };
        expect(renderYaml({ first: shared, second: shared })).to.equal("first:\n  a: 1\nsecond:\n  a: 1\n");
    });

    it("renders the same text whatever the order of the keys", () => {
        fc.assert(
            fc.property(data, (value) => {
                expect(renderYaml(reversed(value))).to.equal(renderYaml(value));
            }),
        );
    });

    it("renders another text for other data", () => {
        expect(renderYaml({ a: { b: 1 } })).not.to.equal(renderYaml({ a: { b: 2 } }));
    });

    it("round-trips for readers of YAML 1.2 and 1.1", () => {
        fc.assert(
            fc.property(data, (value) => {
                const text = renderYaml(value);
                expect(parse(text)).to.deep.equal(value);
                expect(parse(text, { version: "1.1" })).to.deep.equal(value);
            }),
        );
    });

    it("keeps lines of blanks", () => {
        expect(parse(renderYaml({ value: " \n" }))).to.deep.equal({ value: " \n" });
    });

    for (const word of ["on", "no", "y", "010", "0o10", "1_000", "12:30:45", "2026-01-31", "~", "0x1f", ".5", "1e3"]) {
        it(`quotes the text ${word}, which a reader of YAML 1.1 or 1.2 would not read as text`, () => {
            expect(renderYaml({ value: word })).to.equal(`value: "${word}"\n`);
            expect(renderYaml({ [word]: 1 })).to.equal(`"${word}": 1\n`);
        });
    }
});
