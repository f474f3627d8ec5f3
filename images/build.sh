#!/usr/bin/env bash
# Builds the cluster's images, and pushes them to a registry.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'USAGE'
Usage: images/build.sh [--push REGISTRY [--name REGISTRY] [--json FILE]] [--refresh] [IMAGE...]

  --push REGISTRY  push the images to REGISTRY (host:port, or host/path), logged in with 'docker login' where it asks for that
  --name REGISTRY  the name under which the hosts know that registry, if it differs from where it is pushed to
  --json FILE      write the pushed references, with their digests, to FILE: {"patroni": "REGISTRY/pgha/patroni:TAG@sha256:...", ...}
  --refresh        build anew on a newly pulled base image, to get Debian's latest fixes

Without names it builds all that a cluster with etcd runs; 'images/build.sh consul' builds the one that takes etcd's place (needs Go),
'images/build.sh upgrade' the one with two major versions of PostgreSQL.
An image whose content has not changed is not built again.
USAGE
}

usage_error() {
  printf 'build.sh: %s\n\n' "$1" >&2
  usage >&2
  exit 2
}

push_registry='' name_registry='' json_file='' refresh='' images=()
while (($#)); do
  case $1 in
    --push | --name | --json)
      [[ -n ${2:-} ]] || usage_error "$1 needs a value"
      case $1 in
        --push) push_registry=$2 ;;
        --name) name_registry=$2 ;;
        --json) json_file=$2 ;;
      esac
      shift 2
      ;;
    --refresh) refresh=yes && shift ;;
    -h | --help) usage && exit ;;
    -*) usage_error "unknown option: $1" ;;
    *)
      [[ " ${IMAGES[*]} ${OPTIONAL_IMAGES[*]} " == *" $1 "* ]] || usage_error "unknown image: $1"
      images+=("$1") && shift
      ;;
  esac
