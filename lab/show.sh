#!/usr/bin/env bash
# Prints where the lab's cluster answers, and how to connect.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$LAB_DIR/.."
# shellcheck source-path=SCRIPTDIR source=env.sh
source lab/env.sh

pulumi stack output --stack lab --json | jq -r '
  "",
  "read-write   \(.endpoints.readWrite | join("  "))",
  "read-only    \(.endpoints.readOnly | join("  "))",
  "pooled       \(.endpoints.pooled | join("  "))",
  "any node     \(.endpoints.any | join("  "))",
  "statistics   \(.endpoints.statistics | map("https://" + .) | join("  "))",
  "metrics      \(.endpoints.metrics | map("https://" + . + "/metrics") | join("  "))",
  "Patroni      \([.nodes[].patroniApi] | join("  "))",
  ""'
cat <<'HOW'
Connect as the application "app":
  source lab/env.sh
  psql "$(pulumi stack output applications --stack lab --show-secrets | jq -r .app.urls.pooled)"
HOW
