#!/usr/bin/env bash
# Runs the tests of `make test`, cheapest first. With names of steps as arguments it runs only those: test/run.sh style pure
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly LOGS=${XDG_STATE_HOME:-$HOME/.local/state}/pulumi-postgres-ha/test
readonly STEPS=(style pure toolchain preview images real lab cluster drill)
# What would make `make test` too long. CI runs the first of them after it.
readonly FURTHER_STEPS=(features long rotations examples)

step_style() { npm run --silent check && git ls-files -z '*.sh' .ci/run .ci/preview | xargs -0 shellcheck -x -P SCRIPTDIR; }
step_pure() { npm run --silent test; }
step_toolchain() { toolchain/test.sh; }
step_preview() { npm run --silent test:preview && .ci/preview; }
step_images() { lab/engine.sh && images/test.sh; }
step_real() { npm run --silent test:real; }
step_lab() { lab/test.sh; }
step_cluster() { make --no-print-directory up && npm run --silent test:lab; }
step_drill() { make --no-print-directory drill; }
step_features() { make --no-print-directory up && npm run --silent test:features; }
step_long() { npm run --silent test:real:long; }
step_rotations() { make --no-print-directory up && npm run --silent test:rotations; }
step_examples() { make --no-print-directory test-examples; }

usage() { printf 'Usage: test/run.sh [STEP...]\nSteps: %s; further ones: %s\n' "${STEPS[*]}" "${FURTHER_STEPS[*]}"; }

# run_step NAME: shows the step's output as it comes, and keeps it.
run_step() {
  local name=$1 began=$EPOCHSECONDS status=0
  printf '\n== %s\n' "$name"
  (set -e; "step_$name") 2>&1 | tee "$LOGS/$name.log" || status=1
  printf '== %s: %s after %d s\n' "$name" "$([[ $status == 0 ]] && echo passed || echo FAILED)" "$((EPOCHSECONDS - began))"
  return "$status"
}

case ${1:-} in
  -h | --help) usage && exit ;;
esac
for name in "$@"; do
  declare -F "step_$name" >/dev/null || { printf 'run.sh: unknown step %s\n' "$name" >&2; usage >&2; exit 2; }
done

command -v shellcheck >/dev/null || { printf 'run.sh: shellcheck is missing; install it with apt-get install shellcheck\n' >&2; exit 1; }
mkdir -p "$LOGS"
make --no-print-directory node_modules || exit 1
# shellcheck source-path=SCRIPTDIR source=../toolchain/env.sh
source toolchain/env.sh

(($#)) || set -- "${STEPS[@]}"
passed=0 failed=()
for name in "$@"; do
  if run_step "$name"; then passed=$((passed + 1)); else failed+=("$name"); fi
done
printf '\n'
for name in "${failed[@]}"; do
  printf 'FAILED %s: see %s, which ends with\n' "$name" "$LOGS/$name.log"
  tail -n 40 "$LOGS/$name.log" | sed 's/^/  /'
done
printf '%d passed, %d failed\n' "$passed" "${#failed[@]}"
((${#failed[@]} == 0))
