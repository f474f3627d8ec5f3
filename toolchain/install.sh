#!/usr/bin/env bash
# Provides Node, the Pulumi CLI with its Node.js language host, and the plugins docker, random, command and tls.
# What the machine has is used; the rest is downloaded or, where that is not possible, built from the modules
# pinned in go.mod. Idempotent. Usage: toolchain/install.sh [--node-only]
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-postgres-ha"
export PULUMI_HOME="${PULUMI_HOME:-$HOME/.pulumi}"
# shellcheck source=versions.env
source "$here/versions.env"
# shellcheck source=env.sh
source "$here/env.sh"
pulumi_version="$(awk '$1 == "github.com/pulumi/pulumi/pkg/v3" { print $2; exit }' "$here/go.mod")"
readonly downloads=https://get.pulumi.com/releases/sdk
readonly plugins=(docker random command tls)

say() { printf 'toolchain [%4ds] %s\n' "$SECONDS" "$*" >&2; }
die() {
    printf 'toolchain: %s\n' "$@" >&2
    exit 1
}

# version_at_least HAVE WANT: compares dotted versions.
version_at_least() { [[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" == "$2" ]]; }

plugin_version() {
    local variable="${1^^}_VERSION"
    printf '%s' "${!variable}"
}
plugin_dir() { printf '%s/plugins/resource-%s-v%s' "$PULUMI_HOME" "$1" "$(plugin_version "$1")"; }

# What was built here carries this stamp; other sources give another one.
source_stamp() {
    (
        cd "$here"
        find . -type f \( -name '*.go' ! -name '*_test.go' -o -name 'go.*' -o -name build.sh -o -name versions.env \) -print0 |
            sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
    )
}

platform() { # platform X64 ARM64: the operating system and architecture, as the caller spells the latter
    local arch
    case "$(uname -m)" in
        x86_64) arch="$1" ;;
        aarch64 | arm64) arch="$2" ;;
        *) die "no downloads for the architecture $(uname -m)" "next step: install Node $NODE_MIN_MAJOR and Pulumi yourself" ;;
    esac
    printf '%s-%s' "$(uname -s | tr '[:upper:]' '[:lower:]')" "$arch"
}

install_node() {
    local have
    have="$(node --version 2>/dev/null)" || have=""
    if [[ -n "$have" ]] && version_at_least "${have#v}" "$NODE_MIN_MAJOR"; then
        return
    fi
    command -v npm >/dev/null || die "npm is missing" "next step: apt-get install npm"
    local package final stage
    package="node-$(platform x64 arm64)"
    final="$cache/node-$NODE_VERSION"
    say "Node $NODE_VERSION from npm ($package): this machine has ${have:-none}, $NODE_MIN_MAJOR or newer is needed"
    stage="$(mktemp -d "$cache/.node.XXXXXX")"
    # shellcheck disable=SC2064 # expanded now, on purpose: the variable is local
    trap "rm -rf '$stage'" EXIT
    # npm lets packages that are meant for other Node versions through with a warning, hence the log level
    npm install --prefix "$stage" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error \
        "$package@$NODE_VERSION" "npm@$NPM_VERSION" >/dev/null ||
        die "npm could not install $package@$NODE_VERSION" "next step: check the npm registry's settings, or install Node $NODE_MIN_MAJOR or newer"
    # The layout of an official Node archive, so that npm finds its own place.
    mkdir -p "$stage/tree/bin" "$stage/tree/lib/node_modules"
    mv "$stage/node_modules/$package/bin/node" "$stage/tree/bin/node"
    mv "$stage/node_modules/npm" "$stage/tree/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$stage/tree/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$stage/tree/bin/npx"
    "$stage/tree/bin/node" --version >/dev/null || die "Node $NODE_VERSION does not run on this machine" \
        "next step: install Node $NODE_MIN_MAJOR or newer yourself"
    rm -rf "$final"
    mv "$stage/tree" "$final"
    rm -rf "$stage"
    trap - EXIT
}

