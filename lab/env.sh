# shellcheck shell=bash
# Sourced by whoever runs Pulumi against the lab: its tools, its ssh agent, its state.

# shellcheck source-path=SCRIPTDIR source=lab.env.sh
source "$(dirname "${BASH_SOURCE[0]}")/lab.env.sh"
# shellcheck disable=SC1091
source "$LAB_DIR/../toolchain/env.sh"

export SSH_AUTH_SOCK=$LAB_SSH_AGENT
export PULUMI_BACKEND_URL=file://$LAB_PULUMI_BACKEND
export PULUMI_CONFIG_PASSPHRASE_FILE=$LAB_PULUMI_PASSPHRASE
