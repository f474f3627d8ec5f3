import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { CertificateAuthorityArgs, ClusterCertificatesArgs } from "../clusterCertificates";
import type { PostgresClusterArgs } from "../postgresClusterArgs";
import { HbaType } from "../render/pgHba";
import { Problem } from "./problem";

/** Checks what certificates are made of. */
export function checkCertificates(path: string, args: ClusterCertificatesArgs): Problem[] {
    return [
        ...Object.entries(args.servers).flatMap(([key, names]) => checkServerNames(`${path}.servers.${key}`, names)),
        ...checkAuthority(`${path}.certificateAuthority`, args.certificateAuthority),
    ];
}

/** Checks a cluster's TLS, and the rules that contradict it. */
export function checkTls(path: string, { tls, patroni }: PostgresClusterArgs): Problem[] {
    const rules = tls?.requireTls ? (patroni?.hbaRules ?? []) : [];
    return [
        ...checkServerNames(`${path}.serverNames`, tls?.serverNames ?? []),
        ...checkAuthority(`${path}.certificateAuthority`, tls?.certificateAuthority),
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
