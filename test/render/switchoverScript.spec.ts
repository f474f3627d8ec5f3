import { expect } from "chai";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { containerPaths } from "../../components/defaults";
import { renderSwitchoverScript, SwitchoverScript } from "../../components/render/switchoverScript";
import { ScriptResult, ScriptRunner } from "./scriptRunner";

const poolers = ["192.0.2.21", "192.0.2.22"];
const members = [
    ["patroni-db1", "Leader", "running", ""],
    ["patroni-db2", "Sync Standby", "streaming", ""],
    ["patroni-db3", "Replica", "streaming", ""],
];

describe("render/switchoverScript", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        for (const program of ["docker", "psql", "patronictl", "pg_isready", "timeout"]) {
            runner.fakeFile(program, "container");
        }
        // Whether Patroni is told of the script.
        runner.fake(
            "grep",
            'case "$*" in *before_stop*) [ ! -e "$HOME/untold" ] ;; *) exec /usr/bin/grep "$@" ;; esac',
        );
        // The guard's time, and all shorter waits.
        runner.fake("sleep", 'case "$1" in 130) exec /bin/sleep 1 ;; *) exec /bin/sleep 0.02 ;; esac');
        runner.write("leader", "patroni-db1\n");
        list(members);
        install({});
    });
    afterEach(() => {
        runner.remove();
        rmSync(containerPaths.beforeStop, { force: true });
    });

    function list(rows: string[][]): void {
        const lines = rows.map(([name, role, state, tags]) => ["pg", name, "192.0.2.1", role, state, "1", tags]);
        const header = ["Cluster", "Member", "Host", "Role", "State", "TL", "Tags"];
        runner.write("list", [header, ...lines].map((cells) => `${cells.join("\t")}\n`).join(""));
    }

    function install(changes: Partial<SwitchoverScript>): void {
        const script = renderSwitchoverScript({
            serviceName: "pg-patroni-db1",
            scope: "pg",
            routers: { addresses: ["192.0.2.11", "192.0.2.12"], readWritePort: 5433 },
            poolers: { addresses: poolers, port: 6432, passwords: ["Generated", "Former"] },
            ...changes,
        });
        runner.write("switchover", script);
    }

    const run = (words = "patroni-db1"): ScriptResult => runner.run(`sh "$HOME/switchover" ${words}`);
    const log = (): string[] => runner.read("log").trim().split("\n");
    /** PgBouncers that are asked at the same time come in any order. */
    const each = (command: string): string[] => poolers.map((address) => `${command} ${address}`);

    const asksForSwitchover = "switchover pg --leader patroni-db1 --candidate patroni-db2 --scheduled now";

    it("checkpoints, pauses every PgBouncer just before PostgreSQL stops, and resumes them", () => {
        expect(run()).to.deep.equal({ status: 0, stdout: "", stderr: "" });
        expect(log().slice(0, 2)).to.deep.equal(["CHECKPOINT", asksForSwitchover]);
        expect(log().slice(2, 4).sort()).to.deep.equal(each("PAUSE"));
        expect(log()[4]).to.equal("stop");
        expect(log().slice(5).sort()).to.deep.equal(each("RESUME"));
        expect(existsSync(containerPaths.beforeStop)).to.equal(false);
        expect(runner.read("switchover.paused")).to.equal("");
    });

    it("pauses no PgBouncer before every HAProxy has noticed that the leader is about to stop", () => {
        runner.write("unaware-192.0.2.12", "");
        expect(run().status).to.equal(0);
        expect(existsSync(`${runner.directory}/unaware-192.0.2.12`)).to.equal(false);
        for (const address of poolers)
            expect(runner.read(`drained-before-${address}`)).to.equal(
                "192.0.2.11 leads nowhere\n192.0.2.12 leads nowhere\n",
            );
    });

    const early = { "another node leads": "elsewhere", "Patroni doesn't know of the script yet": "untold" };
    for (const [where, file] of Object.entries(early))
        it(`pauses every PgBouncer before all else where ${where}`, () => {
            runner.write(file, "");
            expect(run()).to.deep.equal({ status: 0, stdout: "", stderr: "" });
            expect(log()[0]).to.equal("CHECKPOINT");
            expect(log().slice(1, 3).sort()).to.deep.equal(each("PAUSE"));
            expect(log().slice(3, 5)).to.deep.equal([asksForSwitchover, "stop"]);
            expect(log().slice(5).sort()).to.deep.equal(each("RESUME"));
            expect(runner.read("switchover.paused")).to.equal("");
        });

    it("--restart does the same around a restart of the leader, who needs nobody to take over", () => {
        list(members.slice(0, 1));
        expect(run("--restart patroni-db1")).to.deep.equal({ status: 0, stdout: "", stderr: "" });
        expect(log().slice(0, 2)).to.deep.equal(["CHECKPOINT", "restart pg patroni-db1 --pending --scheduled now"]);
        expect(log().slice(2, 4).sort()).to.deep.equal(each("PAUSE"));
        expect(log()[4]).to.equal("stop");
        expect(log().slice(5).sort()).to.deep.equal(each("RESUME"));
        // HAProxy shows no stop then, and would be waited for in vain.
        expect(runner.read("drained")).to.equal("");
    });

    it("--restart resumes all when PostgreSQL doesn't restart, and says why", () => {
        runner.write("refuse", "");
        const { status, stderr } = run("--restart patroni-db1");
        expect(status).to.equal(3);
        expect(stderr).to.include("Failed: restart for member patroni-db1");
        expect(log().slice(-2).sort()).to.deep.equal(each("RESUME"));
    });

    describe("chooses", () => {
        const chosen = (): string => /--candidate (\S+)/.exec(runner.read("log"))?.[1] ?? "nobody";
        const cases: { [title: string]: { rows: string[][]; preferred: string; expected: string } } = {
            "a synchronous node, whoever is preferred": {
                rows: members,
                preferred: "patroni-db3 patroni-db2",
                expected: "patroni-db2",
            },
            "the preferred one of several synchronous nodes": {
                rows: members.map(([name = "", role = "", ...rest]) => [
                    name,
                    role.replace("Replica", "Sync Standby"),
                    ...rest,
                ]),
                preferred: "patroni-db3 patroni-db2",
                expected: "patroni-db3",
            },
            "the preferred one where none is synchronous": {
                rows: members.map(([name = "", role = "", ...rest]) => [
                    name,
                    role.replace("Sync Standby", "Replica"),
                    ...rest,
                ]),
                preferred: "patroni-db3 patroni-db2",
                expected: "patroni-db3",
            },
            "no node with the tag nofailover": {
                rows: [
                    ...members.slice(0, 1),
                    ["patroni-db2", "Replica", "streaming", "nofailover: true"],
                    ...members.slice(2),
                ],
                preferred: "patroni-db2",
                expected: "patroni-db3",
            },
        };
        for (const [title, { rows, preferred, expected }] of Object.entries(cases)) {
            it(title, () => {
                list(rows);
                expect(run(`patroni-db1 ${preferred}`).status).to.equal(0);
                expect(chosen()).to.equal(expected);
            });
        }
    });

    it("pauses nobody where no node is fit", () => {
        list(members.map(([name = "", role = "", , tags = ""]) => [name, role, "starting", tags]));
        const { status, stderr } = run();
        expect(status).to.equal(3);
        expect(stderr).to.include("no other node is fit to take over from patroni-db1");
        expect(runner.read("log")).to.equal("");
    });

    it("goes on without a PgBouncer whose transactions don't end, and lets its clients go on at once", () => {
        runner.write("busy-192.0.2.22", "");
        // Ten seconds pass in one.
        runner.fake("date", 'echo "$(($(/bin/date +%s%N) / 100000000))"');
        const { status, stderr } = run();
        expect(status).to.equal(0);
        expect(stderr).to.include("PgBouncer 192.0.2.22:6432 was not paused: transactions were open for too long");
        expect(log().indexOf("RESUME 192.0.2.22")).to.be.lessThan(log().indexOf("stop"));
        expect(log()).to.include("RESUME 192.0.2.21");
    });

    it("goes on without a PgBouncer that takes none of the passwords", () => {
        runner.write("stranger-192.0.2.22", "");
        const { status, stderr } = run();
        expect(status).to.equal(0);
        expect(stderr).to.match(/PgBouncer 192\.0\.2\.22:6432 was not paused: .*authentication failed/);
        expect(log()).to.include("RESUME 192.0.2.21");
    });

    it("gives attempts more time after ten seconds, and ends the pause after thirty without a primary", () => {
        // A second passes with each look at the time, from the leader's end on.
        runner.fake(
            "date",
            'seconds=$(cat "$HOME/seconds" 2>/dev/null || echo 0); if [ -e "$HOME/stopped" ]; then seconds=$((seconds + 1)); echo "$seconds" >"$HOME/seconds"; fi; echo "$seconds"',
        );
        runner.write("hang", "");
        expect(run().status).to.equal(0);
        expect([...new Set(runner.read("limits").trim().split("\n"))]).to.deep.equal(["0.3", "5"]);
        expect(Number(runner.read("seconds"))).to.be.within(30, 60);
        // One that resumes slower than these seconds pass is told a second time.
        expect([...new Set(log().slice(log().indexOf("stop") + 1))].sort()).to.deep.equal(each("RESUME"));
    });

    it("goes on at once without a PgBouncer and a HAProxy that don't answer", () => {
        runner.write("down-192.0.2.22", "");
        runner.write("down-192.0.2.12", "");
        const { status, stderr } = run();
        expect(status).to.equal(0);
        expect(stderr).to.include("192.0.2.22:6432 does not answer").and.include("192.0.2.12:5433 does not answer");
        expect(log().filter((line) => line.includes("PAUSE"))).to.deep.equal(["PAUSE 192.0.2.21"]);
        expect(runner.read("switchover.paused")).to.equal("");
    });

    it("has taken place where a PgBouncer is lost meanwhile, which the guard resumes when it is back", async () => {
        runner.write("lost-192.0.2.22", "");
        const { status, stderr } = run();
        expect(status).to.equal(0);
        expect(stderr).to.include("PgBouncer 192.0.2.22:6432 may still be paused");
        expect(log()).to.include("RESUME 192.0.2.21").and.not.include("RESUME 192.0.2.22");
        expect(runner.read("switchover.paused")).not.to.equal("");
        rmSync(`${runner.directory}/lost-192.0.2.22`);
        await waitForGuard();
        expect(log()).to.include("RESUME 192.0.2.22");
    });

    it("is not kept from the next one by a PgBouncer that is still away", () => {
        runner.write("down-192.0.2.22", "");
        runner.write("switchover.paused", "1\n");
        expect(run().status).to.equal(0);
        expect(runner.read("leader")).to.equal("patroni-db2\n");
    });

    it("leaves a PgBouncer paused that somebody else has paused", () => {
        runner.write("taken-192.0.2.22", "");
        const { status, stderr } = run();
        expect(status).to.equal(0);
        expect(stderr).to.equal("PgBouncer 192.0.2.22:6432 was not paused: ERROR:  already suspended/paused\n");
        expect(log()).to.include("RESUME 192.0.2.21").and.not.to.include("RESUME 192.0.2.22");
    });

    it("pauses nobody when Patroni refuses, and says why", () => {
        runner.write("refuse", "");
        const { status, stderr } = run();
        expect(status).to.equal(3);
        expect(stderr).to.include("Switchover failed, details: 412");
        expect(runner.read("log")).not.to.match(/PAUSE|RESUME/);
    });

    for (const where of ["here", "elsewhere"]) {
        it(`pauses where the leader is ${where}, and patronictl reaches it by the DCS alone`, () => {
            runner.write("unreachable", "");
            runner.write(where, "");
            expect(run()).to.deep.equal({ status: 0, stdout: "", stderr: "" });
            expect(runner.read("leader")).to.equal("patroni-db2\n");
            const steps = log().map((line) => line.replace(/ .*/, ""));
            const before = where === "here" ? ["switchover", "PAUSE", "PAUSE"] : ["PAUSE", "PAUSE", "switchover"];
            expect(steps).to.deep.equal(["CHECKPOINT", ...before, "stop", "RESUME", "RESUME"]);
        });
    }

    it("hands over without PgBouncers and HAProxys, too", () => {
        install({ poolers: undefined, routers: undefined });
        expect(run()).to.deep.equal({ status: 0, stdout: "", stderr: "" });
        expect(runner.read("leader")).to.equal("patroni-db2\n");
        expect(runner.read("log")).not.to.match(/PAUSE|RESUME/);
    });

    function start(word = "patroni-db1"): ChildProcess {
        const environment = { HOME: runner.directory, PATH: `${runner.directory}/bin:/usr/bin:/bin` };
        const words = [`${runner.directory}/switchover`, word];
        return spawn("sh", words, { env: environment, detached: true, stdio: "ignore" });
    }

    /** Waits no longer than a test may take: a wait without an end would keep the tests' process. */
    async function waitFor(what: string, isThere: () => boolean): Promise<void> {
        const deadline = performance.now() + 9000;
        while (!isThere()) {
            expect(performance.now(), `time to see ${what} in ${runner.read("log")}`).to.be.below(deadline);
            await sleep(20);
        }
    }

    const waitForLog = (line: string): Promise<void> => waitFor(line, () => log().includes(line));
    const waitForLines = (count: number): Promise<void> => waitFor(`${count} lines`, () => log().length >= count);
    const waitForGuard = (): Promise<void> => waitFor("the guard", () => runner.read("switchover.paused") === "");

    describe("where only its shell in the container is killed,", () => {
        // The guard is not to come in.
        beforeEach(() =>
            runner.fake("sleep", 'case "$1" in 130) exec /bin/sleep 30 ;; *) exec /bin/sleep 0.02 ;; esac'),
        );

        const killShell = (): boolean => process.kill(Number(runner.read("shell")), "SIGKILL");

        it("resumes all at once", async () => {
            runner.write("hang", "");
            start();
            await waitForLog("stop");
            killShell();
            for (const line of each("RESUME")) await waitForLog(line);
        });

        it("resumes one, too, that is not paused yet", async () => {
            runner.write("slow-192.0.2.22", "");
            start();
            await waitForLog("PAUSE 192.0.2.21");
            killShell();
            await waitForLog("RESUME 192.0.2.21");
            rmSync(`${runner.directory}/slow-192.0.2.22`);
            await waitForLog("RESUME 192.0.2.22");
            expect(log().indexOf("PAUSE 192.0.2.22")).to.be.within(0, log().indexOf("RESUME 192.0.2.22"));
        });
    });

    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        it(`resumes all after ${signal} to everything that it started`, async () => {
            runner.write("hang", "");
            const child = start();
            await waitForLog("stop");
            const ended = once(child, "exit");
            process.kill(-(child.pid ?? 0), signal);
            await ended;
            rmSync(`${runner.directory}/hang`);
            for (const line of each("RESUME")) await waitForLog(line);
            await waitForGuard();
            expect(existsSync(containerPaths.beforeStop)).to.equal(false);
        });
    }

    const startReconnect = () => once(start("--reconnect"), "exit");

    const [first = "", second = ""] = poolers;
    const leadsAway = (pooler: string, size: number): string[] =>
        [`SET min_pool_size = ${size}`, "SET min_pool_size = 0", "RECONNECT"].map((step) => `${step} ${pooler}`);

    it("--reconnect leads PgBouncers away from the HAProxys that go, once another one has taken them", async () => {
        const active = " S    | app      | app      | active";
        runner.write(`servers-${first}`, `${active} | 192.0.2.11 | 5433\n`.repeat(2));
        runner.write(`servers-${second}`, `${active} | 192.0.2.12 | 5433\n`.repeat(2));
        runner.write("down-192.0.2.11", "");
        const ended = startReconnect();
        await waitForLines(3);
        rmSync(`${runner.directory}/down-192.0.2.11`);
        runner.write("down-192.0.2.12", "");
        await waitForLines(6);
        rmSync(`${runner.directory}/down-192.0.2.12`);
        // Its host is to run none any more, and is not among the entry points; both have come to it meanwhile.
        runner.write("down-192.0.2.13", "");
        await waitForLines(12);
        rmSync(`${runner.directory}/down-192.0.2.13`);
        expect(await ended).to.deep.equal([0, null]);
        expect(log().slice(0, 6)).to.deep.equal([...leadsAway(first, 4), ...leadsAway(second, 4)]);
        expect(log().slice(6)).to.have.members([...leadsAway(first, 3), ...leadsAway(second, 3)]);
    });

    it("--reconnect knows a HAProxy by its name, too, and leaves it where PgBouncer doesn't say where it is", async () => {
        install({
            routers: { addresses: ["localhost"], readWritePort: 5433 },
            poolers: { addresses: poolers, port: 6432, passwords: ["Generated"] },
        });
        runner.write(`servers-${first}`, " S    | app      | app      | active | 127.0.0.1  | 5433\n");
        runner.write(`servers-${second}`, "");
        runner.write(`silent-${second}`, "");
        for (const router of ["localhost", "192.0.2.11", "192.0.2.12", "192.0.2.13"])
            runner.write(`down-${router}`, "");
        const ended = startReconnect();
        for (const pooler of poolers) await waitForLog(`RECONNECT ${pooler}`);
        rmSync(`${runner.directory}/down-localhost`);
        expect(await ended).to.deep.equal([0, null]);
        expect(log().filter((line) => line.endsWith(first))).to.deep.equal(leadsAway(first, 3));
    });
});
