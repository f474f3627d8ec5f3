import { expect } from "chai";
import { LivingStack } from "./livingStack";
import { Run } from "./pulumiStack";
import { settingsWith } from "./settings";

const newer = `registry.example.com/newer@sha256:${"0".repeat(64)}`;
const newHost = { address: "192.0.2.43", memoryMiB: 16384, labels: { infra_node: "4" }, placementLabel: "infra_node" };

const hosts = {
    "hosts.docker-infra-4": newHost,
    "hosts.docker-infra-5": { ...newHost, address: "192.0.2.44", labels: { infra_node: "5" } },
};
const on = (...numbers: number[]): object =>
    Object.fromEntries(numbers.map((number) => [`docker-infra-${number}`, { host: `docker-infra-${number}` }]));
const nodes = { "patroni.nodes": on(1, 2, 3), ...hosts };

/** What a preview says beside the list of resources, each line once. */
function said({ text }: Run): string[] {
    const [, diagnostics = ""] = text.split("\nDiagnostics:");
    const lines = diagnostics.split(/\n(?:Outputs|Resources):/)[0]?.split("\n") ?? [];
    return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.endsWith("):"));
}

describe("A preview of a change", () => {
    let living: LivingStack;

    before(async () => {
        living = await LivingStack.create(settingsWith());
        const { status, text } = await living.up(settingsWith());
        expect(status, text).to.equal(0);
    });

    after(() => {
        living.stack.remove();
    });

    async function preview(changes: { [path: string]: unknown }): Promise<string[]> {
        const run = await living.preview(settingsWith(changes));
        expect(run.status, run.text).to.equal(0);
        return said(run);
    }

    async function refused(changes: { [path: string]: unknown }): Promise<string> {
        const run = await living.preview(settingsWith(changes));
        expect(run.status, run.text).not.to.equal(0);
        return run.text;
    }

    it("says nothing where nothing changes", async () => {
        expect(await preview({})).to.deep.equal([]);
    });

    it("tells a reload from a rolling restart with its switchover, and what changes in place", async () => {
        expect(
            await preview({
                "patroni.parameters.work_mem": "11MB",
                "patroni.parameters.max_connections": 400,
                "patroni.ttlSeconds": 40,
            }),
        ).to.have.members([
            "rolling restart, with one switchover: max_connections 300 -> 400",
            "reload: work_mem 16MB -> 11MB",
            "in place: ttl 30 -> 40",
        ]);
    });

    it("warns where commits would no longer wait for a replica", async () => {
        expect((await preview({ "patroni.synchronousMode": false })).join("\n")).to.match(
            /warning: in place: synchronous_mode true -> false; a failover may then lose commits/,
        );
    });

    it("names each container that is replaced, and what that means", async () => {
        const words = await preview({ "images.patroni": newer, "images.etcd": newer, "images.pgbouncer": newer });
        for (const host of ["docker-infra-1", "docker-infra-2", "docker-infra-3"]) {
            expect(words).to.include(
                `rolling restart: patroni-${host} is replaced; if it leads, another node takes over first (switchover)`,
            );
            expect(words).to.include(`rolling restart: etcd-${host} is replaced; the others keep the quorum`);
        }
        expect(words.join("\n")).to.match(/rolling restart: PgBouncer is replaced on one host after the other; /);
    });

    it("says where a proxy comes to run, and where it goes", async () => {
        const words = await preview({
            ...nodes,
            "etcd.members": on(1, 2, 3),
            "pgbouncer.hosts": ["docker-infra-1", "docker-infra-2", "docker-infra-4"],
        });
        expect(words.filter((line) => line.includes("pgbouncer on "))).to.have.members([
            "scale: pgbouncer on docker-infra-4 is added",
            "scale: pgbouncer on docker-infra-3 goes; sessions through it end, and connect elsewhere",
        ]);
    });

    it("calls a node on another host a rebuild, and says where the old data stays", async () => {
        const words = await preview({
            "hosts.docker-infra-4": newHost,
            "patroni.nodes": {
                "docker-infra-1": { host: "docker-infra-1" },
                "docker-infra-2": { host: "docker-infra-2" },
                "docker-infra-3": { host: "docker-infra-4" },
            },
            "etcd.members": {
                "docker-infra-1": { host: "docker-infra-1" },
                "docker-infra-2": { host: "docker-infra-2" },
                "docker-infra-3": { host: "docker-infra-3" },
            },
        });
        expect(words.join("\n")).to.match(
            /warning: rebuild: patroni-docker-infra-3 copies the leader's data to \S+ on docker-infra-4; what is in \S+ on docker-infra-3 stays there, unused/,
        );
    });

    it("refuses data directories elsewhere, where no node would have the data", async () => {
        // Whichever of both comes first ends the preview.
        expect(await refused({ dataRoot: "/data/pgha" })).to.match(
            /data loss: no node would stay where its data is|loss of the quorum: of etcd's 3 members .* 2 have to stay/,
        );
    });

    it("says who joins etcd's quorum, and replaces no other container", async () => {
        const words = await preview({ ...nodes, "etcd.members": on(1, 2, 3, 4, 5) });
        expect(words.filter((line) => /etcd|patroni/.test(line))).to.have.members([
            "new member: etcd-docker-infra-4 on docker-infra-4 joins etcd's quorum, and votes when it has caught up",
            "new member: etcd-docker-infra-5 on docker-infra-5 joins etcd's quorum, and votes when it has caught up",
        ]);
    });

    it("warns of a member of etcd that goes to another host", async () => {
        const members = { ...on(1, 2), "docker-infra-3": { host: "docker-infra-4" } };
        expect((await preview({ ...nodes, "etcd.members": members })).join("\n")).to.match(
            /warning: rebuild: etcd-docker-infra-3 leaves etcd's quorum and joins it anew from docker-infra-4/,
        );
    });

    it("refuses a change that would leave etcd no quorum", async () => {
        expect(await refused({ ...nodes, "etcd.members": on(1, 4, 5) })).to.match(
            /loss of the quorum: of etcd's 3 members etcd-docker-infra-2, etcd-docker-infra-3 would leave/,
        );
    });

    it("refuses it in an up without a preview, too, before a container, its files or its directory change", async () => {
        const { status, text, journal } = await living.up(settingsWith({ ...nodes, "etcd.members": on(1, 4, 5) }));
        expect(status).not.to.equal(0);
        expect(text).to.match(/loss of the quorum/);
        const touched = (entries: string[]): string[] =>
            entries.filter((entry) => /pg-(etcd|patroni|haproxy|pgbouncer)/.test(entry));
        expect(touched(journal)).to.deep.equal([]);
        expect(touched((await living.up(settingsWith())).journal)).to.deep.equal([]);
    });

    it("refuses another major version without consent, and says what to do", async () => {
        const text = await refused({ "patroni.postgresMajor": 18 });
        expect(text).to.match(/major upgrade: PostgreSQL 17 would become 18/);
        expect(text).to.include("postgresMajor: 18 together with previousPostgresMajor: 17");
        expect(await refused({ "patroni.postgresMajor": 16 })).to.match(/data loss: PostgreSQL 16 would come back/);
    });

    it("says what a major version means that has consent", async () => {
        const consent = { "patroni.postgresMajor": 18, "patroni.previousPostgresMajor": 17 };
        expect((await preview(consent)).join("\n")).to.match(
            /warning: major upgrade: PostgreSQL 17 becomes 18 by pg_upgrade; nobody can write until it is done/,
        );
        const back = { "patroni.postgresMajor": 16, "patroni.previousPostgresMajor": 17 };
        expect((await preview(back)).join("\n")).to.match(/warning: data loss: PostgreSQL 16 comes back/);
    });

    it("refuses another value of a label that pins services, which Swarm would end at once", async () => {
        expect(await refused({ "hosts.docker-infra-1.labels.infra_node": "one" })).to.match(
            /outage: Swarm would end what is pinned to docker-infra-1 by infra_node=1 at once/,
        );
    });

    it("refuses another name, which would take the cluster down", async () => {
        expect(await refused({ clusterName: "other" })).to.match(
            /pg-guard\S* cannot be deleted\s+because it is protected/,
        );
    });

    it("refuses to destroy a protected cluster, with everything still there", async () => {
        const before = await living.stack.resources();
        const { status, text } = await living.stack.destroy();
        expect(status).not.to.equal(0);
        expect(text).to.match(/pg-guard\S* cannot be deleted\s+because it is protected/);
        const now = await living.stack.resources();
        expect(before.filter((resource) => !now.includes(resource))).to.deep.equal([]);
    });

    it("lets it go when its settings say so", async () => {
        const { status, text } = await living.up(settingsWith({ protect: false }));
        expect(status, text).to.equal(0);
        const destroyed = await living.stack.destroy();
        expect(destroyed.status, destroyed.text).to.equal(0);
    });
});

describe("A preview of passwords' generations", () => {
    const second = settingsWith({ "passwordGenerations.exporter": 2 });
    let living: LivingStack;

    before(async () => {
        living = await LivingStack.create(second);
        const { status, text } = await living.up(second);
        expect(status, text).to.equal(0);
    });

    after(() => {
        living.stack.remove();
    });

    it("says which passwords are made anew", async () => {
        const raised = { "passwordGenerations.exporter": 4, "applications.shop.passwordGeneration": 2 };
        const { status, text } = await living.preview(settingsWith(raised));
        expect(status, text).to.equal(0);
        expect(text).to.include("new passwords: applications.shop 1 -> 2, passwordGenerations.exporter 2 -> 4");
    });

    it("refuses one that goes back", async () => {
        const { status, text } = await living.preview(settingsWith());
        expect(status, text).not.to.equal(0);
        expect(text).to.include("passwordGenerations.exporter 2 -> 1 would");
    });
});
