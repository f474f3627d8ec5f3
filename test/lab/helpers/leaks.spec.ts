import { expect } from "chai";
import { findLeaks } from "./leaks";

describe("the search for passwords", () => {
    const passwords = new Map([["owner", "s3cretPassw0rdOfTheOwner"]]);
    const search = (text: string): string[] => findLeaks([{ name: "service", text }], passwords);
    const base64 = (text: string): string => Buffer.from(text).toString("base64");

    it("finds one in a label", () => {
        const inspected = JSON.stringify({ Spec: { Labels: { note: "s3cretPassw0rdOfTheOwner" } } });
        expect(search(inspected)).to.deep.equal(["service: owner"]);
    });

    for (const before of ["", "a", "ab", "abc", "password: "]) {
        for (const after of ["", "\n", "', etc"]) {
            it(`finds one in base64 between ${JSON.stringify(before)} and ${JSON.stringify(after)}`, () => {
                const data = base64(`${before}s3cretPassw0rdOfTheOwner${after}`);
                expect(search(`{"Data":"${data}"}`)).to.deep.equal(["service: owner in base64"]);
            });
        }
    }

    it("finds nothing where there is none", () => {
        expect(search(`s3cretPassw0rdOfAnother ${base64("s3cretPassw0rdOfAnother")}`)).to.deep.equal([]);
    });
});
