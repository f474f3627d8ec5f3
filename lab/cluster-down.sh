#!/usr/bin/env bash
# Removes what lab/cluster-up.sh made: the stack's resources and the hosts. The data in the hosts' volumes stays unless told otherwise.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$LAB_DIR/.."

usage() { printf 'Usage: lab/cluster-down.sh [--purge]\n  --purge  also remove the data, the keys and the state\n'; }
case ${1:-} in
  '') ;;
  --purge) exec lab/down.sh --purge ;;
  *) usage_error "unknown option: $1" ;;
esac

# shellcheck source-path=SCRIPTDIR source=env.sh
source lab/env.sh
if command -v pulumi >/dev/null && pulumi stack ls --json 2>/dev/null | jq -e 'any(.name == "lab" and (.resourceCount // 0) > 0)' >/dev/null; then
  lab/up.sh
  log "pulumi destroy on the stack lab"
  pulumi cancel --stack lab --yes >/dev/null 2>&1 || true
  pulumi destroy --stack lab --yes --skip-preview --non-interactive >"$LAB_STATE/pulumi-destroy.log" 2>&1 || {
    sed -n '/^Diagnostics:/,$p' "$LAB_STATE/pulumi-destroy.log" >&2
    fail "pulumi destroy failed; run 'pulumi refresh --stack lab' and 'make down' again, or 'lab/cluster-down.sh --purge'"
  }
fi
lab/down.sh
