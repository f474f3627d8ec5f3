# shellcheck shell=bash
# The Swarm of the lab's hosts: forms it, and repairs it where hosts have lost their membership or the managers their quorum.

# Longer than the managers need for an election after all of them start at once.
readonly ELECTION_TIMEOUT=20
readonly JOIN_TIMEOUT=40

# membership HOST: prints inactive, pending, active, error or locked.
membership() { on "$1" docker info --format '{{.Swarm.LocalNodeState}}' 2>/dev/null; }

# node_ready HOST: whether the host is a member that the Swarm gives work to and, unless it is a spare one, a manager that takes part in
# the quorum. Only managers know; a spare host is asked for its id, because an earlier membership may have left its name behind.
node_ready() {
  local manager=$1 id=self wanted='ready reachable'
  if is_spare "$1"; then
    manager=$(find_manager) && id=$(on "$1" docker info --format '{{.Swarm.NodeID}}' 2>/dev/null) || return 1
    wanted=ready
  fi
  [[ $(timeout 5 docker exec "$(lab_container "$manager")" \
    docker node inspect "$id" --format '{{.Status.State}}{{with .ManagerStatus}} {{.Reachability}}{{end}}' 2>/dev/null) == "$wanted" ]]
}

# find_manager: prints the first host whose managers have a quorum.
find_manager() {
  local host
  for host in "${LAB_HOSTS[@]}"; do
    timeout 5 docker exec "$(lab_container "$host")" docker node ls >/dev/null 2>&1 && printf '%s\n' "$host" && return
  done
  return 1
}

# init_swarm HOST [OPTION]
init_swarm() {
  on "$1" docker swarm init "${@:2}" --advertise-addr "${LAB_ADDRESS[$1]}" --task-history-limit 2 >/dev/null
}

# found_swarm: makes sure that one host at least is a manager with a quorum.
found_swarm() {
  local host members=()
  for host in "${LAB_HOSTS[@]}"; do
    [[ $(membership "$host") == inactive ]] || members+=("$host")
  done
  if ((${#members[@]})); then
    # A leader that has lost its majority goes on believing in it for some seconds, hence the count.
    ((2 * ${#members[@]} > ${#LAB_HOSTS[@]})) && wait_for "$ELECTION_TIMEOUT" find_manager && return
    log "the Swarm has lost its quorum: going on with what ${members[0]} knows of it"
    init_swarm "${members[0]}" --force-new-cluster 2>/dev/null && return
    log "${members[0]} cannot go on with it either"
    for host in "${members[@]}"; do on "$host" docker swarm leave --force >/dev/null; done
  fi
  log "founding a new Swarm on ${LAB_HOSTS[0]}"
  init_swarm "${LAB_HOSTS[0]}"
}

# is_member HOST MANAGER: whether the host takes part in the Swarm of that manager.
is_member() {
  local id
  id=$(on "$1" docker info --format '{{.Swarm.NodeID}}')
  [[ -n $id && $(membership "$1") == active ]] && on "$2" docker node inspect "$id" >/dev/null 2>&1
}

# join_swarm HOST MANAGER: makes it a manager, or a worker where it is a spare host.
join_swarm() {
  local id token role=manager
  ! is_spare "$1" || role=worker
  log "$1 joins the Swarm"
  [[ $(membership "$1") == inactive ]] || on "$1" docker swarm leave --force >/dev/null
  # What an earlier membership of the same host has left would count as a lost manager.
  for id in $(on "$2" docker node ls --format '{{.ID}} {{.Hostname}}' | sed -n "s/ $1\$//p"); do
    # Refused for a manager that a new quorum has left behind already: it can be removed as it is.
    on "$2" docker node demote "$id" >/dev/null 2>&1 || true
    wait_for 10 on "$2" docker node rm --force "$id" || fail "the stale node $id of $1 could not be removed from the Swarm"
  done
  token=$(on "$2" docker swarm join-token --quiet "$role")
  on "$1" docker swarm join --advertise-addr "${LAB_ADDRESS[$1]}" --token "$token" "${LAB_ADDRESS[$2]}:2377" >/dev/null ||
    fail "$1 could not join the Swarm of $2; the engine's answer is above"
}

# form_swarm HOST...: the Swarm of the lab's three managers, and of the spare hosts that are given.
form_swarm() {
  local host manager
  found_swarm
  manager=$(find_manager) || fail "the Swarm has no working manager; 'lab/down.sh --purge' and a new 'lab/up.sh' start from nothing"
  for host in "$@"; do
    is_member "$host" "$manager" || join_swarm "$host" "$manager"
  done
  for host in "$@"; do
    wait_for "$JOIN_TIMEOUT" node_ready "$host" && continue
    join_swarm "$host" "$manager"
    wait_for "$JOIN_TIMEOUT" node_ready "$host" || fail "$host does not become ready in the Swarm; see 'lab/host.sh exec $host docker info'"
  done
}

# leave_swarm HOST...: makes hosts plain Docker hosts.
leave_swarm() {
  local host
  for host in "$@"; do
    [[ $(membership "$host") == inactive ]] || on "$host" docker swarm leave --force >/dev/null
  done
}
