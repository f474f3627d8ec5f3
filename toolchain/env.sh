# shellcheck shell=bash
# Puts Node and Pulumi on PATH. Sourced by bash: `source toolchain/env.sh`; prints nothing, changes nothing else.
# What is missing is installed by toolchain/install.sh.

_toolchain_env() {
    local here node_version node_min_major node_bin
    here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
    node_version="$(sed -n 's/^NODE_VERSION=//p' "$here/versions.env")"
    node_min_major="$(sed -n 's/^NODE_MIN_MAJOR=//p' "$here/versions.env")"
    node_bin="${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-postgres-ha/node-$node_version/bin"
    local pulumi_home="${PULUMI_HOME:-$HOME/.pulumi}"

    local major
    major="$(node --version 2>/dev/null | sed 's/^v//; s/\..*//')" || major=""
    if [[ "${major:-0}" -lt "$node_min_major" && -x "$node_bin/node" ]]; then
        PATH="$node_bin:$PATH"
    fi
    if [[ -x "$pulumi_home/bin/pulumi" && ":$PATH:" != *":$pulumi_home/bin:"* ]]; then
        PATH="$pulumi_home/bin:$PATH"
    fi
    export PATH PULUMI_SKIP_UPDATE_CHECK=true
    # Plugins that were built here can't be downloaded here: without this the engine tries to for seconds, at every run.
    if compgen -G "$pulumi_home/plugins/*/.built-from" >/dev/null; then
        export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
    fi
}
_toolchain_env
unset -f _toolchain_env
