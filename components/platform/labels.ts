import { sortedEntries } from "../render/shell";
import { Target } from "./workload";

/** The labels that everything of a cluster carries that Docker knows. */
export function clusterLabels(target: Target): { label: string; value: string }[] {
    const labels = { "pgha.cluster": target.clusterName, ...target.labels };
    return sortedEntries(labels).map(([label, value]) => ({ label, value }));
}
