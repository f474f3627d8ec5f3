import { expect } from "chai";
import { checkTiming, PatroniTiming, timingPresets, timingWarnings } from "../../components/checks/timing";
import { expectProblems, refuses } from "./problems";

const good: PatroniTiming = {
    ttlSeconds: 30,
    loopWaitSeconds: 5,
    retryTimeoutSeconds: 10,
    primaryStartTimeoutSeconds: 15,
};

describe("checks/timing", () => {
    for (const [name, preset] of Object.entries(timingPresets)) {
        it(`has a preset ${name} in which a leader that is cut off stops before another is elected`, () => {
            expect(checkTiming("patroni", preset)).to.deep.equal([]);
            expect(timingWarnings("patroni", preset)).to.deep.equal([]);
        });
    }

    it("warns of a retry_timeout with which a leader that is cut off stops too late", () => {
        expectProblems(timingWarnings("patroni", { ...good, retryTimeoutSeconds: 9 }), {
            "patroni.ttlSeconds":
                "30 is less than the 31 seconds for which a leader that is cut off may run as primary with loopWaitSeconds 5 and " +
                "retryTimeoutSeconds 9; raise it, or lower retryTimeoutSeconds to 8",
        });
        expectProblems(timingWarnings("patroni", { ...good, retryTimeoutSeconds: 8 }), {});
    });

    it("warns of a loop_wait that is longer than what is left, and of one that a single write takes", () => {
        const { fast } = timingPresets;
        expectProblems(timingWarnings("patroni", { ...fast, loopWaitSeconds: 14, retryTimeoutSeconds: 3 }), {
            "patroni.ttlSeconds":
                "20 is less than the 26 seconds for which a leader that is cut off may run as primary with loopWaitSeconds 14 and " +
                "retryTimeoutSeconds 3; raise it, or take another loopWaitSeconds",
        });
        expectProblems(timingWarnings("patroni", { ...fast, loopWaitSeconds: 1 }), {
            "patroni.ttlSeconds": "20 is less than the 22 seconds",
        });
    });

    it("takes the rule at equality when it is given so", () => {
        expect(checkTiming("patroni", { ...good, loopWaitSeconds: 10 })).to.deep.equal([]);
    });

    refuses(
        (timing: PatroniTiming) => checkTiming("patroni", timing),
        [
            {
                name: "loop_wait + 2 * retry_timeout > ttl",
                given: { ...good, loopWaitSeconds: 11 },
                problems: { "patroni.ttlSeconds": "but 11 + 2 * 10 = 31 > 30; raise ttlSeconds" },
            },
            {
                name: "a ttl that Patroni would raise",
                given: { ...good, ttlSeconds: 19, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
                problems: { "patroni.ttlSeconds": "19 was given; a whole number of at least 20" },
            },
            {
                name: "a loop_wait that Patroni would raise",
                given: { ...good, loopWaitSeconds: 0 },
                problems: { "patroni.loopWaitSeconds": "at least 1" },
            },
            {
                name: "a retry_timeout that Patroni would raise",
                given: { ...good, retryTimeoutSeconds: 2 },
                problems: { "patroni.retryTimeoutSeconds": "2 was given; a whole number of at least 3" },
            },
            {
                name: "a fraction",
                given: { ...good, loopWaitSeconds: 1.5 },
                problems: { "patroni.loopWaitSeconds": "1.5 was given; a whole number" },
            },
            {
                name: "a negative primary_start_timeout",
                given: { ...good, primaryStartTimeoutSeconds: -1 },
                problems: { "patroni.primaryStartTimeoutSeconds": "-1 was given" },
            },
        ],
    );
});
