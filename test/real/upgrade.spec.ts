import { expect } from "chai";
import { containerPaths, systemRoles } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { localConninfo } from "../../components/render/conninfo";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import { MajorChange, renderMajorNodeScript } from "../../components/render/majorChange";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
} from "../../components/render/patroniYaml";
import { renderPatroniRolesSql, systemLogin } from "../../components/render/systemRolesSql";
import { etcdMember, patroniMember } from "../render/samples";
import { Container, Network, ProgramResult } from "./container";

const { superuser, replication, rewind } = systemRoles;
const password = (role: string): string => `${role}-word`;
const configDirectory = containerPaths.patroniConfigDirectory;
const oldData = containerPaths.postgresData(15);
const newData = containerPaths.postgresData(17);

/** Where the configuration comes from at first. */
const given = "/given";

/** Patroni is started again when it ends, with the configuration that is there then: as a replaced container is. */
const patroniLoop = `cp ${given}/*.yml ${configDirectory}
while true; do patroni ${configDirectory} > >(tee -a /tmp/log) 2>&1 & echo $! >/tmp/pid; wait $!; sleep 1; done`;

const up: MajorChange = { from: 15, to: 17 };
const back: MajorChange = { from: 17, to: 15 };
const nodeNames = ["a", "b"];

describe("PostgreSQL 15 with a replica, under Patroni,", function () {
    this.bail(true);
    let network: Network;
    let etcd: Container;
    const nodes = new Map<string, Container>();

    const node = (name: string): Container => nodes.get(name) ?? expect.fail(`no node ${name}`);
    const memberYaml = (name: string, postgresMajor: number): string =>
        renderPatroniMemberYaml({
            ...patroniMember,
            name,
            address: name,
            dcs: { kind: DcsKind.Etcd3, settings: etcd3Settings(["http://store:2379"]) },
            tags: {},
            postgresMajor,
        });
    const shell = (name: string, script: string): string => {
        const { status, stdout, stderr } = node(name).exec(["sh", "-c", script]);
        expect(status, stderr).to.equal(0);
        return stdout.trim();
    };
    const psql = (name: string, sql: string): string => {
        const command = ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", localConninfo, "-f", "-"];
        const { status, stdout, stderr } = node(name).exec(command, sql);
        expect(status, stderr).to.equal(0);
        return stdout.trim();
    };
    const change = (name: string, direction: MajorChange, ...words: string[]): ProgramResult => {
        const script = renderMajorNodeScript({ scope: patroniMember.scope, change: direction, timeoutSeconds: 40 });
        return node(name).exec(["sh", "-s", "--", ...words], script);
    };
    const waitForPrimary = (name: string): void =>
        node(name).waitFor(["curl", "-fsS", "http://127.0.0.1:8008/primary"], 45);
    const waitForReplica = (name: string): void =>
        node(name).waitFor(["curl", "-fsS", "http://127.0.0.1:8008/replica?lag=0"], 45);
    /** As the roll-out replaces a container. */
    const replace = (name: string, postgresMajor: number): void => {
        const script = `cat >${configDirectory}/10-member.yml; kill "$(cat /tmp/pid)" 2>/dev/null || true`;
        const { status, stderr } = node(name).exec(["sh", "-c", script], memberYaml(name, postgresMajor));
        expect(status, stderr).to.equal(0);
    };
    const resume = (name: string): string =>
        shell(name, `patronictl -c ${configDirectory} resume ${patroniMember.scope} && rm -rf ${containerPaths.postgresRoot}/.upgrade`);
    const contents = "SELECT string_agg(id || text, ',' ORDER BY id) FROM things";
    const version = "SELECT current_setting('server_version_num')::int / 10000";
    /** All that a rehearsal could have left or changed. */
    const everything = (): string =>
        nodeNames
            .map((name) => [
                shell(name, `cd ${containerPaths.postgresRoot} && find . -maxdepth 2 ! -name .upgrade.lock | sort; ls /tmp | sort`),
                psql(name, "SELECT pg_postmaster_start_time(), system_identifier FROM pg_control_system()"),
                shell(name, `patronictl -c ${configDirectory} show-config`),
            ])
            .join("\n");

    before(() => {
        network = new Network("upgrade");
        const members = [{ name: etcdMember.name, address: "store", clientPort: 2379, peerPort: 2380 }];
        etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], {
            files: { [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members }) },
            options: network.as("store"),
        });
        etcd.waitFor(["etcdctl", "endpoint", "health"]);
        const parameters = { shared_buffers: "32MB", fsync: "off", wal_level: "logical" };
        const { dynamic } = normalizePatroniSettings({ parameters, loopWaitSeconds: 2, ttlSeconds: 20 }, 512);
        const login = (username: string) => ({ username, password: password(username) });
        for (const name of nodeNames) {
            const container = Container.start("upgrade", ["bash", "-c", patroniLoop], {
                files: {
                    [`${given}/10-member.yml`]: memberYaml(name, 15),
                    [`${given}/20-bootstrap.yml`]: renderPatroniBootstrapYaml(dynamic, true),
                    [`${given}/30-passwords.yml`]: renderPatroniPasswordsYaml({
                        superuser: password(superuser),
                        replication: login(replication),
                        rewind: login(rewind),
                        api: "api-word",
                    }),
                },
                options: [...network.as(name), "--tmpfs", `${configDirectory}:uid=999,gid=999,mode=0700`],
            });
            nodes.set(name, container);
            if (name === "a") waitForPrimary(name);
            else waitForReplica(name);
        }
        const system = (role: string) => systemLogin(role, password(role), 1, "salt");
        psql(
            "a",
            renderPatroniRolesSql({
                superuser: system(superuser).verifier,
                replication: system(replication),
                rewind: system(rewind),
            }),
        );
    });

    it("has data, extensions and checksums", () => {
        psql(
            "a",
            `CREATE EXTENSION pg_trgm;
             CREATE TABLE things (id int PRIMARY KEY, text text);
             INSERT INTO things SELECT n, md5(n::text) FROM generate_series(1, 1000) n;
             CREATE INDEX ON things USING gin (text gin_trgm_ops);
             CREATE DATABASE "an odd 'name'" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;`,
        );
        expect(psql("a", version)).to.equal("15");
        expect(psql("a", "SHOW data_checksums")).to.equal("on");
        waitForReplica("b");
    });

    it("is not upgraded by a node that starts with the new version beside the old data", () => {
        replace("b", 17);
        node("b").waitFor(["grep", "-q", "server version\\|incompatible\\|system ID", "/tmp/log"], 30);
        expect(psql("a", version)).to.equal("15");
        replace("b", 15);
        waitForReplica("b");
        shell("b", `rm -rf ${containerPaths.postgresRoot}/17`);
    });

    it("says all that is in the way of an upgrade, and changes nothing", () => {
        psql("a", "CREATE TABLE gone (id int); ALTER SYSTEM SET work_mem = '5MB'; SELECT pg_reload_conf();");
        psql("a", "SELECT pg_create_logical_replication_slot('consumer', 'pgoutput')");
        const before = everything();
        const { status, stderr } = change("a", up, "check", "b", "c");
        expect(status, stderr).to.equal(1);
        expect(stderr).to.match(/c: it doesn't stream/);
        expect(stderr).to.match(/logical slots.*: consumer/);
        expect(stderr).to.match(/ALTER SYSTEM.*: work_mem/);
        expect(stderr).not.to.match(/b: it doesn't stream/);
        expect(everything()).to.equal(before);
        psql("a", "ALTER SYSTEM RESET work_mem; SELECT pg_drop_replication_slot('consumer')");
    });

    it("is rehearsed without a change", function () {
        const before = everything();
        const { status, stderr } = change("a", up, "check", "b");
        expect(status, stderr).to.equal(0);
        expect(stderr).to.match(/nothing is in the way of PostgreSQL 17/);
        const rehearsed = change("b", up, "rehearse");
        expect(rehearsed.status, rehearsed.stderr).to.equal(0);
        expect(rehearsed.stderr).to.match(/upgraded to PostgreSQL 17: \d+ s to copy, \d+ s for pg_upgrade/);
        expect(everything()).to.equal(before);
    });

    it("becomes 17: with its data, its checksums and a replica", () => {
        const { status, stderr } = change("a", up, "upgrade", "b");
        expect(status, stderr).to.equal(0);
        expect(stderr).to.match(/PostgreSQL 17 has the data, \d+ s after 15 was stopped/);
        expect(change("a", up, "settle").stdout.trim()).to.equal("done");
        replace("a", 17);
        node("a").waitFor(["sh", "-c", `test "$(cat ${newData}/PG_VERSION)" = 17`]);
        node("a").waitFor(["curl", "-fsS", "http://127.0.0.1:8008/liveness"]);
        resume("a");
        waitForPrimary("a");
        replace("b", 17);
        waitForReplica("b");
        for (const name of nodeNames) {
            expect(psql(name, version), name).to.equal("17");
            expect(psql(name, contents), name).to.match(/^1c4ca4238a0b923820dcc509a6f75849b,/);
            expect(psql(name, "SHOW data_checksums"), name).to.equal("on");
        }
        expect(psql("a", "SELECT count(*) FROM things WHERE text LIKE '%c4ca4238%'")).to.equal("1");
        expect(psql("a", "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname LIKE 'an odd%'")).to.equal(
            "LATIN1",
        );
        expect(shell("a", `cat ${oldData}/PG_VERSION`)).to.equal("15");
    });

    it("comes back with the data of before", () => {
        psql("a", "INSERT INTO things VALUES (0, 'written to 17')");
        const { status, stderr } = change("a", back, "back");
        expect(status, stderr).to.equal(0);
        replace("a", 15);
        node("a").waitFor(["curl", "-fsS", "http://127.0.0.1:8008/liveness"]);
        resume("a");
        waitForPrimary("a");
        replace("b", 15);
        waitForReplica("b");
        for (const name of nodeNames) {
            expect(psql(name, version), name).to.equal("15");
            expect(psql(name, contents), name).to.match(/^1c4ca4238a0b923820dcc509a6f75849b,/);
        }
        psql("a", "INSERT INTO things VALUES (1001, 'written to 15')");
    });

    after(() => {
        for (const container of nodes.values()) container.remove();
        etcd.remove();
        network.remove();
    });
});
