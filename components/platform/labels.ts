import { sortedEntries } from "../render/shell";
import { Target } from "./workload";

/** A label as the Docker provider takes it. */
interface Label {
    label: string;
    value: string;
}

/** The label of everything of a cluster that Docker knows. Where another one would replace the object, it is the only one. */
export function ownLabel({ clusterName }: Pick<Target, "clusterName">): Label {
    return { label: "pgha.cluster", value: clusterName };
}

/** The cluster's own label, the user's, and further ones. */
export function clusterLabels(target: Target, further: { [name: string]: string } = {}): Label[] {
    const { label, value } = ownLabel(target);
    const labels = { [label]: value, ...target.labels, ...further };
    return sortedEntries(labels).map(([name, text]) => ({ label: name, value: text }));
}
