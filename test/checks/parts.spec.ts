import { ApplicationArgs, HaProxySettingsArgs, PgBouncerSettingsArgs } from "../../components";
import { checkApplication, checkApplications } from "../../components/checks/applications";
import { checkEtcdSettings } from "../../components/checks/etcd";
import { checkHaProxySettings } from "../../components/checks/haProxy";
import { checkNetwork } from "../../components/checks/network";
import { checkPgBouncerSettings } from "../../components/checks/pgBouncer";
import { expectProblems, refuses } from "./problems";

describe("checks/network", () => {
    for (const subnet of ["10.0.20.0/24", "172.16.0.0/12", "10.0.0.0/8", "192.168.7.240/28"]) {
        it(`takes ${subnet}`, () => expectProblems(checkNetwork("network", { subnet }), {}));
    }
    const wrong = {
        "10.0.20.0": "an IPv4 network such as",
        "10.0.20.0/33": "an IPv4 network such as",
        "10.0.300.0/24": "an IPv4 network such as",
        "fd00::/64": "an IPv4 network such as",
        "10.0.20.0/24/1": "an IPv4 network such as",
        "10.0.20.0/30": "a prefix length from 8 to 28",
        "0.0.0.0/0": "a prefix length from 8 to 28",
        "10.0.20.1/24": "the bits after the prefix must be zero",
    };
    for (const [subnet, reason] of Object.entries(wrong)) {
        it(`refuses the subnet ${subnet}`, () =>
            expectProblems(checkNetwork("network", { subnet }), { "network.subnet": reason }));
    }
    it("refuses a name that Docker does not take", () => {
        expectProblems(checkNetwork("network", { name: "my network" }), { "network.name": '"my network" was given' });
        expectProblems(checkNetwork("network", { name: "n".repeat(64) }), { "network.name": "up to 63" });
    });
    it("refuses a subnet beside an existing network", () => {
        expectProblems(checkNetwork("network", { existingNetworkId: "abc", subnet: "10.0.20.0/24" }), {
            "network.subnet": "beside existingNetworkId",
        });
    });
});

describe("checks/etcd", () => {
    const members = { db1: { host: "db1" } };
    refuses(
        (changes: object) => checkEtcdSettings("etcd", { members, ...changes }),
        [
            {
                name: "an election within five heartbeats",
                given: { heartbeatIntervalMilliseconds: 500 },
                problems: { "etcd.electionTimeoutMilliseconds": "1000 was given; at least five heartbeats (2500)" },
            },
            {
                name: "a quota that etcd warns of",
                given: { quotaBackendMiB: 9000 },
                problems: { "etcd.quotaBackendMiB": "from 64 to 8192" },
            },
            { name: "a port that is none", given: { clientPort: -1 }, problems: { "etcd.clientPort": "-1 was given" } },
        ],
    );
});

describe("checks/haProxy", () => {
    refuses(
        (settings: HaProxySettingsArgs) => checkHaProxySettings("haproxy", settings),
        [
            {
                name: "a timeout that HAProxy's 31 bits don't hold",
                given: { clientTimeoutSeconds: 2147484 },
                problems: { "haproxy.clientTimeoutSeconds": "from 60 to 2147483" },
            },
            {
                name: "no connections",
                given: { maxConnections: 0 },
                problems: { "haproxy.maxConnections": "0 was given" },
            },
            {
                name: "a lag of nothing",
                given: { readOnlyMaximumLagMiB: 0 },
                problems: { "haproxy.readOnlyMaximumLagMiB": "0 was given" },
            },
            {
                name: "a port that is none",
                given: { ports: { any: 1.5 } },
                problems: { "haproxy.ports.any": "1.5 was given; a whole number" },
            },
        ],
    );
});

describe("checks/pgBouncer", () => {
    refuses(
        (settings: PgBouncerSettingsArgs) => checkPgBouncerSettings("pgbouncer", settings),
        [
            {
                name: "a pool of nothing",
                given: { defaultPoolSize: 0 },
                problems: { "pgbouncer.defaultPoolSize": "0 was given" },
            },
            {
                name: "a wait that never ends",
                given: { queryWaitTimeoutSeconds: Infinity },
                problems: { "pgbouncer.queryWaitTimeoutSeconds": "Infinity was given" },
            },
            {
                name: "less memory than Docker allows",
                given: { resources: { memoryLimitMiB: 4 } },
                problems: { "pgbouncer.resources.memoryLimitMiB": "4 was given; a whole number of at least 6" },
            },
        ],
    );
});

describe("checks/applications", () => {
    const check = (args: ApplicationArgs) => checkApplication("applications.shop", "shop", args);

    it("takes names that need quoting", () => {
        const names = [
            'we"ird',
            "a'b",
            "x; DROP TABLE y",
            "$$",
            "back\\slash",
            "ünï",
            "postgresql://evil",
            "host=evil",
        ];
        for (const name of names) {
            expectProblems(check({ database: name, owner: name, roles: { [`${name}2`]: {} }, schemas: [name] }), {});
        }
    });

    refuses(check, [
        {
            name: "a key that is no name",
            given: { database: "" },
            problems: { "applications.shop.database": "has 0 bytes" },
        },
        {
            name: "a database of PostgreSQL itself",
            given: { database: "template1" },
            problems: { "applications.shop.database": "\"template1\" is PostgreSQL's or PgBouncer's own" },
        },
        {
            name: "a role that is also the owner",
            given: { roles: { shop: {} } },
            problems: { "applications.shop.roles": '"shop" is the owner' },
        },
        {
            name: "a role's name that PostgreSQL would cut off",
            given: { roles: { ["r".repeat(64)]: {} } },
            problems: { "applications.shop.roles": "has 64 bytes" },
        },
        {
            name: "a schema of PostgreSQL itself",
            given: { schemas: ["public", "pg_catalog"] },
            problems: { "applications.shop.schemas[1]": '"pg_catalog" is PostgreSQL\'s own' },
        },
        {
            name: "an extension without a name",
            given: { extensions: ["pg_trgm", ""] },
            problems: { "applications.shop.extensions[1]": "has 0 bytes" },
        },
        {
            name: "a connection limit that is none",
            given: { connectionLimit: -2 },
            problems: { "applications.shop.connectionLimit": "-2 was given; a whole number from -1" },
        },
        {
            name: "a password generation that goes back to nothing",
            given: { roles: { a: { passwordGeneration: 0 } } },
            problems: { 'applications.shop.roles["a"].passwordGeneration': "0 was given" },
        },
    ]);

    refuses(
        (applications: { [key: string]: ApplicationArgs }) => checkApplications("applications", applications),
        [
            {
                name: "two applications with one database",
                given: { shop: {}, blog: { database: "shop" } },
                problems: {
                    "applications.blog": 'the database "shop" stands in applications.shop and applications.blog',
                },
            },
            {
                name: "two applications with one role",
                given: { shop: { roles: { reader: {} } }, blog: { roles: { reader: {} } } },
                problems: { "applications.blog": 'the role "reader" stands in' },
            },
            {
                name: "a key that is no name",
                given: { "My Shop": {} },
                problems: { "applications.My Shop": '"My Shop" was given as key' },
            },
        ],
    );
});
