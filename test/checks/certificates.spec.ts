import { HbaType } from "../../components";
import { checkTls } from "../../components/checks/certificates";
import { clusterArgs } from "../helpers/cluster";
import { createAuthority, createServer } from "../helpers/certificates";
import { expectProblems, refuses } from "./problems";

const authority = createAuthority("authority");
const other = createAuthority("other");
const server = createServer(authority, "server", ["DNS:server"]);

describe("checks/certificates", () => {
    it("takes names, addresses and an authority", () =>
        expectProblems(
            checkTls(
                "tls",
                clusterArgs({
                    tls: {
                        requireTls: true,
                        serverNames: ["db.example.com", "*.example.com", "192.0.2.9", "2001:db8::1"],
                        certificateAuthority: authority,
                        trustedCertificates: other.certificate,
                        authorityGeneration: 2,
                    },
                }),
            ),
            {},
        ));

    refuses(
        (changes: Parameters<typeof clusterArgs>[0]) => checkTls("tls", clusterArgs(changes)),
        [
            {
                name: "a URL as a name",
                given: { tls: { serverNames: ["db.example.com", "postgresql://db"] } },
                problems: { "tls.serverNames[1]": '"postgresql://db" was given; a DNS name' },
            },
            {
                name: "an authority that is no PEM",
                given: { tls: { certificateAuthority: { certificate: "ca.pem", privateKey: "ca.key" } } },
                problems: {
                    "tls.certificateAuthority.certificate": "a certificate as PEM",
                    "tls.certificateAuthority.privateKey": "without a passphrase",
                },
            },
            {
                name: "a certificate that may not sign",
                given: { tls: { certificateAuthority: server } },
                problems: { "tls.certificateAuthority.certificate": "may not sign others" },
            },
            {
                name: "the key of another authority",
                given: {
                    tls: { certificateAuthority: { certificate: authority.certificate, privateKey: other.privateKey } },
                },
                problems: { "tls.certificateAuthority.privateKey": "the key of another certificate" },
            },
            {
                name: "what can't be trusted",
                given: { tls: { trustedCertificates: authority.certificate + server.certificate } },
                problems: { "tls.trustedCertificates": "certificate 2, of" },
            },
            {
                name: "no certificate to trust, and a generation that is none",
                given: { tls: { trustedCertificates: authority.privateKey, authorityGeneration: 0 } },
                problems: {
                    "tls.trustedCertificates": "no certificate was given",
                    "tls.authorityGeneration": "0 was given",
                },
            },
            {
                name: "a rule for those without TLS where nobody may come without it",
                given: { tls: { requireTls: true }, patroni: { hbaRules: [{ type: HbaType.HostNoSsl }] } },
                problems: { "patroni.hbaRules[0].type": '"hostnossl" was given, and tls.requireTls' },
            },
        ],
    );
});
