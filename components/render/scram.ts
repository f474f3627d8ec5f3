import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** PostgreSQL's default, `scram_iterations`. */
const iterations = 4096;

const saltBytes = 16;

/**
 * The SCRAM-SHA-256 verifier of a password, in the form that PostgreSQL stores. Statements that carry it instead of the password leave
 * nothing of use in a server's log.
 *
 * @param salt - any text that is unique to cluster and role; the same text gives the same verifier
 */
export function scramVerifier(password: string, salt: string): string {
    const saltValue = createHash("sha256").update(salt).digest().subarray(0, saltBytes);
    const salted = pbkdf2Sync(password.normalize("NFKC"), saltValue, iterations, 32, "sha256");
    const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
    const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
    const serverKey = hmac(salted, "Server Key");
    const [saltText, stored, server] = [saltValue, storedKey, serverKey].map((value) => value.toString("base64"));
    return `SCRAM-SHA-256$${iterations}:${saltText}$${stored}:${server}`;
}
