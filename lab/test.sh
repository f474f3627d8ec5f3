#!/usr/bin/env bash
# shellcheck disable=SC2016 # what stands in single quotes is for the hosts' shells and for Docker's templates
# Checks what the lab's README promises, on a lab of its own beside the one where a cluster may be running.
set -euo pipefail
export LAB_INSTANCE=test
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=hosts.sh
source "$LAB_DIR/hosts.sh"
# shellcheck source-path=SCRIPTDIR source=swarm.sh
source "$LAB_DIR/swarm.sh"

usage() { printf 'Usage: lab/test.sh\n'; }

readonly WARM_UP_SECONDS=30
readonly TEST_IMAGE=$LAB_NAME/test:$EPOCHSECONDS-$$
failures=0

# check DESCRIPTION COMMAND...: one line per check; what a failed one printed follows it.
check() {
  local description=$1 output status=0
  shift
  output=$("$@" 2>&1) || status=$?
  if ((status == 0)); then
    log "ok      $description"
  else
    log "FAILED  $description"
    printf '%s\n' "$output" | tail -n 20 | sed 's/^/          /'
    failures=$((failures + 1))
  fi
}

# refused TEXT COMMAND...: whether the command fails, and says TEXT.
refused() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then
    printf 'succeeded: %s\n' "$*" && return 1
  fi
  printf '%s\n' "$output"
  [[ $output == *"$text"* ]]
}

equal() { [[ $1 == "$2" ]] || { printf 'got:      %s\nexpected: %s\n' "$1" "$2" && return 1; }; }

not() { ! "$@"; }

ssh_to() { ssh -F "$LAB_SSH_CONFIG" -o BatchMode=yes "$@"; }

# reachable FROM TO: whether a host reaches another's sshd; FROM may be 'operator', this machine.
reachable() {
  local probe="exec 3<>/dev/tcp/${LAB_ADDRESS[$2]}/22 && read -r -t 2 banner <&3 && [[ \$banner == SSH-* ]]"
  if [[ $1 == operator ]]; then timeout 2 bash -c "$probe"; else on "$1" timeout 2 bash -c "$probe"; fi
}

# container_reaches HOST TO: the same from inside a container on that host.
container_reaches() { on "$1" docker exec lab-test timeout 2 bash -c "exec 3<>/dev/tcp/${LAB_ADDRESS[$2]}/22"; }

test_warm_up() {
  local started seconds token=$EPOCHREALTIME
  on db3 sh -c "echo $token >/srv/lab-test; echo '# $token' >/etc/ssh/sshd_config.d/lab-test.conf"
  "$LAB_DIR/down.sh" >/dev/null
  started=$EPOCHSECONDS
  check "the lab comes up again after lab/down.sh" "$LAB_DIR/up.sh"
  seconds=$((EPOCHSECONDS - started))
  check "... in $seconds s, at most $WARM_UP_SECONDS" test "$seconds" -le "$WARM_UP_SECONDS"
  check "... with the hosts' data" equal "$(on db3 cat /srv/lab-test)" "$token"
  check "... and their configuration" equal "$(on db3 cat /etc/ssh/sshd_config.d/lab-test.conf)" "# $token"
}

