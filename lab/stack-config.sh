#!/usr/bin/env bash
# Writes Pulumi.lab.yaml: lab/stack.yaml with this machine's host keys, image digests and kernel features.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly STACK_FILE=$LAB_DIR/../Pulumi.lab.yaml
readonly STATE_FILE=$LAB_PULUMI_BACKEND/.pulumi/stacks/pulumi-postgres-ha/lab.json

[[ -s $LAB_IMAGES ]] || fail "$LAB_IMAGES is missing; build the images first: make images"

substitutions=(-e "s|@ESP@|$("$LAB_DIR/kernel.sh" --json | jq .esp)|")
for host in "${LAB_HOSTS[@]}"; do
  key=$(cut -d' ' -f1,2 "$(lab_host_key "$host").pub")
  substitutions+=(-e "s|@ADDRESS_$host@|${LAB_ADDRESS[$host]}|" -e "s|@HOST_KEY_$host@|$key|")
done
while read -r name reference; do
  substitutions+=(-e "s|@IMAGE_$name@|$reference|")
done < <(jq -r 'to_entries[] | "\(.key) \(.value)"' "$LAB_IMAGES")

# The salt belongs to the stack's state, and goes with it.
salt=$(jq -r '.checkpoint.latest.secrets_providers.state.salt // empty' "$STATE_FILE" 2>/dev/null || true)
{
  sed "${substitutions[@]}" "$LAB_DIR/stack.yaml"
  [[ -z $salt ]] || printf 'encryptionsalt: %s\n' "$salt"
} >"$STACK_FILE.new"
if grep -o '@[A-Za-z0-9_]*@' "$STACK_FILE.new" >&2; then fail "the words above were not filled in"; fi
mv "$STACK_FILE.new" "$STACK_FILE"
