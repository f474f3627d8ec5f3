import { patronictlListFunction, rowsFunction } from "./patroniScripts";
import { failFunction, inContainerFunction, NamedHost, shellQuote } from "./shell";

/** What {@link renderHandOverScript} needs. */
export interface HandOverScript {
    /** A host that runs a node. */
    host: NamedHost;
    /** The node's service there. */
    serviceName: string;
    scope: string;
    /** Names of the nodes that stay. */
    staying: string[];
    /** Script on that host that hands the leader's role over. */
    switchoverScript: string;
}

/** The script that hands the leader's role over from a node that goes to one that stays. */
export function renderHandOverScript({ host, serviceName, scope, staying, switchoverScript }: HandOverScript): string {
    const list = `see 'patronictl list ${scope}', then run 'pulumi up' again`;
    return [
        failFunction(host),
        inContainerFunction(serviceName),
        patronictlListFunction,
        rowsFunction(scope, "Member", "Role", "State"),
        "leaver() {",
        "  nodes=$(rows 2>/dev/null) || return 1",
        "  printf '%s\\n' \"$nodes\" |",
        `    awk -F '\\t' -v names=' ${staying.join(" ")} ' '$2 ~ /Leader$/ && $3 == "running" && !index(names, " " $1 " ") { print $1 }'`,
        "}",
        `leader=$(leaver) || fail "can't list the nodes" "${list}"`,
        '[ -n "$leader" ] || exit 0',
        `sh ${shellQuote(switchoverScript)} "$leader" ${staying.map(shellQuote).join(" ")} ||`,
        `  fail "$leader leads and goes, and no other node could take over" "a node that stays must be streaming: ${list}"`,
        // Only a synchronous node can take over, and that may have been another one that goes.
        'leader=$(leaver) || leader=""',
        `[ -z "$leader" ] || fail "$leader leads now, and goes, too" "run 'pulumi up' again, or let fewer nodes go at a time"`,
    ].join("\n");
}