swarm_managers() { on "$1" docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'; }

test_swarm() {
  local host
  for host in "${LAB_HOSTS[@]}"; do
    check "$host knows a Swarm of three managers" equal "$(swarm_managers "$host" | sed 's/Leader\|Reachable/manager/' | sort)" \
      "$(printf '%s Ready Active manager\n' "${LAB_HOSTS[@]}")"
  done
  check "one of them leads" equal "$(swarm_managers db1 | grep -c 'Leader$')" 1
}

test_ssh() {
  local host known_hosts
  known_hosts=$(mktemp)
  for host in "${LAB_HOSTS[@]}"; do
    check "ssh to $host, with its key verified" equal "$(ssh_to "$host" hostname)" "$host"
  done
  check "ssh by address, with the agent's key" env SSH_AUTH_SOCK="$LAB_SSH_AGENT" ssh -F none -o BatchMode=yes \
    -o "UserKnownHostsFile=$LAB_SSH_KNOWN_HOSTS" -o IdentityFile=none "root@${LAB_ADDRESS[db1]}" true
  printf '%s %s\n' "${LAB_ADDRESS[db1]}" "$(cut -d ' ' -f 1,2 "$(lab_host_key db2).pub")" >"$known_hosts"
  check "ssh refuses a host with another key" refused 'Host key verification failed' ssh_to -o "UserKnownHostsFile=$known_hosts" db1 true
  check "sshd refuses passwords" refused 'Permission denied (publickey)' ssh_to -o PubkeyAuthentication=no db1 true
  rm "$known_hosts"
  check "sshd has its default limits" equal "$(on db1 sshd -T | grep -i '^maxstartups')" 'maxstartups 10:30:100'
  on db1 sh -c 'echo "Banner /etc/hostname" >/etc/ssh/sshd_config.d/lab-test.conf; kill -HUP "$(cat /run/sshd.pid)"'
  check "sshd takes over a changed configuration" wait_for 5 banner_shown db1
  on db1 sh -c 'rm /etc/ssh/sshd_config.d/lab-test.conf; kill -HUP "$(cat /run/sshd.pid)"'
}

banner_shown() { [[ $(ssh_to -o LogLevel=INFO "$1" true 2>&1) == *"$1"* ]]; }

test_registry() {
  local host digest remote
  docker build --quiet --tag "$LAB_REGISTRY_PUSH/$TEST_IMAGE" - >/dev/null 2>&1 <<<"FROM $LAB_BASE_IMAGE
LABEL run=$TEST_IMAGE"
  check "push to $LAB_REGISTRY_PUSH" docker push --quiet "$LAB_REGISTRY_PUSH/$TEST_IMAGE"
  digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$LAB_REGISTRY_PUSH/$TEST_IMAGE")
  remote=$LAB_REGISTRY/${TEST_IMAGE%:*}@${digest#*@}
  docker image rm "$LAB_REGISTRY_PUSH/$TEST_IMAGE" >/dev/null
  for host in "${LAB_HOSTS[@]}"; do
    check "$host pulls it by digest" on "$host" docker pull --quiet "$remote"
    on "$host" docker tag "$remote" lab-test
  done
}

# longest_gap: prints the longest time in milliseconds between two lines, each a time in nanoseconds.
longest_gap() { awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%d\n", gap / 1e6 }'; }

test_faults() {
  on db2 docker run --detach --name lab-test --restart always --stop-signal KILL --volume /srv:/srv lab-test \
    bash -c 'while true; do date +%s%N >>/srv/lab-test; sleep 0.1; done' >/dev/null

  "$LAB_DIR/host.sh" pause db2 >/dev/null
  check "pause: sshd is silent" not reachable operator db2
  "$LAB_DIR/host.sh" resume db2 >/dev/null
  check "pause: the host's containers stood still" test "$(on db2 cat /srv/lab-test | longest_gap)" -ge 1500

  "$LAB_DIR/host.sh" cut db2 >/dev/null
  check "cut: the operator does not reach the host" not reachable operator db2
  check "cut: nor does another host" not reachable db1 db2
  check "cut: nor does the host reach others" not reachable db2 db1
  check "cut: nor do its containers" not container_reaches db2 db1
  check "cut: the others reach each other" reachable db1 db3
  check "cut: the console works" "$LAB_DIR/host.sh" exec db2 true
  check "heal after cut" "$LAB_DIR/host.sh" heal db2
  check "heal after cut: the host's containers reach the others" container_reaches db2 db1

  "$LAB_DIR/host.sh" stop db2 >/dev/null
  check "stop: the host is off" equal "$(host_state db2)" exited
  check "stop: the others keep a quorum" wait_for "$ELECTION_TIMEOUT" find_manager
  check "heal after stop" "$LAB_DIR/host.sh" heal db2
  check "heal after stop: its container runs again" wait_for 10 container_reaches db2 db1

  on db1 mkdir -p /srv/lab-test/directory
  check "wipe: a host that is on is refused" refused 'stop or crash it before' "$LAB_DIR/host.sh" wipe db1
  "$LAB_DIR/host.sh" crash db1 >/dev/null
  check "crash: the host is off" equal "$(host_state db1)" exited
  check "wipe" "$LAB_DIR/host.sh" wipe db1
  check "start" "$LAB_DIR/host.sh" start db1
  check "heal after crash" "$LAB_DIR/host.sh" heal db1
  check "wipe: nothing is left in /srv" equal "$(on db1 ls -A /srv)" ""
}

test_lost_membership() {
  "$LAB_DIR/host.sh" pause db2 >/dev/null
  on db3 docker swarm leave --force >/dev/null
  check "lab/up.sh brings back a paused host and one that has left the Swarm" "$LAB_DIR/up.sh"
}

# The hosts try what lab/kernel.sh claims: containers on two of them talk over an overlay network with and without encryption.
overlay_works() {
  local network=lab-test-$1
  on db1 docker network create --driver overlay --attachable "${@:2}" "$network" >/dev/null
  on db1 docker run --rm --detach --name lab-test-server --network "$network" lab-test \
    perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 7, Listen => 1) or die; $s->accept->print("hello\n") while 1' >/dev/null &&
    wait_for 5 on db2 docker run --rm --network "$network" lab-test timeout 2 bash -c 'read -r line </dev/tcp/lab-test-server/7 && [[ $line == hello ]]'
}

test_kernel() {
  local features encrypted=false
  features=$("$LAB_DIR/kernel.sh" --json)
  check "lab/kernel.sh --json prints two booleans" jq --exit-status '[.ipVs, .esp | type] == ["boolean", "boolean"]' <<<"$features"
  check "an overlay network connects containers on two hosts" overlay_works plain
  on db1 docker rm --force lab-test-server >/dev/null 2>&1 || true
  overlay_works encrypted --opt encrypted >/dev/null 2>&1 && encrypted=true
  check "an encrypted one works where lab/kernel.sh says so" equal "$encrypted" "$(jq .esp <<<"$features")"
}

test_spare_hosts() {
  local host
  check "lab/up.sh --spare" "$LAB_DIR/up.sh" --spare
  check "... brings workers to the Swarm" equal "$(swarm_managers db1 | grep -v 'Leader$\|Reachable$' | sort | xargs)" \
    "$(printf '%s Ready Active ' "${LAB_SPARE_HOSTS[@]}" | xargs)"
  for host in "${LAB_SPARE_HOSTS[@]}"; do
    check "ssh to $host, with its key verified" equal "$(ssh_to "$host" hostname)" "$host"
  done
  check "db4 pulls from the registry" on db4 docker pull --quiet "$LAB_REGISTRY/$TEST_IMAGE"
  "$LAB_DIR/host.sh" crash db4 >/dev/null
  check "heal of a worker" "$LAB_DIR/host.sh" heal db4
  "$LAB_DIR/host.sh" stop db5 >/dev/null
  check "lab/up.sh leaves spare hosts as they are" "$LAB_DIR/up.sh"
  check "... on and off" equal "$(host_state db4) $(host_state db5)" 'running exited'
}

test_bad_usage() {
  check "an unknown host is refused" refused "no host 'db9'" "$LAB_DIR/host.sh" stop db9
  check "an unknown action is refused" refused 'unknown action: explode' "$LAB_DIR/host.sh" explode db1
}

test_plain_hosts() {
  check "lab/up.sh --plain leaves plain Docker hosts" "$LAB_DIR/up.sh" --plain
  check "none of them is in a Swarm" equal "$(for host in "${LAB_HOSTS[@]}"; do membership "$host"; done | sort --unique)" inactive
  check "spare hosts are off" equal "$(host_state db4) $(host_state db5)" 'exited exited'
  "$LAB_DIR/host.sh" stop db3 >/dev/null
  check "heal works without a Swarm" "$LAB_DIR/host.sh" heal db3
  check "lab/up.sh --single leaves one host on" "$LAB_DIR/up.sh" --single
  check "the others are off" equal "$(host_state db2) $(host_state db3)" 'exited exited'
  check "lab/up.sh forms the Swarm again" "$LAB_DIR/up.sh"
}

(($# == 0)) || usage_error "unexpected argument: $1"
trap '"$LAB_DIR/down.sh" --purge >/dev/null' EXIT
check "lab/up.sh" "$LAB_DIR/up.sh"
((failures == 0)) || exit 1
test_bad_usage
test_ssh
test_registry
test_kernel
test_faults
test_lost_membership
test_warm_up
test_swarm
test_spare_hosts
test_plain_hosts
((failures == 0)) || fail "$failures checks failed"
log "all checks passed"
