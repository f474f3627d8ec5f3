import { containerPaths } from "../defaults";
import { failFunction, inContainerFunction, indent, NamedHost, shellQuote, waitFor } from "./shell";

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

/** Time for patronictl to list the nodes. */
export const patronictlListSeconds = 20;

/** Time for any other of its commands, a restart with its checkpoint among them. */
export const patronictlSeconds = 600;

/** The command patronictl in a node's container, which of itself waits for the store for ever. */
export function patronictl(timeoutSeconds: number): string {
    return `timeout ${timeoutSeconds} patronictl -c ${containerPaths.patroniConfigDirectory}`;
}

/** Shell functions `ctl`, which is patronictl, and `asked`, which asks it for a change and fails if the node refused. */
export const patronictlFunctions = [
    `ctl() { in_container ${patronictl(patronictlSeconds)} "$@"; }`,
    // patronictl ends with status 0 even if the node refused.
    "asked() {",
    '  answer=$(ctl "$@" 2>&1) || answer="Failed: $answer"',
    '  case "$answer" in *"Failed: "*|*"Switchover failed"*) printf "%s\\n" "$answer" >&2; return 1 ;; esac',
    "}",
].join("\n");

/**
 * The script that replaces the dynamic configuration, and then restarts the nodes that PostgreSQL asks it of: replicas one by one, and the
 * leader after its role was handed over to one of them, or where it is if only a leader can take the new value over. A cluster in
 * maintenance (paused) stays so, and is not restarted.
 */
export function renderDynamicConfigScript(script: DynamicConfigScript): string {
    const { scope, timeoutSeconds } = script;
    const late = (what: string): string =>
        `fail "${what} after ${timeoutSeconds} s" "see 'patronictl list ${scope}', then run 'pulumi up' again"`;
    const switchover = `sh ${shellQuote(script.switchoverScript)}`;
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
        rowsFunction(scope, "Member", "Role", "State", "Pending restart"),
        `pending() { list=$(rows) && printf '%s\\n' "$list" | awk -F '\\t' -v leads="$1" '$4 == "*" && ($2 == "Leader") == leads { print $1 }'; }`,
        'streaming() { rows | awk -F \'\\t\' -v name="$1" \'$1 == name && ($3 == "streaming" || ($2 == "Leader" && $3 == "running")) { ok = 1 } END { exit !ok }\'; }',
        'follows() { rows | awk -F \'\\t\' -v name="$1" \'$1 == name && $2 != "Leader" && $3 == "streaming" { ok = 1 } END { exit !ok }\'; }',
        `unknown() { fail "can't list the nodes" "see 'patronictl list ${scope}', then run 'pulumi up' again"; }`,
        `not_restarted() { fail "can't restart $1" "see '${script.logsCommand}', then run 'pulumi up' again"; }`,
        "restarted() {",
        indent(waitFor('streaming "$1"', timeoutSeconds, late("$1 does not stream again"))),
        "}",
        "restart_replicas() {",
        "  replicas=$(pending 0) || unknown",
        `  for name in $replicas; do asked restart ${scope} "$name" --pending --force || not_restarted "$name"; restarted "$name"; done`,
        "}",
        "restart_replicas",
        "leader=$(pending 1) || unknown",
        '[ -n "$leader" ] || exit 0',
        '[ -z "$replicas" ] || settle',
        // A replica keeps max_connections and the like until its leader has lowered them: to hand the role over first would be one outage more.
        "unable=$(pending 0) || unknown",
        'if [ -z "$unable" ] && [ "$(rows | wc -l)" -gt 1 ]; then',
        `  ${switchover} "$leader" || fail "no other node could take over from $leader" "a replica must be streaming; then run 'pulumi up' again"`,
        indent(waitFor('follows "$leader"', timeoutSeconds, late("$leader does not stream after its switchover"))),
        "else",
        `  ${switchover} --restart "$leader" || not_restarted "$leader"`,
        '  restarted "$leader"',
        "  settle",
        "  restart_replicas",
        "fi",
        // What a node says of itself is a loop old.
        "settle",
        "left=$(pending 1 && pending 0) || unknown",
        `[ -z "$left" ] || fail "still waiting for a restart: $left" "see 'patronictl list ${scope}', then run 'pulumi up' again"`,
    ].join("\n");
}

/** The configuration in a text that holds a {@link renderDynamicConfigScript}, as JSON; empty where there is none. */
export function configInScript(text: string): string {
    const [, quoted = ""] = /^config='((?:[^']|'\\'')*)'$/m.exec(text) ?? [];
    return quoted.replaceAll("'\\''", "'");
}

/** Shell function `rows`: these columns of each node's row in what `ctl` lists, separated by tabs. */
export function rowsFunction(scope: string, ...columns: string[]): string {
    const fields = columns.map((name) => `$at["${name}"]`);
    return [
        "rows() {",
        `  table=$(ctl list -e -f tsv ${scope}) || return 1`,
        "  printf '%s\\n' \"$table\" |",
        // The columns differ between Patroni's versions; the reason of a restart, which comes later, may break a row.
        `    awk -F '\\t' -v OFS='\\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } NF >= at["State"] { print ${fields.join(", ")} }'`,
        "}",
    ].join("\n");
}

/** Shell function `rows`, with name, host, role and state of each node. It only looks, and doesn't wait for the store for long. */
export function nodesFunctions(scope: string): string[] {
    return [
        `ctl() { in_container timeout ${patronictlListSeconds} patronictl -c ${containerPaths.patroniConfigDirectory} "$@"; }`,
        rowsFunction(scope, "Member", "Host", "Role", "State"),
    ];
}
