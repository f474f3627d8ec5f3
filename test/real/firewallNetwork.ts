const addresses = { peer: 12, client: 5, monitor: 60, operator: 70, stranger: 99 };

/** Ports of the host's own programs; 22 is sshd's and 9000 somebody else's. */
const hostPorts = [22, 5433, 7000, 9000];

/**
 * A script that builds a host with a container behind a bridge, and neighbours of the host, each in a network namespace of its own. It
 * prints which ports answer whom: at first, with the rules, with the rules set again, and twice after their removal.
 */
export function firewallNetwork(rules: string, removal: string): string {
    return `
mount -t tmpfs none /run
mkdir /run/work
ip link set lo up
ip link add wire type bridge
ip link set wire up
plug() { # NAMESPACE ADDRESS
  ip netns add "$1"
  ip -n "$1" link set lo up
  ip link add "w-$1" type veth peer name eth0 netns "$1"
  ip link set "w-$1" master wire up
  ip -n "$1" address add "$2" dev eth0
  ip -n "$1" link set eth0 up
}
plug host 192.0.2.11/24
${Object.entries(addresses)
    .map(([name, last]) => `plug ${name} 192.0.2.${last}/24`)
    .join("\n")}

# A container with a published port, as Docker does it: translated before it is routed, and behind the host's address on its way out.
ip netns add container
ip -n container link set lo up
ip -n host link add docker_gwbridge type bridge
ip -n host address add 172.18.0.1/16 dev docker_gwbridge
ip -n host link set docker_gwbridge up
ip link add veth0 netns host type veth peer name eth0 netns container
ip -n host link set veth0 master docker_gwbridge up
ip netns exec host sh -c 'echo 1 >/sys/class/net/docker_gwbridge/brif/veth0/hairpin_mode' 2>/dev/null || ip netns exec host bridge link set dev veth0 hairpin on
ip -n container address add 172.18.0.2/16 dev eth0
ip -n container link set eth0 up
ip -n container route add default via 172.18.0.1
ip netns exec host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ip netns exec host nft -f - <<'END'
table ip docker {
  chain prerouting {
    type nat hook prerouting priority -100;
    fib daddr type local tcp dport 5432 dnat to 172.18.0.2:5432
  }
  chain output {
    type nat hook output priority -100;
    fib daddr type local tcp dport 5432 dnat to 172.18.0.2:5432
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 172.18.0.0/16 masquerade
  }
}
END

listen() { # NAMESPACE PORT...
  local namespace=$1
  shift
  ip netns exec "$namespace" "$NODE" -e 'for (const port of process.argv.slice(1)) require("net").createServer((s) => s.end()).listen(+port)' "$@" &
}
listen host ${hostPorts.join(" ")}
listen container 5432
trap 'kill $(jobs -p)' EXIT

answers() { # NAMESPACE: the ports of the host that answer it
  local port open=
  for port in ${[...hostPorts, 5432].sort((a, b) => a - b).join(" ")}; do
    if ip netns exec "$1" timeout 1 bash -c "</dev/tcp/192.0.2.11/$port" 2>/dev/null; then open="$open $port"; fi
  done
  printf '%s:%s\\n' "$1" "\${open# }"
}
ask_all() {
  local namespace waiting=()
  for namespace in ${[...Object.keys(addresses), "container", "host"].join(" ")}; do
    answers "$namespace" >"/run/work/$namespace" &
    waiting+=($!)
  done
  wait "\${waiting[@]}"
  cat /run/work/*
  echo --
}
until ip netns exec host timeout 1 bash -c '</dev/tcp/192.0.2.11/5432 && </dev/tcp/192.0.2.11/9000' 2>/dev/null; do sleep 0.1; done

set_rules() { ip netns exec host nft -f /run/rules; }
remove_rules() { ip netns exec host sh -eu /run/removal; }
cat >/run/rules <<'END'
${rules}END
cat >/run/removal <<'END'
${removal}
END
ask_all
set_rules
ask_all
set_rules
ask_all
remove_rules
ask_all
remove_rules
ask_all
`;
}
