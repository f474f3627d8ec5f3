import { DcsKind, PostgresClusterArgs } from "../../components";
import { checkCluster } from "../../components/checks/cluster";
import { checkExternalEtcd } from "../../components/checks/dcs";
import { checkPatroni } from "../../components/checks/patroni";
import { clusterArgs, hostArgs, hostConnections, images, swarmTarget } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

const check = (changes: Partial<PostgresClusterArgs>) => checkCluster("pg", clusterArgs(changes));
const urls = (...endpoints: string[]) => ({ endpoints });

describe("checks/dcs", () => {
    const external = { externalEtcd: urls("http://192.0.2.21:2379", "http://192.0.2.22:2379") };
    const { etcd: _etcd, consul: _consul, ...withoutStores } = images;

    const allowed: { [what: string]: Partial<PostgresClusterArgs> } = {
        "an etcd that is there already, without an image of etcd": { ...external, images: withoutStores },
        "Consul without an image of etcd": { consul: {}, images: { ...withoutStores, consul: images.consul } },
        "Consul on other ports": { consul: { httpPort: 18500, serverPort: 18300, gossipPort: 18301 } },
    };
    for (const [what, changes] of Object.entries(allowed)) {
        it(`takes ${what}`, () => expectProblems(check(changes), {}));
    }

    describe("the choice of a store", () => {
        refuses(check, [
            {
                name: "two of them",
                given: { etcd: {}, ...external },
                problems: { externalEtcd: "together with etcd; Patroni uses one store only" },
            },
            {
                name: "all of them",
                given: { etcd: {}, consul: {}, ...external },
                problems: { consul: "together with etcd and externalEtcd" },
            },
            {
                name: "etcd without its image",
                given: { images: withoutStores },
                problems: { "images.etcd": "none was given" },
            },
            {
                name: "Consul without its image",
                given: { consul: {}, images: withoutStores },
                problems: { "images.consul": "none was given" },
            },
        ]);
    });

    describe("an etcd that is there already", () => {
        const wrong: { [url: string]: string } = {
            "192.0.2.21:2379": "a URL such as",
            "http://192.0.2.21": "a URL such as",
            "http://admin:word@192.0.2.21:2379": "a URL such as",
            "http://192.0.2.21:2379/v2": "a URL such as",
            "http://192.0.2.300:2379": "an IPv4 address or a host name",
            "http://127.0.0.1:2379": "can't reach this host there",
            "http://192.0.2.21:70000": "from 1 to 65535",
        };
        for (const [url, reason] of Object.entries(wrong)) {
            it(`refuses ${url}`, () =>
                expectProblems(checkExternalEtcd("externalEtcd", urls(url)), { "externalEtcd.endpoints[0]": reason }));
        }
        refuses(
            (args: { endpoints: string[] }) => checkExternalEtcd("externalEtcd", args),
            [
                { name: "none", given: urls(), problems: { "externalEtcd.endpoints": "none was given" } },
                {
                    name: "both schemes",
                    given: urls("http://192.0.2.21:2379", "https://192.0.2.22:2379"),
                    problems: { "externalEtcd.endpoints": "both http and https" },
                },
                {
                    name: "one twice",
                    given: urls("http://192.0.2.21:2379", "http://192.0.2.21:2379"),
                    problems: { "externalEtcd.endpoints[1]": "each member has a URL of its own" },
                },
            ],
        );
    });

    describe("Consul", () => {
        const on = (...hosts: string[]) => ({ members: Object.fromEntries(hosts.map((host) => [host, { host }])) });
        refuses(check, [
            {
                name: "an even number of servers",
                given: { hosts: hostArgs(2), consul: {} },
                problems: { "consul.members": "2 members were given" },
            },
            {
                name: "two servers on one host",
                given: {
                    hosts: hostArgs(1),
                    consul: { members: { a: { host: "db1" }, b: { host: "db1" }, c: { host: "db1" } } },
                },
                problems: { "consul.members.c": 'are both on host "db1"' },
            },
            {
                name: "a node on a host without a server",
                given: { consul: on("db1") },
                problems: {
                    "patroni.nodes.db2.host": "no Consul server runs there",
                    "patroni.nodes.db3.host": "no Consul server runs there",
                },
            },
            {
                name: "a port that PostgreSQL has",
                given: { consul: { httpPort: 5432 } },
                problems: { "patroni.postgresPort": "port 5432 is given for consul.httpPort and patroni.postgresPort" },
            },
            {
                name: "an unknown host",
                given: { hosts: hostArgs(1), consul: on("db1", "db8", "db9") },
                problems: {
                    "consul.members.db8.host": '"db8" was given; a known host',
                    "consul.members.db9.host": '"db9" was given; a known host',
                },
            },
        ]);
    });

    it("refuses a group whose store knows other hosts", () => {
        const problems = checkPatroni("patroni", {
            target: swarmTarget(),
            hosts: hostConnections(),
            memoryMiB: 4096,
            nodes: { a: { host: "db1" }, b: { host: "db2" } },
            dcs: { dcsKind: DcsKind.Consul, dcsSettings: {}, dcsHostSettings: { db1: {} } },
            settings: {},
            passwords: { superuser: "", replication: "", rewind: "", api: "", salt: "" },
            image: "",
        });
        expectProblems(problems, { "patroni.nodes.b.host": "no Consul server runs there" });
    });
});
