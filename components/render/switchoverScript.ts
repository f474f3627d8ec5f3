import { containerPaths } from "../defaults";
import { localConninfo, routerConninfo } from "./conninfo";
import { patronictl, patronictlListSeconds, rowsFunction } from "./patroniScripts";
import {
    closedGates,
    consoleFunctions,
    pauseFunctions,
    pauseTimeoutSeconds,
    renderConsolePasswords,
} from "./poolerFunctions";
import { awaitFunctions, drainFunctions, reachableFunctions } from "./primaryFunctions";
import { connectedFunctions, leadAwayFunctions, reconnectFunction } from "./reconnectFunctions";
import { inContainerFunction, shellQuote } from "./shell";

/** PgBouncers that are paused around a switchover. */
export interface PausedPoolers {
    /** Addresses of the hosts that publish one. */
    addresses: string[];
    port: number;
    /** Passwords of PgBouncer's administrator: one of them is right. */
    passwords: string[];
}

/** The read-write entry points, which must lead to the new primary before PgBouncers go on. */
export interface SwitchoverRouters {
    addresses: string[];
    readWritePort: number;
}

/** What {@link renderSwitchoverScript} needs. */
export interface SwitchoverScript {
    /** The node's service on the host that keeps the script. */
    serviceName: string;
    scope: string;
    /** None where there is no HAProxy. */
    routers?: SwitchoverRouters;
    /** None where no PgBouncer can be paused. */
    poolers?: PausedPoolers;
}

/** Time for the new primary to be reached everywhere; then PgBouncers go on, whatever has become of the switchover. */
const switchoverTimeoutSeconds = 30;

/** Time for the checkpoint before all else. */
const checkpointTimeoutSeconds = 300;

/** Age of a switchover at which the guard ends its pause: later than all that the switchover itself waits for, each with its own limit. */
const guardSeconds = 4 * switchoverTimeoutSeconds + 2 * pauseTimeoutSeconds;

/** Attempts of the guard, one a second, or fewer where a host doesn't answer. */
const guardAttempts = 600;

/** Time after which Patroni goes on with PostgreSQL's stop, whatever has become of the pause. */
const holdSeconds = 2 * pauseTimeoutSeconds;

/** Time for all of patronictl, from its start before the pause. */
const patronictlTimeoutSeconds = 3 * switchoverTimeoutSeconds;

/**
 * The script, kept on a node's host, that hands the leader's role over with all PgBouncers paused: `SCRIPT LEADER [CANDIDATE...]`, with the
 * candidates that are preferred. `SCRIPT --restart LEADER` restarts the leader where it is, in the same way, if it waits for that.
 * `SCRIPT --reconnect` runs while HAProxys are replaced.
 *
 * Its work is done in the node's container by one shell, which gets all by standard input. That shell resumes the PgBouncers however it
 * ends. A guard beside it, in a session of its own, does so if the shell was killed.
 */
export function renderSwitchoverScript(script: SwitchoverScript): string {
    return [
        "#!/bin/sh",
        "# Usage: SCRIPT LEADER [CANDIDATE...], SCRIPT --restart LEADER, or SCRIPT --reconnect",
        "# Hands the leader's role over, or restarts it, while PgBouncer holds its clients back, or leads PgBouncer away from each HAProxy",
        "# that stops.",
        "# Written by Pulumi.",
        "set -eu",
        inContainerFunction(script.serviceName),
        "in_node() { in_container sh -s -- \"$@\" <<'END_OF_SCRIPT'",
        nodeScript(script),
        "END_OF_SCRIPT",
        "}",
        // The guard of an earlier switchover must not end the pause of this one.
        'mark="$0.paused"',
        'mine() { [ "$(cat "$mark" 2>/dev/null)" = "$1" ]; }',
        'if [ "$1" = --reconnect ]; then',
        // Clients that see an error are no reason to stop the roll-out.
        '  in_node "$@" || true',
        "  exit 0",
        "fi",
        'if [ "$1" = --guard ]; then',
        `  sleep ${guardSeconds}`,
        "  attempts=0",
        `  while mine "$2" && [ "$attempts" -lt ${guardAttempts} ]; do`,
        // While the switchover is under way it may pause again.
        '    if in_node --resume && ! kill -0 "$2" 2>/dev/null; then rm -f "$mark"; fi',
        "    attempts=$((attempts + 1))",
        "    sleep 1",
        "  done",
        "  exit 0",
        "fi",
        // Left by a host that went down in the middle.
        'if [ -e "$mark" ]; then in_node --resume || true; fi',
        // The shutdown checkpoint is then short, and so is the time without a primary. It may take minutes itself, which are not the guard's.
        'in_node --checkpoint "$@"',
        'printf "%s\\n" "$$" >"$mark"',
        'setsid sh "$0" --guard "$$" </dev/null >/dev/null 2>&1 &',
        "status=0",
        'in_node "$@" || status=$?',
        // With any other status it was killed, or could not resume one: the guard goes on then.
        `case "$status" in 0 | ${refusedStatus}) rm -f "$mark" ;; ${notResumedStatus}) exit 0 ;; esac`,
        'exit "$status"',
    ].join("\n");
}

