# shellcheck shell=bash disable=SC2154 # scratch comes from harness.sh
# A one-node cluster of all five images in a network of its own: it serves SQL, and every part stops cleanly and in time.

random_password() { head -c 18 /dev/urandom | base64 | tr '+/' '-_'; }

write_configuration() {
  local superuser replication
  superuser=$(random_password)
  replication=$(random_password)
  mkdir -p "$scratch"/{etcd,patroni,haproxy,pgbouncer,exporter}
  chmod 0755 "$scratch"/*

  cat >"$scratch/etcd/etcd.yml" <<CONFIG
name: etcd
data-dir: /var/lib/etcd
listen-client-urls: http://0.0.0.0:2379
advertise-client-urls: http://etcd:2379
listen-peer-urls: http://127.0.0.1:2380
initial-advertise-peer-urls: http://127.0.0.1:2380
initial-cluster: etcd=http://127.0.0.1:2380
CONFIG

  cat >"$scratch/patroni/10-node.yml" <<CONFIG
scope: test
name: to-be-overridden
restapi: { listen: 0.0.0.0:8008, connect_address: patroni:8008 }
etcd3: { hosts: etcd:2379 }
bootstrap:
  dcs: { ttl: 30, loop_wait: 2, retry_timeout: 10 }
  initdb: [{ encoding: UTF8 }, { locale: en_US.UTF-8 }, data-checksums]
postgresql:
  listen: 0.0.0.0:5432
  connect_address: patroni:5432
  data_dir: /var/lib/postgresql/$POSTGRES_MAJOR/main
  pgpass: /tmp/pgpass
  parameters: { shared_buffers: 32MB }
  pg_hba: [local all all trust, host all all all scram-sha-256]
CONFIG
  # The second file adds to the first one and wins over it.
  cat >"$scratch/patroni/20-secret.yml" <<CONFIG
name: node1
postgresql:
  authentication:
    superuser: { username: postgres, password: $superuser }
    replication: { username: replicator, password: $replication }
CONFIG
  cat >"$scratch/patroni/service.conf" <<CONFIG
[direct]
host=patroni
port=5432
user=postgres
password=$superuser
dbname=postgres
[routed]
host=haproxy
port=5432
user=postgres
password=$superuser
dbname=postgres
[pooled]
host=pgbouncer
port=6432
user=postgres
password=$superuser
dbname=postgres
CONFIG

  cat >"$scratch/haproxy/haproxy.cfg" <<'CONFIG'
global
  hard-stop-after 5s
defaults
  mode tcp
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend health
  mode http
  bind :7000
  monitor-uri /healthz
listen primary
  bind :5432
  option httpchk GET /primary
  server node1 patroni:5432 check port 8008 inter 500ms
CONFIG

  cat >"$scratch/pgbouncer/pgbouncer.ini" <<'CONFIG'
[databases]
* = host=haproxy port=5432
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 6432
unix_socket_dir = /tmp
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
pool_mode = transaction
CONFIG
  printf '"postgres" "%s"\n' "$superuser" >"$scratch/pgbouncer/userlist.txt"

  printf '%s' "$superuser" >"$scratch/exporter/password"
  chmod 0644 "$scratch"/*/*
}

start_cluster() {
  local volume
  docker network create --label "$RUN_ID" "$RUN_ID" >/dev/null
  for volume in etcd patroni; do docker volume create --label "$RUN_ID" "$RUN_ID-$volume" >/dev/null; done
  start etcd etcd --volume "$scratch/etcd:/etc/etcd:ro" --volume "$RUN_ID-etcd:/var/lib/etcd"
  start patroni patroni --volume "$scratch/patroni:/etc/patroni:ro" --volume "$RUN_ID-patroni:/var/lib/postgresql" \
    --mount type=tmpfs,destination=/var/run/postgresql,tmpfs-mode=1777 --env PGSERVICEFILE=/etc/patroni/service.conf
  start haproxy haproxy --volume "$scratch/haproxy:/etc/haproxy:ro"
  start_pgbouncer 10
  start exporter exporter --volume "$scratch/exporter:/etc/exporter:ro" --env DATA_SOURCE_USER=postgres \
    --env "DATA_SOURCE_URI=patroni:5432/postgres?sslmode=disable" --env DATA_SOURCE_PASS_FILE=/etc/exporter/password
}

start_pgbouncer() { start pgbouncer pgbouncer --volume "$scratch/pgbouncer:/etc/pgbouncer:ro" --env "DRAIN_SECONDS=$1"; }

# sql ENDPOINT STATEMENT: runs one statement and prints its result.
sql() { in_container patroni psql "service=$1" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --command "$2"; }

