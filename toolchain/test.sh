#!/usr/bin/env bash
# Tests the toolchain: the scripts, what is built here, and the installed parts with the real engine.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=env.sh
source "$here/env.sh"
# shellcheck source=go.env.sh
source "$here/go.env.sh"

say() { printf 'toolchain tests [%4ds] %s\n' "$SECONDS" "$*"; }

[[ -d "$here/../node_modules/@pulumi" ]] || {
    printf 'toolchain tests: the npm packages are missing\nnext step: npm ci in the repository\n' >&2
    exit 1
}
cd "$here"
say "scripts in a sandbox"
./install.test.sh

if command -v go >/dev/null; then
    require_go
    say "gofmt"
    unformatted="$(gofmt -l .)"
    [[ -z "$unformatted" ]] || {
        printf 'not formatted:\n%s\nnext step: gofmt -w toolchain\n' "$unformatted" >&2
        exit 1
    }
    say "go vet (minutes when nothing is cached)"
    go vet "${go_flags[@]}" ./...
    say "go test"
    go test -count=1 "${go_flags[@]}" ./... | { grep -v 'no test files' || true; }
else
    say "no Go on this machine: the parts that are built by it are not used here and not tested"
fi

say "the real engine"
./engine.test.sh
say "passed"
