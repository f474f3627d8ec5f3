import { Problem } from "./problem";

/** A host as placement by a further label sees it. */
interface LabelledHost {
    key: string;
    labels?: { [name: string]: string };
}

/** Checks that all hosts of a part carry the label that it asks for. */
export function checkPlacementLabel(path: string, label: string | undefined, hosts: LabelledHost[]): Problem[] {
    const lacking = hosts.filter(({ labels }) => label !== undefined && labels?.[label] === undefined);
    if (lacking.length === 0) {
        return [];
    }
    const keys = lacking.map(({ key }) => `"${key}"`).join(", ");
    return [{ path, reason: `"${label}" was given; a label that each of its hosts has is allowed: ${keys} lacks it` }];
}

/** Checks that all hosts of interchangeable containers carry the label with the same value, which stands for their role. */
export function checkSharedLabel(path: string, label: string | undefined, hosts: LabelledHost[]): Problem[] {
    if (label === undefined) {
        return [];
    }
    if (hosts.length === 0) {
        return [{ path, reason: `"${label}" was given; a label that at least one host has is allowed` }];
    }
    const values = new Set(hosts.flatMap(({ labels }) => labels?.[label] ?? []));
    if (values.size <= 1) {
        return checkPlacementLabel(path, label, hosts);
    }
    const given = hosts.map(({ key, labels }) => `"${labels?.[label]}" on ${key}`).join(", ");
    return [{ path, reason: `"${label}" was given, with ${given}; one value on all its hosts is allowed` }];
}
