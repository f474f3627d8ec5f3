#!/usr/bin/env bash
# Makes a stack usable again after `pulumi up` was killed: what was being made at that moment may be there without the state knowing,
# and would then be in the way of the next `up`. It is removed from the Swarm, and the next `up` makes it anew. Data is not touched:
# it lies in directories of the hosts, which no Swarm object owns.
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

mapfile -t pending < <(jq -r '
  .deployment.pending_operations[]? | select(.type == "creating") | .resource
  | select(.type | startswith("docker:index/")) | "\(.type | split(":") | last) \(.inputs.name)"' "$state")
if ! jq -e '.deployment.pending_operations | length > 0' "$state" >/dev/null; then
  printf 'nothing was interrupted in stack %s\n' "$stack"
  exit
fi

# The Docker provider in the state says where the Swarm's manager is, and how ssh reaches it.
mapfile -t ssh_options < <(jq -r '
  [.deployment.resources[] | select(.type == "pulumi:providers:docker") | .inputs] | last
  | (.sshOpts // "[]" | if type == "string" then fromjson else . end)[]' "$state")
host=$(jq -r '[.deployment.resources[] | select(.type == "pulumi:providers:docker") | .inputs.host] | last // empty' "$state")

# shellcheck disable=SC2029 # the arguments are names that this library has checked
on_manager() { ssh "${ssh_options[@]}" "$host" "$@" </dev/null; }

for object in "${pending[@]}"; do
  read -r type name <<<"$object"
  case $type in
    Service) kind=service label='{{index .Spec.Labels "pgha.cluster"}}' ;;
    Secret) kind=secret label='{{index .Spec.Labels "pgha.cluster"}}' ;;
    ServiceConfig) kind=config label='{{index .Spec.Labels "pgha.cluster"}}' ;;
    Network) kind=network label='{{index .Labels "pgha.cluster"}}' ;;
    *) fail "don't know how to remove a $type; look at '$name' yourself" ;;
  esac
  cluster=$(on_manager docker "$kind" inspect -f "$(printf '%q' "$label")" "$name" 2>/dev/null) || continue
  [[ -n $cluster ]] || fail "the $kind $name is there but was not made by this library; remove or rename it yourself"
  printf 'removing the %s %s, whose making was interrupted\n' "$kind" "$name"
  on_manager docker "$kind" rm "$name" >/dev/null || fail "could not remove the $kind $name"
done

jq '.deployment.pending_operations = []' "$state" >"$state.new"
mv "$state.new" "$state"
pulumi stack import --stack "$stack" --file "$state" >/dev/null 2>&1 || fail "could not write the state back"
# What was being changed or removed is looked up on the Swarm.
pulumi refresh --stack "$stack" --yes --skip-preview --non-interactive >/dev/null || fail "pulumi refresh failed; run it yourself to see why"
printf 'stack %s is repaired; run pulumi up\n' "$stack"
