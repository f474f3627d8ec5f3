import { expect } from "chai";
import { scramVerifier } from "../../components/render/scram";

describe("render/scram", () => {
    it("has PostgreSQL's form", () => {
        expect(scramVerifier("pencil", "salt")).to.match(
            /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/,
        );
    });

    it("gives the same for the same password and salt, and another for another", () => {
        const verifier = scramVerifier("pencil", "salt");
        expect(scramVerifier("pencil", "salt")).to.equal(verifier);
        expect(scramVerifier("pencil", "pepper")).not.to.equal(verifier);
        expect(scramVerifier("pencils", "salt")).not.to.equal(verifier);
    });

    it("doesn't hold the password", () => {
        expect(scramVerifier("pencil", "salt")).not.to.include("pencil");
    });

    it("takes different writings of one character for the same", () => {
        expect(scramVerifier("\u00e9", "salt")).to.equal(scramVerifier("e\u0301", "salt"));
    });
});
