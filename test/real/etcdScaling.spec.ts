import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { containerPaths } from "../../components/defaults";
import { inDataDirectory } from "../../components/platform/dataDirectory";
import {
    EtcdScript,
    renderEtcdAdmissionScript,
    renderEtcdGateScript,
    renderEtcdGuardScript,
    renderEtcdReadyScript,
} from "../../components/render/etcdScripts";
import { EtcdAdmission, etcdFiles, renderEtcdStartScript } from "../../components/render/etcdStartScript";
import { etcdctl, EtcdMemberConfig, renderEtcdMembers, renderEtcdYaml } from "../../components/render/etcdYaml";
import { workloadLabel } from "../../components/render/shell";
import { createAuthority, createServer, loopback } from "../helpers/certificates";
import { etcdMember } from "../render/samples";
import { Container, Network, ProgramResult } from "./container";

const host = { key: "here", sshAddress: "127.0.0.1" };
const authority = createAuthority("etcd authority");

/** Time for a member to join: etcd takes none before all others were connected for five seconds. */
const joinSeconds = 40;

/** Runs a script as a host does. */
function onHost(script: string): ProgramResult {
    const { status, stdout, stderr } = spawnSync("sh", ["-eu", "-s"], { input: script, encoding: "utf8" });
    return { status, stdout, stderr };
}

/** A quorum of real members, each with a volume and a network name of its own. */
class Quorum {
    private readonly network = new Network("etcd-scaling");
    private readonly containers = new Map<string, Container>();
    private readonly volumes = new Set<string>();

    constructor(private readonly tls: boolean) {}

    /** Starts members as `up` would: each is admitted where it is new, and knows the list of all. */
    start(names: string[], all: string[], admission?: EtcdAdmission, addresses: { [name: string]: string } = {}): void {
        for (const name of names) {
            const address = addresses[name] ?? name;
            const config = this.config(name, all, addresses);
            const list = renderEtcdMembers(config);
            const volume = this.volume(name);
            this.volumes.add(volume);
            const made = onHost(
                `chown 999:999 "$(docker volume inspect -f '{{.Mountpoint}}' "$(docker volume create --label pgha.test ${volume})")"`,
            );
            expect(made.stderr).to.equal("");
            if (admission !== undefined) {
                const data = { path: containerPaths.etcdData, hostPath: "", volumeName: volume, minimumFreeMiB: 1 };
                const script = inDataDirectory(host, data, renderEtcdAdmissionScript(list, admission));
                expect(onHost(script).stderr).to.equal("");
            }
            const own = createServer(authority, address, [`DNS:${address}`, ...loopback]);
            const files = {
                [containerPaths.etcdConfig]: renderEtcdYaml(config),
                [containerPaths.etcdStart]: renderEtcdStartScript(config),
                [containerPaths.etcdMembers]: list,
                ...(this.tls
                    ? {
                          [containerPaths.etcdCertificate]: own.certificate,
                          [containerPaths.serverKey]: own.privateKey,
                          [containerPaths.etcdCa]: authority.certificate,
                      }
                    : {}),
            };
            const options = [
                ...this.network.as(address),
                ...["--volume", `${volume}:${containerPaths.etcdData}`],
                ...["--label", `${workloadLabel}=${this.service(name)}`],
                ...["--restart", "always", "--tmpfs", "/tmp"],
            ];
            this.containers.set(name, Container.start("etcd", ["sh", containerPaths.etcdStart], { files, options }));
        }
    }

    /** What `up` runs at its end, on the first member. */
    settle(wanted: string[]): ProgramResult {
        return onHost(renderEtcdReadyScript(this.script(wanted[0] ?? ""), wanted));
    }

    gate(name: string): ProgramResult {
        return onHost(renderEtcdGateScript(this.script(name)));
    }

    guard(name: string): ProgramResult {
        return onHost(renderEtcdGuardScript(this.script(name)));
    }

    /** The container is gone, with or without its data. */
    stop(name: string, data: "kept" | "lost"): void {
        this.containers.get(name)?.remove();
        this.containers.delete(name);
        if (data === "lost") {
            expect(onHost(`docker volume rm ${this.volume(name)} >/dev/null`).stderr).to.equal("");
        }
    }

    /** The member's files are deleted behind its back, and its container restarts. */
    empty(name: string): void {
        const { status } = this.member(name).exec([
            "sh",
            "-c",
            `rm -rf ${containerPaths.etcdData}/*; kill -9 $(pidof etcd)`,
        ]);
        expect(status).to.be.oneOf([0, 137, 143]);
    }

