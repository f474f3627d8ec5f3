import { expect } from "chai";
import { PostgresClusterArgs } from "../../components";
import { createAuthority } from "../helpers/certificates";
import { createCluster, hostArgs, recordCluster, singleHostArgs } from "../helpers/cluster";
import { generatedCertificate, generatedKey, record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, prepareScript, serviceInputs } from "../helpers/service";
import { isSecret } from "../helpers/wire";

/** What the program says of a certificate's names. */
function namesOf(recording: Recording, server: string): { dnsNames: string[]; ipAddresses: string[] } {
    return recording.custom(`pg-certificates-${server}-request`).inputs as never;
}

describe("ClusterCertificates", () => {
    let recording: Recording;

    before(async () => {
        recording = await recordCluster();
    });

    it("is an authority and its successor, and a key and a certificate for each server", () => {
        const servers = ["exporter", "haproxy", "patroni-db1", "patroni-db2", "patroni-db3", "pgbouncer"];
        expect(recording.childrenOf("pg-certificates")).to.deep.equal(
            [
                ...[1, 2].flatMap((number) => [
                    `PrivateKey pg-certificates-authority-${number}-key`,
                    `SelfSignedCert pg-certificates-authority-${number}`,
                ]),
                ...servers.flatMap((server) => [
                    `PrivateKey pg-certificates-${server}-key`,
                    `CertRequest pg-certificates-${server}-request`,
                    `LocallySignedCert pg-certificates-${server}-certificate`,
                ]),
            ].sort(),
        );
    });

    it("names every way to a server", () => {
        const { dnsNames, ipAddresses } = namesOf(recording, "patroni-db2");
        expect(dnsNames).to.deep.equal(["localhost", "pg-haproxy"]);
        expect(ipAddresses).to.deep.equal(["127.0.0.1", "192.0.2.11", "192.0.2.12", "192.0.2.13"]);
        expect(namesOf(recording, "pgbouncer").dnsNames).to.include("pg-pgbouncer");
    });

    it("names own addresses, and what the user adds", async () => {
        const tls = { serverNames: ["db.example.com", "198.51.100.7"] };
        const single = await record(() => createCluster(singleHostArgs({ tls })));
        const { dnsNames, ipAddresses } = namesOf(single, "patroni-b");
        expect(dnsNames).to.include("db.example.com");
        expect(ipAddresses).to.include.members(["172.19.0.22", "172.19.0.30", "192.0.2.11", "198.51.100.7"]);
    });

    it("leaves nodes as they are that another one joins", async () => {
        const three = Object.keys(hostArgs());
        const members = Object.fromEntries(three.map((host) => [host, { host }]));
        const four = await recordCluster({ hosts: hostArgs(4), etcd: { members }, haproxy: { hosts: three } });
        expect(namesOf(four, "patroni-db4").ipAddresses).to.include("192.0.2.14");
        for (const node of ["patroni-db1", "patroni-db2", "patroni-db3"]) {
            expect(namesOf(four, node)).to.deep.equal(namesOf(recording, node));
        }
    });

    it("renews servers before their authority can end, and both long before their own end", () => {
        const authority = recording.custom("pg-certificates-authority-1").inputs as { [name: string]: number };
        const server = recording.custom("pg-certificates-pgbouncer-certificate").inputs as { [name: string]: number };
        expect(authority.earlyRenewalHours).to.be.at.least(server.validityPeriodHours ?? Infinity);
        expect(server.earlyRenewalHours).to.be.at.least(30 * 24);
        expect(server.validityPeriodHours).to.be.greaterThan(2 * (server.earlyRenewalHours ?? 0));
    });

    it("reaches PostgreSQL: certificate, key and authority, and the settings that name them", () => {
        const of = (name: string): string => `pg-certificates-${name}`;
        expect(fileContent(recording, "pg-patroni-db1-cert")).to.equal(
            generatedCertificate(of("patroni-db1-certificate")) + generatedCertificate(of("authority-1")),
        );
        expect(fileContent(recording, "pg-patroni-db1-key")).to.equal(generatedKey(of("patroni-db1-key")));
        expect(fileContent(recording, "pg-patroni-db1-ca")).to.equal(
            generatedCertificate(of("authority-1")) + generatedCertificate(of("authority-2")),
        );
        const { configs, secrets } = serviceInputs(recording, "pg-patroni-db1").taskSpec.containerSpec;
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        const named = [...fileContent(recording, "pg-patroni-db1-tls").matchAll(/ssl_\w+_file: (\S+)/g)];
        expect(named).to.have.length(3);
        expect(files).to.include.members(named.map(([, path]) => path));
        expect(secrets.find(({ fileName }) => fileName.endsWith(".key"))).to.include({
            fileMode: 0o400,
            fileUid: "999",
        });
    });

    it("reaches PgBouncer, which takes TLS on both sides", () => {
        const config = fileContent(recording, "pg-pgbouncer-config");
        expect(config).to.include("client_tls_sslmode = allow").and.include("server_tls_sslmode = verify-ca");
        const { configs, secrets } = serviceInputs(recording, "pg-pgbouncer").taskSpec.containerSpec;
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        const named = [...config.matchAll(/^(?:client|server)_tls_(?:cert|key|ca)_file = (.*)$/gm)];
        expect(named).to.have.length(3);
        expect(files).to.include.members(named.map(([, path]) => path));
    });

    it("reaches exporters, which verify PostgreSQL", () => {
        const { args, configs, secrets } = serviceInputs(recording, "pg-exporter-db1").taskSpec.containerSpec;
        expect(args.join(" ")).to.match(
            / DATA_SOURCE_URI=\S+\?sslmode=verify-full&sslrootcert=\/etc\/exporter\/ca.crt /,
        );
        const web = fileContent(recording, "pg-exporter-db1-web");
        const named = [...web.matchAll(/file: (\S+)/g)].map(([, path]) => path);
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        expect(named).to.have.length(2);
        expect(files).to.include.members([...named, "/etc/exporter/ca.crt", args.at(-1)?.split("=")[1]]);
    });

    it("reaches HAProxy: its own certificate with the key, and the authorities to verify Patroni with", () => {
        const pem = fileContent(recording, "pg-haproxy-cert");
        expect(pem).to.include(generatedCertificate("pg-certificates-haproxy-certificate"));
        expect(pem).to.include(generatedKey("pg-certificates-haproxy-key"));
        const config = fileContent(recording, "pg-haproxy-config");
        const { configs, secrets } = serviceInputs(recording, "pg-haproxy").taskSpec.containerSpec;
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        const named = [...config.matchAll(/(?:crt|ca-file) (\S+)/g)].map(([, path]) => path);
        expect(files).to.include.members([...new Set(named)]);
        expect(config.match(/check-ssl verify required/g)).to.have.length(3 * 3);
    });

    it("reaches Patroni: TLS of its REST API, and what etcd wants to see", () => {
        const tls = fileContent(recording, "pg-patroni-db1-tls");
        const member = fileContent(recording, "pg-patroni-db1-member");
        const { configs, secrets } = serviceInputs(recording, "pg-patroni-db1").taskSpec.containerSpec;
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        const named = [...(tls + member).matchAll(/(?:certfile|keyfile|cacert|cert|key|sslrootcert): (\S+)/g)];
        expect(named).to.have.length(8);
        expect(files).to.include.members(named.map(([, path]) => path));
        expect(fileContent(recording, "pg-patroni-db1-dcs-key")).to.equal(
            generatedKey("pg-etcd-certificates-etcd-client-key"),
        );
    });

    it("has an authority for etcd that signs for nobody else, and whose client can't pose as a member", () => {
        const uses = (name: string): unknown => recording.custom(`${name}-certificate`).inputs.allowedUses;
        const member = "pg-etcd-certificates-etcd-db1";
        expect(uses(member)).to.deep.equal(["digital_signature", "server_auth", "client_auth"]);
        expect(uses("pg-etcd-certificates-etcd-client")).to.deep.equal(["digital_signature", "client_auth"]);
        expect(uses("pg-certificates-haproxy")).to.deep.equal(["digital_signature", "server_auth"]);
        expect(recording.custom(`${member}-request`).inputs.ipAddresses).to.deep.equal(["127.0.0.1", "192.0.2.11"]);
        const trusted = fileContent(recording, "pg-etcd-db1-ca");
        expect(trusted).to.include("pg-etcd-certificates-authority-1").and.not.include("pg-certificates-");
    });

    it("is signed by a given authority, whose key stays a secret", async () => {
        const certificateAuthority = createAuthority("company");
        const given = await recordCluster({ tls: { certificateAuthority } });
        const { wire, inputs } = given.custom("pg-certificates-patroni-db1-certificate");
        expect(inputs.caCertPem).to.equal(certificateAuthority.certificate);
        expect(isSecret(wire.caPrivateKeyPem)).to.equal(true);
        expect(isSecret(wire.caCertPem)).to.equal(false);
        expect(fileContent(given, "pg-patroni-db1-ca").startsWith(certificateAuthority.certificate)).to.equal(true);
        // etcd believes nobody else who has a certificate of it.
        expect(fileContent(given, "pg-etcd-db1-ca")).not.to.include(certificateAuthority.certificate);
    });

    describe("in a rotation", () => {
        /** Authorities by what they are used for: whose certificate is behind a server's own, and who is trusted. */
        const authoritiesOf = (rotated: Recording): { signing: string; trusted: string[] } => {
            const numbers = (text: string): string[] => [...text.matchAll(/authority-(\d+)/g)].map(([, n]) => n ?? "");
            const [signing = ""] = numbers(fileContent(rotated, "pg-patroni-db1-cert"));
            return { signing, trusted: numbers(fileContent(rotated, "pg-patroni-db1-ca")).sort() };
        };

        it("is signed by an authority that everybody trusted before, and still trusts the one before it", async () => {
            let before = authoritiesOf(recording);
            for (const authorityGeneration of [2, 3, 4]) {
                const after = authoritiesOf(await recordCluster({ tls: { authorityGeneration } }));
                expect(before.trusted).to.include(after.signing);
                expect(after.trusted).to.include(before.signing);
                before = after;
            }
            expect(before.trusted).to.deep.equal(["3", "4", "5"]);
        });

        it("makes no authority anew that it had before", async () => {
            const rotated = await recordCluster({ tls: { authorityGeneration: 2 } }, { previous: recording });
            const changed = rotated.changedSince(recording);
            expect(changed).to.include("pg-etcd-certificates-etcd-db1-certificate");
            expect(changed)
                .not.to.include("pg-certificates-authority-1")
                .and.not.include("pg-certificates-authority-2");
        });

        it("trusts a given authority before it signs, and a cluster's own after that", async () => {
            const company = createAuthority("company");
            const { certificate: trustedCertificates } = company;
            const trusting = await recordCluster({ tls: { trustedCertificates } });
            expect(fileContent(trusting, "pg-haproxy-ca")).to.include(trustedCertificates);
            expect(authoritiesOf(trusting).signing).to.equal("1");
            const signed = await recordCluster({ tls: { certificateAuthority: company, trustedCertificates } });
            expect(fileContent(signed, "pg-haproxy-ca").split(trustedCertificates)).to.have.length(2);
            expect(fileContent(signed, "pg-haproxy-ca")).to.include(
                generatedCertificate("pg-certificates-authority-1"),
            );
        });
    });

    it("stops no roll-out of nodes when it has expired: neither before a leader goes nor after", () => {
        const urls = ["https://192.0.2.11:8008", "https://192.0.2.12:8008", "https://192.0.2.13:8008"];
        const prepare = prepareScript(recording, "pg-patroni-db2");
        const gate = String(recording.custom("pg-patroni-db2-gate").inputs.stdin);
        for (const script of [prepare, gate]) expect(script).to.include(`for url in ${urls.join(" ")}; do`);
        expect(prepare)
            .to.match(/^sh '.*\/patroni-db2' .* \|\| expired \|\|$/m)
            .and.match(/^until spared \|\| expired; do$/m)
            .and.match(/^until api \/replica \|\| expired; do$/m);
        expect(gate).to.match(/^until api '\/readiness.*' \|\| expired; do$/m);
    });

    it("leaves the cluster's own connections alone where it shall", async () => {
        const plain = await recordCluster({ tls: { enableInternalTls: false } });
        expect(
            plain.names().filter((name) => /etcd-certificates|certificates-(haproxy|exporter)/.test(name)),
        ).to.deep.equal([]);
        expect(fileContent(plain, "pg-etcd-db1-config")).to.include("listen-peer-urls: http:");
        expect(fileContent(plain, "pg-patroni-db1-tls")).not.to.include("restapi");
        expect(prepareScript(plain, "pg-patroni-db2")).to.include("api /primary").and.not.to.include("expired");
        expect(fileContent(plain, "pg-haproxy-config")).not.to.match(/check-ssl|crt/);
        const { args } = serviceInputs(plain, "pg-exporter-db1").taskSpec.containerSpec;
        expect(args.at(-1), "no argument follows the program").to.equal("prometheus-postgres-exporter");
        expect(JSON.stringify(plain.outputs)).to.include("http://192.0.2.11:8008");
    });

    describe("where TLS is required", () => {
        const tls: PostgresClusterArgs["tls"] = { requireTls: true };
        let required: Recording;

        before(async () => {
            required = await recordCluster({ tls, applications: { shop: {} } }, { previous: recording });
        });

        it("has PostgreSQL refuse what comes without it, before any other rule", () => {
            const script = String(required.custom("pg-patroni-dynamic-config").inputs.stdin);
            expect(script).to.match(/hostnossl all,replication all all reject",\s+"host /);
        });

        it("has PgBouncer refuse it, too", () => {
            expect(fileContent(required, "pg-pgbouncer-config")).to.include("client_tls_sslmode = require");
        });

        it("restarts no Patroni node to begin with it", () => {
            const changed = required.changedSince(recording);
            expect(changed).to.include.members(["pg-patroni-dynamic-config", "pg-pgbouncer"]);
            expect(changed.filter((name) => /^pg-patroni-db\d/.test(name))).to.deep.equal([]);
        });
    });
});
