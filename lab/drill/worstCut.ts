import { defaultPorts, workloadNames } from "../../components/defaults";
import { leadEtcdFrom } from "../../test/lab/helpers/etcd";
import { scriptOnHost } from "../../test/lab/helpers/hosts";
import { readSettings } from "../../test/lab/helpers/settings";

const port = defaultPorts.etcdClient;

/**
 * Prepares the cut that Patroni takes longest to notice: both leaders are on one host, and Patroni is connected to that host's member of etcd.
 * That one renews Patroni's lock for a moment after the cut.
 */
export async function bringLeadersTogether(host: string): Promise<void> {
    await leadEtcdFrom(host);
    await scriptOnHost(host, ownEtcdOnly(host));
}

/** Turns connections to the other members away until those to the own one are the only ones. */
function ownEtcdOnly(host: string): string {
    const { clusterName, hosts } = readSettings();
    const others = Object.entries(hosts).flatMap(([key, { address }]) => (key === host ? [] : [address]));
    return `
patroni=$(docker ps --quiet --filter label=pgha.workload=${clusterName}-${workloadNames.patroni(host)})
pid=$(docker inspect --format '{{.State.Pid}}' "$patroni")
inside() { nsenter --target "$pid" --net "$@"; }
turn_away() {
  for address in ${others.join(" ")}; do
    inside iptables --wait "$1" OUTPUT --destination "$address" --protocol tcp --dport ${port} --jump REJECT --reject-with tcp-reset || failed=1
  done
}
failed=0
trap 'turn_away --delete' EXIT
turn_away --insert
[ "$failed" -eq 0 ]
for attempt in {1..150}; do
  open=$(inside ss --no-header --tcp --numeric state established dport = :${port})
  ! grep --quiet --invert-match ' ${hosts[host]?.address}:${port} *$' <<<"$open" && exit
  sleep 0.2
done
echo "Patroni's connections to etcd are still $open" >&2
exit 1`;
}