    member(name: string): Container {
        const container = this.containers.get(name);
        if (container === undefined) {
            throw new Error(`${name} does not run`);
        }
        return container;
    }

    /** Waits until a container, which may restart meanwhile, has logged a text. */
    waitForLog(name: string, text: string): void {
        for (let second = 0; !this.member(name).logs().includes(text); second++) {
            expect(second, `${name} does not log "${text}":\n${this.member(name).logs()}`).to.be.below(joinSeconds);
            onHost("sleep 1");
        }
    }

    ctl(name: string, ...words: string[]): ProgramResult {
        return this.member(name).exec([...etcdctl(this.tls), ...words]);
    }

    /** Members as one of them sees them: name, and whether it votes. */
    members(name: string): string[] {
        return this.rows(name)
            .map(([, , member, , , learner]) => `${member} ${learner === "true" ? "learns" : "votes"}`)
            .sort();
    }

    idOf(name: string, of: string): string {
        return this.rows(name).find(([, , member]) => member === of)?.[0] ?? "";
    }

    peerUrlOf(name: string, of: string): string {
        return this.rows(name).find(([, , member]) => member === of)?.[3] ?? "";
    }

    /** Entries of a member's data directory. */
    files(name: string): string[] {
        return this.member(name).exec(["ls", containerPaths.etcdData]).stdout.trim().split("\n");
    }

    remove(): void {
        this.containers.forEach((container) => container.remove());
        onHost(`docker volume rm --force ${[...this.volumes].join(" ")}`);
        this.network.remove();
    }

    private rows(name: string): string[][] {
        const { stdout, stderr } = this.ctl(name, "member", "list");
        expect(stdout, stderr).not.to.equal("");
        return stdout
            .trim()
            .split("\n")
            .map((line) => line.split(", "));
    }

    private config(name: string, all: string[], addresses: { [name: string]: string }): EtcdMemberConfig {
        const members = all.map((each) => {
            return { name: each, address: addresses[each] ?? each, clientPort: 2379, peerPort: 2380 };
        });
        return { ...etcdMember, name, members, tls: this.tls };
    }

    private script(name: string): EtcdScript {
        return {
            host,
            serviceName: this.service(name),
            logsCommand: `docker logs ${name}`,
            tls: this.tls,
            timeoutSeconds: joinSeconds,
        };
    }

    private service(name: string): string {
        return `pgha-test-${process.pid}-${name}`;
    }

    private volume(name: string): string {
        return `pgha-test-${process.pid}-${name}`;
    }
}

const [a, b, c, d, e] = ["etcd-a", "etcd-b", "etcd-c", "etcd-d", "etcd-e"] as const;
const votes = (names: string[]): string[] => names.map((name) => `${name} votes`);

