# shellcheck shell=bash disable=SC2034
# Shared by the scripts in this folder: the list of images, their tags, progress lines.

readonly STARTED=$EPOCHREALTIME
IMAGES_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly IMAGES_DIR
# The images that a cluster runs; the slowest to build comes first.
readonly IMAGES=(patroni etcd haproxy pgbouncer exporter)
# Images that are built only when they are named.
readonly OPTIONAL_IMAGES=(consul upgrade)

# shellcheck source-path=SCRIPTDIR source=versions.env
source "$IMAGES_DIR/versions.env"

log() { printf '%6.1f s  %-9s  %s\n' "$(awk -v since="$STARTED" -v now="$EPOCHREALTIME" 'BEGIN { print now - since }')" "$1" "$2"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

require_docker() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    fail "no Docker engine answers; start one (lab/engine.sh installs one) or set DOCKER_HOST"
}

# build_args IMAGE: prints NAME=VALUE for every ARG that the image's Dockerfile declares.
build_args() {
  local name
  while read -r name; do
    printf '%s=%s\n' "$name" "${!name:?is not set in versions.env}"
  done < <(sed -n 's/^ARG \([A-Z_]*\)$/\1/p' "$IMAGES_DIR/$1/Dockerfile" | sort -u)
}

# pinned_version IMAGE: prints the version of the image's main program, nothing for the base image.
pinned_version() {
  local variable=${1^^}_VERSION
  printf '%s' "${!variable:-}"
}

# local_name IMAGE: prints the image's local name, whose tag tells the version and identifies the content: the Dockerfile's folder
# and the values of its arguments. The base image's own name is one of them, so a change there reaches all.
local_name() {
  local version hash
  version=$(pinned_version "$1")
  hash=$({
    build_args "$1"
    cd "$IMAGES_DIR/$1" || return
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | sha256sum)
  printf 'pgha/%s:%s%s\n' "$1" "${version:+$version-}" "${hash:0:12}"
}

# license IMAGE: prints the licence of what the image adds.
license() { [[ $1 == consul ]] && printf BUSL-1.1 || printf Apache-2.0; }

# copy_ca_bundle DIRECTORY: copies the machine's certificate authorities, for a network that signs downloads with one of its own.
copy_ca_bundle() {
  local bundle
  for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [[ -s $bundle ]]; then
      cp "$bundle" "$1/ca-certificates.crt"
      return
    fi
  done
}

BASE_IMAGE=$(local_name base)
PATRONI_IMAGE=$(local_name patroni)