/** Status of a switchover that didn't take place and left no PgBouncer paused. */
const refusedStatus = 3;

/** Status of a switchover that took place, after which a PgBouncer could not be resumed. */
const notResumedStatus = 4;

/** What runs in the node's container. */
function nodeScript({ scope, routers, poolers }: SwitchoverScript): string {
    const entries = routers?.addresses.map((address) => `${address}:${routers.readWritePort}`) ?? [];
    const consoles = poolers?.addresses.map((address) => `${address}:${poolers.port}`) ?? [];
    const primary =
        routers === undefined ? localConninfo : routerConninfo(routers.addresses, routers.readWritePort, "read-write");
    return [
        "set -u",
        "umask 077",
        `poolers=${shellQuote(consoles.join(" "))}`,
        `routers=${shellQuote(entries.join(" "))}`,
        "dir=$(mktemp -d /tmp/switchover.XXXXXX)",
        ...renderConsolePasswords(poolers?.passwords ?? []),
        consoleFunctions,
        candidateFunction(scope),
        pauseFunctions,
        `ctl() { ${patronictl(patronictlListSeconds)} "$@"; }`,
        `sql() { limit=$1; shift; timeout "$limit" psql -X -q -t -A "$@" 2>/dev/null; }`,
        "refuse() {",
        '  printf "%s\\n" "$1" >&2',
        `  exit ${refusedStatus}`,
        "}",
        "finish() {",
        "  status=$?",
        "  trap '' HUP INT TERM PIPE",
        `  resume || [ "$status" -eq ${notResumedStatus} ] || status=1`,
        '  for file in "$dir"/filled.*; do [ ! -e "$file" ] || empty "${file##*/filled.}"; done',
        `  [ ! -e "$dir/hook" ] || rm -f ${containerPaths.beforeStop}`,
        '  rm -rf "$dir"',
        '  exit "$status"',
        "}",
        "trap finish EXIT",
        "trap 'exit 1' HUP INT TERM PIPE",
        "main() {",
        '  if [ "$1" = --resume ]; then',
        '    for pooler in $poolers; do : >"$dir/paused.$pooler"; done',
        "    return 0",
        "  fi",
        '  if [ "$1" = --reconnect ]; then reconnect; return 0; fi',
        "  first=",
        '  if [ "$1" = --checkpoint ]; then first=checkpoint; shift; fi',
        '  if [ "$1" = --restart ]; then',
        `    set -- restart ${scope} "$2" --pending`,
        "  else",
        '    candidate=$(choose "$@") || refuse "no other node is fit to take over from $1"',
        `    set -- switchover ${scope} --leader "$1" --candidate "$candidate"`,
        "  fi",
        '  if [ -n "$first" ]; then',
        `    sql ${checkpointTimeoutSeconds} -d '${primary}' -c CHECKPOINT >/dev/null || true`,
        "    return 0",
        "  fi",
        '  action="$1"',
        // Whoever doesn't answer would make the others' clients wait.
        "  poolers=$(reachable $poolers)",
        "  routers=$(reachable $routers)",
        "  open_consoles",
        `  started=$(start_time) || started=`,
        '  prepare "$@" --scheduled now',
        "  if leads; then hold; else pause; fi",
        // patronictl also asks for which version of PostgreSQL a restart is meant: for any.
        '  printf "y\\n\\n" >&3',
        "  exec 3>&-",
        '  if [ -e "$dir/hook" ]; then pause_when_held; fi',
        `  deadline=$(($(date +%s) + ${switchoverTimeoutSeconds}))`,
        '  if [ -e "$dir/held" ]; then await_stop; else await_another; fi',
        "  await_all $routers",
        "  resume",
        "  left=$?",
        '  wait "$asked" || true',
        '  if failed; then refuse "$(cat "$dir/answer")"; fi',
        `  [ "$left" -eq 0 ] || exit ${notResumedStatus}`,
        "}",
        // patronictl ends with status 0 even if the node refused. Where it can't reach the node it says so with a trace of an error, names such
        // as SSLError among it, and asks by the DCS.
        `failed() { grep -q 'Failed: \\|Switchover failed\\|\\(^\\|[^A-Za-z.]\\)Error: ' "$dir/answer"; }`,
        reachableFunctions,
        prepareFunction,
        // Without an entry point nobody here knows which node is the primary.
        routers === undefined
            ? "start_time() { false; }"
            : `start_time() { sql 5 -d '${primary}' -c 'SELECT pg_postmaster_start_time()'; }`,
        holdFunctions,
        drainFunctions,
        awaitFunctions,
        connectedFunctions,
        leadAwayFunctions,
        reconnectFunction,
        'main "$@" </dev/null',
    ].join("\n");
}

