import { expect } from "chai";
import { PoolMode, renderPgBouncerIni, renderPgBouncerUsers } from "../../components/render/pgbouncerIni";
import { expectGolden } from "./golden";
import { pgBouncer } from "./samples";

describe("render/pgbouncerIni", () => {
    it("renders the configuration", () => expectGolden("pgbouncer.ini", renderPgBouncerIni(pgBouncer)));

    for (const poolMode of Object.values(PoolMode)) {
        it(`renders pool mode ${poolMode}`, () => {
            const lines = renderPgBouncerIni({ ...pgBouncer, poolMode }).split("\n");
            expect(lines.filter((line) => line.startsWith("pool_mode"))).to.deep.equal([`pool_mode = ${poolMode}`]);
        });
    }

    it("renders PgBouncer's own login, and a password only there", () => {
        expectGolden("userlist.txt", renderPgBouncerUsers("pgbouncer", "pgbouncer-password"));
        expect(renderPgBouncerIni(pgBouncer)).not.to.include("password");
    });

    it("keeps its administrator when its login has another name", () => {
        const ini = renderPgBouncerIni({ ...pgBouncer, authUser: "pgbouncer_2" });
        expect(ini).to.match(/^auth_user = pgbouncer_2$/m);
        expect(ini).to.match(/^admin_users = pgbouncer,pgbouncer_2$/m);
        expect(renderPgBouncerUsers("pgbouncer_2", "new")).to.equal(`"pgbouncer" "new"\n"pgbouncer_2" "new"\n`);
    });

    it("doubles quotes in a password", () => {
        expect(renderPgBouncerUsers("pgbouncer", `a"b`)).to.equal(`"pgbouncer" "a""b"\n`);
    });
});
