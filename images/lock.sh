#!/usr/bin/env bash
# Usage: images/lock.sh
# Writes patroni/requirements.txt: Patroni's version from versions.env and all its dependencies, each with version and hashes,
# as the Python of the image resolves them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly PIP_TOOLS_VERSION=7.6.2
require_docker
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/ca"
copy_ca_bundle "$scratch/ca"

log lock "resolving Patroni $PATRONI_VERSION in $DEBIAN_IMAGE, about a minute"
docker run --rm --interactive --volume "$scratch/ca:/ca:ro" \
  --env "PIP_TOOLS=pip-tools==$PIP_TOOLS_VERSION" --env "PATRONI=patroni[etcd3,consul]==$PATRONI_VERSION" \
  "$DEBIAN_IMAGE" bash -euo pipefail >"$scratch/requirements.txt" 2>"$scratch/log" <<'RESOLVE' || resolved=no
if [ -s /ca/ca-certificates.crt ]; then export PIP_CERT=/ca/ca-certificates.crt; fi
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1
{
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends python3-venv
  python3 -m venv /tools
  /tools/bin/pip install --quiet "$PIP_TOOLS"
  echo "$PATRONI" >/tmp/requirements.in
  cd /tmp
  /tools/bin/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url \
    --output-file requirements.txt requirements.in
} </dev/null >&2
echo '# Written by images/lock.sh.'
cat /tmp/requirements.txt
RESOLVE
if [[ -n ${resolved:-} ]]; then
  tail -n 20 "$scratch/log" >&2
  fail "the dependencies of Patroni $PATRONI_VERSION could not be resolved; the last lines of the log are above"
fi
cp "$scratch/requirements.txt" "$IMAGES_DIR/patroni/requirements.txt"
log lock "wrote patroni/requirements.txt; build and test the images with it"
