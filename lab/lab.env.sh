# shellcheck shell=bash disable=SC2034
# The lab's constants, sourced by its scripts and by everything else that needs an address, a name or a path of the lab.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-postgres-ha
LAB_HOME=${XDG_STATE_HOME:-$HOME/.local/state}/pulumi-postgres-ha
LAB_BASE_IMAGE=debian:trixie-slim
LAB_IMAGE_PREFIX=pgha-lab # the part before the slash in the names of the lab's own images
LAB_HOSTS=(db1 db2 db3)
LAB_SPARE_HOSTS=(db4 db5) # up.sh starts them where it is asked to
LAB_ALL_HOSTS=("${LAB_HOSTS[@]}" "${LAB_SPARE_HOSTS[@]}")

# LAB_NAME is the network's name, and the prefix of every container and volume. The lab's own test has a lab of its own beside the
# one where a cluster may be running.
case ${LAB_INSTANCE:=lab} in
  lab) LAB_NAME=pgha-lab LAB_STATE=$LAB_HOME LAB_PREFIX=10.77.0 LAB_PUSH_PORT=5000 ;;
  test) LAB_NAME=pgha-lab-test LAB_STATE=$LAB_HOME/test LAB_PREFIX=10.77.1 LAB_PUSH_PORT=5001 ;;
  *)
    printf "LAB_INSTANCE must be 'lab' or 'test', not '%s'\n" "$LAB_INSTANCE" >&2
    return 2
    ;;
esac

# Fixed addresses are below the range from which the engine hands out its own.
LAB_SUBNET=$LAB_PREFIX.0/24
LAB_DYNAMIC_RANGE=$LAB_PREFIX.128/25
declare -A LAB_ADDRESS=(
  [db1]=$LAB_PREFIX.11 [db2]=$LAB_PREFIX.12 [db3]=$LAB_PREFIX.13 [db4]=$LAB_PREFIX.14 [db5]=$LAB_PREFIX.15
)

# The hosts pull from LAB_REGISTRY. This machine pushes to LAB_REGISTRY_PUSH, the same registry: every engine accepts plain HTTP
# on a loopback address without being configured for it.
LAB_REGISTRY_ADDRESS=$LAB_PREFIX.2
LAB_REGISTRY=$LAB_REGISTRY_ADDRESS:5000
LAB_REGISTRY_PUSH=127.0.0.1:$LAB_PUSH_PORT
LAB_REGISTRY_CONTAINER=$LAB_NAME-registry

LAB_SSH=$LAB_STATE/ssh
LAB_SSH_CONFIG=$LAB_SSH/config
LAB_SSH_KEY=$LAB_SSH/id_ed25519
LAB_SSH_KNOWN_HOSTS=$LAB_SSH/known_hosts
LAB_SSH_AGENT=$LAB_SSH/agent.sock
LAB_SSH_AGENT_PID=$LAB_SSH/agent.pid
LAB_IMAGES=$LAB_STATE/images.json # what images/build.sh pushed
LAB_PULUMI_BACKEND=$LAB_STATE/backend
LAB_PULUMI_PASSPHRASE=$LAB_STATE/passphrase

# A host's container and its volume have the same name.
lab_container() { printf '%s-%s\n' "$LAB_NAME" "$1"; }
lab_host_key() { printf '%s/%s_host_ed25519_key\n' "$LAB_SSH" "$1"; }
