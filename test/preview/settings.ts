import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { repository } from "./pulumiStack";

/** The production stack's settings, with some of them changed. */
export function settingsWith(changes: { [path: string]: unknown } = {}): string {
    const document = parseDocument(readFileSync(join(repository, "Pulumi.prod.yaml"), "utf8"));
    for (const [path, value] of Object.entries(changes)) {
        const [first = "", ...rest] = path.split(".");
        document.setIn(["config", `pulumi-postgres-ha:${first}`, ...rest], value);
    }
    document.delete("encryptionsalt");
    return document.toString();
}
