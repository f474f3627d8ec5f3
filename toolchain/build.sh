#!/usr/bin/env bash
# Builds what install.sh names from the modules pinned in go.mod and installs it into $PULUMI_HOME.
# Called by install.sh: [SINCE=SECONDS] build.sh STAMP PART..., a part being cli, docker, random, command or tls.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
pulumi_home="${PULUMI_HOME:-$HOME/.pulumi}"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-postgres-ha"
log="$cache/toolchain-build.log"
# shellcheck source=versions.env
source "$here/versions.env"
# shellcheck source=go.env.sh
source "$here/go.env.sh"

SECONDS="${SINCE:-0}" # one clock with install.sh
say() { printf 'toolchain [%4ds] %s\n' "$SECONDS" "$*" >&2; }

# with_progress WHAT COMMAND...: runs it with its output in the log, and says every 15 s how far it is.
with_progress() {
    local what="$1" pid next status=0
    shift
    next=$((SECONDS + 15))
    say "$what"
    "$@" >"$log" 2>&1 &
    pid=$!
    # shellcheck disable=SC2064 # expanded now, on purpose: the variable is local
    trap "kill $pid 2>/dev/null; exit 130" INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.5
        if [[ "$SECONDS" -ge "$next" ]]; then
            say "$what: $(wc -l <"$log") so far"
            next=$((SECONDS + 15))
        fi
    done
    wait "$pid" || status=$?
    trap - INT TERM
    if [[ "$status" -ne 0 ]]; then
        tail -n 20 "$log" >&2
        say "$what: failed, the whole log is $log"
        say "next step: check access to the Go module proxy (go env GOPROXY) and run toolchain/install.sh again"
        exit "$status"
    fi
}

main() {
    local stamp="$1" part targets=()
    shift
    require_go
    stage="$(mktemp -d "$pulumi_home/.build.XXXXXX")"
    trap 'rm -rf "$stage"' EXIT

    local packages=()
    for part in "$@"; do
        case "$part" in
            cli) packages+=(github.com/pulumi/pulumi/pkg/v3/cmd/pulumi ./cmd/pulumi-language-nodejs) ;;
            *) targets+=("$part") ;;
        esac
    done
    [[ ${#targets[@]} -eq 0 ]] || packages+=(./cmd/plugins)

    cd "$here"
    local version
    version="$(go list -m -f '{{.Version}}' github.com/pulumi/pulumi/pkg/v3)"
    # `go list` fetches only what is imported; `go mod download` would fetch several times as much.
    with_progress "fetching Go modules" go list -deps "${go_flags[@]}" "${packages[@]}"
    with_progress "compiling packages (6 to 10 minutes on 2 cores when nothing is cached)" \
        nice go build -v "${go_flags[@]}" -o "$stage/" \
        -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version -X main.version=$version" \
        "${packages[@]}"

    for part in "$@"; do
        case "$part" in
            cli) install_cli "$stamp" ;;
            *) install_plugin "$stamp" "$part" ;;
        esac
    done
    say "built: $*"
}

install_cli() {
    local bin="$pulumi_home/bin"
    mkdir -p "$bin"
    echo incomplete >"$bin/.built-from"
    mv -f "$stage/pulumi" "$stage/pulumi-language-nodejs" "$bin/"
    echo "$1" >"$bin/.built-from"
}

# One binary serves every plugin, hence the hard links.
install_plugin() {
    local stamp="$1" name="$2" version="${2^^}_VERSION"
    local dir="resource-$name-v${!version}"
    mkdir "$stage/$dir"
    ln "$stage/plugins" "$stage/$dir/pulumi-resource-$name"
    echo "$stamp" >"$stage/$dir/.built-from"
    mkdir -p "$pulumi_home/plugins"
    rm -rf "${pulumi_home:?}/plugins/$dir"
    mv "$stage/$dir" "$pulumi_home/plugins/$dir"
}

main "$@"
