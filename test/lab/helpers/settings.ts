import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Settings } from "../../../settings";
import { repositoryRoot } from "./command";

interface StackFile {
    config: { [key: string]: unknown };
    encryptionsalt?: string;
}

const namespace = "pulumi-postgres-ha:";
const scratch = mkdtempSync(join(tmpdir(), "pgha-lab-tests-"));
process.on("exit", () => rmSync(scratch, { recursive: true }));
let edits = 0;

function readStackFile(): StackFile {
    return parse(readFileSync(join(repositoryRoot, "Pulumi.lab.yaml"), "utf8")) as StackFile;
}

/** Settings as they come from a file: plain values. */
type PlainSettings = Settings & { images: { patroni: string; etcd: string } };

/** The settings of the stack `lab`. */
export function readSettings(): PlainSettings {
    const entries = Object.entries(readStackFile().config);
    return Object.fromEntries(
        entries.map(([key, value]) => [key.replace(namespace, ""), value]),
    ) as unknown as PlainSettings;
}

/** A copy of the stack's file with other settings; the repository's own stays as it is. */
export function editSettings(edit: (settings: Settings) => void): string {
    const settings = readSettings();
    edit(settings);
    const config = Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [namespace + key, value as unknown]),
    );
    const file = join(scratch, `Pulumi.edit${++edits}.yaml`);
    writeFileSync(file, stringify({ ...readStackFile(), config }));
    return file;
}
