import { expect } from "chai";
import { dcsClientPaths } from "../../components/dcsClient";
import { containerPaths, defaultPorts, systemRoles } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { etcdctl, renderEtcdYaml } from "../../components/render/etcdYaml";
import { renderExporterWebYaml } from "../../components/render/exporterWebYaml";
import { haproxyHealthPort, renderHaProxyCfg, renderHaProxyUsers } from "../../components/render/haproxyCfg";
import { curlLocal, expiredFunction } from "../../components/render/http";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
    renderPatroniTlsYaml,
} from "../../components/render/patroniYaml";
import { createAuthority, createServer, expire, KeyPair } from "../helpers/certificates";
import { etcdMember, haProxy, patroniMember, patroniPasswords } from "../render/samples";
import { Container, Network } from "./container";

const first = createAuthority("etcd authority 1");
const second = createAuthority("etcd authority 2");
const third = createAuthority("etcd authority 3");
const stranger = createAuthority("stranger");
const servers = createAuthority("authority");

const trust = (...authorities: KeyPair[]): string => authorities.map(({ certificate }) => certificate).join("");
const loopback = ["DNS:localhost", "IP:127.0.0.1"];
const etcdNames = ["etcd-db1", "etcd-db2", "etcd-db3"];
const etcdUrls = etcdNames.map((name) => `https://${name}:2379`);

function startEtcd(network: Network, name: string, own: KeyPair, trusted: string): Container {
    const members = etcdNames.map((each) => ({ name: each, address: each, clientPort: 2379, peerPort: 2380 }));
    const founders = etcdNames.map((each) => `${each}=https://${each}:2380`).join(",");
    const files = {
        [containerPaths.etcdConfig]: `${renderEtcdYaml({ ...etcdMember, name, members, tls: true })}initial-cluster: "${founders}"\n`,
        [containerPaths.etcdCertificate]: own.certificate,
        [containerPaths.serverKey]: own.privateKey,
        [containerPaths.etcdCa]: trusted,
        "/tmp/stranger.crt": stranger.certificate,
    };
    const command = ["etcd", "--config-file", containerPaths.etcdConfig];
    return Container.start("etcd", command, { files, options: network.as(name) });
}

/** A key that TLS's files must not be readable with for others, as Swarm and plain hosts give it; then the program as its user. */
function asUser(command: string): string[] {
    const script = `chown 999:999 ${containerPaths.serverKey}; chmod 0400 ${containerPaths.serverKey}; exec env HOME=/tmp setpriv --reuid 999 --regid 999 --clear-groups ${command}`;
    return ["sh", "-ec", script];
}

