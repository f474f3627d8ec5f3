import { sortedEntries } from "../render/shell";
import { Target } from "./workload";

/** The labels that everything of a cluster carries that Docker knows, and further ones. */
export function clusterLabels(
    target: Target,
    further: { [name: string]: string } = {},
): { label: string; value: string }[] {
    const labels = { "pgha.cluster": target.clusterName, ...target.labels, ...further };
    return sortedEntries(labels).map(([label, value]) => ({ label, value }));
}
