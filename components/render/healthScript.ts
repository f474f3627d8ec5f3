/** What {@link healthCommand} needs. */
export interface HealthScript {
    /** Program and arguments whose exit status tells whether the container is healthy. */
    command: string[];
    /** Time after which it counts as failed. */
    timeoutSeconds: number;
    /** Failures in a row after which the container is stopped. */
    retries: number;
    /** Time from the first check during which failures don't count. */
    startPeriodSeconds: number;
    /** Time between the stop and the kill. */
    stopGraceSeconds: number;
    stopSignal?: string;
}

/** Directory in memory, inside the container, that holds the count; it is empty again whenever the container starts. */
export const healthDirectory = "/run/pgha";

/**
 * A health check that ends an unhealthy container, so that Docker's restart policy starts it again: plain Docker takes note of health and
 * does nothing, where Swarm replaces the container.
 *
 * It signals process 1, which must pass signals on as tini does. The program is bounded here and not by Docker, which would kill this script
 * and leave the program behind; a failure is noted before the program runs, in case Docker does so all the same.
 */
export function healthCommand(health: HealthScript): string[] {
    const signal = (health.stopSignal ?? "SIGTERM").replace(/^SIG/, "");
    const script = [
        `state=${healthDirectory}/health`,
        "now=$(date +%s)",
        // Time of the first check, or 0 once it has been healthy; failures in a row; time of the stop signal, or 0.
        '{ read -r began failures stopped <"$state"; } 2>/dev/null || { began=$now; failures=0; stopped=0; }',
        'note() { echo "$began $failures $stopped" >"$state"; }',
        "react() {",
        `  [ "$failures" -ge ${health.retries} ] || return 0`,
        '  if [ "$stopped" -eq 0 ]; then',
        "    stopped=$now",
        "    note",
        "    echo 'unhealthy: stopping the container'",
        `    kill -s ${signal} 1`,
        `  elif [ $((now - stopped)) -ge ${health.stopGraceSeconds} ]; then`,
        "    kill -s KILL -- -1",
        "  fi",
        "}",
        "react",
        `[ $((now - began)) -lt ${health.startPeriodSeconds} ] || failures=$((failures + 1))`,
        "note",
        `if timeout -s KILL ${health.timeoutSeconds} "$@"; then began=0; failures=0; stopped=0; note; exit 0; fi`,
        "react",
        "exit 1",
    ].join("\n");
    return ["CMD", "sh", "-c", script, "health", ...health.command];
}
