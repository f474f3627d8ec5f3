import * as ts from "typescript";

/** What a doc comment says. */
interface Comment {
    meaning: string;
    /** Text of `@default`: a literal, a literal and ` - ` with a remark, or `- ` with a sentence. */
    default: string;
    /** Text after `**Change:**`. */
    change: string;
}

/** A field of an interface, a public property of a class, or a member of an enum. */
export interface Field extends Comment {
    name: string;
    /** The type without `pulumi.Input` and `pulumi.Output`; of an enum's member its value. */
    type: string;
    optional: boolean;
}

/** All interfaces, classes, enums and type aliases of some source files, by name. */
export class DocComments {
    private readonly declared = new Map<string, { meaning: string; bases: string[]; fields: Field[] }>();
    private readonly enums = new Map<string, Field[]>();
    private readonly aliases = new Map<string, string>();

    constructor(sources: { path: string; text: string }[]) {
        for (const { path, text } of sources) {
            ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true).forEachChild((node) => this.read(node));
        }
    }

    /** Whether an interface or class has this name. */
    public has(name: string): boolean {
        return this.declared.has(name);
    }

    /** What an interface or class is for. */
    public meaningOf(name: string): string {
        return this.declared.get(name)?.meaning ?? "";
    }

    /** All fields of an interface or class, those of its bases last. */
    public fieldsOf(name: string): Field[] {
        const found = this.declared.get(name);
        const fields = found?.fields.map((field) => ({ ...field, type: this.aliases.get(field.type) ?? field.type }));
        return [...(fields ?? []), ...(found?.bases.flatMap((base) => this.fieldsOf(base)) ?? [])];
    }

    /** The members of an enum; none for another name. */
    public membersOf(name: string): Field[] {
        return this.enums.get(name) ?? [];
    }

    private read(node: ts.Node): void {
        if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) {
            const clauses = node.heritageClauses?.filter(({ token }) => token === ts.SyntaxKind.ExtendsKeyword) ?? [];
            const bases = clauses.flatMap((clause) => clause.types.map((type) => type.getText()));
            const fields = [...node.members].flatMap(readField);
            this.declared.set(node.name?.text ?? "", { meaning: readComment(node).meaning, bases, fields });
        } else if (ts.isEnumDeclaration(node)) {
            this.enums.set(node.name.text, node.members.map(readMember));
        } else if (ts.isTypeAliasDeclaration(node)) {
            this.aliases.set(node.name.text, node.type.getText());
        }
    }
}

function readMember(node: ts.EnumMember): Field {
    const type = node.initializer !== undefined && ts.isStringLiteral(node.initializer) ? node.initializer.text : "";
    return { name: node.name.getText(), type, optional: false, ...readComment(node) };
}

function readField(node: ts.Node): Field[] {
    const isProperty = ts.isPropertySignature(node) || ts.isPropertyDeclaration(node);
    if (!isProperty || (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0) {
        return [];
    }
    const type = (node.type?.getText() ?? "").replaceAll(/\bpulumi\.(?:Input|Output)<((?:[^<>]|<[^<>]*>)*)>/g, "$1");
    return [{ name: node.name.getText(), type, optional: node.questionToken !== undefined, ...readComment(node) }];
}

function readComment(node: ts.Node): Comment {
    const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
    const text = (comment?.getText() ?? "").replaceAll(/^\/\*\*|\*\/$/g, "").replaceAll(/^ *\* ?/gm, "");
    const oneLine = (part = ""): string =>
        part
            .replaceAll(/\{@link (\w+)\}/g, "`$1`")
            .replaceAll(/\s+/g, " ")
            .trim();
    return {
        meaning: oneLine(text.split(/@\w+|\*\*Change:\*\*/)[0]),
        default: oneLine(/@default ([\s\S]*?)(?:\n\s*\n|$)/.exec(text)?.[1]),
        change: oneLine(/\*\*Change:\*\* ([\s\S]*?)(?:\n\s*\n|$)/.exec(text)?.[1]),
    };
}
