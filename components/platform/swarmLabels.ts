import { sortedEntries } from "../render/shell";
import { SwarmTarget } from "./workload";

/** The labels that every Swarm object of a cluster carries. */
export function swarmLabels(target: SwarmTarget): { label: string; value: string }[] {
    const labels = { "pgha.cluster": target.clusterName, ...target.labels };
    return sortedEntries(labels).map(([label, value]) => ({ label, value }));
}