describe("etcd itself, with our certificates", () => {
    const network = new Network("etcd-tls");
    const members: Container[] = [];
    let member: Container;

    // As in the middle of a rotation: two members before it, one after it.
    before(() => {
        for (const name of etcdNames) {
            const isNew = name === "etcd-db3";
            const own = createServer(isNew ? second : first, name, [`DNS:${name}`, ...loopback]);
            const trusted = isNew ? trust(second, first, third) : trust(first, second);
            members.push(startEtcd(network, name, own, trusted));
        }
        [member] = members as [Container, Container, Container];
        member.waitFor([...etcdctl(true), "endpoint", "health", "--cluster"]);
    });
    after(() => {
        members.forEach((each) => each.remove());
        network.remove();
    });

    it("makes a quorum of members whose certificates are of both authorities of a rotation", () => {
        for (const each of members) {
            const { stdout, stderr } = each.exec([...etcdctl(true), "endpoint", "health", "--cluster"]);
            expect((stdout + stderr).match(/is healthy/g)).to.have.length(3);
        }
    });

    it("takes no client without a certificate, none of a stranger's, and none without TLS", () => {
        const put = (options: string[]): string => {
            const { status, stderr } = member.exec([
                "etcdctl",
                "--command-timeout=3s",
                "--dial-timeout=2s",
                ...options,
                "put",
                "key",
                "value",
            ]);
            return status === 0 ? "written" : stderr;
        };
        const url = `--endpoints=${etcdUrls[0]}`;
        const own = [`--cert=${containerPaths.etcdCertificate}`, `--key=${containerPaths.serverKey}`];
        expect(put([url, `--cacert=${containerPaths.etcdCa}`, ...own])).to.equal("written");
        expect(put([url, `--cacert=${containerPaths.etcdCa}`])).to.match(/certificate required|deadline exceeded/);
        expect(put([url, "--cacert=/tmp/stranger.crt", ...own])).to.match(/unknown authority|deadline exceeded/);
        expect(put(["--endpoints=http://etcd-db1:2379"])).to.match(/EOF|deadline exceeded/);
        expect(put([url, "--insecure-skip-tls-verify", "--insecure-transport=false"])).not.to.equal("written");
    });

    it("takes no peer without a certificate", () => {
        const ask = `curl -sS -o /dev/null --http1.1 --max-time 5 --cacert ${containerPaths.etcdCa} https://etcd-db2:2380/version`;
        const own = ` --cert ${containerPaths.etcdCertificate} --key ${containerPaths.serverKey}`;
        expect(member.exec(["sh", "-c", ask]).stderr).to.match(/certificate required/);
        expect(member.exec(["sh", "-c", ask + own]).status).to.equal(0);
    });

    it("shows health and metrics without TLS, and no keys there", () => {
        expect(member.exec(curlLocal([], defaultPorts.etcdMetrics, "/livez")).stdout).to.include("ok");
        expect(member.exec(curlLocal([], defaultPorts.etcdMetrics, "/metrics")).stdout).to.include(
            "etcd_server_has_leader 1",
        );
        const range = curlLocal(["-d", '{"key":"AA=="}'], defaultPorts.etcdMetrics, "/v3/kv/range");
        expect(member.exec(range).stderr).to.include("404");
    });

    it("is found to have expired only where it has", () => {
        const name = "etcd-late";
        const own = expire(first, createServer(first, name, [`DNS:${name}`, ...loopback]));
        const late = Container.start(
            "etcd",
            [
                ...["openssl", "s_server", "-quiet", "-www", "-accept", "2379"],
                ...["-cert", containerPaths.etcdCertificate, "-key", containerPaths.serverKey],
            ],
            {
                files: {
                    [containerPaths.etcdCertificate]: own.certificate,
                    [containerPaths.serverKey]: own.privateKey,
                },
                options: network.as(name),
            },
        );
        try {
            late.waitFor(["curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:2379/"]);
            const expired = (urls: string[]): number | null => {
                const script = ['in_container() { "$@"; }', expiredFunction(containerPaths.etcdCa, urls), "expired"];
                return member.exec(["sh", "-c", script.join("\n")]).status;
            };
            expect(expired(etcdUrls)).to.equal(1);
            expect(expired(["https://nowhere:2379", ...etcdUrls])).to.equal(1);
            expect(expired([...etcdUrls, `https://${name}:2379`])).to.equal(0);
        } finally {
            late.remove();
        }
    });
});

