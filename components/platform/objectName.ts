import { createHash } from "node:crypto";

/** Characters of a content's hash. */
const hashLength = 10;

/** Joins the parts of a Swarm object's name. Lengths are checked with the other inputs, see checks/names.ts. */
export function objectName(...parts: string[]): string {
    return parts.join("-");
}

/** Name of something immutable, which changes whenever the content does. */
export function versionedName(name: string, content: string): string {
    return `${name}-${contentHash(content)}`;
}

/** Short hash that tells two contents apart. */
export function contentHash(content: string): string {
    return createHash("sha256").update(content).digest("hex").slice(0, hashLength);
}

/** A name for a cluster's bridge that the kernel takes: it has room for 15 characters. */
export function bridgeName(clusterName: string): string {
    return `pgha-${contentHash(clusterName)}`;
}
