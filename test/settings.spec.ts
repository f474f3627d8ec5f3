import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { TimingPreset } from "../components";
import { parseSettings } from "../settings";
import { hostKey, images } from "./helpers/cluster";

const good = {
    clusterName: "pg",
    hosts: { db1: { address: "192.0.2.11", memoryMiB: 4096, ssh: { hostKey } } },
    swarm: { manager: "db1" },
    images,
};

/** The lines of the refusal, without the first. */
function problemsOf(given: object): string[] {
    try {
        parseSettings(given, "pgha");
    } catch (error) {
        // Pulumi shows a RunError's message alone, without a stack trace.
        expect(pulumi.RunError.isInstance(error)).to.equal(true);
        const [first, ...rest] = (error as Error).message.split("\n");
        expect(first).to.equal("Pulumi.<stack>.yaml can't be used; nothing was created:");
        return rest.map((line) => line.replace("  - ", ""));
    }
    return [];
}

describe("settings", () => {
    it("gives back what is right", () => {
        const settings = {
            ...good,
            patroni: { timing: "fast", parameters: { work_mem: "64MB", jit: false, max_connections: 300 } },
        };
        expect(parseSettings(settings, "pgha")).to.deep.equal(settings);
        expect(parseSettings(settings, "pgha").patroni?.timing).to.equal(TimingPreset.Fast);
    });

    const wrong = [
        { name: "a misspelt key at the top", given: { ...good, host: {} }, problem: /^pgha:.*"host"/ },
        {
            name: "a misspelt key within",
            given: { ...good, haproxy: { maxConnection: 1 } },
            problem: /^pgha:haproxy: .*"maxConnection"/,
        },
        {
            name: "a misspelt key of one host",
            given: { ...good, hosts: { db1: { ...good.hosts.db1, adress: "x" } } },
            problem: /^pgha:hosts\.db1: .*"adress"/,
        },
        {
            name: "a password, since all are generated",
            given: { ...good, superuserPassword: "x" },
            problem: /"superuserPassword"/,
        },
        {
            name: "text for a number",
            given: { ...good, pgbouncer: { port: "6432" } },
            problem: /^pgha:pgbouncer\.port: .*number/,
        },
        {
            name: "a number for text",
            given: { ...good, network: { subnet: 10 } },
            problem: /^pgha:network\.subnet: .*string/,
        },
        {
            name: "a word for a flag",
            given: { ...good, patroni: { synchronousMode: "yes" } },
            problem: /^pgha:patroni\.synchronousMode: .*boolean/,
        },
        {
            name: "one value for a list",
            given: { ...good, haproxy: { hosts: "db1" } },
            problem: /^pgha:haproxy\.hosts: .*array/,
        },
        {
            name: "a word that is not among the choices",
            given: { ...good, patroni: { timing: "faster" } },
            problem: /^pgha:patroni\.timing: .*"fast"\|"default"\|"wan"/,
        },
        { name: "a missing section", given: { ...good, images: undefined }, problem: /^pgha:images: / },
        {
            name: "a missing image",
            given: { ...good, images: { ...images, haproxy: undefined } },
            problem: /^pgha:images\.haproxy: /,
        },
        {
            name: "a host without memory",
            given: { ...good, hosts: { db1: { address: "192.0.2.11" } } },
            problem: /^pgha:hosts\.db1\.memoryMiB: /,
        },
        {
            name: "an element of a list",
            given: { ...good, patroni: { hbaRules: [{ type: "host" }, { type: "hots" }] } },
            problem: /^pgha:patroni\.hbaRules\.1\.type: /,
        },
    ];
    for (const { name, given, problem } of wrong) {
        it(`refuses ${name}, with its path`, () => {
            const problems = problemsOf(given);
            expect(problems).to.have.length(1);
            expect(problems[0]).to.match(problem);
        });
    }

    it("tells all problems at once", () => {
        const given = {
            hosts: { db1: { address: 1, memoryMib: 4096 } },
            swarm: { manager: "db1", publishMode: "mesh" },
            images,
            applications: { shop: { roles: { reader: { access: "all" } } } },
        };
        expect(problemsOf(given).map((line) => line.split(": ")[0])).to.have.members([
            "pgha:clusterName",
            "pgha:hosts.db1.address",
            "pgha:hosts.db1.memoryMiB",
            "pgha:hosts.db1",
            "pgha:swarm.publishMode",
            "pgha:applications.shop.roles.reader.access",
        ]);
    });
});
