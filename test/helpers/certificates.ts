import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate with its key, as PEM. */
export interface KeyPair {
    certificate: string;
    privateKey: string;
}

/** Alternative names of a server that is asked from its own host. */
export const loopback = ["DNS:localhost", "IP:127.0.0.1"];

const newKey = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];

/** A certificate authority that openssl makes, and so not our own code. */
export function createAuthority(name: string): KeyPair {
    return issue([...newKey, "-subj", `/CN=${name}`, "-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
}

/** A server's certificate, with alternative names as openssl writes them: `DNS:…`, `IP:…`. */
export function createServer(authority: KeyPair, name: string, alternativeNames: string[]): KeyPair {
    const extensions = [`subjectAltName=${alternativeNames.join(",")}`, "basicConstraints=critical,CA:FALSE"];
    return issue(
        [...newKey, "-subj", `/CN=${name}`, ...extensions.flatMap((extension) => ["-addext", extension])],
        authority,
    );
}

/** The same certificate, whose end was yesterday. */
export function expire(authority: KeyPair, { certificate, privateKey }: KeyPair): KeyPair {
    const folder = mkdtempSync(join(tmpdir(), "pgha-certificate-"));
    const file = (name: string): string => join(folder, name);
    try {
        writeFileSync(file("crt"), certificate);
        writeFileSync(file("key"), privateKey);
        writeFileSync(file("ca.crt"), authority.certificate);
        writeFileSync(file("ca.key"), authority.privateKey);
        const signer = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "-1"];
        const request = [
            "x509",
            "-x509toreq",
            "-in",
            file("crt"),
            "-signkey",
            file("key"),
            "-copy_extensions",
            "copyall",
        ];
        execFileSync("openssl", [...request, "-out", file("csr")], { stdio: "pipe" });
        const sign = ["x509", "-req", "-in", file("csr"), "-copy_extensions", "copyall", ...signer];
        execFileSync("openssl", [...sign, "-out", file("expired")], { stdio: "pipe" });
        return { certificate: readFileSync(file("expired"), "utf8"), privateKey };
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function issue(args: string[], authority?: KeyPair): KeyPair {
    const folder = mkdtempSync(join(tmpdir(), "pgha-certificate-"));
    const file = (name: string): string => join(folder, name);
    try {
        writeFileSync(file("ca.crt"), authority?.certificate ?? "");
        writeFileSync(file("ca.key"), authority?.privateKey ?? "");
        const signer = authority === undefined ? [] : ["-CA", file("ca.crt"), "-CAkey", file("ca.key")];
        execFileSync("openssl", [...args, ...signer, "-keyout", file("key"), "-out", file("crt")], { stdio: "pipe" });
        return { certificate: readFileSync(file("crt"), "utf8"), privateKey: readFileSync(file("key"), "utf8") };
    } finally {
        rmSync(folder, { recursive: true });
    }
}
