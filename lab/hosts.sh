# shellcheck shell=bash
# The hosts as containers: their state, their console, their network cable.

is_spare() { [[ " ${LAB_SPARE_HOSTS[*]} " == *" $1 "* ]]; }

# container_state NAME: prints running, paused, exited, created, or nothing where there is no such container.
container_state() { docker inspect --format '{{.State.Status}}' "$1" 2>/dev/null || true; }

host_state() { container_state "$(lab_container "$1")"; }

# on HOST COMMAND...: runs a command by the host's console, which also reaches a host that is cut off.
on() { docker exec "$(lab_container "$1")" "${@:2}"; }

# cable_state HOST: prints up or down.
cable_state() { [[ $(on "$1" cat /sys/class/net/eth0/carrier 2>/dev/null) == 1 ]] && echo up || echo down; }

# set_cable HOST up|down: plugs the host's network cable in, or pulls it: the outer end of a veth whose number the inner end knows.
set_cable() {
  local number cable
  [[ $(cable_state "$1") != "$2" ]] || return 0
  number=$(on "$1" cat /sys/class/net/eth0/iflink) || fail "$1 has no network cable to set $2: it is $(host_state "$1")"
  cable=$(ip -oneline link | sed -n "s/^$number: \([^@:]*\).*/\1/p")
  as_root ip link set "$cable" "$2"
}

# host_answers HOST: whether sshd lets the operator in, and dockerd answers.
host_answers() { timeout 10 ssh -F "$LAB_SSH_CONFIG" "$1" docker version >/dev/null 2>&1; }

# A clean power-off gives the host's containers dockerd's usual 15 seconds to end.
readonly POWER_OFF_SECONDS=20

# power_off HOST...: powers hosts off cleanly, where they run.
power_off() {
  local host
  for host in "$@"; do
    [[ $(host_state "$host") != running ]] || docker stop --time "$POWER_OFF_SECONDS" "$(lab_container "$host")" >/dev/null
  done
}
