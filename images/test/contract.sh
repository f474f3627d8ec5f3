# shellcheck shell=bash disable=SC2016 # what stands in single quotes is expanded in the container
# What holds for every image without a cluster: user, PID 1, stop signal, tools, versions, size, and nothing secret inside.

declare -A STOP_SIGNAL=([patroni]=SIGTERM [upgrade]=SIGTERM [etcd]=SIGTERM [consul]=SIGTERM [haproxy]=SIGUSR1 [pgbouncer]=SIGTERM [exporter]=SIGTERM)

# Unpacked sizes in MB, about a tenth above what was measured: what grows unnoticed fails here.
declare -A MAX_MB=([patroni]=285 [upgrade]=350 [etcd]=175 [consul]=245 [haproxy]=112 [pgbouncer]=117 [exporter]=120)

# The package whose version must start with the pinned one.
declare -A PACKAGE=([etcd]=etcd-server [haproxy]=haproxy [pgbouncer]=pgbouncer [exporter]=prometheus-postgres-exporter)

# Tools that a workload's health check or an operator calls.
declare -A TOOLS=(
  [patroni]="patroni patronictl postgres pg_rewind pg_basebackup pg_isready psql pgbackrest curl"
  [upgrade]="patroni patronictl pg_upgrade psql flock curl"
  [etcd]="etcd etcdctl etcdutl curl"
  [consul]="consul curl"
  [haproxy]="haproxy curl"
  [pgbouncer]="pgbouncer drain psql pg_isready curl"
  [exporter]="prometheus-postgres-exporter curl"
)

run() {
  local image=$1
  shift
  docker run --rm --network none "${HARDENED[@]}" "$(local_name "$image")" "$@"
}

inspect() { docker image inspect --format "$2" "$1"; }

size_mb() { echo $(($(inspect "$(local_name "$1")" '{{.Size}}') / 1000000)); }

environment_names() { inspect "$(local_name "$1")" '{{range .Config.Env}}{{println .}}{{end}}' | cut -d= -f1; }

has_no_secret_name() { ! environment_names "$1" | grep -iE 'pass|secret|token|key|credential'; }

# Private keys in files, and anything left of the build: the folder of the build stage, package lists.
has_no_leftovers() {
  docker run --rm --network none --user 0 --entrypoint bash "$(local_name "$1")" -c '
    found=$(grep -rIlE -e "-----BEGIN [A-Z ]*PRIVATE KEY" --exclude-dir=proc --exclude-dir=sys / 2>/dev/null
            find /build /var/lib/apt/lists /var/cache/apt /etc/ssl/private /root/.cache -type f 2>/dev/null)
    [ -z "$found" ] || { echo "$found"; exit 1; }'
}

test_contract() {
  local image major images=("${IMAGES[@]}")
  for image in "${OPTIONAL_IMAGES[@]}"; do
    ! docker image inspect "$(local_name "$image")" >/dev/null 2>&1 || images+=("$image")
  done
  for image in "${images[@]}"; do
    check "$image: runs as 999:999" equals "$(run "$image" sh -c 'echo "$(id -u):$(id -g)"')" 999:999
    check "$image: PID 1 is tini" equals "$(run "$image" cat /proc/1/comm)" tini
    check "$image: stop signal" equals "$(inspect "$(local_name "$image")" '{{.Config.StopSignal}}')" "${STOP_SIGNAL[$image]}"
    check "$image: no environment variable is named like a secret" has_no_secret_name "$image"
    check "$image: no private key and nothing of the build inside" has_no_leftovers "$image"
    # shellcheck disable=SC2086 # a list of names
    check "$image: has its tools" run "$image" sh -c 'for tool; do command -v "$tool" >/dev/null || { echo "$tool"; exit 1; }; done' sh ${TOOLS[$image]}
    check "$image: has at most ${MAX_MB[$image]} MB" at_most "$(size_mb "$image")" "${MAX_MB[$image]}"
    if [[ -n ${PACKAGE[$image]:-} ]]; then
      check "$image: has the pinned version" \
        starts_with "$(run "$image" dpkg-query --show --showformat '${Version}' "${PACKAGE[$image]}")" "$(pinned_version "$image")."
    fi
  done
  [[ " ${images[*]} " != *" consul "* ]] ||
    check "consul: consul version" starts_with "$(run consul consul version)" "Consul v$CONSUL_VERSION"
  if [[ " ${images[*]} " == *" upgrade "* ]]; then
    for major in "$PREVIOUS_POSTGRES_MAJOR" "$POSTGRES_MAJOR"; do
      check "upgrade: has PostgreSQL $major" \
        starts_with "$(run upgrade "/usr/lib/postgresql/$major/bin/postgres" --version)" "postgres (PostgreSQL) $major."
    done
  fi
  check "patroni: patroni --version" equals "$(run patroni patroni --version)" "patroni $PATRONI_VERSION"
  check "patroni: patronictl version" equals "$(run patroni patronictl version)" "patronictl version $PATRONI_VERSION"
  check "patroni: postgres --version" starts_with "$(run patroni postgres --version)" "postgres (PostgreSQL) $POSTGRES_MAJOR."
  check "patroni: pgbackrest version" starts_with "$(run patroni pgbackrest version)" "pgBackRest $PGBACKREST_VERSION"
  check "patroni: Python packages fit together" run patroni python3 -c 'import patroni.dcs.etcd3, psycopg; assert psycopg.pq.__impl__ == "c"'
  check "haproxy: haproxy -v" starts_with "$(run haproxy haproxy -v)" "HAProxy version $HAPROXY_VERSION."
  check "patroni: fails without its configuration" fails run patroni
  check "haproxy: fails without its configuration" fails run haproxy
  check "pgbouncer: fails without its configuration" fails run pgbouncer
}
