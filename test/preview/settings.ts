import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { repository } from "./pulumiStack";

/** The production stack's settings, with some of them changed, or left out where undefined is given. */
export function settingsWith(changes: { [path: string]: unknown } = {}): string {
    const document = parseDocument(readFileSync(join(repository, "Pulumi.prod.yaml"), "utf8"));
    for (const [path, value] of Object.entries(changes)) {
        const [first = "", ...rest] = path.split(".");
        const place = ["config", `pulumi-postgres-ha:${first}`, ...rest];
        if (value === undefined) {
            document.deleteIn(place);
        } else {
            document.setIn(place, value);
        }
    }
    document.delete("encryptionsalt");
    return document.toString();
}
