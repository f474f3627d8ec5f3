import { containerPaths } from "../defaults";
import { failFunction, inContainerFunction, NamedHost, shellQuote, waitFor } from "./shell";

/** What {@link renderDynamicConfigScript} needs. */
export interface DynamicConfigScript {
    /** A host that runs a node. */
    host: NamedHost;
    /** The node's service there. */
    serviceName: string;
    scope: string;
    /** The whole dynamic configuration, as JSON. */
    configJson: string;
    timeoutSeconds: number;
}

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
        `ctl() { in_container patronictl -c ${containerPaths.patroniConfigDirectory} "$@"; }`,
        `config=${shellQuote(script.configJson)}`,
        `paused() { ctl show-config ${scope} | grep -q '^pause: true'; }`,
        'if paused; then config="${config%\\}},\\"pause\\":true}"; fi',
        `loop=$(ctl show-config ${scope} | sed -n 's/^loop_wait: //p')`,
        `result=$(printf '%s' "$config" | ctl edit-config ${scope} --replace - --force) ||`,
        `  fail "Patroni refused the configuration" "correct the settings of 'patroni'; nothing was changed"`,
        // Nodes take a change over within one loop; only then do they say whether they wait for a restart.
        'case "$result" in *"Not changed"*) ;; *) sleep "$((${loop:-10} + 1))" ;; esac',
        "if paused; then exit 0; fi",
        // Columns: cluster, member, host, role, state, timeline, lag, pending restart, reason.
        `rows() { ctl list -f tsv ${scope} | tail -n +2; }`,
        `pending() { rows | awk -F '\\t' -v role="$1" '$8 == "*" && ($4 == "Leader") == (role == "leader") { print $2 }'; }`,
        "streaming() { rows | awk -F '\\t' -v name=\"$1\" '$2 == name && ($5 == \"streaming\" || ($4 == \"Leader\" && $5 == \"running\")) && $8 != \"*\" { ok = 1 } END { exit !ok }'; }",
        "restart() {",
        `  ctl restart ${scope} "$1" --force --pending >/dev/null || fail "can't restart $1" "see 'docker service logs' of it, then run 'pulumi up' again"`,
        waitFor('streaming "$1"', timeoutSeconds, late("$1 does not stream again")),
        "}",
        "for node in $(pending replica); do restart \"$node\"; done",
        "leader=$(pending leader)",
        '[ -n "$leader" ] || exit 0',
        `if [ "$(rows | wc -l)" -gt 1 ]; then`,
        `  ctl switchover ${scope} --leader "$leader" --force >/dev/null || fail "no other node could take over from $leader" "a replica must be streaming; then run 'pulumi up' again"`,
        waitFor(
            `rows | awk -F '\\t' -v name="$leader" '$2 == name && $4 != "Leader" && $5 == "streaming" { ok = 1 } END { exit !ok }'`,
            timeoutSeconds,
            late("$leader does not stream after its switchover"),
        ),
        "fi",
        'if [ -n "$(pending replica)$(pending leader)" ]; then restart "$leader"; fi',
    ].join("\n");
}