# built_here MARKER: 0 when the part was built from the present sources, 1 when from others, 2 when not built here.
built_here() {
    [[ -f "$1" ]] || return 2
    [[ "$(<"$1")" == "$stamp" ]]
}

needs_cli() {
    local built=0
    built_here "$PULUMI_HOME/bin/.built-from" || built=$?
    [[ "$built" -eq 2 ]] || return $((1 - built))
    local cli version
    cli="$(command -v pulumi)" || return 0
    version="$(pulumi version)"
    version_at_least "${version#v}" "$PULUMI_MIN_VERSION" ||
        die "$cli is $version, v$PULUMI_MIN_VERSION or newer is needed" "next step: upgrade it, or take it off PATH"
    [[ -x "$(dirname "$(readlink -f "$cli")")/pulumi-language-nodejs" ]] ||
        command -v pulumi-language-nodejs >/dev/null || return 0
    return 1
}

needs_plugin() {
    local dir built=0
    dir="$(plugin_dir "$1")"
    built_here "$dir/.built-from" || built=$?
    [[ "$built" -eq 2 ]] || return $((1 - built))
    [[ ! -x "$dir/pulumi-resource-$1" || -e "$dir.partial" ]] && ! command -v "pulumi-resource-$1" >/dev/null
}

# can_download ARCHIVE: quick, because the answer is mostly known at once.
can_download() { command -v curl >/dev/null && curl -fsSIL --max-time 3 -o /dev/null "$1" 2>/dev/null; }

download_cli() {
    local stage
    stage="$(mktemp -d "$PULUMI_HOME/.download.XXXXXX")"
    # shellcheck disable=SC2064 # expanded now, on purpose: the variable is local
    trap "rm -rf '$stage'" EXIT
    say "downloading the Pulumi CLI $pulumi_version"
    curl -fsSL --retry 2 "$1" | tar -xz -C "$stage" --strip-components=1 || return 1
    mkdir -p "$PULUMI_HOME/bin"
    mv -f "$stage"/pulumi* "$PULUMI_HOME/bin/"
    rm -rf "$stage" "$PULUMI_HOME/bin/.built-from"
    trap - EXIT
}

download() {
    local archive name
    archive="$downloads/pulumi-$pulumi_version-$(platform x64 arm64).tar.gz"
    can_download "$archive" || return 1
    for name in "${missing[@]}"; do
        if [[ "$name" == cli ]]; then
            download_cli "$archive" || return 1
        else
            say "downloading the plugin $name $(plugin_version "$name")"
            rm -rf "$(plugin_dir "$name")"
            PATH="$PULUMI_HOME/bin:$PATH" pulumi plugin install resource "$name" "$(plugin_version "$name")" || return 1
        fi
    done
}

main() {
    mkdir -p "$cache" "$PULUMI_HOME"
    exec 9>"$cache/toolchain.lock"
    if ! flock --nonblock 9; then
        say "another run is at work: waiting for it"
        flock 9
    fi
    rm -rf "$cache"/.node.* "$PULUMI_HOME"/.download.* "$PULUMI_HOME"/.build.* # of runs that were killed
    install_node
    # shellcheck source=env.sh
    source "$here/env.sh"
    [[ "${1:-}" != --node-only ]] || return 0

    stamp="$(source_stamp)"
    missing=()
    local name
    if needs_cli; then missing+=(cli); fi
    for name in "${plugins[@]}"; do
        if needs_plugin "$name"; then missing+=("$name"); fi
    done
    if [[ ${#missing[@]} -gt 0 ]]; then
        say "missing: ${missing[*]}"
        if ! download; then
            say "not downloadable from ${downloads%%/releases*}: building from the Go modules pinned in go.mod"
            SINCE="$SECONDS" "$here/build.sh" "$stamp" "${missing[@]}"
        fi
    fi
    # shellcheck source=env.sh
    source "$here/env.sh"
    say "ready: node $(node --version), pulumi $(command -v pulumi), plugins ${plugins[*]}"
}

case "${1:-}" in
    "" | --node-only) main "$@" ;;
    *) die "unknown argument $1" "usage: toolchain/install.sh [--node-only]" ;;
esac
