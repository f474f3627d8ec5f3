import { expect } from "chai";
import { containerPaths, systemRoles } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { localConninfo } from "../../components/render/conninfo";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
} from "../../components/render/patroniYaml";
import { loginName } from "../../components/render/roleSql";
import {
    PatroniLogins,
    renderNewLoginsSql,
    renderPatroniRolesSql,
    systemLogin,
} from "../../components/render/systemRolesSql";
import { etcdMember, patroniMember } from "../render/samples";
import { Container, Network } from "./container";

const { superuser, replication, rewind } = systemRoles;
const passwordOf = (role: string, generation: number): string => `${role}-word-${generation}`;

const logins = (generation: number): PatroniLogins => ({
    superuser: systemLogin(superuser, passwordOf(superuser, generation), 1, "salt").verifier,
    replication: systemLogin(replication, passwordOf(replication, generation), generation, "salt"),
    rewind: systemLogin(rewind, passwordOf(rewind, generation), generation, "salt"),
});

const passwordsYaml = (generation: number): string => {
    const login = (role: string) => ({
        username: loginName(role, generation),
        password: passwordOf(role, generation),
    });
    return renderPatroniPasswordsYaml({
        superuser: passwordOf(superuser, generation),
        replication: login(replication),
        rewind: login(rewind),
        api: passwordOf("api", generation),
    });
};

const configDirectory = "/tmp/patroni";
const passwordsFile = `${configDirectory}/30-passwords.yml`;
/** Patroni is started again when it ends, with the configuration that is there then: as a replaced container is. */
const script = `mkdir ${configDirectory} && cp ${containerPaths.patroniConfigDirectory}/*.yml ${configDirectory}
while true; do patroni ${configDirectory} & echo $! >/tmp/pid; wait $!; done`;

describe("Two of Patroni's nodes, with rotated passwords", () => {
    let network: Network;
    let etcd: Container;
    const nodes = new Map<string, Container>();

    const node = (name: string): Container => nodes.get(name) ?? expect.fail(`no node ${name}`);
    const psql = (name: string, sql: string): string => {
        const command = ["psql", "-X", "-q", "-t", "-A", "-d", localConninfo, "-f", "-"];
        const { status, stdout, stderr } = node(name).exec(command, sql);
        expect(status, stderr).to.equal(0);
        return stdout.trim();
    };
    const streamsAs = (leader: string, follower: string, user: string): void => {
        const query = `SELECT 1 FROM pg_stat_replication WHERE application_name = '${follower}' AND usename = '${user}' AND state = 'streaming'`;
        node(leader).waitFor(["sh", "-c", `psql -X -t -A -d '${localConninfo}' -c "${query}" | grep -q 1`], 60);
    };
    /** Gives a node the passwords of a generation, and starts it again with them. */
    const replace = (name: string, generation: number): void => {
        const change = `cat >${passwordsFile}; old=$(cat /tmp/pid); kill "$old"; while kill -0 "$old" 2>/dev/null; do sleep 0.1; done`;
        const { status, stderr } = node(name).exec(["sh", "-c", change], passwordsYaml(generation));
        expect(status, stderr).to.equal(0);
    };
    const handOver = (from: string, to: string): void => {
        const words = ["switchover", "pg", "--leader", from, "--candidate", to, "--force"];
        node(from).waitFor(["sh", "-c", `patronictl -c ${configDirectory} ${words.join(" ")} | grep -q Success`], 40);
        node(to).waitFor(["curl", "-fsS", "http://127.0.0.1:8008/primary"], 60);
    };

    before(() => {
        network = new Network("rotation");
        const members = [{ name: etcdMember.name, address: "store", clientPort: 2379, peerPort: 2380 }];
        const files = { [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members }) };
        etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], {
            files,
            options: network.as("store"),
        });
        etcd.waitFor(["etcdctl", "endpoint", "health"]);
        const { dynamic } = normalizePatroniSettings({ parameters: { shared_buffers: "32MB", fsync: "off" } }, 512);
        const dcs = { kind: DcsKind.Etcd3, settings: etcd3Settings(["http://store:2379"]) };
        for (const name of ["a", "b"]) {
            const directory = containerPaths.patroniConfigDirectory;
            const container = Container.start("patroni", ["bash", "-c", script], {
                files: {
                    [`${directory}/10-member.yml`]: renderPatroniMemberYaml({
                        ...patroniMember,
                        name,
                        address: name,
                        dcs,
                        tags: {},
                    }),
                    [`${directory}/20-bootstrap.yml`]: renderPatroniBootstrapYaml(dynamic, false),
                    [`${directory}/30-passwords.yml`]: passwordsYaml(1),
                },
                options: network.as(name),
            });
            nodes.set(name, container);
            const path = name === "a" ? "primary" : "replica";
            container.waitFor(["curl", "-fsS", `http://127.0.0.1:8008/${path}`], 59);
        }
        psql("a", renderPatroniRolesSql(logins(1)));
        streamsAs("a", "b", "replicator");
    });

    after(() => {
        for (const container of nodes.values()) container.remove();
        etcd.remove();
        network.remove();
    });

    it("a replica knows a new login when the leader has made it, and not before", () => {
        expect(psql("b", renderNewLoginsSql(logins(2)))).to.equal("f");
        expect(psql("a", renderNewLoginsSql(logins(2)))).to.equal("t");
        streamsAs("a", "b", "replicator");
        const asked = ["psql", "-X", "-t", "-A", "-d", localConninfo, "-c"];
        const known = "SELECT 1 FROM pg_authid WHERE rolname = 'replicator_2'";
        node("b").waitFor(["sh", "-c", `${asked.map((word) => `'${word}'`).join(" ")} "${known}" | grep -q 1`]);
        expect(psql("b", renderNewLoginsSql(logins(2)))).to.equal("t");
    });

    it("a replica with the new one follows a leader with the old one, and the other way round", () => {
        replace("b", 2);
        streamsAs("a", "b", "replicator_2");
        handOver("a", "b");
        streamsAs("b", "a", "replicator");
        replace("a", 2);
        streamsAs("b", "a", "replicator_2");
    });

    it("once the old one is refused, all follow whoever leads", () => {
        psql("b", renderPatroniRolesSql(logins(2)));
        handOver("b", "a");
        streamsAs("a", "b", "replicator_2");
        const canLogIn = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin";
        expect(psql("a", canLogIn)).to.equal("postgres replicator_2 rewinder_2");
    });
});
