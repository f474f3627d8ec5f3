/** Fails when a relative link in a Markdown file leads to a file or a heading that isn't there. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { slug } from "./slug";

const root = join(__dirname, "..");
const pages = globSync("**/*.md", { cwd: root, exclude: ["**/node_modules", ".git"] }).map((path) => join(root, path));

/** A page without what stands in code, where brackets are no links and `#` is no heading. */
function proseOf(page: string): string {
    return readFileSync(page, "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
}

function anchorsOf(page: string): string[] {
    return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => slug(heading));
}

const broken = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].flatMap(([link, path = "", anchor]) => {
        const target = path === "" ? page : join(dirname(page), path);
        const found = existsSync(target) && (anchor === undefined || anchorsOf(target).includes(anchor));
        return found ? [] : [`${relative(root, page)}: ${link.slice(2, -1)}`];
    }),
);
for (const link of broken) {
    console.error(`broken link in ${link}`);
}
process.exitCode = broken.length === 0 ? 0 : 1;