for (const tls of [true, false]) {
    describe(`An etcd quorum ${tls ? "with" : "without"} TLS @long`, function () {
        this.timeout(180_000);
        let quorum: Quorum;

        before(() => {
            quorum = new Quorum(tls);
        });

        after(() => {
            quorum.remove();
        });

        function expectWell(wanted: string[], value: string): void {
            const { status, stderr } = quorum.settle(wanted);
            expect(status, stderr + wanted.map((name) => quorum.member(name).logs().slice(-1500)).join("\n")).to.equal(
                0,
            );
            expect(quorum.members(wanted[0] ?? "")).to.deep.equal(votes(wanted));
            for (const name of wanted) {
                expect(quorum.ctl(name, "get", "key", "--print-value-only").stdout.trim(), name).to.equal(value);
            }
        }

        it("is made by three members that are new", () => {
            quorum.start([a, b, c], [a, b, c], EtcdAdmission.New);
            expect(quorum.settle([a, b, c]).stderr).to.equal("");
            quorum.ctl(a, "put", "key", "1");
            expectWell([a, b, c], "1");
            quorum.member(a).waitFor(["test", "!", "-e", `${containerPaths.etcdData}/${etcdFiles.admission}`]);
        });

        it("does without one member at a time, and lets none go that it needs", () => {
            expect(quorum.guard(a).stderr).to.equal("");
            quorum.stop(b, "kept");
            const { status, stderr } = quorum.guard(a);
            expect(status).to.equal(1);
            expect(stderr).to.match(
                /etcd would have no quorum; not well, or still joining: https?:\/\/etcd-b:2379\n {2}next: mend that/,
            );
            expect(quorum.guard(b).status, "the member that is away").to.equal(0);
            quorum.stop(c, "kept");
            expect(quorum.guard(a).status, "a quorum that is lost already").to.equal(0);
            quorum.start([b, c], [a, b, c]);
            expectWell([a, b, c], "1");
        });

        it("takes two more at once, one after the other, while the others stay as they are", () => {
            const before = [a, b, c].map((name) => quorum.idOf(a, name));
            quorum.start([d, e], [a, b, c, d, e], EtcdAdmission.Join);
            expectWell([a, b, c, d, e], "1");
            expect([a, b, c].map((name) => quorum.idOf(a, name))).to.deep.equal(before);
        });

        it("lets members go that are no longer wanted, and they do not come back by themselves", () => {
            expectWell([a, b, c], "1");
            expect(quorum.gate(a).status).to.equal(0);
            quorum.waitForLog(d, `${d} was removed from the quorum`);
            expect(quorum.files(d)).to.include("data");
            quorum.stop(d, "kept");
            quorum.stop(e, "kept");
            expect(quorum.members(a)).to.deep.equal(votes([a, b, c]));
        });

        if (!tls) {
            return;
        }

        it("does not take back a removed member that starts again, and says why", () => {
            quorum.start([d], [a, b, c, d, e]);
            quorum.waitForLog(d, `${d} was removed from the quorum`);
            expect(quorum.members(a)).to.deep.equal(votes([a, b, c]));
            quorum.stop(d, "kept");
        });

        it("takes it back with an empty directory when it is admitted anew, and keeps the old data", () => {
            quorum.start([d, e], [a, b, c, d, e], EtcdAdmission.Join);
            expectWell([a, b, c, d, e], "1");
            expect(quorum.files(d).join("\n")).to.match(/^data-\d{8}T\d{6}Z$/m);
            expectWell([a, b, c], "1");
            quorum.stop(d, "kept");
            quorum.stop(e, "lost");
        });

        it("gives a member its data back that was lost under it, by itself", () => {
            const before = quorum.idOf(a, b);
            quorum.empty(b);
            quorum
                .member(a)
                .waitFor(
                    [
                        "sh",
                        "-c",
                        `${etcdctl(tls).join(" ")} member list | grep -v ${before} | grep -q 'etcd-b.*false$'`,
                    ],
                    joinSeconds,
                );
            expectWell([a, b, c], "1");
            expect(quorum.idOf(a, b)).not.to.equal(before);
        });

        it("never makes another quorum where a majority has lost its data", () => {
            quorum.stop(c, "kept");
            quorum.empty(b);
            quorum.waitForLog(b, "waits for the quorum, of which no member answers");
            expect(quorum.files(b)).not.to.include("data");
            quorum.start([c], [a, b, c]);
            expectWell([a, b, c], "1");
        });

        it("finishes a join that was cut short after the member was added", () => {
            quorum.stop(c, "lost");
            const add = quorum.ctl(a, "member", "remove", quorum.idOf(a, c));
            expect(add.status, add.stderr).to.equal(0);
            const loop = "until ETCDCTL member add etcd-c --learner --peer-urls=https://etcd-c:2380; do sleep 1; done";
            const script = loop.replace("ETCDCTL", etcdctl(tls).join(" "));
            expect(quorum.member(a).exec(["sh", "-c", script]).status).to.equal(0);
            quorum.start([c], [a, b, c]);
            expectWell([a, b, c], "1");
        });

        it("follows a member to another host, without its data, while its old host is down", () => {
            quorum.stop(c, "lost");
            quorum.start([c], [a, b, c], EtcdAdmission.Join, { [c]: "elsewhere" });
            expectWell([a, b, c], "1");
            expect(quorum.peerUrlOf(a, c)).to.equal("https://elsewhere:2380");
        });

        it("follows a member that keeps its data to another address", () => {
            const before = quorum.idOf(a, c);
            quorum.stop(c, "kept");
            quorum.start([c], [a, b, c], undefined, { [c]: "renumbered" });
            expectWell([a, b, c], "1");
            expect(quorum.idOf(a, c)).to.equal(before);
            expect(quorum.peerUrlOf(a, c)).to.equal("https://renumbered:2380");
        });

        it("replaces a member that is lost with its host by another one", () => {
            quorum.stop(c, "lost");
            quorum.ctl(a, "put", "key", "2");
            quorum.start([d], [a, b, d], EtcdAdmission.Join);
            expectWell([a, b, d], "2");
        });

        it("goes on after all members were down at once, one of which never noted its id", () => {
            const noted = `${containerPaths.etcdData}/${etcdFiles.memberId}`;
            expect(quorum.member(a).exec(["rm", noted]).status).to.equal(0);
            [a, b, d].forEach((name) => quorum.stop(name, "kept"));
            quorum.start([a, b, d], [a, b, d], EtcdAdmission.Join);
            expectWell([a, b, d], "2");
        });
    });
}