/**
 * Shell function `choose`: the first of the nodes `$2`, `$3` and so on that is fit to take over from `$1`, or else any that is. Where there
 * are synchronous ones nobody else is: it could lack commits.
 */
function candidateFunction(scope: string): string {
    return [
        rowsFunction(scope, "Member", "Role", "State", "Tags"),
        "choose() {",
        "  nodes=$(rows) || return 1",
        '  printf "%s\\n" "$nodes" |',
        "    awk -F '\\t' -v preferred=\"$*\" '",
        '      $3 == "streaming" && $4 !~ /nofailover/ { fit[$1] = 1; if (other == "") other = $1 }',
        '      $3 == "streaming" && $4 !~ /nofailover/ && $2 ~ /(Sync|Quorum) Standby/ { synchronous[$1] = 1; if (best == "") best = $1 }',
        "      END {",
        '        count = split(preferred, names, " ")',
        '        for (i = 2; i <= count; i++) if (best == "" ? (names[i] in fit) : (names[i] in synchronous)) { print names[i]; exit }',
        '        if (best == "") best = other',
        '        if (best == "") exit 1',
        "        print best",
        "      }'",
        "}",
    ].join("\n");
}

/** Shell function `prepare`: starts patronictl, which needs a while, up to the question that file descriptor 3 answers. */
const prepareFunction = [
    "prepare() {",
    '  mkfifo "$dir/question"; : >"$dir/answer"',
    // patronictl has no limit of its own where a node accepts and stays silent.
    `  ${patronictl(patronictlTimeoutSeconds)} "$@" <"$dir/question" >"$dir/answer" 2>&1 ${closedGates} &`,
    "  asked=$!",
    '  exec 3>"$dir/question"',
    "  attempts=0",
    '  until grep -q "Are you sure" "$dir/answer"; do',
    "    attempts=$((attempts + 1))",
    `    if [ "$attempts" -gt ${10 * switchoverTimeoutSeconds} ] || ! kill -0 "$asked" 2>/dev/null; then refuse "$(cat "$dir/answer")"; fi`,
    "    sleep 0.1",
    "  done",
    // It leaves out who waits for no restart, and asks all the same.
    `  if grep -q "restart members ?" "$dir/answer"; then refuse "it waits for no restart any more"; fi`,
    "}",
].join("\n");

/**
 * Shell functions `leads`; `hold`, which has Patroni wait just before it stops PostgreSQL; and `pause_when_held`, which pauses PgBouncers then
 * and lets Patroni go on. What happens before the pause takes longer than the rest, and costs PgBouncers' clients no time.
 */
const holdFunctions = [
    // A node that has not been replaced since Patroni is told of the script stops without asking.
    `leads() { grep -qs before_stop ${containerPaths.patroniConfigDirectory}/*.yml && [ "$(sql 5 -d '${localConninfo}' -c 'SELECT pg_is_in_recovery()')" = f ]; }`,
    "hold() {",
    '  cat >"$dir/hook" <<END_OF_HOOK',
    // Only this stop of PostgreSQL is meant, and only while the script lives.
    `rm -f ${containerPaths.beforeStop}`,
    "kill -0 $$ 2>/dev/null || exit 0",
    ': >"$dir/held"',
    `timeout ${holdSeconds} sh -c 'read -r line <"\\$0"' "$dir/go" || :`,
    "END_OF_HOOK",
    // It ends with this shell, or when PgBouncers are paused.
    '  mkfifo "$dir/go"',
    '  exec 6<>"$dir/go"',
    `  cp "$dir/hook" "$dir/hook.new" && mv "$dir/hook.new" ${containerPaths.beforeStop}`,
    "}",
    // patronictl is done before PostgreSQL stops where it could only write to the DCS.
    `under_way() { kill -0 "$asked" 2>/dev/null || grep -q 'falling back to DCS' "$dir/answer"; }`,
    "pause_when_held() {",
    `  deadline=$(($(date +%s) + ${switchoverTimeoutSeconds}))`,
    '  until [ -e "$dir/held" ] || ended || ! under_way; do sleep 0.05; done',
    '  if [ -e "$dir/held" ]; then',
    // A restart in place shows HAProxy another state, and ends with the same primary.
    '    [ "$action" = restart ] || [ -z "$poolers" ] || drain $routers',
    "    pause",
    "  else",
    `    rm -f ${containerPaths.beforeStop}`,
    '    failed || echo "PostgreSQL did not wait for the pause of PgBouncers" >&2',
    "  fi",
    // Who comes to it later would wait for somebody to open it.
    '  rm -f "$dir/go"',
    "  exec 6>&-",
    "}",
].join("\n");
