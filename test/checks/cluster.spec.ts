import { expect } from "chai";
import { PostgresClusterArgs, PublishMode } from "../../components";
import { checkCluster, clusterWarnings } from "../../components/checks/cluster";
import { clusterArgs, hostArgs, image, images } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

type Changes = Partial<PostgresClusterArgs>;

const check = (changes: Changes) => checkCluster("pg", clusterArgs(changes));
const hosts = hostArgs();
const hostWith = (key: string, changes: object): Changes => ({
    hosts: { ...hosts, [key]: { ...hostArgs()[key], ...changes } as (typeof hosts)[string] },
});
const rack = (key: string, value: string, placementLabel?: string) => ({
    ...hosts[key],
    ...{ address: hosts[key]?.address ?? "", memoryMiB: 4096, labels: { rack: value }, placementLabel },
});

describe("checks/cluster", () => {
    it("takes three hosts and nothing else", () => expectProblems(check({}), {}));

    it("takes a cluster with everything set", () => {
        const args: Changes = {
            hosts: hostArgs(5),
            network: { name: "databases", subnet: "10.1.0.0/16", enableEncryption: false },
            etcd: { members: { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db3" } }, clientPort: 12379 },
            patroni: {
                synchronousModeStrict: true,
                synchronousNodeCount: 4,
                parameters: { "auto_explain.log_nested": true },
            },
            haproxy: { hosts: ["db1", "db2"], ports: { readWrite: 15432 } },
            pgbouncer: { hosts: ["db4", "db5"], defaultPoolSize: 30 },
            applications: { shop: { database: "Shop Ünï", owner: "o'brien", schemas: ["a b"] }, blog: {} },
            dataRoot: "/data/pg",
        };
        expectProblems(check(args), {});
    });

    it("refuses an absent node that there isn't", () => {
        expectProblems(check({ patroni: { absentNodes: ["db1", "db9"] } }), {
            "patroni.absentNodes": '"db9" was given; keys of nodes are allowed: db1, db2, db3',
        });
    });

    describe("etcd members", () => {
        const members = (...keys: string[]) => ({
            etcd: { members: Object.fromEntries(keys.map((key) => [key, { host: key }])) },
        });
        refuses(check, [
            {
                name: "an even number",
                given: members("db1", "db2"),
                problems: { "etcd.members": /^2 members .* odd number from 1 to 7/ },
            },
            { name: "none", given: { etcd: { members: {} } }, problems: { "etcd.members": "0 members were given" } },
            {
                name: "more than seven",
                given: { hosts: hostArgs(9), ...members(...Object.keys(hostArgs(9))) },
                problems: { "etcd.members": "9 members were given" },
            },
            {
                name: "an unknown host",
                given: { etcd: { members: { a: { host: "db1" }, b: { host: "db9" }, c: { host: "db3" } } } },
                problems: { "etcd.members.b.host": '"db9" was given; a known host is allowed: db1, db2, db3' },
            },
            {
                name: "two on one host",
                given: { etcd: { members: { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db2" } } } },
                problems: { "etcd.members.c": 'etcd.members.b and etcd.members.c are both on host "db2"' },
            },
        ]);
    });

    describe("nodes", () => {
        const oneMember = { members: { db1: { host: "db1" } } };
        const nodes = (placed: { [key: string]: string }): Changes => ({
            patroni: { nodes: Object.fromEntries(Object.entries(placed).map(([key, host]) => [key, { host }])) },
            etcd: oneMember,
        });
        refuses(check, [
            {
                name: "two nodes on one host",
                given: nodes({ a: "db1", b: "db2", c: "db1" }),
                problems: { "patroni.nodes.c": 'patroni.nodes.a and patroni.nodes.c are both on host "db1"' },
            },
            {
                name: "two nodes whose hosts have the same label value",
                given: { hosts: { ...hosts, db1: rack("db1", "7", "rack"), db2: rack("db2", "7", "rack") } },
                problems: {
                    "etcd.members.db2": 'have the same placement "rack==7"',
                    "patroni.nodes.db2": 'have the same placement "rack==7"',
                },
            },
            {
                name: "a host that carries the label by which another's members are placed",
                given: { hosts: { ...hosts, db1: rack("db1", "7", "rack"), db2: rack("db2", "7") } },
                problems: { 'hosts.db2.labels["rack"]': 'it places the members of host "db1"' },
            },
            {
                name: "a node on an unknown host, once",
                given: {
                    patroni: {
                        nodes: { a: { host: "db1" }, b: { host: "db2" }, c: { host: "db7" } },
                    },
                },
                problems: { "patroni.nodes.c.host": '"db7" was given; a known host is allowed: db1, db2, db3' },
            },
            {
                name: "no node",
                given: { patroni: { nodes: {} }, etcd: oneMember },
                problems: { "patroni.nodes": "0 was given; a whole number from 1 to 32" },
            },
        ]);
    });

    describe("entry points and manager", () => {
        refuses(check, [
            {
                name: "an unknown manager",
                given: { swarm: { manager: "db4" } },
                problems: { "swarm.manager": '"db4" was given' },
            },
            {
                name: "an unknown host of HAProxy",
                given: { haproxy: { hosts: ["db1", "web1"] } },
                problems: { "haproxy.hosts[1]": '"web1" was given; a known host is allowed' },
            },
            {
                name: "a host of PgBouncer that stands twice",
                given: { pgbouncer: { hosts: ["db1", "db1"] } },
                problems: { "pgbouncer.hosts": '"db1" was given more than once' },
            },
            {
                name: "no host of HAProxy",
                given: { haproxy: { hosts: [] } },
                problems: { "haproxy.hosts": "no host was given" },
            },
        ]);
    });

    describe("ports", () => {
        refuses(check, [
            {
                name: "overlapping ports on one host",
                given: { haproxy: { ports: { readWrite: 5432 } } },
                problems: {
                    "haproxy.ports.readWrite":
                        /^port 5432 is given for patroni\.postgresPort and haproxy\.ports\.readWrite, and both run on host "db1"/,
                },
            },
            {
                name: "two settings with the same port",
                given: { haproxy: { ports: { any: 7000 } } },
                problems: { "haproxy.ports.statistics": "haproxy.ports.any and haproxy.ports.statistics" },
            },
            {
                name: "a port of Swarm itself",
                given: { pgbouncer: { port: 2377 } },
                problems: { "pgbouncer.port": "Swarm itself uses it" },
            },
            {
                name: "a port that is none",
                given: { exporter: { port: 65536 } },
                problems: { "exporter.port": "from 1 to 65535" },
            },
            {
                name: "an ingress port that a member has on another host",
                given: {
                    hosts: hostArgs(4),
                    patroni: { nodes: { a: { host: "db1" } } },
                    haproxy: { hosts: ["db4"], ports: { readWrite: 5432 } },
                    swarm: { manager: "db1", publishMode: PublishMode.Ingress },
                },
                problems: { "haproxy.ports.readWrite": "port 5432 is given for" },
            },
        ]);

        it("takes the same port on different hosts", () => {
            const given = {
                hosts: hostArgs(4),
                patroni: { nodes: { a: { host: "db1" } } },
                haproxy: { hosts: ["db4"], ports: { readWrite: 5432 } },
            };
            expectProblems(check(given), {});
        });
    });

    describe("hosts", () => {
        refuses(check, [
            {
                name: "two hosts with one address",
                given: hostWith("db2", { address: "192.0.2.11" }),
                problems: { "hosts.db2.address": '"192.0.2.11" stands in hosts.db1.address and hosts.db2.address' },
            },
            {
                name: "two hosts with one node name",
                given: hostWith("db2", { nodeName: "db1" }),
                problems: { "hosts.db2.nodeName": "each host needs its own" },
            },
        ]);
    });

    describe("network", () => {
        refuses(check, [
            {
                name: "a subnet that is none",
                given: { network: { subnet: "10.0.20" } },
                problems: { "network.subnet": '"10.0.20" was given; an IPv4 network' },
            },
        ]);

        it("refuses a subnet that holds hosts", () => {
            const problems = check({ network: { subnet: "192.0.2.0/24" } });
            expect(problems.map(({ path }) => path)).to.deep.equal(Array(3).fill("network.subnet"));
            expect(problems[1]?.reason).to.equal(
                "192.0.2.0/24 contains the host address 192.0.2.12; a range that no host lies in is allowed",
            );
        });
    });

    describe("names", () => {
        refuses(check, [
            {
                name: "a data root that is no absolute path",
                given: { dataRoot: "srv/pg" },
                problems: { dataRoot: '"srv/pg" was given' },
            },
            {
                name: "a data root that climbs up",
                given: { dataRoot: "/srv/../etc" },
                problems: { dataRoot: "an absolute path" },
            },
            {
                name: "a label that Docker does not take",
                given: { labels: { "a b": "c" } },
                problems: { labels: '"a b" was given' },
            },
            {
                name: "an image that is no reference",
                given: { images: { ...images, etcd: "etcd latest" } },
                problems: { "images.etcd": '"etcd latest" was given; a reference such as' },
            },
            {
                name: "an image that is left empty",
                given: { images: { ...images, etcd: "" } },
                problems: { "images.etcd": '"" was given' },
            },
        ]);

        it("refuses a cluster name that is no DNS label, and one that leaves no room", () => {
            expectProblems(checkCluster("My_Cluster", clusterArgs()), {
                clusterName: '"My_Cluster" was given; lower-case',
            });
            expectProblems(checkCluster("c".repeat(40), clusterArgs()), {
                clusterName: "has 40 characters; at most 35",
            });
        });
    });

    describe("pool sizes", () => {
        const applications = { shop: {}, blog: {} };
        refuses(check, [
            {
                name: "pool sizes that exceed max_connections",
                given: { applications, pgbouncer: { defaultPoolSize: 31 } },
                problems: {
                    "pgbouncer.defaultPoolSize":
                        /^31 was given; 3 PgBouncers with 2 databases could then open 186 connections, .* 180; at most 30/,
                },
            },
            {
                name: "more databases than any pool size could serve",
                given: { applications, patroni: { parameters: { max_connections: 25 } } },
                problems: { "pgbouncer.defaultPoolSize": /is 5; raise max_connections$/ },
            },
        ]);

        it("takes what just fits", () =>
            expectProblems(check({ applications, pgbouncer: { defaultPoolSize: 30 } }), {}));
    });

    it("tells all problems at once", () => {
        const args = clusterArgs({
            hosts: { ...hosts, db3: { ...rack("db3", "x"), address: "no address" } },
            swarm: { manager: "db9" },
            network: { subnet: "10.0.0.1/8" },
            etcd: { members: { a: { host: "db1" }, b: { host: "db2" } } },
            patroni: { retryTimeoutSeconds: 20, synchronousNodeCount: 3, parameters: { shared_buffers: "4GB" } },
            haproxy: { ports: { any: 70000 } },
            applications: { shop: { owner: "postgres" } },
        });
        expectProblems(checkCluster("PG", args), {
            clusterName: '"PG"',
            "hosts.db3.address": '"no address"',
            "swarm.manager": '"db9"',
            "network.subnet": "bits after the prefix",
            "etcd.members": "2 members",
            "patroni.ttlSeconds": "5 + 2 * 20 = 45 > 30",
            "patroni.synchronousNodeCount": "3 was given",
            "patroni.parameters.shared_buffers": "4GB was given",
            "haproxy.ports.any": "70000 was given",
            "applications.shop.owner": '"postgres" is the cluster\'s',
        });
    });

    describe("warnings", () => {
        it("has none for pinned hosts and images", () => expectProblems(clusterWarnings(clusterArgs()), {}));

        it("tells of a missing host key, an image without digest, a single entry point and late demotion", () => {
            const args = clusterArgs({
                ...hostWith("db2", { ssh: {}, sshAddress: "198.51.100.2" }),
                images: { ...images, haproxy: "registry.example.com/haproxy:3.0" },
                pgbouncer: { hosts: ["db1"] },
                patroni: { retryTimeoutSeconds: 10 },
            });
            expectProblems(clusterWarnings(args), {
                "hosts.db2.ssh.hostKey": "ssh-keyscan -t ed25519 198.51.100.2",
                "images.haproxy": '"registry.example.com/haproxy:3.0" has no digest',
                "pgbouncer.hosts": "one host is given",
                "patroni.ttlSeconds": "30 is less than the 34 seconds",
            });
            expectProblems(checkCluster("pg", args), {});
        });

        it("says nothing of an image by digest", () => {
            expectProblems(clusterWarnings(clusterArgs({ images: { ...images, etcd: image("etcd") } })), {});
        });
    });
});
