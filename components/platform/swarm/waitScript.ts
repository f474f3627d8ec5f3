import { failFunction, waitFor } from "../../render/shell";
import { HostConnection } from "../workload";

/**
 * Waits, on a Swarm manager, until services run with all their tasks and no update is under way. A task counts as running only when
 * its health check has passed.
 */
export function waitForServices(
    manager: HostConnection,
    services: { name: string; replicas: number }[],
    timeoutSeconds: number,
): string {
    const list = services.map(({ name, replicas }) => `${name}=${replicas}`).join(" ");
    return [
        failFunction(manager),
        "converged() {",
        "  late=",
        `  for want in ${list}; do`,
        "    name=${want%=*}",
        "    state=$(docker service inspect -f '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' \"$name\")",
        // Swarm has given an update up, or a container ends again and again: waiting longer would not help.
        '    case "$state" in paused|rollback_paused) late="$name"; explain "Swarm stopped its update" ;; esac',
        "    failures=$(docker service ps -f desired-state=shutdown --format '{{.CurrentState}}' \"$name\" | grep -cE '^(Failed|Rejected) .*second' || true)",
        '    if [ "$failures" -ge 3 ]; then late="$name"; explain "it ends again and again"; fi',
        '    case "$state" in updating|rollback_started) late="$late $name"; continue ;; esac',
        "    running=$(docker service ps -f desired-state=running --format '{{.CurrentState}}' \"$name\" | grep -c '^Running' || true)",
        '    [ "$running" -ge "${want#*=}" ] || late="$late $name"',
        "  done",
        '  [ -z "$late" ]',
        "}",
        "explain() {",
        "  for name in $late; do",
        `    docker service ps --no-trunc --format '  {{.Name}} on {{if .Node}}{{.Node}}{{else}}no host{{end}}: {{.CurrentState}} {{.Error}}' "$name" | head -n 3 >&2`,
        `    docker service logs --tail 5 --raw "$name" 2>&1 | sed 's/^/    /' >&2 || true`,
        "  done",
        `  fail "$late: $1" "mend what the lines above name (a missing label, a taken port, a missing image, a full disk), then run 'pulumi up' again"`,
        "}",
        waitFor("converged", timeoutSeconds, `explain "not running after ${timeoutSeconds} s"`),
    ].join("\n");
}
