import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { healthCommand } from "../../components/render/healthScript";
import { builtImage } from "./container";

const name = "pgha-test-health";

function docker(...args: string[]): string {
    const { stdout, stderr, status } = spawnSync("docker", args, { encoding: "utf8", timeout: 60_000 });
    if (status !== 0) {
        throw new Error(`docker ${args[0] ?? ""} failed: ${stderr}`);
    }
    return stdout.trim();
}

/** Starts a container that is well while /tmp/well is there, checked as on a plain Docker host, with the given main program. */
async function start(main: string): Promise<void> {
    const [, shell = "", ...words] = healthCommand({
        command: ["sh", "-c", "test -e /tmp/well && { test ! -e /tmp/slow || sleep 60; }"],
        timeoutSeconds: 1,
        retries: 2,
        startPeriodSeconds: 0,
        stopGraceSeconds: 2,
    });
    const tmpfs = ["--tmpfs", "/tmp:mode=777", "--tmpfs", "/run/pgha:mode=777,noexec"];
    docker(
        ...[
            "run",
            "--detach",
            "--name",
            name,
            "--network",
            "none",
            "--restart",
            "always",
            "--read-only",
            "--user",
            "999:999",
        ],
        ...tmpfs,
        builtImage("etcd"),
        ...["sh", "-c", `touch /tmp/well; ${main}`],
    );
    check = [shell, ...words];
    await begun();
}

let check: string[] = [];

/** One check, as Docker makes it every few seconds. */
function runCheck(): number | null {
    return spawnSync("docker", ["exec", name, ...check], { timeout: 30_000 }).status;
}

function restarts(): number {
    return Number(docker("inspect", "--format", "{{.RestartCount}}", name));
}

/** Waits until the main program has begun: a check before that would fail, and count. */
async function begun(): Promise<void> {
    for (let rest = 50; rest > 0; rest--) {
        if (spawnSync("docker", ["exec", name, "test", "-e", "/tmp/well"]).status === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error("the container's main program has not begun after 10 s");
}

async function restarted(seconds: number): Promise<boolean> {
    for (let rest = seconds * 5; rest > 0 && restarts() === 0; rest--) {
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return restarts() > 0;
}

describe("An unhealthy container on a plain Docker host", () => {
    afterEach(() => {
        spawnSync("docker", ["rm", "--force", name]);
    });

    it("is left alone while it is well, and after one failure", async () => {
        await start("exec sleep 1000");
        expect(runCheck()).to.equal(0);
        docker("exec", name, "rm", "/tmp/well");
        expect(runCheck()).to.equal(1);
        docker("exec", name, "touch", "/tmp/well");
        expect(runCheck()).to.equal(0);
        docker("exec", name, "rm", "/tmp/well");
        expect(runCheck()).to.equal(1);
        expect(restarts()).to.equal(0);
    });

    it("is stopped after its failures in a row, and Docker starts it again", async () => {
        await start("exec sleep 1000");
        docker("exec", name, "rm", "/tmp/well");
        runCheck();
        runCheck();
        expect(await restarted(5)).to.equal(true);
        await begun();
        expect(runCheck(), "it begins anew").to.equal(0);
    });

    it("counts a check that takes too long, and leaves no program behind", async () => {
        await start("exec sleep 1000");
        docker("exec", name, "touch", "/tmp/slow");
        expect(runCheck()).to.equal(1);
        expect(docker("exec", name, "sh", "-c", "grep -l '[s]leep.60' /proc/[0-9]*/cmdline || true")).to.equal("");
    });

    it("is killed when it doesn't heed the signal", async () => {
        await start("trap '' TERM; while :; do sleep 1; done");
        docker("exec", name, "rm", "/tmp/well");
        runCheck();
        runCheck();
        expect(await restarted(1)).to.equal(false);
        await new Promise((resolve) => setTimeout(resolve, 2000));
        runCheck();
        expect(await restarted(5)).to.equal(true);
    });
});
