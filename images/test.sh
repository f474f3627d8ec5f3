#!/usr/bin/env bash
# Usage: images/test.sh
# Builds the images where they have changed and tests them: each alone, then all together as a one-node cluster.
set -euo pipefail
source_dir=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$source_dir/lib.sh"
# shellcheck source-path=SCRIPTDIR source=test/harness.sh
source "$source_dir/test/harness.sh"
# shellcheck source-path=SCRIPTDIR source=test/contract.sh
source "$source_dir/test/contract.sh"
# shellcheck source-path=SCRIPTDIR source=test/cluster.sh
source "$source_dir/test/cluster.sh"

require_docker
"$source_dir/build.sh"
trap 'finish $?' EXIT
trap 'exit 130' INT TERM

test_contract
write_configuration
start_cluster
test_cluster
((failures)) || test_shutdown

((failures == 0)) || fail "$failures checks failed"
log all passed
