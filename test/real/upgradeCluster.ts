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
const { scope } = patroniMember;

/** Patroni is started again when it ends, with the configuration that is there then: as a replaced container is. */
const patroniLoop = `until [ -e ${configDirectory}/30-passwords.yml ]; do sleep 0.1; done
while true; do patroni ${configDirectory} > >(tee -a /tmp/log) 2>&1 & echo $! >/tmp/pid; wait $!; sleep 1; done`;

/** The upgrade. */
export const up: MajorChange = { from: 15, to: 17 };

/** Programs of the new version, one of which is not what it was. */
const spoiledPrograms = `${containerPaths.postgresRoot}/.spoiled`;
export const nodeNames = ["a", "b"];
const timeoutSeconds = 40;
const host = { key: "here", sshAddress: "127.0.0.1" };
const serviceOf = (name: string): string => `pgha-upgrade-${name}-${process.pid}`;

/** PostgreSQL 15 on two nodes under Patroni, in containers like a cluster's, and what a change of its major version does with them. */
export class UpgradeCluster {
    private readonly network = new Network("upgrade");
    private readonly nodes = new Map<string, Container>();
    private readonly scratch = mkdtempSync(join(tmpdir(), "pgha-upgrade-"));
    private etcd?: Container;

    start(): void {
        const members = [{ name: etcdMember.name, address: "store", clientPort: 2379, peerPort: 2380 }];
        this.etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], {
            files: { [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members }) },
            options: this.network.as("store"),
        });
        this.etcd.waitFor(["etcdctl", "endpoint", "health"]);
        const parameters = { shared_buffers: "32MB", fsync: "off", wal_level: "logical" };
        const { dynamic } = normalizePatroniSettings({ parameters, loopWaitSeconds: 2, ttlSeconds: 20 }, 512);
        const login = (username: string) => ({ username, password: password(username) });
        for (const name of nodeNames) {
            const container = Container.start("upgrade", ["bash", "-c", patroniLoop], {
                options: [
                    ...this.network.as(name),
                    ...["--label", `${workloadLabel}=${serviceOf(name)}`],
                    // As the cluster's containers are.
                    ...["--read-only", "--cap-drop", "ALL", "--volume", containerPaths.postgresRoot],
                    ...["--tmpfs", "/tmp:size=64m", "--tmpfs", "/run/postgresql:size=1m"],
                    ...["--tmpfs", `${configDirectory}:uid=999,gid=999,mode=0700`],
                ],
            });
            const files = {
                "10-member.yml": this.memberYaml(name, 15),
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
            this.nodes.set(name, container);
            writeFileSync(join(this.scratch, name), renderSwitchoverScript({ serviceName: serviceOf(name), scope }));
            if (name === "a") this.waitForPrimary(name);
            else this.waitForReplica(name);
        }
        const system = (role: string) => systemLogin(role, password(role), 1, "salt");
        this.psql(
            "a",
            renderPatroniRolesSql({
                superuser: system(superuser).verifier,
                replication: system(replication),
                rewind: system(rewind),
            }),
        );
    }

    remove(): void {
        for (const container of this.nodes.values()) container.remove();
        this.etcd?.remove();
        this.network.remove();
        rmSync(this.scratch, { recursive: true });
    }

    node(name: string): Container {
        return this.nodes.get(name) ?? expect.fail(`no node ${name}`);
    }

    private memberYaml(name: string, postgresMajor: number): string {
        return renderPatroniMemberYaml({
            ...patroniMember,
            name,
            address: name,
            dcs: { kind: DcsKind.Etcd3, settings: etcd3Settings(["http://store:2379"]) },
            tags: {},
            postgresMajor,
        });
    }

    /** Runs a script on a node, and gives what it prints. */
    shell(name: string, script: string): string {
        const { status, stdout, stderr } = this.node(name).exec(["sh", "-c", script]);
        expect(status, stderr).to.equal(0);
        return stdout.trim();
    }

    /** Runs SQL on a node as superuser, and gives what it prints. */
    psql(name: string, sql: string): string {
        const command = ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", localConninfo, "-f", "-"];
        const { status, stdout, stderr } = this.node(name).exec(command, sql);
        expect(status, stderr).to.equal(0);
        return stdout.trim();
    }

    private nodeScript(direction: MajorChange): string {
        return renderMajorNodeScript({ scope, change: direction, timeoutSeconds });
    }

    /** Gives the script of a change these words, in a node's container. */
    change(name: string, direction: MajorChange, ...words: string[]): ProgramResult {
        return this.node(name).exec(["sh", "-s", "--", ...words], this.nodeScript(direction));
    }

    private waitForPrimary(name: string): void {
        this.node(name).waitFor(["curl", "-fsS", "http://127.0.0.1:8008/primary"], 45);
    }

    waitForReplica(name: string): void {
        this.node(name).waitFor(["curl", "-fsS", "http://127.0.0.1:8008/replica?lag=0"], 45);
    }

    /** As the roll-out replaces a container. */
    replace(name: string, postgresMajor: number): void {
        const script = `cat >${configDirectory}/10-member.yml; kill "$(cat /tmp/pid)" 2>/dev/null || true`;
        const { status, stderr } = this.node(name).exec(["sh", "-c", script], this.memberYaml(name, postgresMajor));
        expect(status, stderr).to.equal(0);
    }

    /** Runs a script of the roll-out on this machine, which is the nodes' host. */
    private onHost(lines: string): ProgramResult {
        const { status, stdout, stderr } = spawnSync("sh", ["-eu", "-s", "--", "run"], {
            input: standardInput(lines),
            encoding: "utf8",
        });
        return { status, stdout, stderr };
    }

    /** The step of the roll-out before all nodes, of which `a` is the first. */
    changeFirst(direction: MajorChange): ProgramResult {
        return this.onHost(
            renderMajorChangeScript({
                scope,
                change: direction,
                timeoutSeconds,
                host,
                node: "a",
                serviceName: serviceOf("a"),
                others: ["b"],
                switchoverScript: join(this.scratch, "a"),
                synchronousMode: true,
                synchronousNodeCount: 1,
            }),
        );
    }

    /** The gate after a node, as far as it belongs to the change. */
    private settle(name: string, direction: MajorChange): void {
        const api = curlLocal(withoutOutput, 8008, "").join(" ");
        const lines = [
            failFunction(host),
            inContainerFunction(serviceOf(name)),
            `api() { in_container ${api}"$1" 2>/dev/null; }`,
            ...renderMajorSettled(direction, scope, timeoutSeconds),
        ];
        const { status, stderr } = this.onHost(lines.join("\n"));
        expect(status, stderr).to.equal(0);
    }

    /** Hands the leader's role to a node that hasn't got it. */
    makeLeader(name: string): void {
        const fit = "curl -fsS http://127.0.0.1:8008/primary || curl -fsS http://127.0.0.1:8008/synchronous";
        this.node(name).waitFor(["sh", "-c", fit], 40);
        if (this.node(name).exec(["curl", "-fsS", "http://127.0.0.1:8008/primary"]).status === 0) {
            // It may still be promoting itself.
            const promoted = `psql -X -q -t -A -d '${localConninfo}' -c 'SELECT pg_is_in_recovery()' | grep -qx f`;
            this.node(name).waitFor(["sh", "-c", promoted], 40);
            return;
        }
        const { status, stderr } = this.onHost(`sh ${join(this.scratch, name)} ${name === "a" ? "b" : "a"} ${name}`);
        expect(status, stderr).to.equal(0);
        this.waitForPrimary(name);
        this.waitForReplica(name === "a" ? "b" : "a");
    }

    /** The upgrade, with a program of the new version that is not what it was. */
    spoiled(program: string, lines: string): ProgramResult {
        const real = `${containerPaths.postgresBinaries(17)}/${program}`;
        const there = `${spoiledPrograms}/${program}`;
        this.shell(
            "a",
            `mkdir -p ${spoiledPrograms} && ln -sf ${containerPaths.postgresBinaries(17)}/* ${spoiledPrograms}/ && rm ${there} && ln -s ${real} ${there}.real && cat >${there} <<'END' && chmod +x ${there}\n#!/bin/sh\n${lines}\nEND`,
        );
        const script = this.nodeScript(up).replaceAll(containerPaths.postgresBinaries(17), spoiledPrograms);
        this.makeLeader("a");
        return this.node("a").exec(["sh", "-s", "--", "upgrade", "b"], script);
    }

    /** The upgrade, until PostgreSQL is stopped for it; then the connection to it is lost, and a command runs on the host. */
    cutShort(then = ":"): void {
        this.makeLeader("a");
        writeFileSync(join(this.scratch, "script"), this.nodeScript(up));
        const lines = [
            inContainerFunction(serviceOf("a")),
            `in_container sh -c 'echo $$ >/tmp/upgrade.pid; exec sh -s -- upgrade b' <${join(this.scratch, "script")} >/dev/null 2>&1 &`,
            `until in_container test -e ${containerPaths.postgresRoot}/.upgrade/paused; do sleep 0.1; done`,
            "until in_container sh -c '! pg_isready -q'; do sleep 0.1; done",
            'kill -9 "$!"',
            then,
        ];
        const { status, stderr } = this.onHost(lines.join("\n"));
        expect(status, stderr).to.equal(0);
    }

    /** Replaces both nodes, as the roll-out does after the change of the first one's data. */
    rollOut(direction: MajorChange): void {
        for (const name of nodeNames) {
            this.replace(name, direction.to);
            this.node(name).waitFor(["sh", "-c", `patronictl -c ${configDirectory} list | grep -q ${name}`]);
            this.settle(name, direction);
            if (name === "a") this.waitForPrimary(name);
            else this.waitForReplica(name);
            this.settle(name, direction);
        }
    }

    /** All that a rehearsal could have left or changed. */
    everything(): string {
        return nodeNames
            .map((name) => [
                this.shell(
                    name,
                    `cd ${containerPaths.postgresRoot} && find . -maxdepth 2 ! -name .upgrade.lock | sort; ls /tmp | sort`,
                ),
                this.psql(name, "SELECT pg_postmaster_start_time(), system_identifier FROM pg_control_system()"),
                this.shell(name, `patronictl -c ${configDirectory} show-config`),
            ])
            .join("\n");
    }
}
