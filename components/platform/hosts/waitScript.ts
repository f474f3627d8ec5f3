import { failFunction, waitFor } from "../../render/shell";
import { HostConnection } from "../workload";

/** Starts, while a script waits, after which a container that isn't healthy counts as broken: more waiting would not help. */
const mostRestarts = 3;

/** Waits, on a Docker host, until containers run and are healthy. */
export function waitForContainers(host: HostConnection, names: string[], timeoutSeconds: number): string {
    return [
        failFunction(host),
        `names=${shellWords(names)}`,
        "restarts() { docker inspect -f '{{.RestartCount}}' \"$1\" 2>/dev/null || echo 0; }",
        'for name in $names; do before="${before:-} $name=$(restarts "$name")"; done',
        'earlier() { for entry in $before; do [ "${entry%=*}" != "$1" ] || echo "${entry#*=}"; done; }',
        "converged() {",
        "  late=",
        "  for name in $names; do",
        "    state=$(docker inspect -f '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' \"$name\" 2>/dev/null || true)",
        '    [ "$state" = "running healthy" ] && continue',
        '    late="$late $name"',
        `    if [ "$(restarts "$name")" -ge $(($(earlier "$name") + ${mostRestarts})) ]; then late="$name"; explain "it ends again and again"; fi`,
        "  done",
        '  [ -z "$late" ]',
        "}",
        "explain() {",
        "  for name in $late; do",
        "    docker ps -a -f \"name=^/$name\\$\" --format '  {{.Names}}: {{.Status}}' >&2",
        "    docker logs --tail 5 \"$name\" 2>&1 | sed 's/^/    /' >&2 || true",
        "  done",
        `  fail "$late: $1" "mend what the lines above name (a taken port, a missing image, a full disk), then run 'pulumi up' again"`,
        "}",
        waitFor("converged", timeoutSeconds, `explain "not healthy after ${timeoutSeconds} s"`),
    ].join("\n");
}

/** Container names as one word: they hold letters, digits and hyphens only. */
function shellWords(names: string[]): string {
    return `"${names.join(" ")}"`;
}
