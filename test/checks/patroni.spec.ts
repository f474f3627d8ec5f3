import { HbaMethod, HbaRuleArgs, HbaType, TimingPreset } from "../../components";
import { checkPatroniSettings } from "../../components/checks/patroni";
import { PatroniSettingsArgs } from "../../components/patroniSettings";
import { expectProblems, refuses } from "./problems";

const onThree = (args: PatroniSettingsArgs) => checkPatroniSettings("patroni", args, 3, 4096);
const onOne = (args: PatroniSettingsArgs) => checkPatroniSettings("patroni", args, 1, 4096);
const parameters = (given: { [name: string]: string | number | boolean }): PatroniSettingsArgs => ({
    parameters: given,
});

describe("checks/patroni", () => {
    const allowed: PatroniSettingsArgs[] = [
        {},
        { timing: TimingPreset.Fast },
        { timing: TimingPreset.Wan, synchronousNodeCount: 2, synchronousModeStrict: true },
        parameters({ shared_buffers: "4095MB", work_mem: "64MB", "pg_stat_statements.max": 5000, jit: false }),
        // Pages of 8 kB.
        parameters({ shared_buffers: 131072 }),
    ];
    for (const args of allowed) {
        it(`takes ${JSON.stringify(args)}`, () => expectProblems(onThree(args), {}));
    }
    it("takes one node", () => expectProblems(onOne({}), {}));

    describe("synchronous mode", () => {
        refuses(onOne, [
            {
                name: "strict synchronous mode with one node",
                given: { synchronousModeStrict: true },
                problems: {
                    "patroni.synchronousModeStrict": "strict synchronous mode with one node would refuse every commit",
                },
            },
            {
                name: "a synchronous count with one node",
                given: { synchronousNodeCount: 1 },
                problems: { "patroni.synchronousNodeCount": "with one node none can be synchronous" },
            },
        ]);
        refuses(onThree, [
            {
                name: "a synchronous count that is not below the node count",
                given: { synchronousNodeCount: 3 },
                problems: {
                    "patroni.synchronousNodeCount": "3 was given; a whole number from 1 to 2 is allowed with 3 nodes",
                },
            },
            {
                name: "a synchronous count of zero",
                given: { synchronousNodeCount: 0 },
                problems: { "patroni.synchronousNodeCount": "0 was given" },
            },
            {
                name: "strict synchronous mode that Patroni would ignore",
                given: { synchronousMode: false, synchronousModeStrict: true },
                problems: { "patroni.synchronousModeStrict": "Patroni ignores it" },
            },
        ]);
    });

    describe("parameters", () => {
        refuses(onThree, [
            {
                name: "shared_buffers beyond the host's memory",
                given: parameters({ shared_buffers: "4GB" }),
                problems: {
                    "patroni.parameters.shared_buffers":
                        "4GB was given; it must be less than the memory that a node has (4096 MiB)",
                },
            },
            {
                name: "shared_buffers beyond the container's memory",
                given: { ...parameters({ shared_buffers: "1GB" }), resources: { memoryLimitMiB: 1024 } },
                problems: { "patroni.parameters.shared_buffers": "(1024 MiB)" },
            },
            {
                name: "shared_buffers in pages beyond the host's memory",
                given: parameters({ shared_buffers: 524288 }),
                problems: { "patroni.parameters.shared_buffers": "524288 was given" },
            },
            {
                name: "shared_buffers that is no size",
                given: parameters({ shared_buffers: "4 gigs" }),
                problems: { "patroni.parameters.shared_buffers": '"4 gigs" was given; a size such as' },
            },
            {
                name: "max_connections that is no number",
                given: parameters({ max_connections: "many" }),
                problems: { "patroni.parameters.max_connections": "NaN was given" },
            },
            {
                name: "max_connections below what the cluster needs",
                given: parameters({ max_connections: 10 }),
                problems: { "patroni.parameters.max_connections": "from 25 to" },
            },
            {
                name: "a parameter that Patroni sets",
                given: parameters({ port: 5433 }),
                problems: { "patroni.parameters.port": "Patroni sets this one itself" },
            },
            {
                name: "a parameter that Patroni sets, in capitals",
                given: parameters({ Listen_Addresses: "*" }),
                problems: { "patroni.parameters.Listen_Addresses": "Patroni sets this one itself" },
            },
            {
                name: "a name that is no parameter's",
                given: parameters({ "work mem": 1 }),
                problems: { "patroni.parameters": '"work mem" was given' },
            },
            {
                name: "a value with a line break",
                given: parameters({ application_name: "x\nfsync = off" }),
                problems: { "patroni.parameters.application_name": "a value is one line" },
            },
        ]);
    });

    describe("rules of pg_hba.conf", () => {
        const rule = (given: Omit<HbaRuleArgs, "type"> & { type?: HbaType }): PatroniSettingsArgs => ({
            hbaRules: [{ type: HbaType.Host, ...given }],
        });
        for (const address of ["all", "samenet", "192.0.2.0/24", "2001:db8::/32", "app.example.com", ".example.com"]) {
            it(`takes the address ${address}`, () => expectProblems(onThree(rule({ address })), {}));
        }
        for (const address of [
            "192.0.2.1",
            "192.0.2.0/33",
            "300.0.2.0/24",
            "2001:db8::1",
            "2001:db8::/129",
            "all all trust",
            "10.0.0.0/8/8",
            "",
        ]) {
            it(`refuses the address "${address}"`, () => {
                expectProblems(onThree(rule({ address })), {
                    "patroni.hbaRules[0].address": `"${address}" was given; a range`,
                });
            });
        }
        refuses(onThree, [
            {
                name: "a line break in a name",
                given: rule({ roles: ["a\nhost all all all trust"] }),
                problems: { "patroni.hbaRules[0]": "a rule is one line" },
            },
            {
                name: "an empty list",
                given: rule({ databases: [] }),
                problems: { "patroni.hbaRules[0]": "an empty list or name" },
            },
            {
                name: "an empty name",
                given: rule({ roles: [""] }),
                problems: { "patroni.hbaRules[0]": "an empty list or name" },
            },
            {
                name: "a local rule with an address",
                given: rule({ type: HbaType.Local, address: "all" }),
                problems: { "patroni.hbaRules[0].address": "a rule of type local has no address" },
            },
            {
                name: "certificates without TLS",
                given: rule({ method: HbaMethod.Cert }),
                problems: { "patroni.hbaRules[0].method": "only for rules of type hostssl" },
            },
        ]);
    });

    describe("numbers", () => {
        refuses(onThree, [
            {
                name: "a major that nobody maintains",
                given: { postgresMajor: 12 },
                problems: { "patroni.postgresMajor": "12 was given; a whole number from 13" },
            },
            {
                name: "an upgrade from a version to itself",
                given: { postgresMajor: 17, previousPostgresMajor: 17 },
                problems: { "patroni.previousPostgresMajor": "17 was given, which postgresMajor is, too" },
            },
            {
                name: "an upgrade to a version whose pg_upgrade takes no locales over",
                given: { postgresMajor: 15, previousPostgresMajor: 13 },
                problems: { "patroni.postgresMajor": "15 was given; upgrades lead to 16 or later" },
            },
            {
                name: "no time to stream again",
                given: { catchUpTimeoutSeconds: 0 },
                problems: { "patroni.catchUpTimeoutSeconds": "from 10 to 86400" },
            },
            {
                name: "a stop grace in which Patroni can't stop",
                given: { stopGraceSeconds: 5 },
                problems: { "patroni.stopGraceSeconds": "from 30 to 3600" },
            },
            {
                name: "a negative lag",
                given: { maximumLagOnFailoverBytes: -1 },
                problems: { "patroni.maximumLagOnFailoverBytes": "-1 was given" },
            },
            {
                name: "a port that is none",
                given: { apiPort: 99999 },
                problems: { "patroni.apiPort": "99999 was given" },
            },
            {
                name: "reservations above the limits",
                given: {
                    resources: { cpuLimit: 1, cpuReservation: 2, memoryLimitMiB: 2048, memoryReservationMiB: 4096 },
                },
                problems: {
                    "patroni.resources.cpuReservation": "2 was given; at most the limit of 1",
                    "patroni.resources.memoryReservationMiB": "4096 was given; at most the limit of 2048",
                },
            },
        ]);
    });
});