# hold ENDPOINT SECONDS: begins a transaction that lasts so long, in the background, and returns when it is running.
hold() {
  # A server process does not notice that its client went while it sleeps: an earlier one may still be there.
  sql direct "select pg_terminate_backend(pid) from ($held_processes)" >/dev/null
  wait_for 5 equals_held 0
  sql "$1" "begin; select pg_sleep($2); commit" >"$scratch/held" 2>&1 &
  held=$!
  wait_for 10 equals_held 1
}
readonly held_processes="select pid from pg_stat_activity where query like '%pg_sleep(%' and state = 'active' and pid <> pg_backend_pid()"
equals_held() { equals "$(sql direct "select count(*) from ($held_processes)")" "$1"; }
# held_outcome: sets outcome to how the held transaction ended for its client.
held_outcome() { if wait "$held"; then outcome=finished; else outcome=broken; fi; }
holds() { equals "$(sql direct "select count(*) from pg_stat_activity where query like '%held%' and state = 'active' and pid <> pg_backend_pid()")" 1; }

test_cluster() {
  check "etcd is healthy" wait_for 20 in_container etcd etcdctl endpoint health
  check "patroni is healthy" wait_for 40 in_container patroni curl -fsS http://127.0.0.1:8008/health
  check "patroni leads under the name of its second configuration file" \
    wait_for 20 in_container patroni bash -c "patronictl list | grep -E 'node1 .*Leader .*running'"
  check "haproxy is healthy" wait_for 10 in_container haproxy curl -fsS http://127.0.0.1:7000/healthz
  check "haproxy routes to the leader" wait_for 20 sql routed 'select 1'
  check "pgbouncer is healthy" wait_for 10 in_container pgbouncer pg_isready -h 127.0.0.1 -p 6432
  check "a row written through the pool" sql pooled "create table kept (word text); insert into kept values ('x')"
  check "is read through the router" equals "$(sql routed 'select word from kept')" x
  check "en_US.UTF-8 is the database's locale" \
    equals "$(sql direct "select datcollate from pg_database where datname = 'postgres'")" en_US.UTF-8
  check "queries run without JIT" equals "$(sql direct 'set jit_above_cost = 0; select pg_jit_available(), count(*) from generate_series(1, 1000)')" 'f|1000'
  check "the exporter sees the server" wait_for 20 in_container exporter bash -c 'curl -fsS http://127.0.0.1:9187/metrics | grep -x "pg_up 1"'
}

test_shutdown() {
  local seconds held outcome

  docker kill --signal HUP "$(container pgbouncer)" >/dev/null
  check "pgbouncer reloads its configuration on SIGHUP" wait_for 5 has_logged pgbouncer 'got SIGHUP, re-reading config'
  hold pooled 3
  seconds=$(stop_seconds pgbouncer)
  held_outcome
  check "a stopping pgbouncer lets a transaction finish" equals "$outcome" finished
  check "and stops when it has finished" at_most "$seconds" 6
  check "without an error" equals "$(docker inspect --format '{{.State.ExitCode}}' "$(container pgbouncer)")" 0
  docker rm "$(container pgbouncer)" >/dev/null

  start_pgbouncer 3
  check "pgbouncer starts again" wait_for 10 sql pooled 'select 1'
  hold pooled 50
  seconds=$(stop_seconds pgbouncer)
  held_outcome
  check "a stopping pgbouncer ends a long transaction" equals "$outcome" broken
  check "after its time to drain" at_least "$seconds" 3
  check "and not much later" at_most "$seconds" 6

  hold routed 3
  seconds=$(stop_seconds haproxy)
  held_outcome
  check "a stopping haproxy lets a transaction finish" equals "$outcome" finished
  check "and stops when it has finished" at_most "$seconds" 6
  docker start "$(container haproxy)" >/dev/null
  check "haproxy starts again" wait_for 10 sql routed 'select 1'
  hold routed 50
  seconds=$(stop_seconds haproxy)
  held_outcome
  check "a stopping haproxy ends a long transaction" equals "$outcome" broken
  check "after its hard-stop-after" at_most "$seconds" 9

  check "exporter stops in time" at_most "$(stop_seconds exporter)" 5
  check "etcd holds the leader key" equals "$(leader_key)" node1
  check "patroni stops in time" at_most "$(stop_seconds patroni)" 20
  check "patroni has released the leader key" equals "$(leader_key)" ''
  check "PostgreSQL was shut down cleanly" cleanly_shut_down
  docker start "$(container patroni)" >/dev/null
  check "the row is still there after a restart" wait_for 40 equals_kept
  stop_seconds patroni >/dev/null
  check "etcd stops in time" at_most "$(stop_seconds etcd)" 10
}

has_logged() { docker logs "$(container "$1")" 2>&1 | grep --fixed-strings "$2"; }
leader_key() { in_container etcd etcdctl get /service/test/leader --print-value-only; }
equals_kept() { equals "$(sql direct 'select word from kept')" x; }
cleanly_shut_down() {
  docker run --rm "${HARDENED[@]}" --volume "$RUN_ID-patroni:/var/lib/postgresql" "$(local_name patroni)" \
    pg_controldata "/var/lib/postgresql/$POSTGRES_MAJOR/main" | grep -E 'Database cluster state: +shut down$'
}
