/** Label by which a workload's container is found on its host. */
export const workloadLabel = "pgha.workload";

/** A host as messages name it. */
export interface NamedHost {
    key: string;
    sshAddress: string;
}

/** Quotes a value for a POSIX shell. */
export function shellQuote(value: string): string {
    return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A map's entries in the order of their names: the same text whatever the order of the user's settings. */
export function sortedEntries<T>(values: { [name: string]: T }): [string, T][] {
    return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Shell function `fail`, whose message names the host and the next step. */
export function failFunction(host: NamedHost): string {
    const where = shellQuote(`host ${host.key} (${host.sshAddress})`);
    return `fail() { printf '%s: %s\\n  next: %s\\n' ${where} "$1" "$2" >&2; exit 1; }`;
}

/** Shell function `in_container`, which runs a program inside a workload's running container on this host. */
export function inContainerFunction(serviceName: string): string {
    return [
        `container() { docker ps -q -f label=${workloadLabel}=${serviceName} -f status=running | head -n 1; }`,
        'in_container() { c=$(container); [ -n "$c" ] && docker exec -i "$c" "$@"; }',
    ].join("\n");
}

/** Waits until a shell command succeeds; `onTimeout` runs when it doesn't in time. */
export function waitFor(command: string, timeoutSeconds: number, onTimeout: string): string {
    return [
        `deadline=$(($(date +%s) + ${timeoutSeconds}))`,
        `until ${command}; do`,
        `  if [ "$(date +%s)" -ge "$deadline" ]; then ${onTimeout}; fi`,
        "  sleep 1",
        "done",
    ].join("\n");
}

/** A script that goes into a block of another one. */
export function indent(script: string): string {
    return script.replaceAll(/^/gm, "  ");
}
