import { expect } from "chai";
import { LivingStack } from "./livingStack";
import { Run, StateResource } from "./pulumiStack";
import { settingsWith } from "./settings";

const hosts = ["docker-infra-1", "docker-infra-2", "docker-infra-3"];

/** Newer images than the one in the settings. */
const newer = `registry.example.com/newer@sha256:${"0".repeat(64)}`;
const newest = `registry.example.com/newest@sha256:${"1".repeat(64)}`;

const tagged = Object.fromEntries(hosts.map((host) => [host, { host, tags: { clonefrom: true } }]));

/** Steps that the engine takes in a second or two. */
const mostPaths = 1_000_000;

/** Steps of the engine from each resource, through all that it depends on. */
function pathsFrom(resources: StateResource[]): Map<string, number> {
    const paths = new Map<string, number>();
    for (const { urn, dependencies = [], propertyDependencies = {} } of resources) {
        const next = [...dependencies, ...Object.values(propertyDependencies).flatMap((urns) => urns ?? [])];
        paths.set(
            urn,
            next.reduce((sum, dependency) => sum + (paths.get(dependency) ?? 0), 1),
        );
    }
    return paths;
}

/** Whether a journal has these entries, in this order, with others in between. */
function inOrder(journal: string[], entries: string[]): boolean {
    const places = entries.map((entry) => journal.indexOf(entry));
    return places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1));
}

/** The steps of an update of the Patroni nodes on some hosts, one after the other. */
function patroniSteps(keys: string[]): string[] {
    return keys
        .flatMap((key) => [
            `pg-patroni-${key}-prepare`,
            `pg-patroni-${key}`,
            `pg-patroni-${key}-replaced`,
            `pg-patroni-${key}-gate`,
        ])
        .flatMap((name) => [`begin update ${name}`, `end update ${name}`]);
}

