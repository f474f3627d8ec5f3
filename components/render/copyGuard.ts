import { memberGuard } from "./memberGuard";

/** What {@link copyGuard} needs. */
export interface CopyGuard {
    /** The node that is to be replaced, by its name in Patroni. */
    node: string;
    /** Names of all other nodes. */
    others: string[];
    /** What lets the node go all the same: the rest of a shell condition. */
    orElse: string;
}

/**
 * Refuses to let a node go that streams, or leads, where no replica would stream meanwhile. A leader whose commits wait for a replica goes on
 * without one, and its host would be the only one that has them. Two nodes have no replica to spare.
 *
 * It needs the functions of {@link nodesFunctions}.
 */
export function copyGuard({ node, others, orElse }: CopyGuard): string[] {
    if (others.length < 2) {
        return [];
    }
    const ask = (options: string, question: string): string =>
        `printf '%s\\n' "$nodes" | awk -F '\\t' ${options} '$3 ~ /Leader$/ { leads[$1] } $4 == "streaming" { streams[$1] } END { ${question} }'`;
    const own = `-v name=${node}`;
    return [
        "spared() {",
        '  [ -n "$(container)" ] || return 0',
        "  nodes=$(rows 2>/dev/null) || return 1",
        // Of those that a leader leaves behind one will lead.
        `  ${ask(own, "delete streams[name]; for (other in streams) count++; exit !(count > (name in leads))")}`,
        "}",
        `needed() { ${ask(own, "exit !(name in leads || name in streams)")}; }`,
        `away() { ${ask(`-v names='${others.join(" ")}'`, 'split(names, all, " "); for (i in all) if (!(all[i] in leads || all[i] in streams)) print all[i]')} | sort; }`,
        `targets() { away | sed "s/.*/ --target '**-&' --target '**-&-*'/" | tr -d '\\n'; }`,
        memberGuard(
            `spared${orElse}`,
            `without ${node} the data would be on one node only; not streaming: $(away | xargs)`,
            "bring that one back, or take it out of 'patroni.nodes' if it is lost; where only these settings bring it back, run 'pulumi up$(targets)' first, or name it in 'patroni.absentNodes'; then run 'pulumi up' again",
        ),
    ];
}
