# shellcheck shell=bash disable=SC2034
# What the lab's scripts share: progress lines, errors, root rights, waiting, one at a time.

readonly STARTED=$EPOCHREALTIME
# shellcheck source-path=SCRIPTDIR source=lab.env.sh
source "$(dirname "${BASH_SOURCE[0]}")/lab.env.sh"

# Microseconds since the script began.
elapsed() { printf '%d\n' "$((${EPOCHREALTIME/./} - ${STARTED/./}))"; }

log() {
  local us
  us=$(elapsed)
  printf '%4d.%d s  %s\n' "$((us / 1000000))" "$((us / 100000 % 10))" "$*"
}

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

usage_error() {
  printf '%s: %s\n\n' "$(basename "$0")" "$1" >&2
  usage >&2
  exit 2
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "'$1' needs root rights, and sudo is not installed; run this as root"
  fi
}

# wait_for SECONDS COMMAND...: repeats the command until it succeeds.
wait_for() {
  local deadline=$((EPOCHSECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((EPOCHSECONDS < deadline)) || return 1
    sleep 0.2
  done
}

# one_at_a_time DIRECTORY: waits for other scripts that change what DIRECTORY stands for. A daemon that a script leaves behind must
# be started without LOCK_FD, or it would hold the lock.
one_at_a_time() {
  mkdir -p "$1"
  exec {LOCK_FD}>"$1/lock"
  flock --nonblock "$LOCK_FD" && return
  log "another script of the lab is at work; waiting for it"
  flock --timeout 600 "$LOCK_FD" || fail "the other script still holds $1/lock after ten minutes"
}