done
((${#images[@]})) || images=("${IMAGES[@]}")
if [[ -z $push_registry && -n $name_registry$json_file ]]; then
  usage_error "--name and --json need --push: only a registry gives an image its digest"
fi
: "${name_registry:=$push_registry}"

# BuildKit where its client plugin is there, with the builder that shares its images with the engine.
if docker buildx version >/dev/null 2>&1; then
  BUILDX_BUILDER=$(docker context show)
  export DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 BUILDX_BUILDER
else
  export DOCKER_BUILDKIT=0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

is_built() { docker image inspect "$1" >/dev/null 2>&1; }

all_built() {
  local image
  for image in "${images[@]}"; do
    is_built "$(local_name "$image")" || return 1
  done
}

# fetch IMAGE: takes over an image that somebody else has built and pushed, so that its digest stays what it is.
fetch() {
  local reference
  reference=$(local_name "$1")
  if ! is_built "$reference" && docker pull --quiet "$push_registry/$reference" >/dev/null 2>&1; then
    docker tag "$push_registry/$reference" "$reference"
    log "$1" "pulled $push_registry/$reference"
  fi
}

# compile_consul CONTEXT: puts the program into the build context. Modules that Go's checksum database does not vouch for are refused.
compile_consul() {
  command -v go >/dev/null || fail "the image consul needs Go, which is not installed"
  grep -qE "hashicorp/consul v$CONSUL_VERSION( |$)" "$1/go.mod" ||
    fail "consul/go.mod is not for Consul $CONSUL_VERSION: run 'go get github.com/hashicorp/consul@v$CONSUL_VERSION' in images/consul"
  log consul "compiling, about 8 minutes on 2 cores when nothing is cached"
  (cd "$1" && CGO_ENABLED=0 nice go build -mod=readonly -trimpath -buildvcs=false -ldflags '-s -w' -o consul github.com/hashicorp/consul)
}

# build IMAGE: builds one image unless it is there.
build() {
  local image=$1 reference context="$scratch/$1" log_file="$scratch/$1.log" arg options=()
  reference=$(local_name "$image")
  if [[ -z $refresh ]] && is_built "$reference"; then
    return
  fi
  log "$image" "building $reference"
  while read -r arg; do options+=(--build-arg "$arg"); done < <(build_args "$image")
  [[ -z $refresh ]] || options+=(--no-cache)
  cp -r "$IMAGES_DIR/$image" "$context"
  chmod -R u=rwX,go=rX "$context"
  [[ $image != consul ]] || compile_consul "$context"
  [[ $image != patroni ]] || copy_ca_bundle "$context"
  if ! docker build "${options[@]}" --label "org.opencontainers.image.base.name=$DEBIAN_IMAGE" \
    --label "org.opencontainers.image.licenses=$(license "$image")" --tag "$reference" "$context" >"$log_file" 2>&1; then
    tail -n 40 "$log_file" >&2
    fail "the image $image could not be built; the last lines of its log are above"
  fi
  log "$image" "built, $(docker image inspect --format '{{.Size}}' "$reference" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
}

# push IMAGE: pushes one image and leaves its full reference in $scratch/IMAGE.reference. Layers that the registry has are skipped.
push() {
  local image=$1 reference target output digest
  reference=$(local_name "$image")
  target=$push_registry/$reference
  docker tag "$reference" "$target"
  if ! output=$(docker push "$target" 2>&1); then
    printf '%s\n' "$output" | tail -n 10 >&2
    fail "$target could not be pushed; is the registry up, and does it let this machine in ('docker login $push_registry')?"
  fi
  digest=$(sed -n 's/.*digest: \(sha256:[0-9a-f]\{64\}\).*/\1/p' <<<"$output" | tail -n 1)
  [[ -n $digest ]] || fail "the engine pushed $target but did not tell its digest"
  printf '%s/%s@%s' "$name_registry" "$reference" "$digest" >"$scratch/$image.reference"
  log "$image" "in $push_registry as $digest"
}

# in_parallel FUNCTION IMAGE...: runs it for all of them at once and fails if one of them fails.
in_parallel() {
  local function=$1 image pids=() pid status=0
  shift
  for image in "$@"; do
    "$function" "$image" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
  return "$status"
}

write_json() {
  local image separator='{'
  for image in "${images[@]}"; do
    printf '%s\n  "%s": "%s"' "$separator" "$image" "$(<"$scratch/$image.reference")"
    separator=,
  done
  printf '\n}\n'
}

build_all() {
  local image independent=()
  for image in "${images[@]}"; do
    [[ $image == upgrade ]] || independent+=("$image")
  done
  # The Debian image may be one that this machine made itself and that no registry knows: pulling it may fail.
  if [[ -n $refresh ]] && ! docker pull --quiet "$DEBIAN_IMAGE" >/dev/null 2>&1; then
    log base "$DEBIAN_IMAGE cannot be pulled; the one that is there is used"
  fi
  is_built "$DEBIAN_IMAGE" || docker pull --quiet "$DEBIAN_IMAGE" >/dev/null ||
    fail "the image $DEBIAN_IMAGE cannot be pulled; lab/engine.sh makes one where no registry can be reached"
  build base
  in_parallel build "${independent[@]}"
  if [[ " ${images[*]} " == *" upgrade "* ]]; then
    is_built "$PATRONI_IMAGE" || build patroni
    build upgrade
  fi
}

require_docker
[[ -z $push_registry || -n $refresh ]] || in_parallel fetch "${images[@]}"
if [[ -z $refresh ]] && all_built; then
  log all "up to date"
else
  build_all
fi
[[ -z $push_registry ]] || in_parallel push "${images[@]}"
if [[ -n $json_file ]]; then
  mkdir -p "$(dirname "$json_file")"
  write_json >"$scratch/images.json"
  mv "$scratch/images.json" "$json_file"
  log all "references written to $json_file"
fi
