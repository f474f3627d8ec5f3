# shellcheck shell=bash
# How Go is called here, by build.sh and test.sh: with the same flags, or nothing that one compiled serves the other.

go_min=1.26
# no_compose leaves out the Docker provider's support for Docker Compose: large, and not in the npm SDK.
# shellcheck disable=SC2034 # used by those who source this
go_flags=(-tags no_compose -trimpath -buildvcs=false)
export CGO_ENABLED=0
# An older Go may fetch the one that go.mod asks for; its sum is verified like a module's.
export GOTOOLCHAIN=auto

require_go() {
    if ! command -v go >/dev/null; then
        printf 'toolchain: Go is missing, and Pulumi cannot be downloaded here\n' >&2
        printf 'toolchain: next step: install Go %s or newer, or curl if only that is missing\n' "$go_min" >&2
        exit 1
    fi
    local have
    have="$(cd "$(dirname "${BASH_SOURCE[0]}")" && go env GOVERSION)" || have="$(GOTOOLCHAIN=local go version)"
    if [[ "$(printf '%s\n%s\n' "${have#go}" "$go_min" | sort -V | head -n 1)" != "$go_min" ]]; then
        printf 'toolchain: %s is too old, %s is needed\n' "$have" "$go_min" >&2
        printf 'toolchain: next step: install Go %s or newer, or Go 1.21 or newer, which fetches it\n' "$go_min" >&2
        exit 1
    fi
}
