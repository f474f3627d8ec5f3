#!/usr/bin/env bash
# Takes the lab down. The hosts' data is kept unless told otherwise.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'USAGE'
Usage: lab/down.sh [--stop | --purge]

Removes the hosts, the registry and the network; data, keys and Pulumi's state stay, and lab/up.sh goes on with them.
  --stop   only stop the containers
  --purge  also remove the data, the keys and Pulumi's state; the Docker engine and its images stay
USAGE
}

mode=${1:-}
(($# <= 1)) || usage_error "one option at most"
case $mode in
  '' | --stop | --purge) ;;
  -h | --help) usage && exit ;;
  *) usage_error "unknown option: $mode" ;;
esac

stop_agent() {
  local pid
  pid=$(cat "$LAB_SSH_AGENT_PID" 2>/dev/null) || return 0
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) != ssh-agent ]] || kill "$pid"
}

containers=("$LAB_REGISTRY_CONTAINER")
for host in "${LAB_ALL_HOSTS[@]}"; do containers+=("$(lab_container "$host")"); done

one_at_a_time "$LAB_STATE"
if docker version >/dev/null 2>&1; then
  # A paused container can be neither stopped nor told to end.
  docker unpause "${containers[@]}" >/dev/null 2>&1 || true
  log "stopping the hosts and the registry"
  docker stop --time 20 "${containers[@]}" >/dev/null 2>&1 || true
  if [[ $mode != --stop ]]; then
    docker rm --force "${containers[@]}" >/dev/null 2>&1 || true
    docker network rm "$LAB_NAME" >/dev/null 2>&1 || true
  fi
  if [[ $mode == --purge ]]; then docker volume rm "${containers[@]}" >/dev/null 2>&1 || true; fi
else
  log "no Docker engine runs, so no host does either"
fi
if [[ $mode == --purge ]]; then
  stop_agent
  rm -rf "$LAB_SSH" "$LAB_IMAGES" "$LAB_PULUMI_BACKEND" "$LAB_PULUMI_PASSPHRASE"
fi
log "the lab is down"
