#!/usr/bin/env bash
# Makes sure that this machine has a running Docker engine, the base image and the programs that the lab needs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly PACKAGES=(openssh-client iproute2 iptables nftables kmod jq curl)
readonly PROGRAMS=(ssh ip iptables nft modprobe jq curl)
readonly ENGINE_DIR=$LAB_HOME/engine
readonly ENGINE_LOG=$ENGINE_DIR/dockerd.log
readonly BOOTSTRAP_LOG=$ENGINE_DIR/debootstrap.log

usage() { printf 'Usage: lab/engine.sh\n'; }

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# install_packages PACKAGE...: installs Debian packages; which ones, and that root does it, is said first.
install_packages() {
  command -v apt-get >/dev/null ||
    fail "this machine has no apt-get; install what corresponds to these packages and run this again: $*"
  log "installing with apt-get, as root: $*"
  local output
  output=$(as_root apt-get -q update 2>&1) || log "apt-get update failed; going on with the package lists that are there"
  output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" 2>&1) || {
    printf '%s\n' "$output" | tail -n 20 >&2
    fail "apt-get could not install $*; its last lines are above"
  }
}

install_programs() {
  local program
  for program in "${PROGRAMS[@]}"; do
    # /usr/sbin is not on every user's PATH, but is where root finds them.
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null && continue
    install_packages "${PACKAGES[@]}"
    return
  done
}

# A process id file that outlived its process keeps dockerd from starting once another process has that id.
remove_stale_pid_files() {
  local file pid
  for file in /run/docker.pid /run/docker/containerd/containerd.pid; do
    pid=$(as_root cat "$file" 2>/dev/null) || continue
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) =~ ^(dockerd|containerd)$ ]] || as_root rm -f "$file"
  done
}

start_engine() {
  if [[ -d /run/systemd/system ]]; then
    log "starting the docker service"
    as_root systemctl enable --quiet --now docker
  else
    log "no service manager runs here: starting dockerd itself; its log is $ENGINE_LOG"
    remove_stale_pid_files
    as_root setsid --fork nohup dockerd {LOCK_FD}>&- </dev/null >>"$ENGINE_LOG" 2>&1
  fi
}

# The socket belongs to the group docker, which a user who was just added to it joins at the next login only.
grant_access() {
  ((EUID != 0)) || return 0
  command -v setfacl >/dev/null || install_packages acl
  log "giving $USER access to the engine, which equals root rights: group docker, and this engine's socket at once"
  as_root usermod --append --groups docker "$USER"
  as_root setfacl --modify "user:$USER:rw" /run/docker.sock
}

ensure_engine() {
  engine_answers && return
  [[ -z ${DOCKER_HOST:-} ]] || fail "no engine answers at DOCKER_HOST=$DOCKER_HOST; unset it to use one on this machine"
  [[ $(uname -s) == Linux ]] || fail "the lab needs Linux: it reaches its hosts by their own addresses"
  [[ -x /usr/sbin/dockerd || -x /usr/bin/dockerd ]] || install_packages docker.io
  # Debian 13 has the client in a package of its own.
  command -v docker >/dev/null || install_packages docker-cli
  if [[ ! -S /run/docker.sock ]] || ! as_root docker version >/dev/null 2>&1; then
    start_engine
    wait_for 60 as_root docker version || fail "dockerd did not come up within a minute; see $ENGINE_LOG or 'journalctl -u docker'"
  fi
  engine_answers || grant_access
  engine_answers || fail "the engine runs, but $(id -un) may not use it; add the user to the group docker and log in again"
}

# debootstrap builds what the published image holds; slim means without documentation and translations.
bootstrap_base_image() {
  local archive=$1 suite=$2 tree list
  command -v debootstrap >/dev/null || [[ -x /usr/sbin/debootstrap ]] || install_packages debootstrap debian-archive-keyring
  log "$LAB_BASE_IMAGE cannot be pulled: making it with debootstrap, as root, which takes about a minute"
  tree=$(as_root mktemp -d)
  # shellcheck disable=SC2064
  trap "as_root rm -rf '$tree'" EXIT
  as_root debootstrap --variant=minbase "$suite" "$tree" >"$BOOTSTRAP_LOG" 2>&1 ||
    fail "debootstrap failed; see $BOOTSTRAP_LOG"
  list=$tree/etc/apt/sources.list
  # The archive's address comes from debootstrap; updates and security fixes lie beside it.
  as_root sed -i -n "s|^deb \(.*\)/debian/\{0,1\} $suite main.*|&\ndeb \1/debian $suite-updates main\ndeb \1/debian-security $suite-security main|p" "$list"
  as_root chroot "$tree" sh -c 'apt-get -q update && apt-get -q --yes upgrade && apt-get clean' >>"$BOOTSTRAP_LOG" 2>&1 ||
    fail "the new $LAB_BASE_IMAGE could not be updated; see $BOOTSTRAP_LOG"
  as_root sh -c "rm -rf '$tree'/var/lib/apt/lists/* '$tree'/usr/share/doc/* '$tree'/usr/share/man/* '$tree'/usr/share/locale/*"
  as_root tar -C "$tree" --exclude=./dev/* -czf - . >"$archive.new"
  mv "$archive.new" "$archive"
}

ensure_base_image() {
  docker image inspect "$LAB_BASE_IMAGE" >/dev/null 2>&1 && return
  local archive suite=${LAB_BASE_IMAGE#*:}
  suite=${suite%-slim}
  archive=$LAB_CACHE/debian-$suite-$(uname -m).tar.gz
  # An archive of last month's Debian is of no use: it lacks the latest security fixes.
  if [[ -z $(find "$archive" -mtime -30 2>/dev/null) ]]; then
    log "pulling $LAB_BASE_IMAGE"
    timeout 120 docker pull --quiet "$LAB_BASE_IMAGE" >/dev/null 2>&1 && return
    mkdir -p "$LAB_CACHE"
    bootstrap_base_image "$archive" "$suite"
  fi
  log "importing $LAB_BASE_IMAGE from $archive"
  docker import --change 'CMD ["bash"]' "$archive" "$LAB_BASE_IMAGE" >/dev/null
}

(($# == 0)) || usage_error "unexpected argument: $1"
one_at_a_time "$ENGINE_DIR"
install_programs
ensure_engine
ensure_base_image
log "Docker $(docker version --format '{{.Server.Version}}') runs, $LAB_BASE_IMAGE is there"
