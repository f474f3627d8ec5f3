import { PostgresClusterArgs } from "../../components";
import { checkCluster } from "../../components/checks/cluster";
import { clusterArgs } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

const check = (changes: Partial<PostgresClusterArgs>) =>
    checkCluster("pg", clusterArgs({ patroni: { parameters: { wal_level: "logical" } }, ...changes }));
const consumers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, {}]));

describe("checks of administrators and consumers of changes", () => {
    it("take what is apart", () => {
        const shop = { roles: { reader: {} }, replicationRoles: consumers("cdc") };
        expectProblems(
            check({ administrators: { admin: {}, "o'brien": { passwordGeneration: 2 } }, applications: { shop } }),
            {},
        );
    });

    refuses(check, [
        {
            name: "an administrator with a name of the cluster's own",
            given: { administrators: { postgres: {} } },
            problems: { administrators: /own; another name is allowed/ },
        },
        {
            name: "an administrator who is an application's owner",
            given: { administrators: { shop: {} }, applications: { shop: {} } },
            problems: { 'administrators["shop"]': "a role of applications.shop, too" },
        },
        {
            name: "a generation that is none",
            given: { administrators: { admin: { passwordGeneration: 0 } } },
            problems: { 'administrators["admin"].passwordGeneration': "0 was given" },
        },
        {
            name: "a consumer that is a further role, too",
            given: { applications: { shop: { roles: { cdc: {} }, replicationRoles: consumers("cdc") } } },
            problems: { "applications.shop.replicationRoles": '"cdc" stands in roles, too' },
        },
        {
            name: "a consumer that is the owner",
            given: { applications: { shop: { replicationRoles: consumers("shop") } } },
            problems: { "applications.shop.roles": '"shop" is the owner' },
        },
        {
            name: "one consumer of two applications",
            given: {
                applications: {
                    shop: { replicationRoles: consumers("cdc") },
                    blog: { replicationRoles: consumers("cdc") },
                },
            },
            problems: { "applications.blog": 'the role "cdc" stands in applications.shop and applications.blog' },
        },
        {
            name: "a consumer with the replication role's name",
            given: { applications: { shop: { replicationRoles: consumers("replicator") } } },
            problems: { "applications.shop.roles": '"replicator" is the cluster\'s' },
        },
    ]);
});
