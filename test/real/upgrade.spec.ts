import { expect } from "chai";
import { containerPaths } from "../../components/defaults";
import { MajorChange } from "../../components/render/majorNodeScript";
import { nodeNames, up, UpgradeCluster } from "./upgradeCluster";

const oldData = containerPaths.postgresData(15);
const back: MajorChange = { from: 17, to: 15 };
const contents = "SELECT string_agg(id || text, ',' ORDER BY id) FROM things";
const version = "SELECT current_setting('server_version_num')::int / 10000";

describe("PostgreSQL 15 with a replica, under Patroni, @long", function () {
    this.bail(true);
    let cluster: UpgradeCluster;

    before(() => {
        cluster = new UpgradeCluster();
        cluster.start();
    });

    it("has data, extensions and checksums", () => {
        cluster.psql(
            "a",
            `CREATE EXTENSION pg_trgm;
             CREATE TABLE things (id int PRIMARY KEY, text text);
             INSERT INTO things SELECT n, md5(n::text) FROM generate_series(1, 1000) n;
             CREATE INDEX ON things USING gin (text gin_trgm_ops);
             CREATE DATABASE "an odd 'name'" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;`,
        );
        expect(cluster.psql("a", version)).to.equal("15");
        expect(cluster.psql("a", "SHOW data_checksums")).to.equal("on");
        cluster.waitForReplica("b");
    });

    it("is not upgraded by a node that starts with the new version beside the old data", () => {
        cluster.replace("b", 17);
        cluster.node("b").waitFor(["grep", "-q", "server version\\|incompatible\\|system ID", "/tmp/log"], 30);
        expect(cluster.psql("a", version)).to.equal("15");
        cluster.replace("b", 15);
        cluster.waitForReplica("b");
        cluster.shell("b", `rm -rf ${containerPaths.postgresRoot}/17`);
    });

    it("says all that is in the way of an upgrade, and changes nothing", () => {
        cluster.psql("a", "CREATE TABLE gone (id int); ALTER SYSTEM SET work_mem = '5MB'; SELECT pg_reload_conf();");
        cluster.psql("a", "SELECT pg_create_logical_replication_slot('consumer', 'pgoutput')");
        const before = cluster.everything();
        const { status, stderr } = cluster.change("a", up, "check", "b", "c");
        expect(status, stderr).to.equal(1);
        expect(stderr).to.match(/c: it doesn't stream/);
        expect(stderr).to.match(/logical slots.*: consumer/);
        expect(stderr).to.match(/ALTER SYSTEM.*: work_mem/);
        expect(stderr).not.to.match(/b: it doesn't stream/);
        expect(cluster.everything()).to.equal(before);
        cluster.psql("a", "ALTER SYSTEM RESET work_mem; SELECT pg_drop_replication_slot('consumer')");
    });

    it("is rehearsed without a change", function () {
        const before = cluster.everything();
        const { status, stderr } = cluster.change("a", up, "check", "b");
        expect(status, stderr).to.equal(0);
        expect(stderr).to.match(/nothing is in the way of PostgreSQL 17/);
        const rehearsed = cluster.change("b", up, "rehearse");
        expect(rehearsed.status, rehearsed.stderr).to.equal(0);
        expect(rehearsed.stderr).to.match(/upgraded to PostgreSQL 17: \d+ s to copy, \d+ s for pg_upgrade/);
        expect(cluster.everything()).to.equal(before);
    });

    it("goes on as 15 after an upgrade that fails when it has been stopped", () => {
        const { status, stderr } = cluster.spoiled(
            "pg_upgrade",
            'case "$*" in *--check*) exec "$0.real" "$@" ;; esac; echo spoiled; exit 1',
        );
        expect(status, stderr).to.equal(1);
        expect(stderr).to.match(/spoiled\npg_upgrade failed/);
        expect(stderr).to.match(/PostgreSQL 15 serves again, as before/);
        const leader =
            nodeNames.find((name) => cluster.psql(name, "SELECT pg_is_in_recovery()") === "f") ?? expect.fail();
        expect(cluster.psql(leader, version)).to.equal("15");
        expect(cluster.shell("a", `ls -A ${containerPaths.postgresRoot}`)).not.to.match(/\.upgrade$|17/m);
        for (const name of nodeNames) if (name !== leader) cluster.waitForReplica(name);
    });

    it("goes on as 15 when the next attempt finds that one was killed in its middle", () => {
        cluster.cutShort("in_container sh -c 'kill -9 \"$(cat /tmp/upgrade.pid)\"'");
        const { status, stdout, stderr } = cluster.change("a", up, "settle");
        expect(status, stderr).to.equal(0);
        expect(stdout.trim()).to.equal("open");
        expect(stderr).to.match(/PostgreSQL 15 serves again/);
    });

    it("becomes 17: with its data, its checksums and a replica", () => {
        cluster.makeLeader("b");
        const { status, stderr } = cluster.changeFirst(up);
        expect(status, stderr).to.equal(0);
        expect(stderr).to.match(/PostgreSQL 17 has the data, \d+ s after 15 was stopped/);
        const again = cluster.changeFirst(up);
        expect(again.status, again.stderr).to.equal(0);
        cluster.rollOut(up);
        for (const name of nodeNames) {
            expect(cluster.psql(name, version), name).to.equal("17");
            expect(cluster.psql(name, contents), name).to.match(/^1c4ca4238a0b923820dcc509a6f75849b,/);
            expect(cluster.psql(name, "SHOW data_checksums"), name).to.equal("on");
        }
        expect(cluster.psql("a", "SELECT count(*) FROM things WHERE text LIKE '%c4ca4238%'")).to.equal("1");
        expect(cluster.psql("a", "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'things'")).to.equal("t");
        expect(
            cluster.psql("a", "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname LIKE 'an odd%'"),
        ).to.equal("LATIN1");
        expect(cluster.shell("a", `cat ${oldData}/PG_VERSION`)).to.equal("15");
    });

    it("comes back with the data of before", () => {
        cluster.psql("a", "INSERT INTO things VALUES (0, 'written to 17')");
        cluster.makeLeader("b");
        const { status, stderr } = cluster.changeFirst(back);
        expect(status, stderr).to.equal(0);
        cluster.rollOut(back);
        for (const name of nodeNames) {
            expect(cluster.psql(name, version), name).to.equal("15");
            expect(cluster.psql(name, contents), name).to.match(/^1c4ca4238a0b923820dcc509a6f75849b,/);
            expect(cluster.shell(name, `ls ${containerPaths.postgresRoot}/17`)).to.match(/^data\.\d+$/);
        }
        cluster.psql("a", "INSERT INTO things VALUES (1001, 'written to 15')");
        cluster.waitForReplica("b");
    });

    it("becomes 17 after all, although the connection to the upgrade is lost in its middle", () => {
        cluster.cutShort();
        const { status, stderr } = cluster.changeFirst(up);
        expect(status, stderr).to.equal(0);
        cluster.rollOut(up);
        for (const name of nodeNames) {
            expect(cluster.psql(name, version), name).to.equal("17");
            expect(cluster.psql(name, "SELECT count(*) FROM things"), name).to.equal("1001");
        }
    });

    after(() => cluster.remove());
});
