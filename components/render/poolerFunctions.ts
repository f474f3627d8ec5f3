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

/** Shell function `console`: a command for the PgBouncer `$1`, which has `$2` seconds. */
export const consoleFunctions = [
    "console() {",
    '  for passfile in "$dir"/pgpass.*; do',
    "    refused=0",
    // On an interrupt psql takes the command back.
    `    said=$(timeout -s INT -k 2 "$2" psql -X -q -d "host=\${1%:*} port=\${1##*:} user=${systemRoles.pgbouncer} dbname=pgbouncer connect_timeout=3 passfile=$passfile" -c "$3" 2>&1) || refused=$?`,
    '    case "$said" in *"authentication failed"*) ;; *) break ;; esac',
    "  done",
    '  printf "%s\\n" "$said"',
    '  return "$refused"',
    "}",
].join("\n");

/** Shell functions `pause` and `resume`. A PgBouncer that somebody else has paused stays so. */
export const pauseFunctions = [
    "pause_one() {",
    '  : >"$dir/paused.$1"',
    `  if reason=$(console "$1" ${pauseTimeoutSeconds} PAUSE); then return 0; fi`,
    '  case "$reason" in',
    // It didn't get the command: it is away, or takes none of the passwords, as after a rotation that was cut short.
    '    *"already suspended/paused"* | *"connection to server"*" failed: "*) rm "$dir/paused.$1" ;;',
    '    *) resume_one "$1" ;;',
    "  esac",
    '  printf "PgBouncer %s was not paused: %s\\n" "$1" "${reason:-transactions were open for too long}" >&2',
    "}",
    "pause() {",
    "  jobs=",
    '  for pooler in $poolers; do pause_one "$pooler" & jobs="$jobs $!"; done',
    '  for job in $jobs; do wait "$job"; done',
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
    "  jobs=",
    '  for file in "$dir"/paused.*; do',
    '    [ -e "$file" ] || continue',
    '    resume_one "${file##*/paused.}" & jobs="$jobs $!"',
    "  done",
    "  resumed=0",
    '  for job in $jobs; do wait "$job" || resumed=1; done',
    '  return "$resumed"',
    "}",
].join("\n");
