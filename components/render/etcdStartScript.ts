import { containerPaths } from "../defaults";
import { etcdctl, EtcdMemberConfig, etcdMemberUrls } from "./etcdYaml";

/** Files beside etcd's own data, in the member's directory. */
export const etcdFiles = {
    /** All members, renewed by each `up` that changes them. */
    members: "members",
    /** Says, until the member votes, that it may join the quorum, or make a new one, and who the members are to be. */
    admission: "admission",
    /** The member's id in the quorum, by which it knows whether the data is still a member's. */
    memberId: "member-id",
} as const;

/** First line of an admission. */
export enum EtcdAdmission {
    /** Make a new quorum, unless there is one. */
    New = "new",
    /** Join the quorum; data of an earlier membership is moved aside. */
    Join = "join",
}

/**
 * The script that starts a member in its container: `sh` with the programs of Debian's base system.
 *
 * Whether the member makes a quorum, joins one, or goes on with its data is decided there and then, by what the other members say. Each
 * change of the quorum is made after it was noted down, so that a start that is cut short is finished by the next.
 */
export function renderEtcdStartScript(config: EtcdMemberConfig): string {
    const { peer, client } = etcdMemberUrls(config);
    const root = containerPaths.etcdData;
    return [
        "set -eu",
        `name=${config.name} peer=${peer} client=${client}`,
        `data=${root}/data admission=${root}/${etcdFiles.admission} member_id=${root}/${etcdFiles.memberId}`,
        `first_list=${containerPaths.etcdMembers} last_list=${root}/${etcdFiles.members}`,
        `ctl() { endpoint=$1; shift; ${etcdctl(config.tls, '"$endpoint"').join(" ")} "$@"; }`,
        `own_status() { ${etcdctl(config.tls).join(" ")} endpoint status 2>/dev/null; }`,
        body(containerPaths.etcdConfig),
    ].join("\n");
}

