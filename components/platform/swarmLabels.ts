import { SwarmTarget } from "./workload";

/** The labels that every Swarm object of a cluster carries. */
export function swarmLabels(target: SwarmTarget): { label: string; value: string }[] {
    return Object.entries({ "pgha.cluster": target.clusterName, ...target.labels })
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([label, value]) => ({ label, value }));
}