describe("Patroni itself, with our certificates", () => {
    const network = new Network("patroni-tls");
    const containers: Container[] = [];
    const nodes = { "patroni-db1": "node-one", "patroni-db2": "node-two" };
    let leader: Container;
    let replica: Container;
    let proxy: Container;

    function startNode(name: string, address: string): Container {
        const directory = containerPaths.patroniConfigDirectory;
        const client = createServer(first, "etcd-client", loopback);
        // Its name in Patroni is not among the alternative names, as in a cluster.
        const server = createServer(servers, name, [...Object.values(nodes).map((each) => `DNS:${each}`), ...loopback]);
        const { dynamic } = normalizePatroniSettings({ parameters: { shared_buffers: "32MB", fsync: "off" } }, 512);
        const member = {
            ...patroniMember,
            name,
            address,
            dcs: { kind: DcsKind.Etcd3, settings: etcd3Settings(["https://etcd-db1:2379"], dcsClientPaths) },
        };
        const files = {
            [`${directory}/10-member.yml`]: renderPatroniMemberYaml(member),
            [`${directory}/15-tls.yml`]: renderPatroniTlsYaml(true),
            [`${directory}/20-bootstrap.yml`]: renderPatroniBootstrapYaml(dynamic, true),
            [`${directory}/30-passwords.yml`]: renderPatroniPasswordsYaml(patroniPasswords),
            [containerPaths.serverCertificate]: server.certificate,
            [containerPaths.serverKey]: server.privateKey,
            [containerPaths.caCertificate]: servers.certificate,
            [containerPaths.dcsCertificate]: client.certificate,
            [containerPaths.dcsKey]: client.privateKey,
            [containerPaths.dcsCa]: first.certificate,
        };
        const container = Container.start("patroni", asUser(`patroni ${directory}`), {
            files,
            options: [...network.as(address), "--user", "0"],
        });
        containers.push(container);
        return container;
    }

    function startProxy(trusted: string): Container {
        const own = createServer(servers, "haproxy", loopback);
        const config = renderHaProxyCfg({
            ...haProxy,
            statisticsTls: true,
            servers: Object.entries(nodes).map(([name, address]) => ({
                ...{ name, address, postgresPort: 5432, apiPort: 8008, apiTls: true },
            })),
        });
        const { haproxyConfig, haproxyUsers, haproxyCertificate, haproxyCa } = containerPaths;
        const container = Container.start(
            "haproxy",
            ["haproxy", "-W", "-db", "-f", haproxyConfig, "-f", haproxyUsers],
            {
                files: {
                    [haproxyConfig]: config,
                    [haproxyUsers]: renderHaProxyUsers("admin", "word"),
                    [haproxyCertificate]: own.certificate + own.privateKey,
                    [haproxyCa]: trusted,
                    "/tmp/ca.crt": servers.certificate,
                },
                options: network.as("haproxy"),
            },
        );
        containers.push(container);
        container.waitFor(curlLocal([], haproxyHealthPort, "/healthz"));
        return container;
    }

    /** Checks of all servers that passed, and why others didn't. */
    const checks = (container: Container): string =>
        container
            .exec(curlLocal([], haproxyHealthPort, "/;csv"))
            .stdout.split("\n")
            .filter((line) => /,patroni-db\d,/.test(line))
            .map((line) => line.split(","))
            // An asterisk marks a result whose next check is under way.
            .map(
                ([backend, server, ...fields]) =>
                    `${backend} ${server} ${fields[15]} ${fields[34]?.replace(/^\* /, "")}`,
            )
            .join("\n");

    before(function () {
        this.timeout(180_000);
        const own = createServer(first, "etcd-db1", ["DNS:etcd-db1", ...loopback]);
        const members = [{ name: "etcd-db1", address: "etcd-db1", clientPort: 2379, peerPort: 2380 }];
        const etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], {
            files: {
                [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members, tls: true }),
                [containerPaths.etcdCertificate]: own.certificate,
                [containerPaths.serverKey]: own.privateKey,
                [containerPaths.etcdCa]: first.certificate,
            },
            options: network.as("etcd-db1"),
        });
        containers.push(etcd);
        etcd.waitFor([...etcdctl(true), "endpoint", "health"]);
        leader = startNode("patroni-db1", "node-one");
        leader.waitFor(curlLocal([], defaultPorts.patroniApi, "/primary", true));
        replica = startNode("patroni-db2", "node-two");
        replica.waitFor(curlLocal([], defaultPorts.patroniApi, "/readiness", true));
        proxy = startProxy(servers.certificate);
    });
    after(() => {
        containers.reverse().forEach((container) => container.remove());
        network.remove();
    });

    it("leads through an etcd that wants a certificate, and its replica verifies it", () => {
        const sql = `SELECT usename, version FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)`;
        const asOwner = ["setpriv", "--reuid", "999", "--regid", "999", "--clear-groups"];
        const conninfo = `host=${containerPaths.postgresSocket} user=${systemRoles.superuser} dbname=postgres`;
        const psql = [...asOwner, "psql", "-X", "-t", "-A", "-d", conninfo];
        const shown = [...psql, "-c", sql].map((word) => `"${word}"`).join(" ");
        leader.waitFor(["sh", "-c", `${shown} | grep -qx '${systemRoles.replication}|TLSv1.3'`]);
        const followed = replica.exec([...psql, "-c", "SHOW primary_conninfo"]).stdout;
        expect(followed).to.include("sslmode=verify-full").and.include(containerPaths.caCertificate);
    });

    it("answers by TLS only, verified by who knows the authority", () => {
        const ask = (options: string): string =>
            replica.exec(["sh", "-c", `curl -fsS -o /dev/null --max-time 5 ${options}`]).stderr;
        expect(ask(`--cacert ${containerPaths.caCertificate} https://node-one:8008/primary`)).to.equal("");
        expect(ask(`--cacert ${containerPaths.dcsCa} https://node-one:8008/primary`)).to.include("certificate");
        expect(ask("http://node-one:8008/primary")).not.to.equal("");
    });

    it("lets patronictl carry out what needs another node's REST API, and nobody without the password", () => {
        const { stdout } = replica.exec(["patronictl", "restart", "pg", "patroni-db1", "--force"]);
        expect(stdout).to.include("Success: restart on member patroni-db1");
        const unsafe = `curl -s -o /dev/null -w '%{http_code}' -X POST -d '{}' --cacert ${containerPaths.caCertificate} https://node-one:8008/restart`;
        expect(replica.exec(["sh", "-c", unsafe]).stdout).to.equal("401");
        leader.waitFor(curlLocal([], defaultPorts.patroniApi, "/primary", true), 30);
    });

    it("tells HAProxy who leads, which believes the node of that name alone", async () => {
        const settled = async (container: Container, isWanted: (found: string) => boolean): Promise<string> => {
            for (let round = 0; round < 120 && !isWanted(checks(container)); round++) {
                await new Promise((resolve) => setTimeout(resolve, 250));
            }
            return checks(container);
        };
        const believed = await settled(proxy, (found) => found.includes("read_write patroni-db2 DOWN"));
        expect(believed)
            .to.match(/read_write patroni-db1 UP L7OK/)
            .and.match(/replicas patroni-db2 UP L7OK/);
        expect(believed).to.match(/read_write patroni-db2 DOWN L7STS/);
        const doubting = startProxy(stranger.certificate);
        expect(await settled(doubting, (found) => !found.includes(" UP "))).not.to.include(" UP ");
        expect(checks(doubting)).to.match(/read_write patroni-db1 DOWN L6RSP/);
    });

    it("is not believed by HAProxy under another node's name", async () => {
        const { haproxyConfig, haproxyUsers, haproxyCertificate, haproxyCa } = containerPaths;
        const own = createServer(servers, "haproxy", loopback);
        const swapped = renderHaProxyCfg({
            ...haProxy,
            servers: [{ name: "patroni-db9", address: "node-one", postgresPort: 5432, apiPort: 8008, apiTls: true }],
        });
        const container = Container.start(
            "haproxy",
            ["haproxy", "-W", "-db", "-f", haproxyConfig, "-f", haproxyUsers],
            {
                files: {
                    [haproxyConfig]: swapped,
                    [haproxyUsers]: renderHaProxyUsers("admin", "word"),
                    [haproxyCertificate]: own.certificate + own.privateKey,
                    [haproxyCa]: servers.certificate,
                },
                options: network.as("swapped"),
            },
        );
        containers.push(container);
        container.waitFor(curlLocal([], haproxyHealthPort, "/healthz"));
        await new Promise((resolve) => setTimeout(resolve, 4000));
        expect(checksOf(container, "patroni-db9")).to.match(/DOWN/).and.not.match(/ UP/);
    });

    const checksOf = (container: Container, server: string): string =>
        container
            .exec(curlLocal([], haproxyHealthPort, "/;csv"))
            .stdout.split("\n")
            .filter((line) => line.includes(`,${server},`))
            .join("\n");

    it("leaves HAProxy's statistics to TLS and the password", () => {
        const port = defaultPorts.haproxyStats;
        const ask = (options: string): string =>
            proxy.exec(["sh", "-c", `curl -s -o /dev/null -w '%{http_code}' ${options}`]).stdout;
        expect(ask(`--cacert /tmp/ca.crt -u admin:word https://localhost:${port}/metrics`)).to.equal("200");
        expect(ask(`--cacert /tmp/ca.crt https://localhost:${port}/metrics`)).to.equal("401");
        expect(ask(`-u admin:word http://localhost:${port}/metrics`)).not.to.equal("200");
    });
});

