import { containerPaths, systemRoles } from "../defaults";
import { localConninfo } from "./conninfo";
import { patronictl, patronictlSeconds } from "./patroniScripts";
import { indent, waitFor } from "./shell";

/** A change of PostgreSQL's major version: an upgrade, or the way back from one. */
export interface MajorChange {
    from: number;
    to: number;
}

/** Where a node keeps what a change is about to make. A file `paused` in it says that the change has paused Patroni. */
export const upgradeDirectory = `${containerPaths.postgresRoot}/.upgrade`;

/** Where a rehearsal works. */
const rehearsalDirectory = `${containerPaths.postgresRoot}/.rehearsal`;

/** Space, in MiB, that a new cluster needs beside the copy of the data: its catalogs and first WAL. */
const spareMiB = 1024;

/** What {@link renderMajorNodeScript} needs. */
export interface MajorNodeScript {
    scope: string;
    change: MajorChange;
    /** Time for PostgreSQL to stop, and to serve again after an attempt was taken back. */
    timeoutSeconds: number;
}

/**
 * The script that works in a node's container, by standard input: `settle`, `check NODE...`, `upgrade NODE...`, `back` or `rehearse`,
 * with the nodes that must be streaming. It goes on if the connection to it is lost, and never works twice at a time.
 */
export function renderMajorNodeScript({ scope, change: { from, to }, timeoutSeconds }: MajorNodeScript): string {
    return [
        "set -eu",
        "umask 077",
        "trap '' PIPE HUP",
        `from=${from} to=${to}`,
        `root=${containerPaths.postgresRoot}`,
        `old=${containerPaths.postgresData(from)} new=${containerPaths.postgresData(to)}`,
        `old_bin=${containerPaths.postgresBinaries(from)} new_bin=${containerPaths.postgresBinaries(to)}`,
        `work=${upgradeDirectory} rehearsal=${rehearsalDirectory}`,
        `say() { printf '%s\\n' "$*" >&2 || true; }`,
        'die() { say "$@"; exit 1; }',
        `ctl() { ${patronictl(patronictlSeconds)} "$@"; }`,
        // Only in the environment a database's name is a name, whatever is in it.
        `ask_in() { PGDATABASE=$1 psql -X -q -t -A -v ON_ERROR_STOP=1 -h ${containerPaths.postgresSocket} -U ${systemRoles.superuser} -c "$2"; }`,
        'ask() { ask_in postgres "$1"; }',
        dcsFunctions,
        controlFunctions,
        `is_up() { psql -X -q -d '${localConninfo}' -c 'SELECT' >/dev/null 2>&1; }`,
        `led() { ctl list -f tsv ${scope} | awk -F '\\t' '$4 == "Leader" && $5 == "running" { ok = 1 } END { exit !ok }'; }`,
        "take_back() {",
        "  end_upgrade",
        // Servers that it has left.
        '  if ! is_up; then "$old_bin/pg_ctl" stop -D "$old" -m fast -w >/dev/null 2>&1 || true; fi',
        '  "$new_bin/pg_ctl" stop -D "$work/data" -m immediate -w >/dev/null 2>&1 || true',
        `  ctl resume ${scope} >&2 || true`,
        indent(waitFor("led", timeoutSeconds, 'die "no node leads again: see patronictl list"')),
        '  rm -rf "$work"',
        `  say "PostgreSQL $from serves again, as before"`,
        "}",
        settleFunction,
        checkFunctions,
        "stop() {",
        '  : >"$work/paused"',
        `  ctl pause ${scope} --wait >&2`,
        "  stopped_at=$(date +%s)",
        `  ask CHECKPOINT && "$old_bin/pg_ctl" stop -D "$old" -m fast -w -t ${timeoutSeconds} >&2`,
        "}",
        // With the position of the other data's WAL in the DCS Patroni would take the node for one that lags.
        'commit() { dcs 0; dcs "$1" || [ "$(dcs)" = "$1" ]; }',
        upgradeFunction,
        backFunction,
        rehearseFunction,
        "main() {",
        '  exec 9>"$root/.upgrade.lock"',
        '  flock -w 3600 9 || die "another change of the major version is at work in this container"',
        '  "$@"',
        "}",
        'main "$@" </dev/null',
    ].join("\n");
}

