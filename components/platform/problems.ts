import * as pulumi from "@pulumi/pulumi";
import { Problem } from "../checks/problem";

/** Throws all problems of a component's inputs at once, each with the path of its input. */
export function assertNoProblems(problems: Problem[]): void {
    if (problems.length === 0) {
        return;
    }
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const list = problems.map((problem) => `  - ${problem.path}: ${problem.reason}`).join("\n");
    const error = new pulumi.InputPropertiesError({
        message: `${count} in the inputs; nothing was created:\n${list}`,
        errors: problems.map(({ path, reason }) => ({ propertyPath: path, reason })),
    });
    // A program in TypeScript shows a stack trace for any error but this kind; a provider looks at the other mark.
    throw Object.assign(error, { __pulumiRunError: true });
}

/** Shows warnings of a component's inputs in the preview. */
export function showWarnings(warnings: Problem[], resource: pulumi.Resource): void {
    for (const { path, reason } of warnings) {
        void pulumi.log.warn(`${path}: ${reason}`, resource);
    }
}
