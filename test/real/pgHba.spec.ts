import { expect } from "chai";
import { HbaMethod, HbaType, renderPgHba } from "../../components/render/pgHba";
import { Postgres } from "./postgres";

describe("PostgreSQL itself, with our pg_hba.conf", () => {
    let postgres: Postgres;

    before(() => {
        postgres = new Postgres();
    });
    after(() => postgres.remove());

    /** The rules as PostgreSQL has read them, without the cluster's own. */
    function read(rules: Parameters<typeof renderPgHba>[0]): object[] {
        const text = `${renderPgHba(rules).join("\n")}\n`;
        postgres.container.exec(["sh", "-c", "cat >/tmp/data/pg_hba.conf"], text);
        const sql =
            "SELECT json_build_object('type', type, 'database', database, 'role', user_name, 'address', address, 'method', auth_method, 'error', error) FROM pg_hba_file_rules ORDER BY line_number";
        return postgres
            .query("postgres", sql)
            .slice(renderPgHba([]).length)
            .map((row) => JSON.parse(row) as object);
    }

    it("reads names as they are meant, however hostile", () => {
        const names = ['we"ird', "a b,c", "@file", "#comment", "ünï", "back\\slash", "all ", "o'brien"];
        const [rule] = read([{ type: HbaType.Host, databases: names, roles: names }]);
        expect(rule).to.deep.equal({
            type: "host",
            database: names,
            role: names,
            address: "all",
            method: "scram-sha-256",
            error: null,
        });
    });

    it("reads keywords, groups and addresses of every kind", () => {
        const rules = read([
            { type: HbaType.Local, databases: ["sameuser"], method: HbaMethod.Reject },
            { type: HbaType.Host, roles: ["+staff"], address: "192.0.2.0/24" },
            { type: HbaType.HostNoSsl, address: "2001:db8::/32", method: HbaMethod.Reject },
            { type: HbaType.Host, address: ".example.com" },
            { type: HbaType.Host, address: "samenet" },
        ]);
        expect(rules).to.have.length(5);
        expect(rules.map((rule) => "error" in rule && rule.error)).to.deep.equal(Array(5).fill(null));
        expect(rules[0]).to.include({ type: "local", method: "reject" });
        expect(rules[1]).to.deep.include({ role: ["+staff"], address: "192.0.2.0" });
    });
});
