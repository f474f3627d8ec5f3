import { expect } from "chai";
import { Problem } from "../../components/checks/problem";

/** A bad input and the problems that it must give: paths, with what each reason must say. */
export interface BadInput<T> {
    name: string;
    given: T;
    problems: { [path: string]: string | RegExp };
}

/** Expects exactly these problems, one for each path. */
export function expectProblems(actual: Problem[], expected: { [path: string]: string | RegExp }): void {
    const shown = actual.map(({ path, reason }) => `${path}: ${reason}`).join("\n");
    expect(actual.map(({ path }) => path).sort(), shown).to.deep.equal(Object.keys(expected).sort());
    for (const { path, reason } of actual) {
        const wanted = expected[path] ?? "";
        if (typeof wanted === "string") {
            expect(reason, path).to.include(wanted);
        } else {
            expect(reason, path).to.match(wanted);
        }
    }
}

/** One test for each bad input of a table. */
export function refuses<T>(check: (given: T) => Problem[], table: BadInput<T>[]): void {
    for (const { name, given, problems } of table) {
        it(`refuses ${name}`, () => expectProblems(check(given), problems));
    }
}
