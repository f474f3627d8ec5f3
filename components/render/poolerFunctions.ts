import { systemRoles } from "../defaults";

/** Time that open transactions have to end before a switchover goes on without a pause: what a client may wait for nothing. */
export const pauseTimeoutSeconds = 5;

/** Makes the files from which {@link consoleFunctions} take the passwords of PgBouncer's administrator. */
export function renderConsolePasswords(passwords: string[]): string[] {
    return passwords.flatMap((password, index) => [
        `cat >"$dir/pgpass.${index}" <<'END_OF_PGPASS'`,
        `*:*:pgbouncer:${systemRoles.pgbouncer}:${password.replace(/[\\:]/g, "\\$&")}`,
        "END_OF_PGPASS",
    ]);
}

/** Settings of psql for the console of the PgBouncer `$1`, with the password in `$passfile`. */
const consoleConninfo = `"host=\${1%:*} port=\${1##*:} user=${systemRoles.pgbouncer} dbname=pgbouncer connect_timeout=3 passfile=$passfile"`;

/** Shell function `console`: a command for the PgBouncer `$1`, which has `$2` seconds. It leaves in `$passfile` which password was right. */
export const consoleFunctions = [
    "console() {",
    '  for passfile in "$dir"/pgpass.*; do',
    "    refused=0",
    // On an interrupt psql takes the command back.
    `    said=$(timeout -s INT -k 2 "$2" psql -X -q -d ${consoleConninfo} -c "$3" 2>&1) || refused=$?`,
    '    case "$said" in *"authentication failed"*) ;; *) break ;; esac',
    "  done",
    '  printf "%s\\n" "$said"',
    '  return "$refused"',
    "}",
].join("\n");

/** What a job in the background must not keep open: see {@link pauseFunctions}. It is for a subshell, since a function would keep copies. */
export const closedGates = "4>&- 5>&- 6>&-";

/** Why a console is of no use that was not logged in in time. */
const noLogin = "no answer to a login";

/**
 * Shell functions `open_consoles`, `pause` and `resume`. A PgBouncer that somebody else has paused stays so.
 *
 * A connection with TLS takes psql a tenth of a second, of which clients would wait for the second one, so one psql for each PgBouncer is
 * connected before. It waits for a line from this shell's file descriptor 4 to pause, and for the end of 5, which comes when this shell dies,
 * too, to resume. It holds the other sides, 7 and 8, from the beginning: to open one that nobody holds any more would take forever.
 */
export const pauseFunctions = [
    "open_consoles() {",
    '  mkfifo "$dir/to-pause" "$dir/to-resume"',
    '  exec 4<>"$dir/to-pause" 5<>"$dir/to-resume"',
    "  for pooler in $poolers; do",
    `    (exec 7<"$dir/to-pause" 8<"$dir/to-resume" && exec ${closedGates} && open_console "$pooler") &`,
    '    echo "$!" >"$dir/console.$pooler"',
    "  done",
    "}",
    "open_console() {",
    `  echo "${noLogin}" >"$dir/said.$1"`,
    '  console "$1" 3 "SHOW VERSION" >/dev/null || { [ -z "$said" ] || printf "%s\\n" "$said" >"$dir/said.$1"; exit 1; }',
    `  exec psql -X -q -v ON_ERROR_STOP=1 -d ${consoleConninfo} >"$dir/said.$1" 2>&1 <<END_OF_COMMANDS`,
    "\\set told \\`read -r line <&7 && echo on || echo off\\`",
    "\\if :told",
    "PAUSE;",
    "\\o $dir/holds.$1",
    "\\! cat <&8",
    "RESUME;",
    "\\o $dir/resumed.$1",
    "\\endif",
    "END_OF_COMMANDS",
    "}",
    // Whether the console of `$1` leaves the file `$2` before the time `$3`.
    "gets_to() {",
    '  read -r console <"$dir/console.$1"',
    '  until [ -e "$dir/$2.$1" ]; do',
    '    kill -0 "$console" 2>/dev/null && [ "$(date +%s)" -lt "$3" ] || { [ -e "$dir/$2.$1" ]; return; }',
    "    sleep 0.02",
    "  done",
    "}",
    "pause() {",
    '  for pooler in $poolers; do : >"$dir/paused.$pooler"; echo >&4; done',
    `  limit=$(($(date +%s) + ${pauseTimeoutSeconds}))`,
    "  jobs=",
    `  for pooler in $poolers; do gets_to "$pooler" holds "$limit" || { (exec ${closedGates}; give_up "$pooler") & jobs="$jobs $!"; }; done`,
    '  for job in $jobs; do wait "$job"; done',
    "}",
    "close_console() {",
    '  read -r console <"$dir/console.$1"',
    '  kill "$console" 2>/dev/null',
    "}",
    "give_up() {",
    '  close_console "$1"',
    '  reason=$(cat "$dir/said.$1")',
    '  case "$reason" in',
    // It didn't get the command: it is away, or takes none of the passwords, as after a rotation that was cut short.
    `    *"already suspended/paused"* | *"connection to server"*" failed: "* | "${noLogin}") rm "$dir/paused.$1" ;;`,
    '    *) resume_one "$1" ;;',
    "  esac",
    '  printf "PgBouncer %s was not paused: %s\\n" "$1" "${reason:-transactions were open for too long}" >&2',
    "}",
    "resume_one() {",
    "  for attempt in 1 2 3 4 5; do",
    '    if answer=$(console "$1" 3 RESUME); then rm -f "$dir/paused.$1"; return 0; fi',
    '    case "$answer" in *"not paused"*) rm -f "$dir/paused.$1"; return 0 ;; esac',
    '    [ "$attempt" -eq 5 ] || sleep 0.5',
    "  done",
    '  printf "PgBouncer %s may still be paused: %s\\n" "$1" "$answer" >&2',
    "  return 1",
    "}",
    "resume() {",
    "  exec 5>&-",
    "  limit=$(($(date +%s) + 3))",
    "  jobs=",
    '  for file in "$dir"/paused.*; do',
    '    [ -e "$file" ] || continue',
    "    pooler=${file##*/paused.}",
    '    if [ -e "$dir/holds.$pooler" ] && gets_to "$pooler" resumed "$limit"; then rm "$file"; continue; fi',
    // Its PAUSE could come after our RESUME.
    '    [ ! -e "$dir/console.$pooler" ] || close_console "$pooler"',
    '    resume_one "$pooler" & jobs="$jobs $!"',
    "  done",
    "  resumed=0",
    '  for job in $jobs; do wait "$job" || resumed=1; done',
    '  return "$resumed"',
    "}",
].join("\n");
