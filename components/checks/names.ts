import { Problem } from "./problem";

/** Longest service name in a Swarm: a DNS label. */
const serviceNameLength = 63;

/** Longest config or secret name in a Swarm. */
const fileNameLength = 64;

/** The longest that this library appends to a service's name for a file: `-bootstrap` or `-passwords`, and what Pulumi appends to tell versions apart. */
const fileSuffixLength = "-passwords".length + "-0123456".length;

/** Longest prefix that this library puts before a member's key: `patroni-` or `exporter-`. */
const rolePrefixLength = "exporter-".length;

/** Longest name in PostgreSQL, in bytes: the server cuts off the rest without an error. */
const identifierBytes = 63;

/** Longest key of a member for a cluster's name. */
export function longestMemberKey(clusterName: string): number {
    return Math.min(serviceNameLength, fileNameLength - fileSuffixLength) - clusterName.length - 1 - rolePrefixLength;
}

/** Checks a cluster's name: it is part of service names, so of host names. */
export function checkClusterName(path: string, name: string): Problem[] {
    if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name)) {
        const reason = `"${name}" was given; lower-case letters, digits and "-" are allowed, beginning with a letter and not ending in "-"`;
        return [{ path, reason }];
    }
    const longest = longestMemberKey(name);
    if (longest < 1) {
        const reason = `"${name}" has ${name.length} characters; at most ${name.length + longest - 1} leave room for the members' names`;
        return [{ path, reason }];
    }
    return [];
}

/** Checks the key of a host or member: it becomes part of service names, labels and paths. */
export function checkKey(path: string, key: string, longest = identifierBytes): Problem[] {
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(key)) {
        const reason = `"${key}" was given as key; lower-case letters, digits and "-" are allowed, with a letter or digit at both ends`;
        return [{ path, reason }];
    }
    if (key.length > longest) {
        const reason = `key "${key}" has ${key.length} characters; at most ${longest} are allowed with this cluster name, because Swarm's names end at ${serviceNameLength} (services) and ${fileNameLength} (configs and secrets)`;
        return [{ path, reason }];
    }
    return [];
}

/** Checks a name inside PostgreSQL: any is allowed that PostgreSQL keeps whole, since all are quoted. */
export function checkIdentifier(path: string, name: string): Problem[] {
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > identifierBytes) {
        const reason = `"${name}" has ${bytes} bytes; 1 to ${identifierBytes} are allowed, because PostgreSQL cuts off the rest without an error`;
        return [{ path, reason }];
    }
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(name)) {
        return [{ path, reason: `${JSON.stringify(name)} was given; control characters are not allowed in names` }];
    }
    return [];
}

/** Checks the name of a node label. */
export function checkLabelName(path: string, name: string): Problem[] {
    return /^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/.test(name)
        ? []
        : [{ path, reason: `"${name}" was given; letters, digits, ".", "_", "/" and "-" are allowed` }];
}

/** Names that belong to this library, to Docker's own tools and to the engine. */
const ownLabels = /^(pgha|com\.docker|io\.docker|org\.dockerproject)\./;

/** Checks labels of a service and its containers: other programs give them their form, so any text may be a value. */
export function checkServiceLabels(
    path: string,
    labels: { [name: string]: string } | undefined,
    clusterLabels: { [name: string]: string },
): Problem[] {
    return Object.entries(labels ?? {}).flatMap(([name, value]) => {
        if (ownLabels.test(name)) {
            return [{ path, reason: `"${name}" was given; names of "pgha." and of Docker itself are taken` }];
        }
        if (Object.hasOwn(clusterLabels, name)) {
            return [{ path, reason: `"${name}" was given; the cluster's labels have it already` }];
        }
        if (!/^[!-<>-~]+$/.test(name)) {
            return [{ path, reason: `"${name}" was given; a name without spaces and "=" is allowed` }];
        }
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        return /[\u0000-\u001f\u007f]/.test(value)
            ? [
                  {
                      path: `${path}["${name}"]`,
                      reason: `${JSON.stringify(value)} was given; text on one line is allowed`,
                  },
              ]
            : [];
    });
}

/** Checks the value of a node label: constraints compare it as a word. */
export function checkLabelValue(path: string, value: string): Problem[] {
    return /^[A-Za-z0-9._-]+$/.test(value)
        ? []
        : [{ path, reason: `"${value}" was given; letters, digits, ".", "_" and "-" are allowed` }];
}
