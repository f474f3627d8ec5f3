#!/usr/bin/env bash
# Brings the lab up, from nothing or from whatever is left of it: hosts that form a Swarm or stay plain, and a registry.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=hosts.sh
source "$LAB_DIR/hosts.sh"
# shellcheck source-path=SCRIPTDIR source=swarm.sh
source "$LAB_DIR/swarm.sh"

usage() {
  cat <<'USAGE'
Usage: lab/up.sh [--spare | --plain | --single]

Three hosts that form a Swarm, and a registry.
  --spare   two more hosts, db4 and db5, are workers of the Swarm. Without it they are left as they are
  --plain   the hosts are plain Docker hosts: each leaves the Swarm, which ends what runs in it. Spare ones are powered off
  --single  the same, and all but the first are powered off
USAGE
}

# What a container needs to be a Docker host. Not --privileged: where this machine itself lacks a capability, that fails.
readonly HOST_CAPABILITIES=(
  AUDIT_WRITE DAC_READ_SEARCH IPC_LOCK MKNOD NET_ADMIN NET_RAW SETFCAP SYS_ADMIN SYS_CHROOT SYS_NICE SYS_PTRACE SYSLOG
)

# image_name DIRECTORY: prints the image's name, whose tag identifies the content of its directory and its base.
image_name() {
  local hash
  hash=$({
    docker image inspect --format '{{.Id}}' "$LAB_BASE_IMAGE"
    cd "$LAB_DIR/$1"
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | sha256sum)
  printf '%s/%s:%s\n' "$LAB_IMAGE_PREFIX" "$1" "${hash:0:12}"
}

# build_image NAME: builds an image unless it is there.
build_image() {
  local output directory=${1#*/}
  docker image inspect "$1" >/dev/null 2>&1 && return
  log "building the image $1"
  output=$(docker build --build-arg "BASE_IMAGE=$LAB_BASE_IMAGE" --tag "$1" "$LAB_DIR/${directory%:*}" 2>&1) || {
    printf '%s\n' "$output" | tail -n 30 >&2
    fail "the image $1 could not be built; the last lines of its log are above"
  }
}

write_client_files() {
  local host
  mkdir -p "$LAB_SSH" "$LAB_PULUMI_BACKEND"
  chmod 700 "$LAB_SSH"
  [[ -s $LAB_SSH_KEY ]] || ssh-keygen -q -t ed25519 -N '' -C "$LAB_NAME" -f "$LAB_SSH_KEY"
  for host in "${LAB_ALL_HOSTS[@]}"; do
    [[ -s $(lab_host_key "$host") ]] || ssh-keygen -q -t ed25519 -N '' -C "$host" -f "$(lab_host_key "$host")"
    printf '%s,%s %s\n' "$host" "${LAB_ADDRESS[$host]}" "$(cut -d ' ' -f 1,2 "$(lab_host_key "$host").pub")"
  done >"$LAB_SSH_KNOWN_HOSTS"
  {
    for host in "${LAB_ALL_HOSTS[@]}"; do printf 'Host %s\n  HostName %s\n' "$host" "${LAB_ADDRESS[$host]}"; done
    printf 'Host %s %s\n' "${LAB_ALL_HOSTS[*]}" "${LAB_ADDRESS[*]}"
    printf '  %s\n' 'User root' "IdentityFile $LAB_SSH_KEY" 'IdentitiesOnly yes' "UserKnownHostsFile $LAB_SSH_KNOWN_HOSTS" \
      'GlobalKnownHostsFile none' 'StrictHostKeyChecking yes' 'ConnectTimeout 5'
  } >"$LAB_SSH_CONFIG"
  if [[ ! -s $LAB_PULUMI_PASSPHRASE ]]; then
    (umask 077 && head -c 24 /dev/urandom | base64 >"$LAB_PULUMI_PASSPHRASE")
  fi
}

# ssh-add ends with 2 where no agent answers, and with 1 where one answers that holds no key.
start_agent() {
  local status=0
  SSH_AUTH_SOCK=$LAB_SSH_AGENT ssh-add -l >/dev/null 2>&1 || status=$?
  if ((status == 2)); then
    rm -f "$LAB_SSH_AGENT"
    ssh-agent -a "$LAB_SSH_AGENT" {LOCK_FD}>&- | sed -n 's/^SSH_AGENT_PID=\([0-9]*\);.*/\1/p' >"$LAB_SSH_AGENT_PID"
  fi
  SSH_AUTH_SOCK=$LAB_SSH_AGENT ssh-add -q "$LAB_SSH_KEY" 2>/dev/null
}

ensure_network() {
  docker network inspect "$LAB_NAME" >/dev/null 2>&1 && return
  docker network create --subnet "$LAB_SUBNET" --ip-range "$LAB_DYNAMIC_RANGE" "$LAB_NAME" >/dev/null ||
    fail "the network $LAB_SUBNET could not be created; does another network of this machine overlap it ('ip route')?"
}

# ensure_container NAME OPTION... IMAGE: makes the container run, and makes it anew where it was made with other options.
ensure_container() {
  local name=$1 options hash
  shift
  options=("$@")
  hash=$(printf '%s\n' "${options[@]}" | sha256sum)
  if [[ $(docker inspect --format '{{index .Config.Labels "options"}}' "$name" 2>/dev/null) != "${hash%% *}" ]]; then
    docker rm --force "$name" >/dev/null 2>&1 || true
    docker create --name "$name" --label "options=${hash%% *}" --network "$LAB_NAME" "${options[@]}" >/dev/null
  fi
  [[ $(container_state "$name") != paused ]] || docker unpause "$name" >/dev/null
  docker start "$name" >/dev/null || fail "the container $name could not be started; the engine's answer is above"
}

start_registry() {
  ensure_container "$LAB_REGISTRY_CONTAINER" --ip "$LAB_REGISTRY_ADDRESS" --publish "$LAB_REGISTRY_PUSH:5000" \
    --volume "$LAB_REGISTRY_CONTAINER:/var/lib/registry" "$registry_image"
}

start_host() {
  local container keys capability options=()
  container=$(lab_container "$1")
  keys=$(cat "$(lab_host_key "$1").pub" "$LAB_SSH_KEY.pub" | sha256sum)
  for capability in "${HOST_CAPABILITIES[@]}"; do options+=(--cap-add "$capability"); done
  ensure_container "$container" --hostname "$1" --ip "${LAB_ADDRESS[$1]}" "${options[@]}" \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
    --device-cgroup-rule 'a *:* rwm' --cgroupns private --env "REGISTRY=$LAB_REGISTRY" --volume "$container:/disk" \
    --volume "$(lab_host_key "$1"):/run/lab/ssh_host_ed25519_key:ro" --volume "$LAB_SSH_KEY.pub:/run/lab/authorized_keys:ro" \
    --label "keys=${keys%% *}" "$host_image"
  set_cable "$1" up
}

mode=${1:-}
(($# <= 1)) || usage_error "one option at most"
case $mode in
  '' | --spare | --plain | --single) ;;
  -h | --help) usage && exit ;;
  *) usage_error "unknown option: $mode" ;;
esac
"$LAB_DIR/engine.sh"
one_at_a_time "$LAB_STATE"
write_client_files
start_agent
ensure_network
host_image=$(image_name host)
registry_image=$(image_name registry)
build_image "$host_image"
build_image "$registry_image"
start_registry
case $mode in
  --spare) running=("${LAB_ALL_HOSTS[@]}") ;;
  --single) running=("${LAB_HOSTS[0]}") ;;
  *) running=("${LAB_HOSTS[@]}") ;;
esac
for host in "${running[@]}"; do start_host "$host"; done
log "host containers and registry run; waiting for sshd and dockerd"
for host in "${running[@]}"; do
  wait_for 60 host_answers "$host" || fail "dockerd or sshd on $host does not answer after a minute; see 'lab/host.sh exec $host cat /var/log/dockerd.log'"
done
log "sshd and dockerd answer on ${running[*]}"
case $mode in
  '' | --spare)
    form_swarm "${running[@]}"
    what="a Swarm of ${running[*]}"
    ;;
  *)
    leave_swarm "${running[@]}"
    power_off "${LAB_ALL_HOSTS[@]:${#running[@]}}"
    what="plain Docker on ${running[*]}"
    ;;
esac
wait_for 30 curl --silent --fail "http://$LAB_REGISTRY_PUSH/v2/" || fail "the registry does not answer; see 'docker logs $LAB_REGISTRY_CONTAINER'"
log "the lab is up: $what, a registry at $LAB_REGISTRY (push to $LAB_REGISTRY_PUSH)"
