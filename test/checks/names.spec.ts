import { expect } from "chai";
import * as fc from "fast-check";
import { checkApplication } from "../../components/checks/applications";
import { checkMembers } from "../../components/checks/members";
import { checkClusterName, checkIdentifier, checkKey, longestMemberKey } from "../../components/checks/names";
import { objectName } from "../../components/platform/objectName";
import { quoteIdentifier } from "../../components/render/sqlText";
import { recordCluster } from "../helpers/cluster";
import { expectProblems } from "./problems";

const serviceNameLength = 63;
const fileNameLength = 64;

describe("checks/names", () => {
    describe("Swarm's names", () => {
        /** As Pulumi names what has no name of its own. */
        const versioned = (name: string): string => `${name}-0123456`;
        const longest = "k".repeat(longestMemberKey("pg"));

        it("fit with the longest key that is allowed", async () => {
            const member = { [longest]: { host: "db1" } };
            const recording = await recordCluster({ patroni: { nodes: member }, etcd: { members: member } });
            const services = recording.ofType("Service").map(({ inputs }) => String(inputs.name));
            const files = [...recording.ofType("Secret"), ...recording.ofType("ServiceConfig")];
            expect(Math.max(...services.map((name) => name.length))).to.be.at.most(serviceNameLength);
            expect(Math.max(...files.map(({ name }) => versioned(name).length))).to.be.at.most(fileNameLength);
            expect(services).to.include(objectName("pg", "patroni", longest));
        });

        it("would not fit with a key of two characters more", () => {
            const workload = objectName("pg", "patroni", `${longest}kk`);
            expect(versioned(objectName(workload, "bootstrap")).length).to.be.greaterThan(fileNameLength);
        });

        it("leave room for a key with the longest cluster name that is allowed", () => {
            const names = fc.nat(60).map((length) => `c${"c".repeat(length)}`);
            fc.assert(
                fc.property(names, (name) => {
                    expect(checkClusterName("clusterName", name).length === 0).to.equal(longestMemberKey(name) >= 1);
                }),
            );
        });

        it("are refused when the key is too long, with the reason", () => {
            const members = { [`${longest}k`]: { host: "db1" } };
            expectProblems(checkMembers("nodes", "pg", members, { db1: { constraint: "x" } }), {
                [`nodes.${longest}k`]: `has ${longest.length + 1} characters; at most ${longest.length} are allowed`,
            });
        });
    });

    describe("keys", () => {
        for (const key of ["db1", "a", "1", "node-1"]) {
            it(`may be ${key}`, () => expectProblems(checkKey("hosts", key), {}));
        }
        for (const key of ["", "Db1", "db_1", "-db", "db-", "db.1", "db 1", "ü", "db1\n", "$(id)", "../x"]) {
            it(`may not be ${JSON.stringify(key)}`, () => {
                expectProblems(checkKey("hosts", key), { hosts: `"${key}" was given as key; lower-case letters` });
            });
        }
    });

    describe("cluster names", () => {
        for (const name of ["", "1pg", "pg-", "Pg", "p_g", "pg\n"]) {
            it(`may not be ${JSON.stringify(name)}`, () => {
                expectProblems(checkClusterName("clusterName", name), { clusterName: `"${name}" was given` });
            });
        }
    });

    describe("names inside PostgreSQL", () => {
        const identifier = (name: string) => checkIdentifier("database", name);

        for (const name of [
            'we"ird',
            "a'b",
            "x; DROP TABLE y",
            "$$",
            "back\\slash",
            "ünï",
            "host=evil",
            "a".repeat(63),
        ]) {
            it(`may be ${name.slice(0, 20)}`, () => expectProblems(identifier(name), {}));
        }
        it("may have 63 bytes, not characters", () => {
            expectProblems(identifier("ü".repeat(31)), {});
            expectProblems(identifier("ü".repeat(32)), { database: "has 64 bytes; 1 to 63 are allowed" });
            expectProblems(identifier("a".repeat(64)), { database: "has 64 bytes" });
            expectProblems(identifier(""), { database: "has 0 bytes" });
        });
        for (const name of ["a\0b", "a\nb", "a\rb", "a\u007f"]) {
            it(`may not be ${JSON.stringify(name)}`, () => {
                expectProblems(identifier(name), { database: "control characters are not allowed" });
            });
        }

        it("are either refused, or quoted into one line that reads back as the same name", () => {
            fc.assert(
                fc.property(fc.string({ unit: "binary", maxLength: 80 }), (name) => {
                    if (identifier(name).length === 0) {
                        const quoted = quoteIdentifier(name);
                        expect(quoted).to.match(/^"([^"\n\r\0]|"")+"$/);
                        expect(quoted.slice(1, -1).replaceAll('""', '"')).to.equal(name);
                        expect(Buffer.byteLength(name)).to.be.at.most(63);
                    }
                }),
            );
        });

        for (const role of [
            "postgres",
            "replicator",
            "rewinder",
            "pgbouncer",
            "exporter",
            "pg_monitor",
            "public",
            "none",
        ]) {
            it(`may not be the role ${role}`, () => {
                expectProblems(checkApplication("shop", "shop", { owner: role }), {
                    "shop.owner": `"${role}" is the cluster's or PostgreSQL's own`,
                });
            });
        }
    });
});
