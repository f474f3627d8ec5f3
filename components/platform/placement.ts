import { HostConnection } from "./workload";

/** The constraint that a host fulfils by a further label. */
export function labelConstraints(label: string | undefined, host: HostConnection): string[] {
    const value = label === undefined ? undefined : host.labels?.[label];
    return value === undefined ? [] : [`node.labels.${label}==${value}`];
}
