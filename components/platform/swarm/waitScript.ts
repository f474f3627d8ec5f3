import { failFunction, waitFor } from "../../render/shell";
import { HostConnection } from "../workload";

/** A service that must run. */
export interface ExpectedService {
    name: string;
    /** Hostnames of the nodes that each must have a task; without them one task is enough, wherever it is. */
    nodes?: string[];
}

/** Age of a failure, in the words of `docker service ps`, that may be followed by the next one. */
const recent = "^(Failed|Rejected) .*second";

/** Sets `missing`, how many tasks of the service `$1` don't run on the nodes `$2`, and `failures`, those that failed there within a minute. */
const countFunction = [
    "count() {",
    "  counted=$(docker service ps --format '{{.DesiredState}}|{{.Node}}|{{.CurrentState}}' \"$1\" | awk -F '|' -v nodes=\"$2\" '",
    '    BEGIN { limited = split(nodes, names, ":"); for (i in names) wanted[names[i]] = 1 }',
    "    limited && !($2 in wanted) { next }",
    `    $1 == "Shutdown" && $3 ~ /${recent}/ { failures++ }`,
    '    $1 == "Running" && $3 ~ /^Running/ && !seen[$2]++ { running++ }',
    "    END { print (limited ? limited : 1) - running, failures + 0 }')",
    "  missing=${counted% *}",
    "  failures=${counted#* }",
    "}",
].join("\n");

/**
 * Waits, on a Swarm manager, until services run on all nodes that are to have a task, and no update is under way. A task counts as running
 * only when its health check has passed. What becomes of tasks on other nodes, which are about to go, doesn't matter.
 *
 * An update that Swarm has given up is taken up again where all tasks run and none has failed for a while: what was in its way is mended.
 */
export function waitForServices(manager: HostConnection, services: ExpectedService[], timeoutSeconds: number): string {
    const list = services.map(({ name, nodes = [] }) => `${name}=${nodes.join(":")}`).join(" ");
    return [
        failFunction(manager),
        countFunction,
        "resumed=",
        "converged() {",
        "  late=",
        `  for want in ${list}; do`,
        "    name=${want%=*}",
        "    nodes=${want#*=}",
        "    state=$(docker service inspect -f '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' \"$name\")",
        '    count "$name" "$nodes"',
        // Waiting longer would not help, and what fails at once must not be brought to the next node.
        '    case "$state $resumed " in',
        '      paused*" $name "* | rollback_paused*" $name "*) late="$name"; explain "Swarm stopped its update" ;;',
        "      paused* | rollback_paused*)",
        '        if [ "$missing" -gt 0 ]; then late="$name"; explain "Swarm stopped its update"; fi',
        '        if [ "$failures" -eq 0 ]; then docker service update --detach --quiet "$name" >/dev/null && resumed="$resumed $name"; fi',
        '        late="$late $name"',
        "        continue ;;",
        "    esac",
        '    if [ "$failures" -ge 3 ]; then late="$name"; explain "it ends again and again"; fi',
        '    case "$state" in updating|rollback_started) late="$late $name"; continue ;; esac',
        '    [ "$missing" -le 0 ] || late="$late $name"',
        "  done",
        '  [ -z "$late" ]',
        "}",
        "explain() {",
        "  for name in $late; do",
        `    docker service ps --no-trunc --format '  {{.Name}} on {{if .Node}}{{.Node}}{{else}}no host{{end}}: {{.CurrentState}} {{.Error}}' "$name" | grep -vE ': (Running|Shutdown) ' | head -n 3 >&2`,
        `    docker service logs --tail 5 --raw "$name" 2>&1 | sed 's/^/    /' >&2 || true`,
        "  done",
        `  fail "$late: $1" "mend what the lines above name (a missing label, a taken port, a missing image, a full disk), then run 'pulumi up' again"`,
        "}",
        waitFor("converged", timeoutSeconds, `explain "not running after ${timeoutSeconds} s"`),
    ].join("\n");
}
