import { stringify } from "yaml";

/**
 * YAML text that is the same for the same data, whatever the order of its keys: its hash decides whether a container restarts.
 * It is quoted for readers of YAML 1.1, as Patroni's is, to whom a bare `on`, `no` or `010` is no text, and of YAML 1.2, to whom `0o10` is none.
 * No text is a block, which would lose a first line of blanks. Nothing is an alias: Patroni would write what it merges into one place into the other, too.
 */
export function renderYaml(data: unknown): string {
    return stringify(data, {
        sortMapEntries: true,
        lineWidth: 0,
        version: "1.1",
        compat: "core",
        blockQuote: false,
        aliasDuplicateObjects: false,
    });
}
