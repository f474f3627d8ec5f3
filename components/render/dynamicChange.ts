import { Announcement } from "./changeWords";
import { leaderFirstParameters, restartParameters } from "./restartParameters";
import { sortedEntries } from "./shell";

type Values = { [name: string]: unknown };

/** Says in words what a change of the dynamic configuration does to a cluster of so many nodes. Both are JSON. */
export function describeDynamicChange(before: string, after: string, nodeCount: number): Announcement[] {
    const [old, now] = [parse(before), parse(after)];
    const [restart, leaderFirst] =
        nodeCount === 1
            ? ["restart, for which clients wait", "restart, for which clients wait"]
            : ["rolling restart, with one switchover", "rolling restart, of the leader where it is"];
    const parameters = differences(section(old, "postgresql", "parameters"), section(now, "postgresql", "parameters"));
    const needRestart = parameters.filter(([name]) => restartParameters.includes(name.toLowerCase()));
    const others = parameters.filter(([name]) => !restartParameters.includes(name.toLowerCase()));
    const slots = differences(section(old, "slots"), section(now, "slots"));
    const top = differences(
        { ...old, ...section(old, "postgresql"), postgresql: undefined, parameters: undefined, slots: undefined },
        { ...now, ...section(now, "postgresql"), postgresql: undefined, parameters: undefined, slots: undefined },
    );
    return [
        ...calm(
            restart,
            needRestart.filter((change) => !isLowered(change)),
        ),
        ...calm(leaderFirst, needRestart.filter(isLowered)),
        ...calm("reload", others),
        ...calm(
            "in place",
            top.filter(([name]) => !synchronousModes.includes(name)),
        ),
        ...top.filter(([name]) => synchronousModes.includes(name)).map(describeSynchronousMode),
        ...slots.map(([name, was, is]) => describeSlot(name, was, is)),
    ];
}

/** Settings that promise that a commit is on another node. */
const synchronousModes = ["synchronous_mode", "synchronous_mode_strict"];

/** A name, what it was and what it is. */
type Difference = [name: string, was: unknown, is: unknown];

function isLowered([name, was, is]: Difference): boolean {
    return leaderFirstParameters.includes(name.toLowerCase()) && Number(is) < Number(was);
}

function calm(how: string, changes: Difference[]): Announcement[] {
    const list = changes.map(([name, was, is]) => `${name} ${shown(was)} -> ${shown(is)}`);
    return list.length === 0 ? [] : [{ words: `${how}: ${list.join(", ")}`, alarming: false }];
}

function describeSynchronousMode([name, was, is]: Difference): Announcement {
    const promise = is === true ? "" : "; a failover may then lose commits that clients were told of";
    return { words: `in place: ${name} ${shown(was)} -> ${shown(is)}${promise}`, alarming: is !== true };
}

function describeSlot(name: string, was: unknown, is: unknown): Announcement {
    if (was === undefined) {
        return { words: `in place: the permanent slot ${name} is made`, alarming: false };
    }
    const fate = is === undefined ? "is dropped" : "is dropped and made anew";
    return {
        words: `data loss for a consumer: the permanent slot ${name} ${fate}; changes that its consumer has not read yet don't reach it any more`,
        alarming: true,
    };
}

function differences(before: Values, after: Values): Difference[] {
    return sortedEntries({ ...before, ...after })
        .map(([name]): Difference => [name, before[name], after[name]])
        .filter(([, was, is]) => JSON.stringify(was) !== JSON.stringify(is));
}

function shown(value: unknown): string {
    if (value === undefined) {
        return "(default)";
    }
    return typeof value === "object" ? "(changed)" : `${value as string | number | boolean}`;
}

function section(config: Values, ...names: string[]): Values {
    return names.reduce<Values>((values, name) => (values[name] ?? {}) as Values, config);
}

/** What can't be read is compared as if nothing had been there: an older version may have written it otherwise. */
function parse(json: string): Values {
    try {
        return JSON.parse(json) as Values;
    } catch {
        return {};
    }
}
