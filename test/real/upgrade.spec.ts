import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerPaths, systemRoles } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { localConninfo } from "../../components/render/conninfo";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import { renderMajorChangeScript, renderMajorSettled } from "../../components/render/majorChange";
import { MajorChange, renderMajorNodeScript } from "../../components/render/majorNodeScript";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
} from "../../components/render/patroniYaml";
import { curlLocal, withoutOutput } from "../../components/render/http";
import { failFunction, inContainerFunction, workloadLabel } from "../../components/render/shell";
import { standardInput } from "../../components/render/ssh";
import { renderSwitchoverScript } from "../../components/render/switchoverScript";
import { renderPatroniRolesSql, systemLogin } from "../../components/render/systemRolesSql";
import { etcdMember, patroniMember } from "../render/samples";
import { Container, Network, ProgramResult } from "./container";

const { superuser, replication, rewind } = systemRoles;
const password = (role: string): string => `${role}-word`;
const configDirectory = containerPaths.patroniConfigDirectory;
const oldData = containerPaths.postgresData(15);

/** Patroni is started again when it ends, with the configuration that is there then: as a replaced container is. */
const patroniLoop = `until [ -e ${configDirectory}/30-passwords.yml ]; do sleep 0.1; done
while true; do patroni ${configDirectory} > >(tee -a /tmp/log) 2>&1 & echo $! >/tmp/pid; wait $!; sleep 1; done`;

const up: MajorChange = { from: 15, to: 17 };
const back: MajorChange = { from: 17, to: 15 };
/** Programs of the new version, one of which is not what it was. */
const spoiledPrograms = `${containerPaths.postgresRoot}/.spoiled`;
const nodeNames = ["a", "b"];
const timeoutSeconds = 40;
const host = { key: "here", sshAddress: "127.0.0.1" };
const serviceOf = (name: string): string => `pgha-upgrade-${name}-${process.pid}`;

