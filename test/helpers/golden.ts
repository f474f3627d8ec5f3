import { expect } from "chai";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Compares texts with the golden files of a directory; `UPDATE_GOLDEN=1` writes the files instead. */
export function goldenFiles(directory: string): (fileName: string, text: string) => void {
    return (fileName, text) => {
        // An ending of their own keeps formatters and linters from them.
        const file = join(directory, `${fileName}.golden`);
        if (process.env.UPDATE_GOLDEN === "1") {
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, text);
        }
        expect(text, `${fileName}; UPDATE_GOLDEN=1 takes a wanted change over`).to.equal(readFileSync(file, "utf8"));
    };
}
