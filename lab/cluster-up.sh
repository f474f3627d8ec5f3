#!/usr/bin/env bash
# Brings up the whole cluster: toolchain, packages, hosts, images, and the real `pulumi up` on the stack `lab`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$LAB_DIR/.."

readonly UP_LOG=$LAB_STATE/pulumi-up.log

# The toolchain is compiled where it can't be downloaded, which takes both cores: images and hosts come first then.
prepare_hosts() {
  log "hosts and images"
  lab/up.sh
  images/build.sh --push "$LAB_REGISTRY_PUSH" --name "$LAB_REGISTRY" --json "$LAB_IMAGES"
}

prepare_program() {
  toolchain/install.sh
  # shellcheck source-path=SCRIPTDIR source=env.sh
  source lab/env.sh
  make --no-print-directory node_modules
}

prepare_hosts
prepare_program
lab/stack-config.sh

log "pulumi up on the stack lab; its log is $UP_LOG"
pulumi stack select --create lab --non-interactive >/dev/null 2>&1 || pulumi stack init lab --non-interactive
# A run that was killed leaves a lock, and maybe objects that the state does not know.
scripts/repair-stack.sh lab >/dev/null
if ! pulumi up --stack lab --yes --skip-preview --non-interactive --suppress-outputs >"$UP_LOG" 2>&1; then
  sed -n '/^Diagnostics:/,$p' "$UP_LOG" >&2
  fail "pulumi up failed; the lines above say why, the whole log is $UP_LOG; run 'make up' again once it is mended"
fi
log "$(sed -n '/^Resources:/,/^Duration:/p' "$UP_LOG" | tr -s ' \n' ' ')"

# Hosts that have just been started again have their members come up behind an `up` that changed nothing.
outputs=$(pulumi stack output --stack lab --json)
mapfile -t apis < <(jq -r '.nodes[].patroniApi' <<<"$outputs")
all_ready() {
  for api in "${apis[@]}"; do
    curl -fsS --max-time 2 -o /dev/null --cacert <(jq -r .caCertificate <<<"$outputs") "$api/readiness" || return 1
  done
}
all_ready 2>/dev/null || log "waiting until every node leads or streams"
wait_for 300 all_ready || fail "a node neither leads nor streams after five minutes; see docs/operations.md, 'Something broke'"
lab/show.sh
