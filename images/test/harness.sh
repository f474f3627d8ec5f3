# shellcheck shell=bash
# Checks, hardened containers and waiting, for the image tests.

readonly RUN_ID=pgha-test-$$
scratch=$(mktemp -d)
failures=0

# check DESCRIPTION COMMAND...: runs the command and reports whether it succeeded; its output is shown when it did not.
check() {
  local description=$1 output
  shift
  if output=$("$@" 2>&1); then
    log ok "$description"
  else
    failures=$((failures + 1))
    log FAILED "$description"
    [[ -z $output ]] || printf '%s\n' "$output" | tail -n 15 | sed 's/^/            /'
  fi
}

equals() { [[ $1 == "$2" ]] || { echo "got '$1', expected '$2'" && return 1; }; }
starts_with() { [[ $1 == "$2"* ]] || { echo "got '$1', expected it to start with '$2'" && return 1; }; }
at_most() { (($1 <= $2)) || { echo "got $1, allowed is $2" && return 1; }; }
at_least() { (($1 >= $2)) || { echo "got $1, expected at least $2" && return 1; }; }
fails() { ! "$@"; }

# wait_for SECONDS COMMAND...: repeats the command until it succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) output
  shift
  until output=$("$@" 2>&1); do
    if ((SECONDS >= deadline)); then
      printf '%s\n' "$output"
      return 1
    fi
    sleep 0.3
  done
}

# The images must work with nothing that a database server does not need: no capability, nothing writable but /tmp and data.
readonly HARDENED=(--read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp)

container() { printf '%s-%s' "$RUN_ID" "$1"; }

# start NAME IMAGE [OPTION...]: starts a hardened container in the test's network under NAME, with the image's own command.
start() {
  local name=$1 image=$2
  shift 2
  docker run --detach --name "$(container "$name")" --network "$RUN_ID" --network-alias "$name" --label "$RUN_ID" \
    "${HARDENED[@]}" "$@" "$(local_name "$image")" >/dev/null
}

in_container() {
  local name=$1
  shift
  docker exec "$(container "$name")" "$@"
}

# stop_seconds NAME: stops a container the way Swarm does, and prints how long that took.
stop_seconds() {
  local before=$SECONDS
  docker stop -t 60 "$(container "$1")" >/dev/null
  echo $((SECONDS - before))
}

# finish STATUS: shows what the containers said last if the tests did not pass, and removes everything that they made.
finish() {
  local ids id
  ids=$(docker ps --all --quiet --filter "label=$RUN_ID")
  for id in $ids; do
    if (($1)); then
      printf '\nlast lines of %s:\n' "$(docker inspect --format '{{.Name}}' "$id")" >&2
      docker logs --tail 15 "$id" >&2
    fi
    docker rm --force --volumes "$id" >/dev/null
  done
  ids=$(docker volume ls --quiet --filter "label=$RUN_ID")
  for id in $ids; do docker volume rm "$id" >/dev/null; done
  ids=$(docker network ls --quiet --filter "label=$RUN_ID")
  for id in $ids; do docker network rm "$id" >/dev/null; done
  rm -rf "$scratch"
}
