import { containerPaths } from "../defaults";
import { closedGates } from "./poolerFunctions";

/** Time for HAProxys to turn clients away: with their default intervals they do in half a second. */
const drainSeconds = 2;

/** Time after which an attempt to reach the new primary may take longer: where it is far away, or slow. */
const patienceSeconds = 10;

/** Attempts between two looks at the time and at patronictl, each of which takes the processor from those that bring the new primary. */
const attemptsBetweenLooks = 10;

/** Shell functions `listens`, and `reachable`, which leaves of its arguments those that listen. */
export const reachableFunctions = [
    'listens() { pg_isready -q -t 2 -h "${1%:*}" -p "${1##*:}"; [ "$?" -ne 2 ]; }',
    "reachable() {",
    '  for each do { if listens "$each"; then echo "$each"; else echo "$each does not answer" >&2; fi; } & done',
    "  wait",
    "}",
].join("\n");

/**
 * Shell function `drain`, which waits until entry points have noticed that the primary is about to stop, and so lead to the next one as soon
 * as it is there.
 */
export const drainFunctions = [
    "drain() {",
    `  late=$(($(date +%s) + ${drainSeconds}))`,
    "  jobs=",
    `  for router do (exec ${closedGates}; drained "$router") & jobs="$jobs $!"; done`,
    '  for job in $jobs; do wait "$job"; done',
    "}",
    "drained() {",
    '  until timeout 0.3 pg_isready -q -t 5 -h "${1%:*}" -p "${1##*:}"; [ "$?" -eq 2 ] || [ "$(date +%s)" -ge "$late" ]; do',
    "    sleep 0.05",
    "  done",
    "}",
].join("\n");

/**
 * Shell functions `await_stop`, which waits until the leader takes no connection any more; `await_another`, which does so from afar, until the
 * primary is another one; and `await` and `await_all`, which wait until an entry point leads to a primary again, or all do; or until the
 * switchover has failed. HAProxy may keep an attempt for a second that began while no server was there.
 */
export const awaitFunctions = [
    'ended() { failed || [ "$(date +%s)" -ge "$deadline" ]; }',
    // Nobody leads within the next moment.
    `await_stop() { while under_way && ! ended && pg_isready -q -t 2 -h ${containerPaths.postgresSocket}; do sleep 0.1; done; sleep 0.2; }`,
    "await_another() {",
    '  if [ -z "$started" ]; then while kill -0 "$asked" 2>/dev/null && ! ended; do sleep 0.1; done; return 0; fi',
    '  until ended || { now=$(start_time) && [ -n "$now" ] && [ "$now" != "$started" ]; }; do sleep 0.1; done',
    "}",
    "await() {",
    `  limit=0.3 attempts=0 patient=$(($(date +%s) + ${patienceSeconds}))`,
    '  until timeout "$limit" pg_isready -q -t 5 -h "${1%:*}" -p "${1##*:}"; do',
    "    attempts=$((attempts + 1))",
    `    if [ "$limit" = 5 ] || [ "$((attempts % ${attemptsBetweenLooks}))" -eq 0 ]; then`,
    "      if ended; then break; fi",
    '      [ "$(date +%s)" -lt "$patient" ] || limit=5',
    "    fi",
    "    sleep 0.05",
    "  done",
    "}",
    // They are ready together, and until the first is, Patroni has use for the processor.
    "await_all() {",
    '  [ "$#" -gt 0 ] || return 0',
    '  await "$1"',
    "  shift",
    "  jobs=",
    `  for router do (exec ${closedGates}; await "$router") & jobs="$jobs $!"; done`,
    '  for job in $jobs; do wait "$job"; done',
    "}",
].join("\n");