function body(configFile: string): string {
    return String.raw`
say() { printf 'pgha: %s\n' "$*" >&2; }

# Asks all other members that it ever heard of for the quorum's members. Only one with a quorum answers.
ask() {
  members='' via='' number=0
  rm -f /tmp/members.*
  others=$(cat "$first_list" "$last_list" "$admission" 2>/dev/null |
    awk -v own="$client" 'NF == 3 && $3 != own && !seen[$3]++ { printf "%s ", $3 }')
  for url in $others; do
    number=$((number + 1))
    { ctl "$url" member list 2>/dev/null && echo "$url"; } > "/tmp/members.$number" &
  done
  wait
  for answer in /tmp/members.*; do
    if [ -e "$answer" ] && grep -q ', ' "$answer"; then
      members=$(sed '$d' "$answer") via=$(tail -n 1 "$answer")
      return 0
    fi
  done
  return 1
}

# Fields of a member: 1 id, 2 status, 3 name, 4 peer URL, 5 client URL, 6 whether it is a learner.
member_with() { printf '%s\n' "$members" | awk -F ', ' -v field="$1" -v value="$2" '$field == value'; }
field() { awk -F ', ' -v field="$1" '{ print $field; exit }'; }

change() {
  if answer=$(ctl "$via" member "$@" 2>&1); then
    say "etcdctl member $*"
  else
    answer=$(printf '%s\n' "$answer" | tail -n 1)
    say "etcdctl member $*: $answer"
    return 1
  fi
}

has_data() { for log in "$data"/member/wal/*.wal; do [ -e "$log" ] && return; done; return 1; }

move_aside() {
  rm -f "$member_id"
  if has_data; then
    aside=$data-$(date -u +%Y%m%dT%H%M%SZ)
    mv "$data" "$aside"
    say "moved data that is no member's any more to $aside; delete it when nobody needs it"
  elif [ -e "$data" ]; then
    rm -rf "$data-incomplete"
    mv "$data" "$data-incomplete"
  fi
}

refuse() {
  say "$1"
  say "next: $2"
  sleep 5
  exit 1
}

# Notes the member's id down, and has a learner promoted as soon as it has caught up.
settle() {
  until status=$(own_status); do sleep 1; done
  printf '%s\n' "$status" | field 2 > "$member_id.new"
  mv "$member_id.new" "$member_id"
  while [ "$(own_status | field 6)" != false ]; do
    sleep 1
    if ask; then ctl "$via" member promote "$(cat "$member_id")" || true; fi
  done
  rm -f "$admission"
}

start() {
  settle >/dev/null 2>&1 &
  exec etcd --config-file "$1"
}

start_with() {
  move_aside
  { cat ${configFile}; printf 'initial-cluster-state: %s\ninitial-cluster: "%s"\n' "$1" "$2"; } > /tmp/etcd.yml
  start /tmp/etcd.yml
}

start_joined() {
  start_with existing "$(printf '%s\n' "$members" |
    awk -F ', ' -v own="$name" -v peer="$peer" '{ printf "%s%s=%s", (NR > 1 ? "," : ""), ($4 == peer ? own : $3 == "" ? $1 : $3), $4 }')"
}

go_on() {
  id=$(cat "$member_id" 2>/dev/null || member_with 4 "$peer" | field 1)
  own=$(member_with 1 "$id")
  if [ -n "$own" ]; then
    if [ "$(printf '%s\n' "$own" | field 4)" != "$peer" ]; then
      change update "$id" --peer-urls="$peer" || refuse "the quorum does not take its new address" "see 'pgha status'"
    fi
    start ${configFile}
  fi
  [ -e "$admission" ] ||
    refuse "$name was removed from the quorum" "if it is to be a member again, run: pulumi up --replace '**$name-admission-**'"
  move_aside
}

# A member that is known without data here has lost it, or had it on another host. It leaves before it joins anew.
rejoin() {
  [ -e "$admission" ] || echo join > "$admission"
  say "$name is in the quorum with data that is not here"
  change remove "$1" || sleep 2
}

# Members that are no longer wanted leave when all others are there. One that is down leaves before: etcd takes no new member until then;
# nor where one was to come, as a learner, and never did.
remove_lost() {
  grep -q ' http' "$admission" || return 0
  printf '%s\n' "$members" | while IFS= read -r row; do
    id=$(printf '%s\n' "$row" | field 1) url=$(printf '%s\n' "$row" | field 5)
    if ! wanted "$row" && ! ctl "$url" endpoint health >/dev/null 2>&1; then change remove "$id" || true; fi
  done
}

# By its name, or its address before it has come.
wanted() {
  awk -v name="$(printf '%s\n' "$1" | field 3)" -v peer="$(printf '%s\n' "$1" | field 4)" \
    '$1 == name || $2 == peer { found = 1 } END { exit !found }' "$admission"
}

join() {
  [ -e "$admission" ] ||
    refuse "$name has no data and is not in the quorum" "if it is to be a member, run: pulumi up --replace '**$name-admission-**'"
  if ! change add "$name" --learner --peer-urls="$peer"; then
    case $answer in *"unhealthy cluster"* | *"too many learner"*) remove_lost ;; esac
    sleep 2
  fi
}

if has_data; then
  ask || start ${configFile}
  go_on
fi
while :; do
  if ask; then
    known=$(member_with 4 "$peer")
    [ -n "$known" ] || known=$(member_with 3 "$name")
    if [ -z "$known" ]; then
      join
    elif [ "$(printf '%s\n' "$known" | field 4)" = "$peer" ] && [ -z "$(printf '%s\n' "$known" | field 5)" ]; then
      start_joined
    else
      rejoin "$(printf '%s\n' "$known" | field 1)"
    fi
  elif [ "$(head -n 1 "$admission" 2>/dev/null)" = new ]; then
    start_with new "$(awk 'NF == 3 { printf "%s%s=%s", separator, $1, $2; separator = "," }' "$admission")"
  elif [ -z "$others" ]; then
    refuse "$name has lost its data and there is no other member" "see 'etcd lost its quorum' in docs/operations.md"
  else
    say "$name has no data and waits for the quorum, of which no member answers: $others"
    sleep 2
  fi
done
`.trimStart();
}