describe("The real engine", () => {
    let living: LivingStack;
    let created: Run;

    before(async () => {
        living = await LivingStack.create(settingsWith());
        created = await living.up(settingsWith());
    });

    after(() => {
        living.stack.remove();
    });

    it("creates the production stack, and prints no password", async () => {
        expect(created.status, created.text).to.equal(0);
        const passwords = Object.values((await living.stack.output("passwords")) as object).map(String);
        expect(passwords).to.have.length.above(5);
        expect(passwords.filter((password) => created.text.includes(password))).to.deep.equal([]);
    });

    it("leads the engine, which follows each path of dependencies where a removal fails, to few of them", async () => {
        const paths = pathsFrom(await living.stack.state());
        expect(Math.max(...paths.values())).to.be.below(mostPaths);
    });

    it("finds nothing to do the second time", async () => {
        const { status, text, journal } = await living.up(settingsWith());
        expect(status, text).to.equal(0);
        expect(journal).to.deep.equal([]);
        expect(text).to.match(/^ +\d+ unchanged$/m);
    });

    it("shows in a preview, line by line, which settings change, and no secret", async () => {
        const preview = await living.preview(
            settingsWith({
                "patroni.parameters.work_mem": "11MB",
                "haproxy.clientTimeoutSeconds": 70,
                "applications.shop.passwordGeneration": 2,
            }),
            "--diff",
        );
        expect(preview.status, preview.text).to.equal(0);
        expect(preview.text).to.match(/- +"work_mem": "16MB"\n +\+ +"work_mem": "11MB"/);
        expect(preview.text).to.match(/- +timeout client 86400s\n +\+ +timeout client 70s/);
        expect(preview.text).to.match(/\+ .*RandomPassword.*: \(create\)\n.*pg-application-shop-owner-generation-2\]/);
        const changed = [
            ...preview.text.matchAll(/^ *[~+-]+ ?(\S+): \((?:update|replace)\)\n.*\n +\[urn=\S+::(\S+)\]$/gm),
        ];
        expect(changed.map(([, , name]) => name)).to.have.members([
            "pg-application-shop-database",
            "pg-generations",
            "pg-haproxy",
            "pg-haproxy-all-attempt",
            "pg-haproxy-clients",
            "pg-haproxy-config",
            "pg-haproxy-running",
            "pg-patroni-dynamic-config",
            "pg-patroni-dynamic-config-attempt",
            "pg-application-shop-database-attempt",
        ]);
        expect(preview.text).not.to.match(/SCRAM-SHA-256|PASSWORD '/);
    });

    it("changes Patroni's nodes one after the other", async () => {
        const { status, text, journal } = await living.up(settingsWith({ "images.patroni": newer }));
        expect(status, text).to.equal(0);
        expect(inOrder(journal, patroniSteps(hosts)), journal.join("\n")).to.equal(true);
    });

    it("replaces the store first, then Patroni, then HAProxy and PgBouncer", async () => {
        const images = ["etcd", "haproxy", "patroni", "pgbouncer"].map((name): [string, string] => [
            `images.${name}`,
            newest,
        ]);
        const { status, text, journal } = await living.up(settingsWith(Object.fromEntries(images)));
        expect(status, text).to.equal(0);
        const order = [
            ...["end update pg-etcd-ready", "begin update pg-patroni-docker-infra-1-prepare"],
            "end update pg-patroni-docker-infra-3-gate",
        ];
        for (const last of ["begin update pg-haproxy", "begin update pg-pgbouncer"]) {
            expect(inOrder(journal, [...order, last]), journal.join("\n")).to.equal(true);
        }
    });

    it("takes the leader's role from a node that goes before HAProxy forgets it, and stops the node at the end", async () => {
        const nodes = Object.fromEntries(hosts.map((host) => [host, { host }]));
        const { [hosts[2] ?? ""]: gone, ...left } = nodes;
        await living.up(settingsWith({ "etcd.members": nodes }));
        const after = { "etcd.members": nodes, "patroni.nodes": left };
        const { status, text, journal } = await living.up(settingsWith(after));
        expect(status, text).to.equal(0);
        const order = [
            ...["end update pg-patroni-handover", "begin update pg-haproxy"],
            ...["end update pg-haproxy-running", `begin delete pg-patroni-${gone?.host}`],
        ];
        expect(inOrder(journal, order), journal.join("\n")).to.equal(true);
    });

    it("has a new config there before the old one goes, and its user moves in between", async () => {
        const changed = settingsWith({ "images.patroni": newer, "haproxy.clientTimeoutSeconds": 70 });
        const { status, text, journal } = await living.up(changed);
        expect(status, text).to.equal(0);
        const order = ["end create pg-haproxy-config", "end update pg-haproxy", "begin delete pg-haproxy-config"];
        expect(inOrder(journal, order), journal.join("\n")).to.equal(true);
    });

    describe("after a gate that failed", () => {
        const changed = settingsWith({ "haproxy.clientTimeoutSeconds": 70 });
        const [first = "", second = "", third = ""] = hosts;

        it("leaves the nodes after it alone, and says which gate it was", async () => {
            const { status, text, journal } = await living.up(changed, [`pg-patroni-${second}-gate`]);
            expect(status).not.to.equal(0);
            expect(text).to.include(`pg-patroni-${second}-gate`);
            expect(inOrder(journal, patroniSteps([first])), journal.join("\n")).to.equal(true);
            expect(journal).to.include(`end update pg-patroni-${second}`);
            expect(journal.filter((entry) => entry.includes(third)).join("\n")).not.to.match(/pg-patroni/);
        });

        it("tries that gate again, and goes on only when it holds", async () => {
            const { status, text, journal } = await living.up(changed);
            expect(status, text).to.equal(0);
            const rest = [`end update pg-patroni-${second}-gate`, ...patroniSteps([third])];
            expect(inOrder(journal, rest), journal.join("\n")).to.equal(true);
            expect(journal.filter((entry) => entry.includes(first)).join("\n")).not.to.match(/pg-patroni/);
        });

        it("puts settings back that a gate has stopped, with every step on the nodes that had changed", async () => {
            // A file that goes at the end of an update outlives one that fails: each node has one that changes.
            const longer = settingsWith({ "patroni.nodes": tagged, "patroni.stopGraceSeconds": 95 });
            const failed = await living.up(longer, [`pg-patroni-${second}-gate`]);
            expect(failed.status).not.to.equal(0);
            const { status, text, journal } = await living.up(changed);
            expect(status, text).to.equal(0);
            expect(inOrder(journal, patroniSteps([first, second])), journal.join("\n")).to.equal(true);
            expect(journal.filter((entry) => entry.includes(third)).join("\n")).not.to.match(/pg-patroni/);
        });
    });
});