describe("PostgreSQL 15 with a replica, under Patroni, @long", function () {
    this.bail(true);
    let network: Network;
    let etcd: Container;
    const nodes = new Map<string, Container>();
    const scratch = mkdtempSync(join(tmpdir(), "pgha-upgrade-"));

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
    const scope = patroniMember.scope;
    const nodeScript = (direction: MajorChange): string =>
        renderMajorNodeScript({ scope, change: direction, timeoutSeconds });
    const change = (name: string, direction: MajorChange, ...words: string[]): ProgramResult =>
        node(name).exec(["sh", "-s", "--", ...words], nodeScript(direction));
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
    /** Runs a script of the roll-out on this machine, which is the nodes' host. */
    const onHost = (lines: string): ProgramResult => {
        const { status, stdout, stderr } = spawnSync("sh", ["-eu", "-s", "--", "run"], {
            input: standardInput(lines),
            encoding: "utf8",
        });
        return { status, stdout, stderr };
    };
    /** The step of the roll-out before all nodes, of which `a` is the first. */
    const changeFirst = (direction: MajorChange): ProgramResult =>
        onHost(
            renderMajorChangeScript({
                scope,
                change: direction,
                timeoutSeconds,
                host,
                node: "a",
                serviceName: serviceOf("a"),
                others: ["b"],
                switchoverScript: join(scratch, "a"),
                synchronousMode: true,
                synchronousNodeCount: 1,
            }),
        );
    /** The gate after a node, as far as it belongs to the change. */
    const settle = (name: string, direction: MajorChange): void => {
        const api = curlLocal(withoutOutput, 8008, "").join(" ");
        const lines = [
            failFunction(host),
            inContainerFunction(serviceOf(name)),
            `api() { in_container ${api}"$1" 2>/dev/null; }`,
            ...renderMajorSettled(direction, scope, timeoutSeconds),
        ];
        const { status, stderr } = onHost(lines.join("\n"));
        expect(status, stderr).to.equal(0);
    };
    /** Hands the leader's role to a node that hasn't got it. */
    const makeLeader = (name: string): void => {
        const fit = "curl -fsS http://127.0.0.1:8008/primary || curl -fsS http://127.0.0.1:8008/synchronous";
        node(name).waitFor(["sh", "-c", fit], 40);
        if (node(name).exec(["curl", "-fsS", "http://127.0.0.1:8008/primary"]).status === 0) {
            // It may still be promoting itself.
            const promoted = `psql -X -q -t -A -d '${localConninfo}' -c 'SELECT pg_is_in_recovery()' | grep -qx f`;
            node(name).waitFor(["sh", "-c", promoted], 40);
            return;
        }
        const { status, stderr } = onHost(`sh ${join(scratch, name)} ${name === "a" ? "b" : "a"} ${name}`);
        expect(status, stderr).to.equal(0);
        waitForPrimary(name);
        waitForReplica(name === "a" ? "b" : "a");
    };
    /** The upgrade, with a program of the new version that is not what it was. */
    const spoiled = (program: string, lines: string): ProgramResult => {
        const real = `${containerPaths.postgresBinaries(17)}/${program}`;
        const there = `${spoiledPrograms}/${program}`;
        shell(
            "a",
            `mkdir -p ${spoiledPrograms} && ln -sf ${containerPaths.postgresBinaries(17)}/* ${spoiledPrograms}/ && rm ${there} && ln -s ${real} ${there}.real && cat >${there} <<'END' && chmod +x ${there}\n#!/bin/sh\n${lines}\nEND`,
        );
        const script = nodeScript(up).replaceAll(containerPaths.postgresBinaries(17), spoiledPrograms);
        makeLeader("a");
        return node("a").exec(["sh", "-s", "--", "upgrade", "b"], script);
    };
    /** The upgrade, until PostgreSQL is stopped for it; then the connection to it is lost, and a command runs on the host. */
    const cutShort = (then = ":"): void => {
        makeLeader("a");
        writeFileSync(join(scratch, "script"), nodeScript(up));
        const lines = [
            inContainerFunction(serviceOf("a")),
            `in_container sh -c 'echo $$ >/tmp/upgrade.pid; exec sh -s -- upgrade b' <${join(scratch, "script")} >/dev/null 2>&1 &`,
            `until in_container test -e ${containerPaths.postgresRoot}/.upgrade/paused; do sleep 0.1; done`,
            "until in_container sh -c '! pg_isready -q'; do sleep 0.1; done",
            'kill -9 "$!"',
            then,
        ];
        const { status, stderr } = onHost(lines.join("\n"));
        expect(status, stderr).to.equal(0);
    };
    const rollOut = (direction: MajorChange): void => {
        for (const name of nodeNames) {
            replace(name, direction.to);
            node(name).waitFor(["sh", "-c", `patronictl -c ${configDirectory} list | grep -q ${name}`]);
            settle(name, direction);
            if (name === "a") waitForPrimary(name);
            else waitForReplica(name);
            settle(name, direction);
        }
    };
    const contents = "SELECT string_agg(id || text, ',' ORDER BY id) FROM things";
    const version = "SELECT current_setting('server_version_num')::int / 10000";
    /** All that a rehearsal could have left or changed. */
    const everything = (): string =>
        nodeNames
            .map((name) => [
                shell(
                    name,
                    `cd ${containerPaths.postgresRoot} && find . -maxdepth 2 ! -name .upgrade.lock | sort; ls /tmp | sort`,
                ),
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
                options: [
                    ...network.as(name),
                    ...["--label", `${workloadLabel}=${serviceOf(name)}`],
                    // As the cluster's containers are.
                    ...["--read-only", "--cap-drop", "ALL", "--volume", containerPaths.postgresRoot],
                    ...["--tmpfs", "/tmp:size=64m", "--tmpfs", "/run/postgresql:size=1m"],
                    ...["--tmpfs", `${configDirectory}:uid=999,gid=999,mode=0700`],
                ],
            });
            const files = {
                "10-member.yml": memberYaml(name, 15),
                "20-bootstrap.yml": renderPatroniBootstrapYaml(dynamic, true),
                "30-passwords.yml": renderPatroniPasswordsYaml({
                    superuser: password(superuser),
                    replication: login(replication),
                    rewind: login(rewind),
                    api: "api-word",
                }),
            };
            for (const [file, content] of Object.entries(files)) {
                const written = container.exec(
                    ["sh", "-c", `cat >${configDirectory}/new && mv ${configDirectory}/new ${configDirectory}/${file}`],
                    content,
                );
                expect(written.status, written.stderr).to.equal(0);
            }
            nodes.set(name, container);
            writeFileSync(join(scratch, name), renderSwitchoverScript({ serviceName: serviceOf(name), scope }));
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

    it("goes on as 15 after an upgrade that fails when it has been stopped", () => {
        const { status, stderr } = spoiled(
            "pg_upgrade",
            'case "$*" in *--check*) exec "$0.real" "$@" ;; esac; echo spoiled; exit 1',
        );
        expect(status, stderr).to.equal(1);
        expect(stderr).to.match(/spoiled\npg_upgrade failed/);
        expect(stderr).to.match(/PostgreSQL 15 serves again, as before/);
        const leader = nodeNames.find((name) => psql(name, "SELECT pg_is_in_recovery()") === "f") ?? expect.fail();
        expect(psql(leader, version)).to.equal("15");
        expect(shell("a", `ls -A ${containerPaths.postgresRoot}`)).not.to.match(/\.upgrade$|17/m);
        for (const name of nodeNames) if (name !== leader) waitForReplica(name);
    });

    it("goes on as 15 when the next attempt finds that one was killed in its middle", () => {
        cutShort("in_container sh -c 'kill -9 \"$(cat /tmp/upgrade.pid)\"'");
        const { status, stdout, stderr } = change("a", up, "settle");
        expect(status, stderr).to.equal(0);
        expect(stdout.trim()).to.equal("open");
        expect(stderr).to.match(/PostgreSQL 15 serves again/);
    });

    it("becomes 17: with its data, its checksums and a replica", () => {
        makeLeader("b");
        const { status, stderr } = changeFirst(up);
        expect(status, stderr).to.equal(0);
        expect(stderr).to.match(/PostgreSQL 17 has the data, \d+ s after 15 was stopped/);
        const again = changeFirst(up);
        expect(again.status, again.stderr).to.equal(0);
        rollOut(up);
        for (const name of nodeNames) {
            expect(psql(name, version), name).to.equal("17");
            expect(psql(name, contents), name).to.match(/^1c4ca4238a0b923820dcc509a6f75849b,/);
            expect(psql(name, "SHOW data_checksums"), name).to.equal("on");
        }
        expect(psql("a", "SELECT count(*) FROM things WHERE text LIKE '%c4ca4238%'")).to.equal("1");
        expect(psql("a", "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'things'")).to.equal("t");
        expect(
            psql("a", "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname LIKE 'an odd%'"),
        ).to.equal("LATIN1");
        expect(shell("a", `cat ${oldData}/PG_VERSION`)).to.equal("15");
    });

    it("comes back with the data of before", () => {
        psql("a", "INSERT INTO things VALUES (0, 'written to 17')");
        makeLeader("b");
        const { status, stderr } = changeFirst(back);
        expect(status, stderr).to.equal(0);
        rollOut(back);
        for (const name of nodeNames) {
            expect(psql(name, version), name).to.equal("15");
            expect(psql(name, contents), name).to.match(/^1c4ca4238a0b923820dcc509a6f75849b,/);
            expect(shell(name, `ls ${containerPaths.postgresRoot}/17`)).to.match(/^data\.\d+$/);
        }
        psql("a", "INSERT INTO things VALUES (1001, 'written to 15')");
        waitForReplica("b");
    });

    it("becomes 17 after all, although the connection to the upgrade is lost in its middle", () => {
        cutShort();
        const { status, stderr } = changeFirst(up);
        expect(status, stderr).to.equal(0);
        rollOut(up);
        for (const name of nodeNames) {
            expect(psql(name, version), name).to.equal("17");
            expect(psql(name, "SELECT count(*) FROM things"), name).to.equal("1001");
        }
    });

    after(() => {
        for (const container of nodes.values()) container.remove();
        etcd.remove();
        network.remove();
        rmSync(scratch, { recursive: true });
    });
});
