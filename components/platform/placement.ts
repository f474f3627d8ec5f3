import { HostConnection } from "./workload";

/** The constraints that hosts fulfil by a further label: all of them by the same value, or one host by its own. */
export function labelConstraints(label: string | undefined, hosts: HostConnection[]): string[] {
    const values = new Set(hosts.flatMap((host) => (label === undefined ? [] : (host.labels?.[label] ?? []))));
    return [...values].map((value) => `node.labels.${label}==${value}`);
}
