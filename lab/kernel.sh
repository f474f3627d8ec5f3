#!/usr/bin/env bash
# Says which of Swarm's network features this machine's kernel can do, by trying them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'USAGE'
Usage: lab/kernel.sh [--json]

  --json  print {"ipVs": BOOLEAN, "esp": BOOLEAN}
USAGE
}

# A fresh network namespace shows what the kernel can do and leaves the machine's own settings alone.
in_fresh_network() { as_root unshare --net -- "$@" >/dev/null 2>&1; }

has_ip_vs() {
  as_root modprobe --quiet ip_vs 2>/dev/null || true # may be built in
  in_fresh_network test -e /proc/net/ip_vs
}

# The cipher is the one that Docker's overlay networks use.
has_esp() {
  in_fresh_network ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 mode transport \
    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 64
}

json=
case ${1:-} in
  '') ;;
  --json) json=yes ;;
  -h | --help) usage && exit ;;
  *) usage_error "unknown option: $1" ;;
esac

ip_vs=false esp=false
has_ip_vs && ip_vs=true
has_esp && esp=true

if [[ -n $json ]]; then
  printf '{"ipVs": %s, "esp": %s}\n' "$ip_vs" "$esp"
  exit
fi
if [[ $ip_vs == true ]]; then
  printf 'IP_VS: there. Services may use virtual addresses (vip) and the ingress mesh.\n'
else
  printf 'IP_VS: missing. Services must use DNS round robin (dnsrr) and publish ports on the host.\n'
fi
if [[ $esp == true ]]; then
  printf 'ESP:   there. Overlay networks may be encrypted.\n'
else
  printf 'ESP:   missing. Overlay networks must be unencrypted.\n'
fi
