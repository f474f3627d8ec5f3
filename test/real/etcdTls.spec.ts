import { expect } from "chai";
import { containerPaths, defaultPorts } from "../../components/defaults";
import { etcdctl, renderEtcdYaml } from "../../components/render/etcdYaml";
import { curlLocal, expiredFunction } from "../../components/render/http";
import { createAuthority, createServer, expire, KeyPair, loopback } from "../helpers/certificates";
import { etcdMember } from "../render/samples";
import { Container, Network } from "./container";

const first = createAuthority("etcd authority 1");
const second = createAuthority("etcd authority 2");
const third = createAuthority("etcd authority 3");
const stranger = createAuthority("stranger");

const trust = (...authorities: KeyPair[]): string => authorities.map(({ certificate }) => certificate).join("");
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
