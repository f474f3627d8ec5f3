import { expect } from "chai";
import { healthCommand } from "../../components/render/healthScript";
import { shellQuote } from "../../components/render/shell";
import { ScriptRunner } from "./scriptRunner";

describe("render/healthScript", () => {
    let runner: ScriptRunner;

    beforeEach(() => {
        runner = new ScriptRunner();
        runner.write("run/pgha/.keep", "");
        runner.fake("date", 'cat "$HOME/now"');
        runner.write("now", "1000");
    });
    afterEach(() => runner.remove());

    /** One check at a time, with a program that succeeds or fails, and the signals that it sent. */
    function checkAt(now: number, well: boolean): { status: number | null; signals: string } {
        runner.write("now", String(now));
        const [, , , script = "", ...rest] = healthCommand({
            command: [well ? "true" : "false"],
            timeoutSeconds: 3,
            retries: 2,
            startPeriodSeconds: 10,
            stopGraceSeconds: 30,
            stopSignal: "SIGINT",
        });
        runner.write("signals", "");
        const body = `kill() { echo "$*" >>"$HOME/signals"; }\n${script}`;
        const moved = body.replaceAll("/run/pgha", `${runner.directory}/run/pgha`);
        const words = ["sh", "-c", moved, ...rest].map(shellQuote).join(" ");
        const { status } = runner.run(words);
        return { status, signals: runner.read("signals") };
    }

    it("tells how the program ended", () => {
        expect(checkAt(1000, true)).to.deep.equal({ status: 0, signals: "" });
        expect(checkAt(1005, false)).to.deep.equal({ status: 1, signals: "" });
    });

    it("doesn't count failures of the start period", () => {
        for (const now of [1000, 1003, 1006, 1009]) {
            expect(checkAt(now, false).signals, `${now}`).to.equal("");
        }
        expect(checkAt(1011, false).signals).to.equal("");
        expect(checkAt(1014, false).signals).to.equal("-s INT 1\n");
    });

    it("counts from the first success on, as Docker does", () => {
        checkAt(1000, true);
        checkAt(1001, false);
        expect(checkAt(1002, false).signals).to.equal("-s INT 1\n");
    });

    it("begins to count anew after a success", () => {
        checkAt(1000, true);
        checkAt(1020, false);
        checkAt(1021, true);
        expect(checkAt(1022, false).signals).to.equal("");
    });

    it("kills what hasn't stopped within its grace, and not before", () => {
        checkAt(1000, true);
        checkAt(1020, false);
        expect(checkAt(1021, false).signals).to.equal("-s INT 1\n");
        expect(checkAt(1050, false).signals).to.equal("");
        expect(checkAt(1051, false).signals).to.match(/^(-s KILL -- -1\n)+$/);
    });

    it("acts on failures that a check noted before it was cut off", () => {
        runner.write("run/pgha/health", "0 2 0\n");
        expect(checkAt(1000, false).signals).to.equal("-s INT 1\n");
    });
});
