import { sortedEntries } from "../render/shell";
import { SwarmTarget } from "./workload";

/** The labels that every Swarm object of a cluster carries, and further ones. */
export function swarmLabels(
    target: SwarmTarget,
    further: { [name: string]: string } = {},
): { label: string; value: string }[] {
    const labels = { "pgha.cluster": target.clusterName, ...target.labels, ...further };
    return sortedEntries(labels).map(([label, value]) => ({ label, value }));
}
