import { PostgresClusterArgs } from "../../components";
import { checkCluster } from "../../components/checks/cluster";
import { clusterArgs, dockerHostsArgs, hostArgs, singleHostArgs } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

type Changes = Partial<PostgresClusterArgs>;

const check = (args: PostgresClusterArgs) => checkCluster("pg", args);
const onHosts = (changes: Changes) => check(dockerHostsArgs(changes));
const onOneHost = (changes: Changes) => check(singleHostArgs(changes));
const db1 = { address: "192.0.2.11", memoryMiB: 4096 };
const node = (address: string) => ({ patroni: { nodes: { a: { host: "db1", address } } } });

describe("checks/dockerHosts", () => {
    it("takes plain Docker hosts, several or one", () => {
        expectProblems(onHosts({ dockerHosts: { subnet: "172.19.0.0/24" }, dataVolumes: true }), {});
        expectProblems(onOneHost({}), {});
    });

    it("takes members of one host on ports of their own", () => {
        const nodes = Object.fromEntries(
            [0, 1, 2].map((n) => [
                `n${n}`,
                { host: "db1", ports: { postgres: 5442 + n, api: 8001 + n, exporter: 9188 + n } },
            ]),
        );
        expectProblems(onOneHost({ dockerHosts: {}, etcd: {}, patroni: { nodes }, haproxy: {} }), {});
    });

    describe("platform", () => {
        refuses(check, [
            {
                name: "neither",
                given: { hosts: hostArgs(), images: clusterArgs().images },
                problems: { swarm: "neither was given; exactly one of swarm and dockerHosts is allowed" },
            },
            { name: "both", given: clusterArgs({ dockerHosts: {} }), problems: { swarm: "both were given" } },
        ]);
        refuses(onHosts, [
            {
                name: "settings of the overlay",
                given: { network: { enableEncryption: true } },
                problems: { network: "only dockerHosts.subnet is allowed" },
            },
            {
                name: "labels of Swarm nodes",
                given: {
                    etcd: { placementLabel: "a" },
                    patroni: { placementLabel: "a" },
                    haproxy: { placementLabel: "a" },
                    pgbouncer: { placementLabel: "a" },
                },
                problems: {
                    "etcd.placementLabel": "with dockerHosts there are none",
                    "patroni.placementLabel": "with dockerHosts there are none",
                    "haproxy.placementLabel": "with dockerHosts there are none",
                    "pgbouncer.placementLabel": "with dockerHosts there are none",
                },
            },
            {
                name: "PgBouncer behind HAProxy",
                given: { haproxy: { ports: { pooled: 6432 } } },
                problems: { "haproxy.ports.pooled": "6432 was given; HAProxy finds PgBouncer on a Swarm's overlay" },
            },
            { name: "Consul", given: { consul: {} }, problems: { consul: "only etcd is allowed" } },
            {
                name: "what is a Swarm node's",
                given: {
                    hosts: {
                        ...hostArgs(),
                        db1: { ...db1, nodeName: "a", labels: { rack: "1" }, placementLabel: "rack" },
                    },
                },
                problems: {
                    "hosts.db1.nodeName": "there is none",
                    "hosts.db1.labels": "there is none",
                    "hosts.db1.placementLabel": "there is none",
                },
            },
            {
                name: "a subnet that is none",
                given: { dockerHosts: { subnet: "172.19.0.1/24" } },
                problems: { "dockerHosts.subnet": "must be zero" },
            },
            {
                name: "a subnet around a host",
                given: { hosts: { db1 }, dockerHosts: { subnet: "192.0.2.0/24" } },
                problems: { "dockerHosts.subnet": "contains the host address" },
            },
        ]);
    });

    describe("two members on one host", () => {
        const two = { a: { host: "db1" }, b: { host: "db1" }, c: { host: "db2" } };
        refuses(onHosts, [
            {
                name: "while there are other hosts",
                given: { patroni: { nodes: two }, etcd: { members: two } },
                problems: { "patroni.nodes.b": 'both on host "db1"', "etcd.members.b": 'both on host "db1"' },
            },
        ]);
        refuses(onOneHost, [
            {
                name: "on the same ports of the only one",
                given: {
                    etcd: {
                        members: { a: { host: "db1" }, b: { host: "db1" }, c: { host: "db1", address: "172.19.0.9" } },
                    },
                },
                problems: {
                    "etcd.members.b.ports.client": "port 2379 is given for etcd.members.a.ports.client and",
                    "etcd.members.b.ports.peer": "port 2380",
                    "etcd.members.b.ports.metrics": "port 2381",
                },
            },
        ]);
    });

    describe("an own address", () => {
        refuses(onOneHost, [
            {
                name: "outside the subnet",
                given: node("172.20.0.5"),
                problems: { "patroni.nodes.a.address": "outside" },
            },
            {
                name: "that is the network's",
                given: node("172.19.0.0"),
                problems: { "patroni.nodes.a.address": "the network's own" },
            },
            {
                name: "that is the gateway's",
                given: node("172.19.0.1"),
                problems: { "patroni.nodes.a.address": "the gateway" },
            },
            {
                name: "that is for all",
                given: node("172.19.0.255"),
                problems: { "patroni.nodes.a.address": "the broadcast address" },
            },
            {
                name: "that is no address",
                given: node("db1"),
                problems: { "patroni.nodes.a.address": '"db1" was given; a free address' },
            },
            {
                name: "that another has",
                given: node("172.19.0.30"),
                problems: { "haproxy.address": "patroni.nodes.a.address and haproxy.address" },
            },
            {
                name: "without a subnet",
                given: { ...node("172.19.0.21"), etcd: {}, haproxy: {}, dockerHosts: {} },
                problems: { "patroni.nodes.a.address": "needs dockerHosts with a subnet" },
            },
        ]);
        refuses(onHosts, [
            {
                name: "on several hosts",
                given: { dockerHosts: { subnet: "172.19.0.0/24" }, pgbouncer: { address: "172.19.0.5" } },
                problems: { "pgbouncer.address": "exactly one host" },
            },
        ]);
        refuses(
            (changes: Changes) => check(clusterArgs(changes)),
            [
                {
                    name: "on a Swarm",
                    given: { haproxy: { address: "172.19.0.5" } },
                    problems: { "haproxy.address": "needs dockerHosts" },
                },
            ],
        );
    });

    describe("ports of one member", () => {
        refuses(onHosts, [
            {
                name: "that are none",
                given: { patroni: { nodes: { a: { host: "db1", ports: { api: 0, exporter: 70000 } } } } },
                problems: {
                    "patroni.nodes.a.ports.api": "from 1 to 65535",
                    "patroni.nodes.a.ports.exporter": "from 1 to 65535",
                },
            },
            {
                name: "that another part of the host has",
                given: { patroni: { nodes: { a: { host: "db1", ports: { postgres: 5433 } } } } },
                problems: { "haproxy.ports.readWrite": "port 5433 is given for patroni.nodes.a.ports.postgres and" },
            },
        ]);
    });

    describe("memory", () => {
        refuses(onHosts, [
            {
                name: "reservations that a host can't hold",
                given: { patroni: { resources: { memoryReservationMiB: 4000, memoryLimitMiB: 4096 } } },
                problems: Object.fromEntries(
                    ["db1", "db2", "db3"].map((key) => [`hosts.${key}.memoryMiB`, "reserve 4288 MiB together"]),
                ),
            },
        ]);
    });
});