/** Shell functions that read and write Patroni's key `initialize`, by Patroni's own code, whatever the DCS is. */
const dcsFunctions = [
    'python=$(sed -n "1s/^#! *//p" "$(command -v patroni)")',
    // `dcs` prints the key; `dcs 0` forgets the position of the WAL; `dcs IDENTIFIER` writes the key.
    `dcs() { "$python" - ${containerPaths.patroniConfigDirectory} "$@" <<'END_OF_PYTHON'`,
    "import sys",
    "from patroni.ctl import load_config",
    "from patroni.dcs import get_dcs",
    "config = load_config(sys.argv[1], None)",
    "config['patronictl'] = True",
    "dcs = get_dcs(config)",
    "if len(sys.argv) == 2:",
    "    print(dcs.get_cluster().initialize or '')",
    "elif sys.argv[2] == '0':",
    "    dcs.write_leader_optime(0)",
    "elif not dcs.initialize(create_new=False, sysid=sys.argv[2]):",
    "    sys.exit('the DCS did not take the system identifier')",
    "END_OF_PYTHON",
    "}",
].join("\n");

/** Shell functions that read a data directory's control file. */
const controlFunctions = [
    // Any major's program reads the first fields of all; of another one it warns.
    'control() { LC_ALL=C "$new_bin/pg_controldata" "$1" 2>/dev/null | sed -n "s/^$2: *//p"; }',
    'identifier() { [ ! -e "$1/global/pg_control" ] || od -A n -t u8 -N 8 "$1/global/pg_control" | tr -d " "; }',
].join("\n");

/** Shell function `settle`: ends what an earlier attempt has left, and prints `changed`, `stopped` or `open`. */
const settleFunction = [
    "settle() {",
    "  current=$(dcs) || current=",
    '  [ -n "$current" ] || die "Patroni\'s key initialize can\'t be read"',
    '  if [ "$(identifier "$work/data")" = "$current" ]; then publish; fi',
    '  if [ "$(identifier "$new")" = "$current" ]; then echo changed; return; fi',
    '  [ "$(identifier "$old")" = "$current" ] || die "$old is not the data of this cluster: its identifier is not $current"',
    '  if [ -e "$work/paused" ] && [ "$to" -lt "$from" ] && ! is_up; then echo stopped; return; fi',
    '  if [ -e "$work/paused" ]; then take_back; fi',
    '  rm -rf "$work"',
    "  echo open",
    "}",
    'publish() { mkdir -p "${new%/*}"; mv "$work/data" "$new"; }',
].join("\n");

