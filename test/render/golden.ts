import { expect } from "chai";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Compares a text with its golden file; `UPDATE_GOLDEN=1` writes the file instead. */
export function expectGolden(fileName: string, text: string): void {
    const file = join(__dirname, "golden", fileName);
    if (process.env.UPDATE_GOLDEN === "1") {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
    }
    expect(text, `${fileName}; UPDATE_GOLDEN=1 takes a wanted change over`).to.equal(readFileSync(file, "utf8"));
}