describe("The exporter itself, with our certificate", () => {
    it("shows metrics by TLS only", () => {
        const own = createServer(servers, "exporter", loopback);
        const command = `prometheus-postgres-exporter --web.config.file=${containerPaths.exporterWebConfig}`;
        const exporter = Container.start("exporter", asUser(command), {
            files: {
                [containerPaths.exporterWebConfig]: renderExporterWebYaml(),
                [containerPaths.exporterCertificate]: own.certificate,
                [containerPaths.serverKey]: own.privateKey,
                [containerPaths.exporterPassword]: "word",
                "/tmp/ca.crt": servers.certificate,
            },
            options: [
                ...["--user", "0", "--env", "DATA_SOURCE_URI=127.0.0.1:1/postgres", "--env", "DATA_SOURCE_USER=x"],
                ...["--env", `DATA_SOURCE_PASS_FILE=${containerPaths.exporterPassword}`],
            ],
        });
        try {
            exporter.waitFor(curlLocal([], defaultPorts.exporter, "/", true));
            const ask = (options: string): string =>
                exporter.exec(["sh", "-c", `curl -s -w '%{http_code}' --max-time 5 ${options}`]).stdout;
            expect(ask(`--cacert /tmp/ca.crt https://localhost:${defaultPorts.exporter}/metrics`)).to.match(
                /^pg_up 0$/m,
            );
            expect(ask(`-o /dev/null http://localhost:${defaultPorts.exporter}/metrics`)).not.to.equal("200");
        } finally {
            exporter.remove();
        }
    });
});
