import { copyGuard } from "./copyGuard";
import { nodesFunctions } from "./patroniScripts";
import { failFunction, inContainerFunction, indent, NamedHost, shellQuote } from "./shell";

/** What {@link renderHandOverScript} needs. */
export interface HandOverScript {
    /** A host that runs a node. */
    host: NamedHost;
    /** The node's service there. */
    serviceName: string;
    scope: string;
    /** Names and addresses of all nodes as the settings have them; who should rather lead comes first. */
    nodes: { name: string; address: string }[];
    /** Name of a node that goes as well, if the settings have it at another address. */
    moving?: string;
    /** Names of the nodes that must have its data then. */
    guarding?: string[];
    /** Script on that host that hands the leader's role over. */
    switchoverScript: string;
    /** What lets the roll-out go on all the same: shell functions, and the rest of a condition. */
    gate?: { functions: string[]; orExpired: string };
}

/**
 * The script that hands the leader's role over from a node that goes, rather to one that stays where it is. Of a node that moves it also
 * makes sure that its data is on others, unless no node runs on this host, which may be as new as the place that it moves to.
 */
export function renderHandOverScript(script: HandOverScript): string {
    const { host, serviceName, scope, moving = "", guarding = [], switchoverScript, gate } = script;
    const { functions, orExpired } = gate ?? { functions: [], orExpired: "" };
    const list = `see 'patronictl list ${scope}', then run 'pulumi up' again`;
    const guard = moving === "" ? [] : copyGuard({ node: moving, others: guarding, orElse: orExpired });
    return [
        failFunction(host),
        inContainerFunction(serviceName),
        ...functions,
        ...nodesFunctions(scope),
        ...(moving === "" ? [] : ['[ -n "$(container)" ] || exit 0']),
        placesFunction(script),
        `nodes=$(rows 2>/dev/null)${orExpired} || fail "can't list the nodes" "${list}"`,
        ...(guard.length > 0 ? ["if places moved; then", indent(guard.join("\n")), "fi"] : []),
        "set --",
        'for name in $(places leader); do set -- "$@" "$name"; done',
        '[ "$#" -gt 0 ] || exit 0',
        `sh ${shellQuote(switchoverScript)} "$@"${orExpired} ||`,
        `  fail "$1 leads and goes, and no other node could take over" "a node that stays must be streaming: ${list}"`,
        // Only a synchronous node can take over, and that may have been another one that goes.
        'nodes=$(rows 2>/dev/null) || nodes=""',
        "leader=$(places leader)",
        `[ -z "$leader" ]${orExpired} || fail "\${leader%% *} leads now, and goes, too" "run 'pulumi up' again, or let fewer nodes go at a time"`,
    ].join("\n");
}

/** Shell function `places`: prints the `leader`, if it goes, and who may take over from it; or says whether a node has `moved`. */
function placesFunction({ nodes, moving = "" }: HandOverScript): string {
    const pairs = nodes.map(({ name, address }) => `${name} ${address}`).join(" ");
    return [
        "places() {",
        "  printf '%s\\n' \"$nodes\" |",
        `    awk -F '\\t' -v pairs='${pairs}' -v moving='${moving}' -v question="$1" '`,
        '      BEGIN { count = split(pairs, word, " "); for (i = 1; i < count; i += 2) address[word[i]] = word[i + 1] }',
        // patronictl shows the port where one differs.
        '      { sub(/:[0-9]+$/, "", $2); stays[$1] = ($1 in address) && address[$1] == $2 }',
        "      $1 == moving && !stays[$1] { moved = 1 }",
        '      $3 ~ /Leader$/ && $4 == "running" && (!($1 in address) || ($1 == moving && !stays[$1])) { leader = $1 }',
        "      END {",
        '        if (question == "moved") exit !moved',
        '        if (leader == "") exit',
        '        for (i = 1; i < count; i += 2) if (word[i] != leader) { if (stays[word[i]]) first = first " " word[i]; else last = last " " word[i] }',
        "        print leader first last",
        "      }'",
        "}",
    ].join("\n");
}
