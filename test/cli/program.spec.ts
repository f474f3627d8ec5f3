import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { FakeCluster, refused } from "./fakeCluster";
import { operations } from "./fixtures";

describe("pgha", function () {
    this.timeout(15_000);
    const cluster = FakeCluster.forEachTest();

    describe("status", () => {
        it("ends with 0 for a healthy cluster", async () => {
            const { status, stdout, messages } = await cluster.pgha(["status"]);
            expect([status, messages]).to.deep.equal([0, ""]);
            expect(stdout).to.match(/^lab: healthy\n/);
        });

        it("prints JSON", async () => {
            const { status, stdout } = await cluster.pgha(["status", "--json"]);
            expect(status).to.equal(0);
            expect(JSON.parse(stdout)).to.include({ cluster: "lab", healthy: true });
        });

        it("ends with 1 and says why for one that isn't", async () => {
            cluster.put("stopped-lab-patroni-db1");
            cluster.put("192.0.2.13", refused);
            const { status, stdout } = await cluster.pgha(["status"]);
            expect(status).to.equal(1);
            expect(stdout).to.include("lab: not healthy\n");
            expect(stdout).to.include("patroni-db1 on db1: its container is stopped");
            expect(stdout).to.include("host db3 (192.0.2.13) can't be asked: ssh: connect to host 192.0.2.13 port 22");
            expect(stdout).to.match(/^ {2}patroni-db2 +db2 +leader +running/m);
        });

        it("ends with 3 where no host answers", async () => {
            cluster.everyHost(refused);
            const { status, stdout } = await cluster.pgha(["status", "--json"]);
            expect(status).to.equal(3);
            const { healthy, reasons } = JSON.parse(stdout) as { healthy: boolean; reasons: string[] };
            expect(healthy).to.equal(false);
            expect(reasons.filter((reason) => reason.startsWith("host db"))).to.have.length(3);
        });

        it("logs in as the description says, with the host's own key", async () => {
            await cluster.pgha(["status"]);
            const calls = cluster.read("ssh");
            const { hostKey = "" } = operations.hosts.db1 ?? {};
            expect(calls).to.include(`-o StrictHostKeyChecking=yes`).and.to.include(`/bin/echo %H ${hostKey}`);
            expect(calls).to.include("-p 22 root@192.0.2.11 sh -eu -s -- run");
        });
    });

    describe("psql", () => {
        it("runs on the primary with further arguments, and ends as psql does", async () => {
            const { status } = await cluster.pgha(["psql", "--", "-c", "SELECT 'it''s'"]);
            expect(status).to.equal(3);
            expect(cluster.log()).to.equal("psql on db1: -d host=192.0.2.11 port=5433 -c SELECT 'it''s'\n");
        });

        it("goes past a host that doesn't answer", async () => {
            cluster.put("192.0.2.11", refused);
            await cluster.pgha(["psql"]);
            expect(cluster.log()).to.match(/^psql on db2: /);
        });

        it("reaches a replica or a certain node", async () => {
            await cluster.pgha(["psql", "--read-only"]);
            await cluster.pgha(["psql", "--node", "db3"]);
            expect(cluster.log()).to.equal("psql on db1: -d host=192.0.2.11 port=5434\npsql on db3: -d host=/run\n");
        });

        it("refuses both at once, and a node that is stopped", async () => {
            expect((await cluster.pgha(["psql", "--read-only", "--node", "db3"])).status).to.equal(2);
            cluster.put("stopped-lab-patroni-db3");
            expect((await cluster.pgha(["psql", "--node", "db3"])).status).to.equal(1);
            expect(cluster.log()).to.equal("");
        });

        it("keeps no history", async () => {
            await cluster.pgha(["psql"]);
            expect(cluster.read("ssh")).to.include("-e PSQL_HISTORY=/dev/null");
        });
    });

    describe("the description of the cluster", () => {
        const fake = (lines: string): void =>
            writeFileSync(cluster.path("pulumi"), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });

        it("comes from Pulumi, without secrets", async () => {
            fake('echo "$*" >"$PGHA_FAKE/asked"; cat "$PGHA_FAKE/outputs.json"');
            expect(
                (await cluster.pgha(["status", "--stack", "prod", "--cwd", "there"], undefined, [])).status,
            ).to.equal(0);
            const asked = cluster.read("asked");
            expect(asked).to.equal("stack output --json --non-interactive --stack prod --cwd there\n");
        });

        it("may be another output of the stack", async () => {
            cluster.put("outputs.json", JSON.stringify({ orders: operations }));
            expect((await cluster.pgha(["status", "--output-name", "orders"])).status).to.equal(0);
            const { status, messages } = await cluster.pgha(["status"]);
            expect(messages).to.include('the output "operations" is missing').and.to.include("--output-name");
            expect(status).to.equal(2);
        });

        const unusable: { [title: string]: { source: () => string[]; message: string } } = {
            "Pulumi fails": {
                source: () => (fake("echo 'error: no stack named nope found' >&2; exit 255"), ["--stack", "nope"]),
                message: "no stack named nope found",
            },
            "the file is missing": {
                source: () => ["--outputs", cluster.path("none")],
                message: "can't read the outputs",
            },
            "the file is no JSON": {
                source: () => (cluster.put("bad", "{"), ["--outputs", cluster.path("bad")]),
                message: "the outputs are not JSON",
            },
            "the output is something else": {
                source: () => (
                    cluster.put("bad", '{"operations": {"clusterName": 1}}'),
                    ["--outputs", cluster.path("bad")]
                ),
                message: 'the output "operations" is not a cluster\'s',
            },
        };
        for (const [title, { source, message }] of Object.entries(unusable)) {
            it(`ends with 2 where ${title}`, async () => {
                const { status, messages } = await cluster.pgha(["status"], undefined, source());
                expect(messages).to.include(message).and.to.include("\n  next: ");
                expect(status).to.equal(2);
            });
        }
    });

    describe("the command line", () => {
        for (const words of [
            [],
            ["nonsense"],
            ["status", "--nonsense"],
            ["status", "more"],
            ["psql", "-c", "SELECT 1"],
        ]) {
            it(`ends with 2 for: pgha ${words.join(" ")}`, async () => {
                const { status, stdout, messages } = await cluster.pgha(words);
                expect([status, stdout]).to.deep.equal([2, ""]);
                expect(messages).not.to.equal("");
            });
        }

        it("explains itself", async () => {
            const { status, stdout } = await cluster.pgha(["--help"]);
            expect(status).to.equal(0);
            for (const command of ["status", "switchover", "pause", "resume", "reinit", "rehearse-upgrade", "psql"]) {
                expect(stdout).to.match(new RegExp(`^ {2}${command}\\b`, "m"));
            }
        });
    });
});
