import { PostgresClusterArgs } from "../../components";
import { checkCluster } from "../../components/checks/cluster";
import { clusterArgs, hostArgs } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

type Changes = Partial<PostgresClusterArgs>;

const check = (changes: Changes) => checkCluster("pg", clusterArgs(changes));
const pooled = { ports: { pooled: 6432 } };

/** Three hosts, each with these labels. */
const labelled = (...labels: { [name: string]: string }[]): Changes["hosts"] =>
    Object.fromEntries(
        Object.entries(hostArgs()).map(([key, host], index) => [key, { ...host, labels: labels[index] ?? {} }]),
    );

describe("checks of routing", () => {
    it("takes HAProxy's pooled port on PgBouncer's number, since PgBouncer then publishes none", () =>
        expectProblems(check({ haproxy: pooled }), {}));

    it("takes a port of a part that is not made", () =>
        expectProblems(
            check({
                pgbouncer: { enabled: false },
                exporter: { enabled: false },
                haproxy: { ports: { readWrite: 6432, readOnly: 9187 } },
            }),
            {},
        ));

    it("takes a network that is there already beside PgBouncer's own", () =>
        expectProblems(
            check({ haproxy: pooled, network: { existingNetworkId: "n1", poolerSubnet: "10.0.20.0/24" } }),
            {},
        ));

    refuses(check, [
        {
            name: "a pooled port without PgBouncer",
            given: { haproxy: pooled, pgbouncer: { enabled: false } },
            problems: { "haproxy.ports.pooled": "6432 was given, but pgbouncer.enabled is false" },
        },
        {
            name: "a port of PgBouncer's own behind HAProxy",
            given: { haproxy: pooled, pgbouncer: { port: 6433 } },
            problems: { "pgbouncer.port": "6433 was given beside haproxy.ports.pooled" },
        },
        {
            name: "more PgBouncers than HAProxy looks for",
            given: { hosts: hostArgs(9), haproxy: pooled, etcd: { members: { db1: { host: "db1" } } } },
            problems: { "pgbouncer.hosts": "9 hosts were given; HAProxy balances over at most 8" },
        },
        {
            name: "a pooled port that another part has",
            given: { haproxy: { ports: { pooled: 5433 } } },
            problems: {
                "haproxy.ports.pooled": /port 5433 is given for haproxy\.ports\.readWrite and haproxy\.ports\.pooled/,
            },
        },
        {
            name: "a range for a network that is not made",
            given: { network: { poolerSubnet: "10.5.0.0/24" } },
            problems: { "network.poolerSubnet": '"10.5.0.0/24" was given; it needs haproxy.ports.pooled' },
        },
        {
            name: "a range that both networks have",
            given: { haproxy: pooled, network: { poolerSubnet: "10.0.20.128/25" } },
            problems: { "network.poolerSubnet": "10.0.20.128/25 overlaps network.subnet 10.0.20.0/24" },
        },
        {
            name: "a range that a host lies in",
            given: { hosts: hostArgs(1), haproxy: pooled, network: { poolerSubnet: "192.0.2.0/28" } },
            problems: { "network.poolerSubnet": "192.0.2.0/28 contains the host address 192.0.2.11" },
        },
        {
            name: "a range that is none",
            given: { haproxy: pooled, network: { poolerSubnet: "10.0.0.1/24" } },
            problems: { "network.poolerSubnet": '"10.0.0.1/24" was given' },
        },
        {
            name: "a label that a member's host lacks",
            given: { hosts: labelled({ pg: "1" }, { pg: "1" }), patroni: { placementLabel: "pg" } },
            problems: {
                "patroni.placementLabel": '"pg" was given; a label that each of its hosts has is allowed: "db3"',
            },
        },
        {
            name: "a label that no host of etcd has",
            given: { etcd: { placementLabel: "etcd" } },
            problems: { "etcd.placementLabel": '"db1", "db2", "db3" lacks it' },
        },
        {
            name: "HAProxy on hosts with different values",
            given: { hosts: labelled({ edge: "1" }, { edge: "2" }), haproxy: { placementLabel: "edge" } },
            problems: { "haproxy.placementLabel": '"1" on db1, "2" on db2; one value on all its hosts is allowed' },
        },
        {
            name: "PgBouncer by a label that no host has",
            given: { pgbouncer: { placementLabel: "edge" } },
            problems: { "pgbouncer.placementLabel": '"edge" was given; a label that at least one host has is allowed' },
        },
        {
            name: "a label of HAProxy that is the library's own",
            given: { haproxy: { labels: { "pgha.cluster": "x" } } },
            problems: { "haproxy.labels": '"pgha.cluster" was given; names of "pgha." and of Docker itself are taken' },
        },
        {
            name: "a label of HAProxy that the cluster has",
            given: { labels: { team: "data" }, haproxy: { labels: { team: "web" } } },
            problems: { "haproxy.labels": '"team" was given; the cluster\'s labels have it already' },
        },
    ]);
});
