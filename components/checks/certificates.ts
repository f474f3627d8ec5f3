import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { CertificateAuthorityArgs, ClusterCertificatesArgs } from "../clusterCertificates";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { HbaType } from "../render/pgHba";
import { Problem } from "./problem";
import { checkNumber } from "./values";

/** Checks what certificates are made of. */
export function checkCertificates(path: string, args: ClusterCertificatesArgs): Problem[] {
    return [
        ...Object.entries(args.servers).flatMap(([key, names]) => checkServerNames(`${path}.servers.${key}`, names)),
        ...checkAuthorities(path, args),
    ];
}

/** Checks a cluster's TLS, and the rules that contradict it. */
export function checkTls(path: string, { tls, patroni }: PostgresClusterArgs): Problem[] {
    const rules = tls?.requireTls ? (patroni?.hbaRules ?? []) : [];
    return [
        ...checkServerNames(`${path}.serverNames`, tls?.serverNames ?? []),
        ...checkAuthorities(path, tls ?? {}),
        ...rules.flatMap(({ type }, index) =>
            type === HbaType.HostNoSsl
                ? [
                      {
                          path: `patroni.hbaRules[${index}].type`,
                          reason: `"${type}" was given, and ${path}.requireTls refuses those connections; take one of both out`,
                      },
                  ]
                : [],
        ),
    ];
}

function checkServerNames(path: string, names: string[]): Problem[] {
    return names.flatMap((name, index) =>
        isIP(name) !== 0 || /^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(name)
            ? []
            : [
                  {
                      path: `${path}[${index}]`,
                      reason: `"${name}" was given; a DNS name such as "db.example.com" or an IP address is allowed`,
                  },
              ],
    );
}

/** Checks the authority that signs, and those that are trusted beside it. */
function checkAuthorities(
    path: string,
    args: Pick<ClusterCertificatesArgs, "certificateAuthority" | "trustedCertificates" | "authorityGeneration">,
): Problem[] {
    return [
        ...checkAuthority(`${path}.certificateAuthority`, args.certificateAuthority),
        ...checkTrusted(`${path}.trustedCertificates`, args.trustedCertificates),
        ...checkNumber(`${path}.authorityGeneration`, args.authorityGeneration, { min: 1, max: 1000000 }),
    ];
}

function checkTrusted(path: string, given: unknown): Problem[] {
    if (typeof given !== "string") {
        return [];
    }
    const certificates = given.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) {
        return [{ path, reason: "no certificate was given; one or more as PEM are allowed" }];
    }
    return certificates.flatMap((text, index) => {
        const certificate = parsed(text, (pem) => new X509Certificate(pem));
        if (certificate === "unreadable") {
            return [{ path, reason: `certificate ${index + 1} can't be read` }];
        }
        return certificate?.ca === false
            ? [{ path, reason: `certificate ${index + 1}, of "${certificate.subject}", may not sign others` }]
            : [];
    });
}

/** Checks a given authority as far as its parts are known: one that is another resource's output is not. */
function checkAuthority(path: string, authority: CertificateAuthorityArgs | undefined): Problem[] {
    if (authority === undefined) {
        return [];
    }
    const certificate = parsed(authority.certificate, (text) => new X509Certificate(text));
    const key = parsed(authority.privateKey, (text) => createPrivateKey(text));
    const problems: Problem[] = [];
    if (certificate === "unreadable") {
        const reason = "what was given can't be read; a certificate as PEM is allowed";
        problems.push({ path: `${path}.certificate`, reason });
    } else if (certificate?.ca === false) {
        const reason = `the certificate of "${certificate.subject}" was given, which may not sign others; one with CA:TRUE is allowed`;
        problems.push({ path: `${path}.certificate`, reason });
    }
    if (key === "unreadable") {
        const reason = "what was given can't be read; a private key as PEM without a passphrase is allowed";
        problems.push({ path: `${path}.privateKey`, reason });
    } else if (key && certificate && certificate !== "unreadable" && !certificate.checkPrivateKey(key)) {
        problems.push({ path: `${path}.privateKey`, reason: "the key of another certificate was given" });
    }
    return problems;
}

/** A part that is given as text; undefined where it isn't known yet. */
function parsed<T>(value: unknown, parse: (text: string) => T): T | "unreadable" | undefined {
    if (typeof value !== "string") {
        return undefined;
    }
    try {
        return parse(value);
    } catch {
        return "unreadable";
    }
}
