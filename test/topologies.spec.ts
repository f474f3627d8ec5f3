import { expect } from "chai";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const docs = join(__dirname, "../docs");
const page = readFileSync(join(docs, "topologies.md"), "utf8");

/** Cells of the table's rows, without its head and the lines that only divide it. */
const rows = page
    .slice(page.indexOf("| Feature |"))
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
        line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim()),
    );
const [head = [], , ...body] = rows;
const features = body.filter(([feature = ""]) => !feature.startsWith("**"));

/** Titles of a test file's tests and groups, as patterns: what stands in a template's `${}` may be anything. */
function titlesOf(file: string): RegExp[] {
    const source = readFileSync(file, "utf8");
    const literals = source.matchAll(/\b(?:it|describe)\(\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g);
    return [...literals].map(([, plain = "", template]) => {
        const parts = (template ?? plain)
            .split(/\$\{[^}]*\}/)
            .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
        return new RegExp(`^${parts.join(".+")}$`);
    });
}

describe("docs/topologies.md", () => {
    it("has a column for each seed, and a cell in it for each feature", () => {
        expect(head.slice(2)).to.deep.equal(["000", "001", "002", "003", "004"]);
        expect(features.length).to.be.above(80);
        for (const row of features) {
            const [feature, ...cells] = row;
            expect(row, feature).to.have.length(head.length);
            expect(cells.slice(1).join(""), `${feature}: no system has it`).not.to.equal("");
        }
    });

    it("links each cell to a test that is there, or says what there is instead", () => {
        for (const [feature, , ...cells] of features) {
            for (const cell of cells.filter((text) => text !== "")) {
                const links = [...cell.matchAll(/\[(example|lab|real|preview|unit)\]\((\S+) "([^"]*)"\)/g)];
                if (links.length === 0) {
                    expect(["not done", "Docker's own"], feature).to.include(cell);
                }
                for (const [, , path = "", title = ""] of links) {
                    const file = join(docs, path);
                    expect(existsSync(file), `${feature}: ${path}`).to.equal(true);
                    const found = titlesOf(file).some((pattern) => pattern.test(title));
                    expect(found, `${feature}: ${path} has no test "${title}"`).to.equal(true);
                }
            }
        }
    });

    it("names every example of a seed", () => {
        const folderOf = (test: string): string =>
            basename(test, ".spec.ts").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
        const tests = globSync("../test/examples/*.spec.ts", { cwd: docs });
        const examples = tests.filter((test) => existsSync(join(docs, "../examples", folderOf(test))));
        expect(page.match(/^\| seed \d{3} \| \[[a-z-]+\]\(\.\.\/examples\/[a-z-]+\)/gm)).to.have.length(
            examples.length,
        );
    });
});
