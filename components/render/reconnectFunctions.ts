/** Time from one HAProxy that stops to the next; then there is none that is still to be replaced. */
const replacementTimeoutSeconds = 90;

/** Time that a PgBouncer has to connect elsewhere before it leaves a HAProxy that stops, which ends all sessions after ten seconds. */
const leadAwaySeconds = 4;

/**
 * Shell function `reconnect`: until each HAProxy was away and is back, leads the PgBouncers away from one that goes. A HAProxy that stops
 * takes no connection any more and lets those that it has live on for seconds: time enough to leave it between two transactions.
 */
export const reconnectFunction = [
    "reconnect() {",
    `  deadline=$(($(date +%s) + ${replacementTimeoutSeconds}))`,
    "  known=$(resolve $routers)",
    "  others=$routers",
    "  meet",
    "  waiting=$others",
    '  while [ -n "$waiting" ] && [ "$(date +%s)" -lt "$deadline" ]; do',
    "    others=",
    "    for router in $waiting; do",
    '      if listens "$router"; then',
    '        [ -e "$dir/gone.$router" ] || others="$others $router"',
    "        continue",
    "      fi",
    '      others="$others $router"',
    '      [ ! -e "$dir/gone.$router" ] || continue',
    '      : >"$dir/gone.$router"',
    `      deadline=$(($(date +%s) + ${replacementTimeoutSeconds}))`,
    "      jobs=",
    '      for pooler in $poolers; do lead_away "$pooler" "$router" & jobs="$jobs $!"; done',
    '      for job in $jobs; do wait "$job"; done',
    "      meet",
    "    done",
    "    waiting=$others",
    "    sleep 0.5",
    "  done",
    "}",
].join("\n");

/**
 * Shell functions `resolve`, the addresses of entry points; `connections` of one PgBouncer; `connected`, those addresses that all are
 * connected to; and `meet`, which adds to `others` those among them that nobody has named: one whose host is to run none any more is replaced,
 * too, before it goes.
 */
export const connectedFunctions = [
    // PgBouncer shows addresses, whatever it was told.
    'resolve() { for each do getent ahostsv4 "${each%:*}" | awk -v port="${each##*:}" \'{ print $1 ":" port; exit }\'; done; }',
    // A line for each connection of the PgBouncer `$1`: address, port, state, and then its pool, whose name may have blanks.
    "connections() {",
    "  table=$(console \"$1\" 3 'SHOW SERVERS') || return",
    '  printf "%s\\n" "$table" | awk -F "|" \'',
    '    { for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i) }',
    '    $1 == "type" { for (i = 1; i <= NF; i++) at[$i] = i }',
    '    $1 == "S" { print $at["addr"], $at["port"], $at["state"], $at["user"] FS $at["database"] }\'',
    "}",
    "connected() {",
    '  for pooler in $poolers; do connections "$pooler" || true; done | awk \'{ print $1 ":" $2 }\' | sort -u',
    "}",
    "meet() {",
    "  for found in $(connected); do",
    '    if printf "%s\\n" "$known" | grep -qxF "$found"; then continue; fi',
    '    known=$(printf "%s\\n" "$known" "$found")',
    '    others="$others $found"',
    "  done",
    "}",
].join("\n");

/**
 * Shell functions `lead_away`, which has the PgBouncer `$1` leave the HAProxy `$2`; `place`, which says where its pools are connected:
 * `elsewhere`, some only `there`, all on `both` sides, or `between` if logins are under way; and `greater`, the size of a greater pool.
 *
 * PgBouncer turns to the next HAProxy when an attempt to connect has failed, a second later, and until then refuses clients of a pool that has
 * no connection. So it is made to connect while it still has the old ones, by a greater pool. A pool without clients stays where it is.
 */
export const leadAwayFunctions = [
    "place() {",
    '  there=$(resolve "$2")',
    "  there=${there%:*}",
    '  if [ -z "$there" ] || ! table=$(connections "$1"); then echo there; return 0; fi',
    '  printf "%s\\n" "$table" | awk -v there="$there" \'',
    "    { pool = $0 }",
    '    sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", pool) == 0 { next }',
    "    $1 == there { bound[pool] = 1 }",
    "    $1 != there { free[pool] = 1 }",
    '    $3 == "new" { where = "between" }',
    '    END { for (pool in bound) if (!(pool in free)) where = "there"; else if (where == "") where = "both"; print where == "" ? "elsewhere" : where }\'',
    "}",
    "lead_away() {",
    '  [ "$(place "$1" "$2")" != elsewhere ] || return 0',
    '  : >"$dir/filled.$1"',
    '  console "$1" 3 "SET min_pool_size = $(greater "$1")" >/dev/null || true',
    `  leaves=$(($(date +%s) + ${leadAwaySeconds}))`,
    '  until [ "$(place "$1" "$2")" = both ] || [ "$(date +%s)" -ge "$leaves" ]; do sleep 0.2; done',
    '  empty "$1"',
    // A login that RECONNECT cuts off counts as one that failed.
    '  until [ "$(place "$1" "$2")" != between ] || [ "$(date +%s)" -gt "$leaves" ]; do sleep 0.1; done',
    '  console "$1" 3 RECONNECT >/dev/null || true',
    "}",
    // Two more than the greatest pool has, of which one may be refused; all that there may be where PgBouncer doesn't say. It logs in for
    // each, and RECONNECT must not meet a login.
    "greater() {",
    '  table=$(connections "$1") || { echo 1000; return 0; }',
    '  printf "%s\\n" "$table" | awk \'{ sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); if (++count[$0] > most) most = count[$0] } END { print most + 2 }\'',
    "}",
    "empty() {",
    "  for attempt in 1 2 3; do",
    '    if console "$1" 3 "SET min_pool_size = 0" >/dev/null; then rm "$dir/filled.$1"; return 0; fi',
    '    [ "$attempt" -eq 3 ] || sleep 0.5',
    "  done",
    '  printf "PgBouncer %s may keep full pools until it is restarted\n" "$1" >&2',
    "}",
].join("\n");
