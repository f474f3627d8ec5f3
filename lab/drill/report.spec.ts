import { expect } from "chai";
import { renderMarkdown, renderOrigin, renderTable, replaceSection, succeeded, type Report } from "./report";
import type { RoundResult } from "./round";
import { median } from "./table";

function result(gapMs: number, lost = 0): RoundResult {
    const path = { gapMs, answeredAfterMs: gapMs + 50, returnGapMs: 100 };
    return {
        oldLeader: "db1",
        newLeader: "db2",
        paths: { "read-write": path, pooled: path, "read-only": path },
        healthyAfterMs: 12_345,
        acknowledged: 1000,
        unknown: 2,
        lost,
        unexpected: 0,
        duplicates: 0,
        stale: 0,
    };
}

function report(...rounds: Partial<Report["rounds"][0]>[]): Report {
    return {
        date: "2030-01-02",
        machine: "2 cores",
        command: "make drill",
        rounds: rounds.map((round, index) => ({
            name: "crash-host",
            description: "crash",
            round: index + 1,
            ...round,
        })),
        changes: [],
    };
}

describe("succeeded", () => {
    it("asks for every round to end with nothing lost", () => {
        expect(succeeded(report({ result: result(1) }))).to.be.true;
        expect(succeeded(report({ result: result(1) }, { result: result(1, 1) }))).to.be.false;
        expect(succeeded(report({ result: result(1) }, { failure: "not healthy" }))).to.be.false;
    });
});

describe("renderTable", () => {
    it("shows figures, a verdict and why a round failed", () => {
        const text = renderTable(report({ result: result(2500, 3) }, { failure: "no leader within 120 s" }));
        expect(text).to.match(/^crash-host +1 +db1 -> db2 +2\.50 s .* 3 +0 +not ok$/m);
        expect(text).to.match(/^crash-host +2 +- .* failed$/m);
        expect(text).to.contain("crash-host 2 failed: no leader within 120 s");
    });
});

describe("renderMarkdown", () => {
    it("gives medians with their range and the sums of rows", () => {
        const measured = report({ result: result(3000) }, { result: result(1000) }, { result: result(1500, 1) });
        const text = renderOrigin(measured) + renderMarkdown(measured);
        expect(text).to.contain("Measured 2030-01-02 on 2 cores, with `make drill`");
        expect(text).to.match(/^\| crash +\| 3 +\| 1\.50 s \(1\.00 to 3\.00\) +\|.*\| 3000 +\| 6 +\| 1 +\|$/m);
    });
});

describe("median", () => {
    it("takes the middle, or the mean of the two in the middle", () => {
        expect(median([9, 1, 5])).to.equal(5);
        expect(median([4, 1, 2, 9])).to.equal(3);
    });
});

describe("replaceSection", () => {
    it("replaces only what was generated, and ends where it began when repeated", () => {
        const once = replaceSection("# Benchmarks\n", "first", "drill");
        const twice = replaceSection(`${once}\nwritten by hand\n`, "second", "drill");
        expect(twice).to.match(/^# Benchmarks\n[^]*second[^]*written by hand\n$/);
        expect(twice).not.to.contain("first");
        expect(replaceSection(twice, "second", "drill")).to.equal(twice);
    });

    it("refuses a document with half a pair of markers", () => {
        expect(() => replaceSection("<!-- drill:end -->", "x", "drill")).to.throw("drill:begin");
    });
});
