import { expect } from "chai";
import { defaultHbaRules, HbaMethod, HbaType, renderPgHba } from "../../components/render/pgHba";
import { expectGolden } from "./golden";

describe("render/pgHba", () => {
    it("renders the default rules", () =>
        expectGolden("pg_hba-default.conf", `${renderPgHba(defaultHbaRules).join("\n")}\n`));

    it("renders rules of every kind", () =>
        expectGolden(
            "pg_hba-rules.conf",
            `${renderPgHba([
                { type: HbaType.Local, databases: ["sameuser"], method: HbaMethod.Reject },
                { type: HbaType.HostSsl, databases: ["shop", "orders"], roles: ["+staff"], address: "192.0.2.0/24" },
                { type: HbaType.HostSsl, roles: ["robot"], address: "2001:db8::/32", method: HbaMethod.Cert },
                { type: HbaType.HostNoSsl, address: "all", method: HbaMethod.Reject },
            ]).join("\n")}\n`,
        ));

    it("quotes every name that is not a keyword", () => {
        const [rule] = renderPgHba([
            { type: HbaType.Host, databases: ['we"ird', "a b,c", "@file"], roles: ["#x"] },
        ]).slice(-1);
        expect(rule).to.equal('host "we""ird","a b,c","@file" "#x" all scram-sha-256');
    });

    it("lets no rule of the user come before the cluster's own", () => {
        const own = renderPgHba([]);
        const lines = renderPgHba([{ type: HbaType.Host, address: "all", method: HbaMethod.Reject }]);
        expect(lines.slice(0, own.length)).to.deep.equal(own);
        expect(own.join("\n"))
            .to.include('+"replicator"')
            .and.to.include('"postgres",+"rewinder",+"pgbouncer",+"exporter"');
    });
});
