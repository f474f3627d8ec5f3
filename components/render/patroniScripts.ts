import { containerPaths } from "../defaults";
import { failFunction, inContainerFunction, NamedHost, shellQuote, waitFor } from "./shell";

/** What {@link renderDynamicConfigScript} needs. */
export interface DynamicConfigScript {
    /** A host that runs a node. */
    host: NamedHost;
    /** The node's service there. */
    serviceName: string;
    scope: string;
    /** Script on that host that hands the leader's role over. */
    switchoverScript: string;
    /** Command that shows the logs of the node `$1`. */
    logsCommand: string;
    /** The whole dynamic configuration, as JSON. */
    configJson: string;
    timeoutSeconds: number;
}

/** Shell functions `ctl`, which is patronictl, and `asked`, which asks it for a change and fails if the node refused. */
export const patronictlFunctions = [
    `ctl() { in_container patronictl -c ${containerPaths.patroniConfigDirectory} "$@"; }`,
    // patronictl ends with status 0 even if the node refused.
    "asked() {",
    '  answer=$(ctl "$@" 2>&1) || answer="Failed: $answer"',
    '  case "$answer" in *"Failed: "*|*"Switchover failed"*) printf "%s\\n" "$answer" >&2; return 1 ;; esac',
    "}",
].join("\n");

/**
 * The script that replaces the dynamic configuration, and then restarts the nodes that PostgreSQL asks it of: replicas one by one, and the
 * leader after its role was handed over. A cluster in maintenance (paused) stays so, and is not restarted.
 */
export function renderDynamicConfigScript(script: DynamicConfigScript): string {
    const { scope, timeoutSeconds } = script;
    const late = (what: string): string =>
        `fail "${what} after ${timeoutSeconds} s" "see 'patronictl list ${scope}', then run 'pulumi up' again"`;
    return [
        failFunction(script.host),
        inContainerFunction(script.serviceName),
        patronictlFunctions,
        `config=${shellQuote(script.configJson)}`,
        `paused() { ctl show-config ${scope} | grep -q '^pause: true'; }`,
        'if paused; then config="${config%\\}},\\"pause\\":true}"; fi',
        `loop=$(ctl show-config ${scope} | sed -n 's/^loop_wait: //p')`,
        `result=$(printf '%s' "$config" | ctl edit-config ${scope} --replace - --force) ||`,
        `  fail "Patroni refused the configuration" "correct the settings of 'patroni'; nothing was changed"`,
        // Nodes take a change over within one loop; only then do they say whether they wait for a restart.
        'settle() { sleep "$((${loop:-10} + 1))"; }',
        'case "$result" in *"Not changed"*) ;; *) settle ;; esac',
        "if paused; then exit 0; fi",
        rowsFunction(scope),
        `pending() { list=$(rows) && printf '%s\\n' "$list" | awk -F '\\t' -v leads="$1" '$4 == "*" && ($2 == "Leader") == leads { print $1 }'; }`,
        'streaming() { rows | awk -F \'\\t\' -v name="$1" \'$1 == name && ($3 == "streaming" || ($2 == "Leader" && $3 == "running")) { ok = 1 } END { exit !ok }\'; }',
        `unknown() { fail "can't list the nodes" "see 'patronictl list ${scope}', then run 'pulumi up' again"; }`,
        "restart() {",
        `  asked restart ${scope} "$1" --pending --force || fail "can't restart $1" "see '${script.logsCommand}', then run 'pulumi up' again"`,
        waitFor('streaming "$1"', timeoutSeconds, late("$1 does not stream again")),
        "}",
        "restart_all() {",
        '  names=$(pending "$1") || unknown',
        '  for name in $names; do restart "$name"; done',
        "}",
        "restart_all 0",
        "leader=$(pending 1) || unknown",
        '[ -n "$leader" ] || exit 0',
        'if [ "$(rows | wc -l)" -eq 1 ]; then restart_all 1; exit 0; fi',
        `sh ${shellQuote(script.switchoverScript)} "$leader" || fail "no other node could take over from $leader" "a replica must be streaming; then run 'pulumi up' again"`,
        waitFor(
            `rows | awk -F '\\t' -v name="$leader" '$1 == name && $2 != "Leader" && $3 == "streaming" { ok = 1 } END { exit !ok }'`,
            timeoutSeconds,
            late("$leader does not stream after its switchover"),
        ),
        // A lowered max_connections and the like: replicas can't go below their leader, so it comes before them, and they say that they
        // wait only when they have seen it.
        "settle",
        "restart_all 1",
        "settle",
        "restart_all 0",
    ].join("\n");
}

/** The configuration in a text that holds a {@link renderDynamicConfigScript}, as JSON; empty where there is none. */
export function configInScript(text: string): string {
    const [, quoted = ""] = /^config='((?:[^']|'\\'')*)'$/m.exec(text) ?? [];
    return quoted.replaceAll("'\\''", "'");
}

/** Shell function `rows`: name, role, state and, as `*`, a pending restart of each node, separated by tabs. */
function rowsFunction(scope: string): string {
    const columns = ["Member", "Role", "State", "Pending restart"].map((name) => `$at["${name}"]`);
    return [
        "rows() {",
        `  table=$(ctl list -e -f tsv ${scope}) || return 1`,
        "  printf '%s\\n' \"$table\" |",
        // The columns differ between Patroni's versions; the reason of a restart may break a row, whose rest is then too short.
        `    awk -F '\\t' -v OFS='\\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } NF >= at["Pending restart"] { print ${columns.join(", ")} }'`,
        "}",
    ].join("\n");
}
