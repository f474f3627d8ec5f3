import { stringify } from "yaml";

/**
 * YAML text that is the same for the same data, whatever the order of its keys: its hash decides whether a container restarts.
 * It is quoted for readers of YAML 1.1, as Patroni's and etcd's are: to them a bare `on`, `no` or `010` is no text.
 * Nothing is an alias: Patroni would write what it merges into one place into the other, too.
 */
export function renderYaml(data: unknown): string {
    return stringify(data, { sortMapEntries: true, lineWidth: 0, version: "1.1", aliasDuplicateObjects: false });
}