/** Shell functions `check` and `inspect`, which list all that is in the way of an upgrade, and those that it shares with the upgrade. */
const checkFunctions = [
    "problems=",
    'found() { problems="$problems$(printf "\\n  - %s" "$1")"; }',
    'none() { rows=$(ask "$1") || die "PostgreSQL can\'t be asked"; [ -z "$rows" ] || found "$2: $rows"; }',
    "streams() { [ \"$(ask \"SELECT 'yes' WHERE EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '$1' AND state = 'streaming')\")\" = yes ]; }",
    'refuse() { [ -z "$problems" ] || die "PostgreSQL $from can\'t be upgraded to $to:$problems"; }',
    // Whether the file system can share blocks between files.
    'mode() { if cp --reflink=always "$old/PG_VERSION" "$1/reflink" 2>/dev/null; then echo --clone; else echo --copy; fi; }',
    'size_mib() { du -sm "$1" | cut -f 1; }',
    "free_mib() { df -Pm \"$root\" | awk 'NR == 2 { print $4 }'; }",
    "init() {",
    '  checksums=$(control "$old" "Data page checksum version")',
    '  segment=$(control "$old" "Bytes per WAL segment")',
    '  set -- "$1" --wal-segsize=$((segment / 1048576))',
    '  if [ "$checksums" != 0 ]; then set -- "$@" --data-checksums; elif [ "$to" -ge 18 ]; then set -- "$@" --no-data-checksums; fi',
    `  "$new_bin/initdb" -D "$@" --username=${systemRoles.superuser} --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=reject >/dev/null`,
    "}",
    "pg_upgrade() {",
    '  (cd "$1" && exec setsid --wait sh -c \'echo "$$" >pid; exec "$@"\' sh "$new_bin/pg_upgrade" --old-bindir="$old_bin" --new-bindir="$new_bin" --old-datadir="$2" --new-datadir="$1/data" \\',
    `    --username=${systemRoles.superuser} --socketdir=/tmp --jobs=2 "$3" \${4:+"$4"} >"$1/log" 2>&1 9>&-)`,
    "}",
    "inspect() {",
    '  for program in "$old_bin/postgres" "$new_bin/pg_upgrade"; do',
    '    [ -x "$program" ] || found "$program is not there: run the nodes on an image with both major versions first, such as images/upgrade"',
    "  done",
    "  refuse",
    '  [ "$(ask "SELECT current_setting(\'server_version_num\')::int / 10000")" = "$from" ] || found "the server is not PostgreSQL $from"',
    '  [ ! -e "$new" ] || found "$new is there already: move it away"',
    // Patroni calls a node the leader before its promotion has ended, and before the others have turned to it.
    "  attempts=0",
    '  while [ "$(ask "SELECT pg_is_in_recovery()")" = t ] && [ "$attempts" -lt 30 ]; do attempts=$((attempts + 1)); sleep 1; done',
    '  none "SELECT \'true\' WHERE pg_is_in_recovery()" "this node doesn\'t lead"',
    '  for node in "$@"; do',
    '    while ! streams "$node" && [ "$attempts" -lt 30 ]; do attempts=$((attempts + 1)); sleep 1; done',
    '    streams "$node" || found "$node doesn\'t stream"',
    "  done",
    "  none \"SELECT string_agg(format('%I in %I', gid, database), ', ') FROM pg_prepared_xacts\" \"prepared transactions, which have to be committed or rolled back\"",
    "  none \"SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE slot_type = 'logical'\" \"logical slots, which don't come along: end their consumers and drop them\"",
    "  none \"SELECT string_agg(spcname, ', ') FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')\" \"tablespaces, which are not supported\"",
    "  none \"SELECT string_agg(name, ', ') FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'\" \"parameters of ALTER SYSTEM, which don't come along: put them into 'parameters' and reset them\"",
    '  if [ "$from" -ge 15 ]; then',
    '    none "SELECT string_agg(datname, \', \') FROM pg_database WHERE datcollversion <> pg_database_collation_actual_version(oid)" "databases whose collation is of another version: REINDEX them, then ALTER DATABASE ... REFRESH COLLATION VERSION"',
    "  fi",
    '  share=$("$new_bin/pg_config" --sharedir)',
    '  ask "SELECT datname FROM pg_database WHERE datallowconn" >"$check/databases"',
    "  while IFS= read -r database; do",
    "    for extension in $(ask_in \"$database\" 'SELECT extname FROM pg_extension'); do",
    '      [ -e "$share/extension/$extension.control" ] || found "extension $extension in database $database: the image has it not for PostgreSQL $to"',
    "    done",
    '  done <"$check/databases"',
    "  free=$(free_mib)",
    `  need=${spareMiB}`,
    '  mode=$(mode "$check")',
    `  if [ "$mode" = --copy ]; then need=$((need + $(size_mib "$old"))); fi`,
    '  [ "$free" -ge "$need" ] || found "$free MiB are free under $root, $need MiB are needed"',
    "  refuse",
    '  init "$check/data"',
    '  pg_upgrade "$check" "$old" --check || { cat "$check/log" >&2; found "pg_upgrade --check refuses; its words are above"; }',
    "  refuse",
    '  say "nothing is in the way of PostgreSQL $to; data: $(size_mib "$old") MiB, which pg_upgrade will ${mode#--}"',
    "}",
    // On its own it leaves nothing behind.
    // One whose shell was killed goes on by itself. After a restart of the container the number may be somebody else's.
    "end_upgrade() {",
    '  [ -e "$work/pid" ] || return 0',
    '  pid=$(cat "$work/pid")',
    '  case "$(tr "\\0" " " 2>/dev/null <"/proc/$pid/cmdline" || true)" in *pg_upgrade*) ;; *) return 0 ;; esac',
    '  kill -9 -- "-$pid" || true',
    '  while kill -0 -- "-$pid" 2>/dev/null; do sleep 0.1; done',
    "}",
    "check() {",
    '  check=$rehearsal; rm -rf "$check"; mkdir "$check"',
    "  trap 'rm -rf \"$check\"' EXIT",
    '  inspect "$@"',
    "}",
].join("\n");

