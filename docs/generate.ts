/**
 * Writes the tables of configuration.md and outputs.md from the doc comments in components/. With `--check` it writes nothing, and
 * fails when one of them is out of date.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DocComments, Field } from "./docComments";
import { slug } from "./slug";

/** A page: the interface or class that it describes, and its columns. */
interface Page {
    file: string;
    start: string;
    columns: { [title: string]: (field: Field, type: string) => string };
}

const pages: Page[] = [
    {
        file: "docs/configuration.md",
        start: "PostgresClusterArgs",
        columns: {
            Key: (field) => `\`${field.name}\``,
            Type: (_, type) => type,
            Default: (field) => (field.optional ? defaultText(field.default) : "required"),
            Meaning: (field) => field.meaning || comments.meaningOf(inner(field.type).name),
            "Effect of a change": (field) => field.change,
        },
    },
    {
        file: "docs/outputs.md",
        start: "PostgresCluster",
        columns: {
            Name: (field) => `\`${field.name}\``,
            Type: (_, type) => type,
            Secret: (field) => (/\bsecret\b/.test(field.meaning) ? "yes" : ""),
            Meaning: (field) => field.meaning.replace("; secret", ""),
        },
    },
];

/** What stands above it in a page is written by hand. */
const marker = "<!-- From here on written by `npm run docs`. -->";

const root = join(__dirname, "..");
const sources = globSync("components/**/*.ts", { cwd: root }).sort();
const comments = new DocComments(sources.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })));

/** A default as a stack's file would say it. */
function defaultText(text: string): string {
    const [literal = "", ...remarks] = ` ${text}`.split(/ - /).map((part) => part.trim());
    const [owner = "", name] = literal.split(".");
    const member = comments.membersOf(owner).find((candidate) => candidate.name === name);
    const value = literal === "" ? [] : [`\`${member?.type ?? literal}\``];
    return [...value, ...remarks].join(", ") || "none";
}

/** The type inside maps and lists, and the path that leads into it. */
function inner(type: string, path = ""): { name: string; path: string } {
    const map = /^\{ \[\w+: string\]: (.*) \}$/.exec(type)?.[1];
    const list = /^(.*)\[\]$/.exec(type)?.[1];
    const next = map ?? list;
    return next === undefined ? { name: type, path } : inner(next, `${path}${map === undefined ? "[]" : ".<key>"}`);
}

/** The paths that lead to each interface and class that can be reached. */
function findSections(name: string, path: string, found = new Map<string, string[]>()): Map<string, string[]> {
    const known = found.get(name);
    found.set(name, [...(known ?? []), path]);
    for (const field of known === undefined ? comments.fieldsOf(name) : []) {
        const next = inner(field.type);
        if (comments.has(next.name)) {
            findSections(next.name, `${path}${path === "" ? "" : "."}${field.name}${next.path}`, found);
        }
    }
    return found;
}

function renderTables(page: Page): string {
    const sections = [...findSections(page.start, "")].map(([name, [path = "", ...others]]) => ({
        name,
        title: others.length === 0 ? path : `<part>.${path.split(".").at(-1)}`,
    }));
    const typeText = (type: string): string => {
        const { name } = inner(type);
        const section = sections.find((candidate) => candidate.name === name);
        const values = comments.membersOf(name).map(({ type, meaning }) => `\`${type}\`${meaning && ": "}${meaning}`);
        return section ? `[\`${section.title}\`](#${slug(section.title)})` : values.join("<br>") || `\`${type}\``;
    };
    const row = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    const columns = Object.entries(page.columns);
    return sections
        .flatMap(({ name, title }) => [
            ...(title === "" ? [] : [`## \`${title}\``, "", comments.meaningOf(name), ""]),
            row(columns.map(([heading]) => heading)),
            row(columns.map(() => "---")),
            ...comments
                .fieldsOf(name)
                .map((field) => row(columns.map(([, cell]) => cell(field, typeText(field.type))))),
            "",
        ])
        .join("\n");
}

let outdated = false;
for (const page of pages) {
    const path = join(root, page.file);
    const text = readFileSync(path, "utf8");
    const intro = text.split(marker)[0] ?? "";
    const wanted = `${intro}${marker}\n\n<!-- prettier-ignore-start -->\n\n${renderTables(page)}\n<!-- prettier-ignore-end -->\n`;
    if (text === wanted) {
        continue;
    }
    if (process.argv.includes("--check")) {
        outdated = true;
        console.error(`${page.file} is out of date; run: npm run docs`);
    } else {
        writeFileSync(path, wanted);
        console.log(`${page.file} written`);
    }
}
process.exitCode = outdated ? 1 : 0;
