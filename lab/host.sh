#!/usr/bin/env bash
# Faults of the lab's hosts, and their repair, by one command each.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=hosts.sh
source "$LAB_DIR/hosts.sh"
# shellcheck source-path=SCRIPTDIR source=swarm.sh
source "$LAB_DIR/swarm.sh"

# A host that was cut off finds back into the Swarm only after the managers' retries, which took up to a minute.
readonly HEAL_SECONDS=150

usage() {
  cat <<USAGE
Usage: lab/host.sh ACTION HOST...
       lab/host.sh exec HOST COMMAND...
       lab/host.sh status

Actions, on one or more of ${LAB_ALL_HOSTS[*]}:
  stop    power off cleanly
  crash   cut the power: everything on the host ends at once
  start   power on
  pause   freeze every process; the network card still answers
  resume  end a pause
  wipe    empty /srv, as on a new disk; the host must be off
  cut     pull the network cable: nobody reaches the host or its containers, nor do they reach anybody
  heal    undo stop, crash, pause and cut, and wait until the host is ready, also in its Swarm

exec runs a command by the host's console, which works on a host that is cut off, too.
USAGE
}

check_hosts() {
  local host
  (($#)) || usage_error "which host? One or more of ${LAB_ALL_HOSTS[*]}"
  for host in "$@"; do
    [[ -v LAB_ADDRESS[$host] ]] || usage_error "there is no host '$host'; the hosts are ${LAB_ALL_HOSTS[*]}"
    [[ -n $(host_state "$host") ]] || fail "$host does not exist yet; run lab/up.sh$(! is_spare "$host" || echo ' --spare')"
  done
}

# docker_on COMMAND... -- HOST...: one docker command on all the hosts' containers.
docker_on() {
  local command=() host containers=()
  while [[ $1 != -- ]]; do command+=("$1") && shift; done
  shift
  for host in "$@"; do containers+=("$(lab_container "$host")"); done
  docker "${command[@]}" "${containers[@]}" >/dev/null
}

wipe() {
  local host container image
  for host in "$@"; do
    container=$(lab_container "$host")
    [[ $(host_state "$host") == exited ]] || fail "$host is $(host_state "$host"); stop or crash it before"
    image=$(docker inspect --format '{{.Image}}' "$container")
    docker run --rm --network none --volume "$container:/disk" --entrypoint find "$image" /disk/srv -mindepth 1 -delete
  done
}

heal() {
  local host
  for host in "$@"; do
    [[ $(host_state "$host") != paused ]] || docker_on unpause -- "$host"
    docker_on start -- "$host"
    set_cable "$host" up
  done
  for host in "$@"; do
    wait_for "$HEAL_SECONDS" host_answers "$host" || fail "sshd or dockerd on $host does not answer; see 'lab/host.sh exec $host cat /var/log/dockerd.log'"
    [[ $(membership "$host") == inactive ]] || wait_for "$HEAL_SECONDS" node_ready "$host" || fail "$host does not become ready in the Swarm; lab/up.sh repairs lost memberships and quorums"
  done
}

status() {
  local format='%-6s %-12s %-8s %-6s %-7s %s\n' host state cable ssh swarm
  # shellcheck disable=SC2059
  printf "$format" HOST ADDRESS STATE CABLE SSH SWARM
  for host in "${LAB_ALL_HOSTS[@]}"; do
    state=$(host_state "$host") cable=- ssh=- swarm=-
    [[ -n $state ]] || ! is_spare "$host" || continue
    if [[ $state == running ]]; then
      cable=$(cable_state "$host")
      host_answers "$host" && ssh=answers
      node_ready "$host" && swarm=ready || swarm=$(membership "$host" || echo unknown)
    fi
    # shellcheck disable=SC2059
    printf "$format" "$host" "${LAB_ADDRESS[$host]}" "${state:-missing}" "$cable" "$ssh" "$swarm"
  done
}

(($#)) || usage_error "no action given"
action=$1
shift
case $action in
  -h | --help) usage && exit ;;
  status) status && exit ;;
  exec)
    check_hosts "${@:1:1}"
    (($# > 1)) || usage_error "which command?"
    terminal=()
    [[ ! -t 0 || ! -t 1 ]] || terminal=(--tty)
    exec docker exec --interactive "${terminal[@]}" "$(lab_container "$1")" "${@:2}"
    ;;
  stop | crash | start | wipe | pause | resume | cut | heal) check_hosts "$@" ;;
  *) usage_error "unknown action: $action" ;;
esac
case $action in
  stop) power_off "$@" ;;
  crash) docker_on kill --signal KILL -- "$@" ;;
  start) docker_on start -- "$@" ;;
  wipe) wipe "$@" ;;
  pause) docker_on pause -- "$@" ;;
  resume) docker_on unpause -- "$@" ;;
  cut) for host in "$@"; do set_cable "$host" down; done ;;
  heal) heal "$@" ;;
esac
log "$action: $*"
