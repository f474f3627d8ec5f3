import { PostgresClusterArgs } from "../../components";
import { checkCluster, clusterWarnings } from "../../components/checks/cluster";
import { clusterArgs } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

const check = (changes: Partial<PostgresClusterArgs>) => checkCluster("pg", clusterArgs(changes));

describe("checks of password generations", () => {
    it("take what can be", () => {
        expectProblems(check({ passwordGenerations: { all: 2, exporter: 3, statistics: 4, oldestStatistics: 4 } }), {});
        const applications = { shop: { passwordGeneration: 9, oldestPasswordGeneration: 1 } };
        expectProblems(check({ applications }), {});
    });

    refuses(check, [
        {
            name: "generations that are no positive whole numbers, all at once",
            given: { passwordGenerations: { all: 0, superuser: 1.5, exporter: -1 } },
            problems: {
                "passwordGenerations.all": "0 was given",
                "passwordGenerations.superuser": "1.5 was given; a whole number from 1 to 9999 is allowed",
                "passwordGenerations.exporter": "-1 was given",
            },
        },
        {
            name: "one that would keep a password when all are changed",
            given: { passwordGenerations: { all: 3, replication: 3, rewind: 4 } },
            problems: { "passwordGenerations.replication": "3 was given; a number above all (3) is allowed, or none" },
        },
        {
            name: "statistics passwords older than the one before",
            given: { passwordGenerations: { all: 3, oldestStatistics: 1 } },
            problems: { "passwordGenerations.oldestStatistics": "1 was given; 3 or 2 is allowed" },
        },
        {
            name: "an application that would refuse its own login",
            given: { applications: { shop: { passwordGeneration: 2, oldestPasswordGeneration: 3 } } },
            problems: {
                "applications.shop.oldestPasswordGeneration": "3 was given; at most passwordGeneration (2) is allowed",
            },
        },
        {
            name: "a role whose name is the owner's next login",
            given: { applications: { shop: { passwordGeneration: 2, roles: { shop_2: {} } } } },
            problems: { "applications.shop.roles": '"shop_2" is the login of a later password of another role' },
        },
        {
            name: "a role whose name is another application's login",
            given: { applications: { shop: { passwordGeneration: 2 }, blog: { owner: "shop_2" } } },
            problems: { "applications.blog": 'the role "shop_2" stands in' },
        },
        {
            name: "an administrator's login with an application's name",
            given: {
                administrators: { admin: { passwordGeneration: 2 } },
                applications: { shop: { owner: "admin_2" } },
            },
            problems: { 'administrators["admin_2"]': "a role of applications.shop, too" },
        },
        {
            name: "names that the cluster's own roles log in with",
            given: { applications: { shop: { owner: "replicator_2" } }, administrators: { exporter_13: {} } },
            problems: { "applications.shop.owner": "own; another name is allowed", administrators: /exporter_13/ },
        },
        {
            name: "a name that is too long with its number",
            given: { applications: { shop: { owner: "s".repeat(62), passwordGeneration: 2 } } },
            problems: { "applications.shop": "63" },
        },
    ]);

    it("warn as long as an earlier password is valid", () => {
        const applications = {
            shop: { passwordGeneration: 2, roles: { reader: { passwordGeneration: 3, oldestPasswordGeneration: 3 } } },
        };
        expectProblems(clusterWarnings(clusterArgs({ applications, administrators: { admin: {} } })), {
            "applications.shop": "set oldestPasswordGeneration to 2",
        });
    });
});
