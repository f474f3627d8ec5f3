import { expect } from "chai";
import { FakeCluster, refused } from "./fakeCluster";

describe("pgha, where it changes the cluster", function () {
    this.timeout(15_000);
    const cluster = FakeCluster.forEachTest();

    describe("switchover", () => {
        it("hands the leader's role over and waits for the others", async () => {
            const { status, messages } = await cluster.pgha(["switchover", "--yes"]);
            expect([status, cluster.log()]).to.deep.equal([0, "switchover patroni-db2 by the script of patroni-db2\n"]);
            expect(messages).to.match(/^patroni-db3 leads after [\d.]+ s\nall members follow it after [\d.]+ s\n$/);
        });

        it("takes a candidate by its host's key, once that is confirmed", async () => {
            const { status, messages } = await cluster.pgha(["switchover", "--candidate", "db1"], "y");
            expect(messages).to.include("from patroni-db2 to patroni-db1? Its sessions end. [y/N] ");
            expect(status).to.equal(0);
            expect(cluster.log()).to.equal("switchover patroni-db2 patroni-db1 by the script of patroni-db2\n");
        });

        it("does nothing when it isn't confirmed", async () => {
            const { status, messages } = await cluster.pgha(["switchover"], "n");
            expect([status, cluster.log()]).to.deep.equal([1, ""]);
            expect(messages).to.include("not confirmed");
        });

        it("wants --yes where nobody can be asked", async () => {
            const { status, messages } = await cluster.pgha(["switchover"]);
            expect([status, cluster.log()]).to.deep.equal([2, ""]);
            expect(messages).to.include("next: run it on a terminal, or with --yes");
        });

        const refusals: {
            [title: string]: { prepare: () => void; candidate?: string; message: string; status?: number };
        } = {
            "an unknown candidate": {
                prepare: () => undefined,
                candidate: "db9",
                message: `there is no node "db9"\n  next: name one of: patroni-db1, patroni-db2, patroni-db3, or its host's key`,
                status: 2,
            },
            "the leader itself": { prepare: () => undefined, candidate: "db2", message: "patroni-db2 leads already" },
            "a candidate whose container is stopped": {
                prepare: () => cluster.put("stopped-lab-patroni-db1"),
                candidate: "db1",
                message: "patroni-db1 can't take over: its container is stopped",
            },
            "a candidate that doesn't stream": {
                prepare: () => cluster.put("state-db1", "starting"),
                candidate: "db1",
                message: "patroni-db1 can't take over: it doesn't follow the leader (starting)",
            },
            "a candidate that isn't synchronous where it must be": {
                prepare: () => undefined,
                candidate: "db3",
                message: "patroni-db3 can't take over: it isn't synchronous (patroni-db1 is)",
            },
            "a cluster without a fit replica": {
                prepare: () => {
                    cluster.put("state-db1", "starting");
                    cluster.put("192.0.2.13", refused);
                },
                message: "no node can take over: patroni-db1: it doesn't follow",
            },
            "a paused cluster without a candidate": {
                prepare: () => cluster.put("paused"),
                message: "Patroni is paused and chooses nobody",
            },
            "a cluster without a leader": {
                prepare: () => cluster.put("leader", "none"),
                message: "there is no leader",
            },
            "what Patroni refuses": {
                prepare: () => cluster.put("refuse"),
                message: "Patroni refused: Switchover failed, details: 412, no good candidates have been found",
            },
            "a cluster of which no host answers": {
                prepare: () => cluster.everyHost(refused),
                message: "no host of a node answers",
                status: 3,
            },
        };
        for (const [title, { prepare, candidate, message, status: expected = 1 }] of Object.entries(refusals)) {
            it(`refuses ${title}`, async () => {
                prepare();
                const options = candidate === undefined ? [] : ["--candidate", candidate];
                const { status, messages } = await cluster.pgha(["switchover", "--yes", ...options]);
                expect(messages).to.include(`pgha: ${message}`).and.to.include("\n  next: ");
                expect(status).to.equal(expected);
                expect(cluster.read("leader")).to.match(/^(patroni-db2\n|none)$/);
            });
        }
    });

    describe("pause and resume", () => {
        it("turn maintenance mode on and off, once", async () => {
            expect(await cluster.pgha(["pause"])).to.deep.include({
                status: 0,
                messages: "lab is paused: nothing fails over until 'pgha resume'\n",
            });
            expect((await cluster.pgha(["status"])).stdout).to.include("Patroni is paused");
            expect((await cluster.pgha(["pause"])).messages).to.include("nothing was changed");
            expect(await cluster.pgha(["resume"])).to.deep.include({ status: 0, messages: "lab is not paused\n" });
            expect((await cluster.pgha(["resume"])).status).to.equal(0);
            expect(cluster.log()).to.equal("patronictl pause lab\npatronictl resume lab\n");
        });

        it("end with 3 where no host answers", async () => {
            cluster.everyHost(refused);
            expect((await cluster.pgha(["pause"])).status).to.equal(3);
        });
    });

    describe("rehearse-upgrade", () => {
        it("asks the leader what is in the way, and then tries it on a replica", async () => {
            const { status, messages } = await cluster.pgha(["rehearse-upgrade", "17"]);
            expect([status, cluster.log()]).to.deep.equal([
                0,
                "-s -- check patroni-db1 patroni-db3 on db2\n-s -- rehearse on db1\n",
            ]);
            expect(messages).to.equal(
                "check is done\ncopying and upgrading the data of patroni-db1, which takes a while\nrehearse is done\n",
            );
            expect(cluster.read("script")).to.include("from=15 to=17");
        });

        it("tries nothing where something is in the way", async () => {
            cluster.put("refuse");
            const { status, messages } = await cluster.pgha(["rehearse-upgrade", "17"]);
            expect([status, cluster.log()]).to.deep.equal([1, "-s -- check patroni-db1 patroni-db3 on db2\n"]);
            expect(messages).to.include("logical slots: a");
        });

        it("refuses the version that runs, and what is none", async () => {
            expect((await cluster.pgha(["rehearse-upgrade", "15"])).messages).to.include(
                "the cluster runs PostgreSQL 15",
            );
            expect((await cluster.pgha(["rehearse-upgrade", "soon"])).status).to.equal(2);
            expect(cluster.log()).to.equal("");
        });
    });

    describe("reinit", () => {
        it("copies a replica anew and waits until it streams", async () => {
            const { status, messages } = await cluster.pgha(["reinit", "patroni-db3", "--yes"]);
            expect([status, cluster.log()]).to.deep.equal([0, "patronictl reinit lab patroni-db3 --force\n"]);
            expect(messages).to.match(/patroni-db3 streams after [\d.]+ s\n$/);
        });

        it("refuses the leader", async () => {
            const { status, messages } = await cluster.pgha(["reinit", "db2", "--yes"]);
            expect([status, cluster.log()]).to.deep.equal([1, ""]);
            expect(messages).to.include("patroni-db2 leads: its data is the cluster's");
        });

        it("refuses a node that believes it leads, whatever the DCS says, and one without a leader to copy from", async () => {
            cluster.put("leader", "none");
            expect((await cluster.pgha(["reinit", "db1", "--yes"])).messages).to.include(
                "there is no leader to copy from",
            );
        });

        it("refuses a node whose container is stopped", async () => {
            cluster.put("stopped-lab-patroni-db1");
            expect((await cluster.pgha(["reinit", "db1", "--yes"])).messages).to.include(
                "the container of patroni-db1 is stopped",
            );
        });

        it("wants a node, and a confirmation", async () => {
            expect((await cluster.pgha(["reinit"])).status).to.equal(2);
            expect((await cluster.pgha(["reinit", "db1"])).status).to.equal(2);
            expect((await cluster.pgha(["reinit", "db1"], "")).status).to.equal(1);
            expect(cluster.log()).to.equal("");
        });
    });
});
