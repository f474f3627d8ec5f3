import { expect } from "chai";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..");

/** The test files that the groups of a folder name, by one file of mocha's settings each. */
function grouped(folder: string): string[] {
    return globSync(`${folder}/.mocharc*.json`, { cwd: root }).flatMap((file) => {
        const { spec } = JSON.parse(readFileSync(join(root, file), "utf8")) as { spec: string[] };
        return spec.flatMap((pattern) => globSync(pattern, { cwd: root }));
    });
}

describe("The groups of tests", () => {
    for (const folder of ["test/lab", "test/examples", "test/preview", "test/real"])
        it(`leave out no file of ${folder}`, () => {
            expect(grouped(folder).sort()).to.deep.equal(globSync(`${folder}/**/*.spec.ts`, { cwd: root }).sort());
        });
});
