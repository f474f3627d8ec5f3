import { expect } from "chai";
import { PostgresClusterArgs } from "../../components";
import { createAuthority } from "../helpers/certificates";
import { recordCluster, singleHostArgs, createCluster } from "../helpers/cluster";
import { generatedCertificate, generatedKey, record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, serviceInputs } from "../helpers/service";
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

    it("is an authority, and a key and a certificate for each server", () => {
        const servers = ["patroni-db1", "patroni-db2", "patroni-db3", "pgbouncer"];
        expect(recording.childrenOf("pg-certificates")).to.deep.equal(
            [
                "PrivateKey pg-certificates-authority-key",
                "SelfSignedCert pg-certificates-authority",
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
        expect(ipAddresses).to.include.members(["172.19.0.21", "172.19.0.30", "192.0.2.11", "198.51.100.7"]);
    });

    it("renews servers before their authority can end, and both long before their own end", () => {
        const authority = recording.custom("pg-certificates-authority").inputs as { [name: string]: number };
        const server = recording.custom("pg-certificates-pgbouncer-certificate").inputs as { [name: string]: number };
        expect(authority.earlyRenewalHours).to.be.at.least(server.validityPeriodHours ?? Infinity);
        expect(server.earlyRenewalHours).to.be.at.least(30 * 24);
        expect(server.validityPeriodHours).to.be.greaterThan(2 * (server.earlyRenewalHours ?? 0));
    });

    it("reaches PostgreSQL: certificate, key and authority, and the settings that name them", () => {
        const of = (name: string): string => `pg-certificates-${name}`;
        expect(fileContent(recording, "pg-patroni-db1-cert")).to.equal(
            generatedCertificate(of("patroni-db1-certificate")) + generatedCertificate(of("authority")),
        );
        expect(fileContent(recording, "pg-patroni-db1-key")).to.equal(generatedKey(of("patroni-db1-key")));
        expect(fileContent(recording, "pg-patroni-db1-ca")).to.equal(generatedCertificate(of("authority")));
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
        expect(config).to.include("client_tls_sslmode = allow").and.include("server_tls_sslmode = require");
        const { configs, secrets } = serviceInputs(recording, "pg-pgbouncer").taskSpec.containerSpec;
        const files = [...configs, ...secrets].map(({ fileName }) => fileName);
        const named = [...config.matchAll(/^client_tls_(?:cert|key)_file = (.*)$/gm)];
        expect(named).to.have.length(2);
        expect(files).to.include.members(named.map(([, path]) => path));
    });

    it("makes exporters use TLS", () => {
        expect(serviceInputs(recording, "pg-exporter-db1").taskSpec.containerSpec.env.DATA_SOURCE_URI).to.match(
            /\?sslmode=require$/,
        );
    });

    it("is signed by a given authority, whose key stays a secret", async () => {
        const certificateAuthority = createAuthority("company");
        const given = await recordCluster({ tls: { certificateAuthority } });
        expect(given.names()).not.to.include("pg-certificates-authority");
        const { wire, inputs } = given.custom("pg-certificates-patroni-db1-certificate");
        expect(inputs.caCertPem).to.equal(certificateAuthority.certificate);
        expect(isSecret(wire.caPrivateKeyPem)).to.equal(true);
        expect(isSecret(wire.caCertPem)).to.equal(false);
        expect(fileContent(given, "pg-patroni-db1-ca")).to.equal(certificateAuthority.certificate);
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
