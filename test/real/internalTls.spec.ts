import { expect } from "chai";
import { dcsClientPaths } from "../../components/dcsClient";
import { containerPaths, defaultPorts, systemRoles } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { etcdctl, renderEtcdYaml } from "../../components/render/etcdYaml";
import { renderExporterWebYaml } from "../../components/render/exporterWebYaml";
import { haproxyHealthPort, renderHaProxyCfg, renderHaProxyUsers } from "../../components/render/haproxyCfg";
import { curlLocal } from "../../components/render/http";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
    renderPatroniTlsYaml,
} from "../../components/render/patroniYaml";
import { createAuthority, createServer, loopback } from "../helpers/certificates";
import { etcdMember, haProxy, patroniMember, patroniPasswords } from "../render/samples";
import { Container, Network } from "./container";

const etcdAuthority = createAuthority("etcd authority");
const stranger = createAuthority("stranger");
const servers = createAuthority("authority");

/** A key that TLS's files must not be readable with for others, as Swarm and plain hosts give it; then the program as its user. */
function asUser(command: string): string[] {
    const script = `chown 999:999 ${containerPaths.serverKey}; chmod 0400 ${containerPaths.serverKey}; exec env HOME=/tmp setpriv --reuid 999 --regid 999 --clear-groups ${command}`;
    return ["sh", "-ec", script];
}

describe("Patroni itself, with our certificates", () => {
    const network = new Network("patroni-tls");
    const containers: Container[] = [];
    const nodes = { "patroni-db1": "node-one", "patroni-db2": "node-two" };
    let leader: Container;
    let replica: Container;
    let proxy: Container;

    function startNode(name: string, address: string): Container {
        const directory = containerPaths.patroniConfigDirectory;
        const client = createServer(etcdAuthority, "etcd-client", loopback);
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
            [containerPaths.dcsCa]: etcdAuthority.certificate,
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
        const own = createServer(etcdAuthority, "etcd-db1", ["DNS:etcd-db1", ...loopback]);
        const members = [{ name: "etcd-db1", address: "etcd-db1", clientPort: 2379, peerPort: 2380 }];
        const etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], {
            files: {
                [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members, tls: true }),
                [containerPaths.etcdCertificate]: own.certificate,
                [containerPaths.serverKey]: own.privateKey,
                [containerPaths.etcdCa]: etcdAuthority.certificate,
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
