#!/usr/bin/env bash
# Makes a stack usable again after `pulumi up` was killed: what was being made at that moment may be there without the state knowing,
# and would then be in the way of the next `up`. It is removed from its Docker engine, and the next `up` makes it anew. Data is not touched:
# it lies in directories or volumes of the hosts, which go with no service or container.
set -euo pipefail

usage() { printf 'Usage: scripts/repair-stack.sh STACK\n'; }
fail() {
  printf 'repair-stack.sh: %s\n' "$*" >&2
  exit 1
}

case ${1:-} in
  -h | --help) usage && exit ;;
  '' | -*) usage >&2 && exit 2 ;;
esac
readonly stack=$1
state=$(mktemp)
trap 'rm -f "$state"' EXIT

# A file backend writes beside each state a file of attributes, and reads no state whose attributes were left empty by a kill.
backend=$(pulumi whoami --json | jq -r '.url')
if [[ $backend == file://* ]]; then
  directory=${backend#file://}
  find "${directory/#\~/$HOME}/.pulumi" -name "${stack##*/}.json.attrs" -empty -delete
fi

# The lock of the killed run; Pulumi refuses to take it from one that still runs in its cloud.
pulumi cancel --stack "$stack" --yes >/dev/null 2>&1 || true
pulumi stack export --stack "$stack" --file "$state"

if ! jq -e '.deployment.pending_operations | length > 0' "$state" >/dev/null; then
  printf 'nothing was interrupted in stack %s\n' "$stack"
  exit
fi

# What was being made, each with its Docker provider, which says where its engine is and how ssh reaches it.
creations=$(jq -c '
  (.deployment.resources | map(select(.type == "pulumi:providers:docker") | {key: "\(.urn)::\(.id)", value: .inputs}) | from_entries) as $providers
  | .deployment.pending_operations[] | select(.type == "creating") | .resource | select(.type | startswith("docker:index/"))
  | $providers[.provider] as $provider
  | {type: (.type | split(":") | last), name: .inputs.name, host: $provider.host,
     options: ($provider.sshOpts // "[]" | if type == "string" then fromjson else . end)}' "$state")

# on_host CREATION COMMAND...: runs a command where the object was being made.
on_host() {
  local creation=$1 ssh_options
  shift
  mapfile -t ssh_options < <(jq -r '.options[]' <<<"$creation")
  # shellcheck disable=SC2029 # the arguments are names that this library has checked
  ssh "${ssh_options[@]}" "$(jq -r '.host' <<<"$creation")" "$@" </dev/null
}

while read -r creation; do
  [[ -n $creation ]] || continue
  type=$(jq -r '.type' <<<"$creation") name=$(jq -r '.name' <<<"$creation") force=()
  case $type in
    Service) kind=service label='{{index .Spec.Labels "pgha.cluster"}}' ;;
    Secret) kind=secret label='{{index .Spec.Labels "pgha.cluster"}}' ;;
    ServiceConfig) kind=config label='{{index .Spec.Labels "pgha.cluster"}}' ;;
    Network) kind=network label='{{index .Labels "pgha.cluster"}}' ;;
    Container) kind=container label='{{index .Config.Labels "pgha.cluster"}}' force=(--force) ;;
    # An image that is there already is in nobody's way.
    RemoteImage) continue ;;
    *) fail "don't know how to remove a $type; look at '$name' yourself" ;;
  esac
  cluster=$(on_host "$creation" docker "$kind" inspect -f "$(printf '%q' "$label")" "$name" 2>/dev/null) || continue
  [[ -n $cluster ]] || fail "the $kind $name is there but was not made by this library; remove or rename it yourself"
  printf 'removing the %s %s, whose making was interrupted\n' "$kind" "$name"
  on_host "$creation" docker "$kind" rm "${force[@]}" "$name" >/dev/null || fail "could not remove the $kind $name"
done <<<"$creations"

jq '.deployment.pending_operations = []' "$state" >"$state.new"
mv "$state.new" "$state"
pulumi stack import --stack "$stack" --file "$state" >/dev/null 2>&1 || fail "could not write the state back"
# What was being changed or removed is looked up on the engines.
pulumi refresh --stack "$stack" --yes --skip-preview --non-interactive >/dev/null || fail "pulumi refresh failed; run it yourself to see why"
printf 'stack %s is repaired; run pulumi up\n' "$stack"