const upgradeFunction = [
    "upgrade() {",
    '  check=$work; rm -rf "$work"; mkdir "$work"',
    "  trap 'abandon $?' EXIT",
    '  inspect "$@"',
    "  stop",
    '  if ! pg_upgrade "$work" "$old" "$mode"; then cat "$work/log" >&2; die "pg_upgrade failed"; fi',
    '  commit "$(identifier "$work/data")"',
    "  publish",
    '  say "PostgreSQL $to has the data, $(($(date +%s) - stopped_at)) s after $from was stopped"',
    "}",
    // Unless the DCS has the new identifier, all is put back.
    "abandon() {",
    '  if [ "$1" -ne 0 ] && [ -e "$work/paused" ] && [ "$(dcs)" = "$(identifier "$old")" ]; then take_back || true; fi',
    '  if [ ! -e "$work/paused" ]; then rm -rf "$work"; fi',
    '  exit "$1"',
    "}",
].join("\n");

const backFunction = [
    "back() {",
    '  [ -x "$new_bin/postgres" ] || die "$new_bin/postgres is not there: run the nodes on an image with both major versions first"',
    '  [ "$(cat "$new/PG_VERSION" 2>/dev/null)" = "$to" ] || die "$new has no data of PostgreSQL $to: there is no way back"',
    "  if is_up; then mkdir -p \"$work\"; trap 'abandon $?' EXIT; stop; fi",
    '  commit "$(identifier "$new")"',
    '  say "the cluster is that of PostgreSQL $to again"',
    "}",
].join("\n");

/** Shell function `rehearse`: upgrades a copy of a replica's data, says how long that takes, and removes it. */
const rehearseFunction = [
    "rehearse() {",
    '  copy=$rehearsal; rm -rf "$copy"; mkdir "$copy"',
    "  trap 'rm -rf \"$copy\"' EXIT",
    `  need=$((${spareMiB} + $(size_mib "$old")))`,
    "  free=$(free_mib)",
    '  [ "$free" -ge "$need" ] || die "$free MiB are free under $root, a rehearsal needs $need MiB"',
    "  began=$(date +%s)",
    '  login >"$copy/pgpass"',
    `  "$old_bin/pg_basebackup" -D "$copy/old" -X stream -c fast -d "host=127.0.0.1 user=$(cut -d : -f 4 "$copy/pgpass") passfile=$copy/pgpass"`,
    "  copied=$(date +%s)",
    // Recovers and stops. Alone like this PostgreSQL archives nothing, listens nowhere and starts none of the workers of extensions.
    '  rm -f "$copy/old/standby.signal" "$copy/old/recovery.signal"',
    '  "$old_bin/postgres" --single -D "$copy/old" -c archive_mode=off -c shared_buffers=32MB postgres </dev/null >/dev/null 2>"$copy/log" || { cat "$copy/log" >&2; die "the copy does not recover"; }',
    '  init "$copy/data"',
    "  recovered=$(date +%s)",
    '  pg_upgrade "$copy" "$copy/old" --link --old-options="-c archive_mode=off -c shared_buffers=32MB" || { cat "$copy/log" >&2; die "pg_upgrade of a copy failed: the upgrade would fail, too"; }',
    '  say "a copy of the data was upgraded to PostgreSQL $to: $((copied - began)) s to copy, $(($(date +%s) - recovered)) s for pg_upgrade with links"',
    "}",
    `login() { "$python" - ${containerPaths.patroniConfigDirectory} <<'END_OF_PYTHON'`,
    "import sys",
    "from patroni.ctl import load_config",
    "login = load_config(sys.argv[1], None)['postgresql']['authentication']['replication']",
    "escape = lambda text: str(text).replace('\\\\', '\\\\\\\\').replace(':', '\\\\:')",
    "print('*:*:*:' + escape(login['username']) + ':' + escape(login['password']))",
    "END_OF_PYTHON",
    "}",
].join("\n");
