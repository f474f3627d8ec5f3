import { expect } from "chai";
import { describeTlsChange, TlsRecord } from "../../components/render/tlsChange";

const before: TlsRecord = { etcdTls: true, authorityGeneration: 2 };

describe("render/tlsChange", () => {
    it("announces a rotation by one, either way", () => {
        for (const authorityGeneration of [1, 3]) {
            const [words] = describeTlsChange(before, { ...before, authorityGeneration });
            expect(words?.words).to.include(`authority ${authorityGeneration}`);
        }
    });

    it("says nothing where nothing changes", () => {
        expect(describeTlsChange(before, { ...before })).to.deep.equal([]);
    });

    it("refuses a rotation to an authority that nobody trusts yet", () => {
        expect(() => describeTlsChange(before, { ...before, authorityGeneration: 4 })).to.throw("Change it by one");
    });

    it("refuses a change of etcd's members to or from TLS", () => {
        expect(() => describeTlsChange(before, { ...before, etcdTls: false })).to.throw(
            "Set tls.enableInternalTls back",
        );
    });
});
