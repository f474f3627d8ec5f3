import { PatroniSettingsArgs, PostgresClusterArgs, SlotType } from "../../components";
import { checkCluster, clusterWarnings } from "../../components/checks/cluster";
import { checkPatroniSettings } from "../../components/checks/patroni";
import { clusterArgs } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

const onThree = (args: PatroniSettingsArgs) => checkPatroniSettings("patroni", args, 3, 4096);
const logical = { type: SlotType.Logical, database: "shop" };
const physical = { type: SlotType.Physical };
const decodable = { wal_level: "logical" };
const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, physical]));

describe("checks/slots", () => {
    const allowed: PatroniSettingsArgs[] = [
        { slots: { archive_2: physical } },
        { slots: { cdc: logical, other: { ...logical, plugin: "test_decoding" } }, parameters: decodable },
        { slots: many(8) },
        { slots: many(18), parameters: { max_replication_slots: 20, max_wal_senders: "20" } },
        { ignoreSlots: [{ plugin: "pgoutput" }, { name: "sub", type: SlotType.Logical, database: "shop" }] },
    ];
    for (const args of allowed) {
        it(`takes ${JSON.stringify(args)}`, () => expectProblems(onThree(args), {}));
    }

    refuses(onThree, [
        ...["Cdc", "my-slot", "my slot", "", "s".repeat(64)].map((name) => ({
            name: `the name "${name}", which Patroni would skip`,
            given: { slots: { [name]: physical } },
            problems: { [`patroni.slots.${name}`]: "or Patroni skips it" },
        })),
        {
            name: "a logical slot without a database",
            given: { slots: { cdc: { type: SlotType.Logical } }, parameters: decodable },
            problems: { "patroni.slots.cdc.database": "none was given" },
        },
        {
            name: "a plugin that can be none",
            given: { slots: { cdc: { ...logical, plugin: "../evil" } }, parameters: decodable },
            problems: { "patroni.slots.cdc.plugin": '"../evil" was given' },
        },
        {
            name: "a database that PostgreSQL would cut off",
            given: { slots: { cdc: { ...logical, database: "d".repeat(64) } }, parameters: decodable },
            problems: { "patroni.slots.cdc.database": "64 bytes" },
        },
        {
            name: "a physical slot with a database",
            given: { slots: { archive: { ...physical, database: "shop" } } },
            problems: { "patroni.slots.archive": "a physical slot has neither" },
        },
        {
            name: "a logical slot without wal_level logical",
            given: { slots: { cdc: logical } },
            problems: { "patroni.parameters.wal_level": '"replica" is in force; the logical slot cdc needs "logical"' },
        },
        {
            name: "slots that Patroni would not make",
            given: { slots: { archive: physical }, useSlots: false },
            problems: { "patroni.useSlots": "Patroni makes no slots at all" },
        },
        {
            name: "more slots than PostgreSQL has room for",
            given: { slots: many(9) },
            problems: {
                "patroni.parameters.max_replication_slots": "10 was given; at least 11 are needed",
                "patroni.parameters.max_wal_senders": "10 was given; at least 11 are needed",
            },
        },
        {
            name: "an ignored slot that says nothing",
            given: { ignoreSlots: [{ name: "ours" }, {}] },
            problems: { "patroni.ignoreSlots[1]": "nothing was given in it" },
        },
    ]);

    describe("in a cluster", () => {
        const check = (changes: Partial<PostgresClusterArgs>) => checkCluster("pg", clusterArgs(changes));
        refuses(check, [
            {
                name: "a name that a node's own slot has",
                given: { patroni: { slots: { patroni_db2: physical } } },
                problems: { "patroni.slots.patroni_db2": 'makes for node "db2"' },
            },
            {
                name: "a consumer of changes where none are decoded",
                given: { applications: { shop: { replicationRoles: { cdc: {} } } } },
                problems: { "patroni.parameters.wal_level": "applications.shop.replicationRoles needs" },
            },
        ]);

        it("warns of a slot in a database that no application has", () => {
            const patroni = { slots: { cdc: { ...logical, database: "shpo" } }, parameters: decodable };
            const warnings = clusterWarnings(clusterArgs({ patroni, applications: { shop: {} } }));
            expectProblems(warnings, { "patroni.slots.cdc.database": 'no application has the database "shpo"' });
        });
    });
});
