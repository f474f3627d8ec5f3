// Prints what an npm SDK declares, as JSON: for every resource and function, and for the provider, the paths of its
// inputs and outputs with their types. Usage: node declared.mjs PACKAGE_FOLDER
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const ts = createRequire(import.meta.url)("typescript");
const root = path.resolve(process.argv[2]);

const parse = (file) => ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);

/** Interfaces of types/input.d.ts or types/output.d.ts by their name with namespaces, such as remote.Connection. */
function namedTypes(file) {
    const found = new Map();
    const visit = (prefix) => (node) => {
        if (ts.isInterfaceDeclaration(node)) {
            found.set(prefix + node.name.text, node);
        } else if (ts.isModuleDeclaration(node)) {
            ts.forEachChild(node.body, visit(`${prefix}${node.name.text}.`));
        }
    };
    if (fs.existsSync(file)) {
        ts.forEachChild(parse(file), visit(""));
    }
    return found;
}
const types = {
    inputs: namedTypes(path.join(root, "types/input.d.ts")),
    outputs: namedTypes(path.join(root, "types/output.d.ts")),
};

const primitives = new Map([
    [ts.SyntaxKind.StringKeyword, "string"],
    [ts.SyntaxKind.NumberKeyword, "number"],
    [ts.SyntaxKind.BooleanKeyword, "boolean"],
    [ts.SyntaxKind.AnyKeyword, "any"],
]);

/** Adds the leaves of a type below a path; a trailing question mark is a value that may be missing. */
function leaves(node, at, optional, into) {
    const put = (name) => (into[at] = name + (optional ? "?" : ""));
    if (primitives.has(node.kind)) {
        put(primitives.get(node.kind));
    } else if (ts.isArrayTypeNode(node)) {
        leaves(node.elementType, `${at}[]`, optional, into);
    } else if (ts.isTypeLiteralNode(node) && ts.isIndexSignatureDeclaration(node.members[0])) {
        leaves(node.members[0].type, `${at}{}`, optional, into);
    } else if (ts.isUnionTypeNode(node)) {
        const rest = node.types.filter((t) => t.kind !== ts.SyntaxKind.UndefinedKeyword);
        if (rest.length === 1) {
            leaves(rest[0], at, optional || rest.length < node.types.length, into);
        } else if (rest.every((t) => t.getText().startsWith("pulumi.asset."))) {
            put("asset");
        } else {
            throw new Error(`${at}: no rule for ${node.getText()}`);
        }
    } else if (ts.isTypeReferenceNode(node)) {
        reference(node, at, optional, into, put);
    } else {
        throw new Error(`${at}: no rule for ${node.getText()}`);
    }
}

function reference(node, at, optional, into, put) {
    const [head, ...rest] = node.typeName.getText().split(".");
    if (head === "pulumi" && (rest[0] === "Input" || rest[0] === "Output")) {
        leaves(node.typeArguments[0], at, optional, into);
    } else if (head === "pulumi" && rest[0] === "asset") {
        put(rest[1].toLowerCase());
    } else if (head === "enums") {
        put("string");
    } else if (types[head]?.has(rest.join("."))) {
        const named = types[head].get(rest.join("."));
        into[at] = optional ? "object?" : "object";
        members(named, `${at}.`, into);
    } else {
        throw new Error(`${at}: unknown type ${node.getText()}`);
    }
}

function members(declaration, prefix, into = {}) {
    for (const member of declaration.members) {
        const isStatic = ts.getModifiers(member)?.some((m) => m.kind === ts.SyntaxKind.StaticKeyword);
        if (!isStatic && (ts.isPropertySignature(member) || ts.isPropertyDeclaration(member))) {
            leaves(member.type, prefix + member.name.getText(), member.questionToken !== undefined, into);
        }
    }
    return into;
}

function files(folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const full = path.join(folder, entry.name);
        if (entry.isDirectory()) {
            return ["types", "node_modules"].includes(entry.name) ? [] : files(full);
        }
        return entry.name.endsWith(".d.ts") ? [full] : [];
    });
}

const result = {};
for (const file of files(root)) {
    const module = path.relative(root, path.dirname(file)).replaceAll("/", ".");
    const source = parse(file);
    const qualified = (name) => (module ? `${module}.${name}` : name);
    const interfaces = new Map(source.statements.filter(ts.isInterfaceDeclaration).map((i) => [i.name.text, i]));
    for (const declaration of source.statements.filter(ts.isClassDeclaration)) {
        const base = declaration.heritageClauses?.[0].types[0].getText();
        if (base === "pulumi.CustomResource" || base === "pulumi.ProviderResource") {
            const name = declaration.name.text;
            result[qualified(name)] = {
                inputs: members(interfaces.get(`${name}Args`), ""),
                outputs: members(declaration, ""),
            };
        }
    }
    for (const declaration of source.statements.filter(ts.isFunctionDeclaration)) {
        const name = declaration.name.text;
        const base = name[0].toUpperCase() + name.slice(1);
        if (interfaces.has(`${base}Args`) && interfaces.has(`${base}Result`)) {
            result[qualified(name)] = {
                inputs: members(interfaces.get(`${base}Args`), ""),
                outputs: members(interfaces.get(`${base}Result`), ""),
            };
        }
    }
}
process.stdout.write(JSON.stringify(result));
