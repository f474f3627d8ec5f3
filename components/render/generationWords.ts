import { Announcement, RefusedChange } from "./changeWords";

/** Generations of passwords, by the setting that each follows from. */
export type Generations = { [setting: string]: number };

/**
 * Says which passwords are made anew, and refuses a generation that was there before: its login may be known as one that is refused. A setting
 * that comes or goes says nothing.
 */
export function describeRotation(before: Generations, after: Generations): Announcement[] {
    const both = Object.keys(after).filter((setting) => Object.hasOwn(before, setting));
    const change = (setting: string): string => `${setting} ${before[setting]} -> ${after[setting]}`;
    const lowered = both.filter((setting) => (after[setting] ?? 0) < (before[setting] ?? 0));
    if (lowered.length > 0) {
        const list = lowered.map(change).join(", ");
        throw new RefusedChange(
            `not possible: a generation never goes back, and ${list} would. For another password give a greater number`,
        );
    }
    const raised = both.filter((setting) => (after[setting] ?? 0) > (before[setting] ?? 0));
    return raised.length === 0 ? [] : [{ words: `new passwords: ${raised.map(change).join(", ")}` }];
}
