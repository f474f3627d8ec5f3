/** What {@link healthCommand} needs. */
export interface HealthScript {
    /** Program and arguments whose exit status tells whether the container is healthy. */
    command: string[];
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
 * It signals process 1, which must pass signals on as tini does. A failure is noted before the program runs, because Docker kills a check
 * that takes too long, and this script with it.
 */
export function healthCommand(health: HealthScript): string[] {
    const signal = (health.stopSignal ?? "SIGTERM").replace(/^SIG/, "");
    const script = [
        `state=${healthDirectory}/health`,
        "now=$(date +%s)",
        // Time of the first check, or 0 once it has been healthy; failures in a row; time of the stop signal, or 0.
        'read -r began failures stopped 2>/dev/null <"$state" || { began=$now; failures=0; stopped=0; }',
        'note() { echo "$began $failures $stopped" >"$state"; }',
        `[ $((now - began)) -lt ${health.startPeriodSeconds} ] || failures=$((failures + 1))`,
        "note",
        'if "$@"; then began=0; failures=0; stopped=0; note; exit 0; fi',
        `[ "$failures" -ge ${health.retries} ] || exit 1`,
        `if [ "$stopped" -eq 0 ]; then stopped=$now; note; echo 'unhealthy: stopping the container'; kill -s ${signal} 1; exit 1; fi`,
        `[ $((now - stopped)) -lt ${health.stopGraceSeconds} ] || kill -s KILL -- -1`,
        "exit 1",
    ].join("\n");
    return ["CMD", "sh", "-c", script, "health", ...health.command];
}
