import { expect } from "chai";
import { compareRows, findStaleAcknowledgements, longestGap } from "./checker";
import type { Acknowledgement, Answer } from "./journal";

function answersAt(...times: number[]): Answer[] {
    return times.map((receivedAt) => ({ client: 0, sentAt: receivedAt - 1, receivedAt }));
}

function acknowledgement(receivedAt: number, timeline: number): Acknowledgement {
    return { id: `row-${receivedAt}`, client: 0, sentAt: receivedAt - 1, receivedAt, timeline };
}

describe("compareRows", () => {
    it("finds nothing where every acknowledged row is there once", () => {
        expect(compareRows(["a", "b"], [], ["b", "a"])).to.deep.equal({ lost: [], unexpected: [], duplicates: [] });
    });

    it("finds an acknowledged row that is missing", () => {
        expect(compareRows(["a", "b", "c"], [], ["a", "c"]).lost).to.deep.equal(["b"]);
    });

    it("takes a row of unknown outcome as right, there or not", () => {
        expect(compareRows(["a"], ["b", "c"], ["a", "b"])).to.deep.equal({ lost: [], unexpected: [], duplicates: [] });
    });

    it("finds a row that nobody is known to have stored", () => {
        expect(compareRows(["a"], ["b"], ["a", "x"]).unexpected).to.deep.equal(["x"]);
    });

    it("names a row that is there three times once", () => {
        expect(compareRows(["a", "b"], [], ["a", "b", "a", "a"]).duplicates).to.deep.equal(["a"]);
    });
});

describe("longestGap", () => {
    it("finds a planted gap", () => {
        expect(longestGap(answersAt(0, 10, 20, 520, 530), 15, 525)).to.deep.equal({ start: 20, end: 520 });
    });

    it("counts a gap that began before the interval or ends after it in full", () => {
        expect(longestGap(answersAt(0, 100, 110), 50, 60)).to.deep.equal({ start: 0, end: 100 });
    });

    it("leaves out longer gaps before and after the interval", () => {
        expect(longestGap(answersAt(0, 900, 910, 950, 960, 2000), 905, 955)).to.deep.equal({ start: 910, end: 950 });
    });

    it("refuses to name a gap that no answer ends", () => {
        expect(() => longestGap(answersAt(0, 10), 20, 30)).to.throw("not known");
    });
});

describe("findStaleAcknowledgements", () => {
    it("accepts timelines that only rise", () => {
        expect(findStaleAcknowledgements([acknowledgement(1, 1), acknowledgement(2, 1), acknowledgement(3, 2)])).to.be
            .empty;
    });

    it("finds an old leader that acknowledges beside the new one, whatever path it came by", () => {
        const stale = acknowledgement(3, 1);
        const onePath = [acknowledgement(1, 1), stale, acknowledgement(5, 2)];
        const otherPath = [acknowledgement(2, 2), acknowledgement(4, 2)];
        expect(findStaleAcknowledgements([...onePath, ...otherPath])).to.deep.equal([stale]);
    });
});
