import * as pulumi from "@pulumi/pulumi";
import { Problem } from "../checks/problem";

/** Throws all problems of a component's inputs at once, each with the path of its input. */
export function assertNoProblems(problems: Problem[]): void {
    if (problems.length === 0) {
        return;
    }
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const list = problems.map((problem) => `  - ${problem.path}: ${problem.reason}`).join("\n");
    throw new pulumi.InputPropertiesError({
        message: `${count} in the inputs; nothing was created:\n${list}`,
        errors: problems.map(({ path, reason }) => ({ propertyPath: path, reason })),
    });
}

/** Shows warnings of a component's inputs in the preview. */
export function showWarnings(warnings: Problem[], resource: pulumi.Resource): void {
    for (const { path, reason } of warnings) {
        void pulumi.log.warn(`${path}: ${reason}`, resource);
    }
}
