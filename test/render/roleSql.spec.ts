import { expect } from "chai";
import { loginName, loginNames } from "../../components/render/roleSql";
import { renderApplicationSql } from "../../components/render/sql";
import {
    renderExporterSql,
    renderNewLoginsSql,
    renderPatroniRolesSql,
    renderPgBouncerSql,
    renderRefusalSql,
    systemLogin,
} from "../../components/render/systemRolesSql";
import { expectGolden } from "./golden";
import { application } from "./samples";

const login = (generation: number) => ({ verifier: `verifier-${generation}`, generation });
const patroniLogins = { superuser: "verifier-of-postgres", replication: login(2), rewind: login(1) };

describe("render/roleSql", () => {
    it("names a login after its role, with a number from the second password on", () => {
        expect([1, 2, 10].map((generation) => loginName("shop", generation))).to.deep.equal([
            "shop",
            "shop_2",
            "shop_10",
        ]);
        expect(loginNames("shop")).to.deep.equal(["shop"]);
        expect(loginNames("shop", { current: 3, oldest: 2 })).to.deep.equal(["shop_2", "shop_3"]);
    });

    it("renders an application whose owner has a new password beside the old one", () => {
        const owner = { ...application.owner, generations: { current: 2, oldest: 1 } };
        expectGolden("application-rotated.sql", renderApplicationSql({ ...application, owner, roles: [] }));
    });

    it("never touches the password of the generation before", () => {
        const owner = { ...application.owner, generations: { current: 2, oldest: 1 } };
        const sql = renderApplicationSql({ ...application, owner, roles: [] });
        expect([...sql.matchAll(/^ALTER ROLE (\S+) .*PASSWORD '/gm)].map(([, role]) => role)).to.deep.equal([
            '"shop_2"',
        ]);
    });
});

describe("render/systemRolesSql", () => {
    it("renders PgBouncer's role and look-up", () => expectGolden("pgbouncer.sql", renderPgBouncerSql(login(1))));

    it("renders the exporter's role, with a second password", () =>
        expectGolden("exporter.sql", renderExporterSql(login(2))));

    it("renders the refusal of earlier passwords", () =>
        expectGolden("refusal.sql", renderRefusalSql("exporter", login(2))));

    it("renders the new logins of Patroni's roles, for leader and replicas", () =>
        expectGolden("new-logins.sql", renderNewLoginsSql(patroniLogins)));

    it("renders Patroni's roles once all nodes use the new logins", () =>
        expectGolden("patroni-roles.sql", renderPatroniRolesSql(patroniLogins)));

    it("changes no password of the superuser before all nodes have it", () => {
        expect(renderNewLoginsSql(patroniLogins)).not.to.include(patroniLogins.superuser);
    });

    it("salts each generation by itself", () => {
        const [first, second] = [1, 2].map((generation) => systemLogin("exporter", "same", generation, "salt"));
        expect(first?.verifier).not.to.equal(second?.verifier);
    });
});
