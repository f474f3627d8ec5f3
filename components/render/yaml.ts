import { stringify } from "yaml";

/** YAML text that is the same for the same data, whatever the order of its keys: its hash decides whether a container restarts. */
export function renderYaml(data: unknown): string {
    return stringify(data, { sortMapEntries: true, lineWidth: 0 });
}
