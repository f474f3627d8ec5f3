import { waitFor } from "./shell";

/** Time for a member that is about to come back, and for an election, in seconds. */
const guardTimeoutSeconds = 30;

const mendFirst =
    "mend that one first, or put its settings back alone with 'pulumi up --target'; then run 'pulumi up' again";

/**
 * Refuses to let a member go that the others could not do without. Where this member doesn't run, is ill itself, or has no quorum for as
 * long as the guard waits, nothing gets worse.
 *
 * @param spared - a command that succeeds where the others can do without the member; a function `needed` must say whether it is well itself
 * @param loss - what would be lost, and which members are away: words in double quotes
 * @param nextStep - words in double quotes
 */
export function memberGuard(spared: string, loss: string, nextStep = mendFirst): string {
    return waitFor(spared, guardTimeoutSeconds, `if needed; then fail "${loss}" "${nextStep}"; fi; break`);
}
