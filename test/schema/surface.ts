import * as ts from "typescript";

/** Describes everything that a module exports, with all public members: one line for each, in alphabetical order. */
export class Surface {
    /** Types of this library that stand in the surface, and can't be named by who uses it. */
    readonly unnamed = new Set<string>();
    private readonly checker: ts.TypeChecker;
    private readonly exported: ts.Symbol[];

    constructor(
        program: ts.Program,
        entryPoint: string,
        private readonly directory: string,
    ) {
        this.checker = program.getTypeChecker();
        const source = program.getSourceFile(entryPoint);
        const symbol = source && this.checker.getSymbolAtLocation(source);
        if (symbol === undefined) {
            throw new Error(`${entryPoint} is no module`);
        }
        this.exported = this.checker.getExportsOfModule(symbol).map((name) => this.resolve(name));
    }

    /** The surface as text. */
    describe(): string {
        const described = this.exported.map((symbol) => this.describeSymbol(symbol));
        return `${described.sort().join("\n\n")}\n`;
    }

    private describeSymbol(symbol: ts.Symbol): string {
        const [declaration] = symbol.declarations ?? [];
        if (declaration === undefined) {
            throw new Error(`${symbol.name} is declared nowhere`);
        }
        this.findUnnamed(declaration);
        if (ts.isClassDeclaration(declaration)) {
            const constructed = this.checker.getTypeOfSymbol(symbol).getConstructSignatures();
            const constructors = constructed.map((signature) => `constructor${this.signature(signature)}`);
            return block(`class ${symbol.name}`, [...constructors, ...this.members(symbol)]);
        }
        if (ts.isInterfaceDeclaration(declaration)) {
            return block(`interface ${symbol.name}`, this.members(symbol));
        }
        if (ts.isEnumDeclaration(declaration)) {
            const values = declaration.members.map(
                (member) => `${member.name.getText()} = ${JSON.stringify(this.checker.getConstantValue(member))}`,
            );
            return block(`enum ${symbol.name}`, values);
        }
        const signatures = this.checker.getTypeOfSymbol(symbol).getCallSignatures();
        return signatures.map((signature) => `function ${symbol.name}${this.signature(signature)}`).join("\n");
    }

    /** Public members that the library declares, also those of the interface's bases. */
    private members(symbol: ts.Symbol): string[] {
        return this.checker
            .getDeclaredTypeOfSymbol(symbol)
            .getProperties()
            .filter((member) => member.declarations?.some((declaration) => this.isOurs(declaration)))
            .filter((member) => !member.declarations?.some(isPrivate))
            .map((member) => {
                const optional = member.flags & ts.SymbolFlags.Optional ? "?" : "";
                const type = this.checker.getNonNullableType(this.checker.getTypeOfSymbol(member));
                return `${member.name}${optional}: ${this.text(type)}`;
            });
    }

    private signature(signature: ts.Signature): string {
        return this.checker.signatureToString(signature, undefined, ts.TypeFormatFlags.NoTruncation);
    }

    private text(type: ts.Type): string {
        return this.checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
    }

    /** Notes the library's types that a public declaration names without their being exported. */
    private findUnnamed(node: ts.Node): void {
        if (ts.isTypeReferenceNode(node)) {
            const symbol = this.checker.getSymbolAtLocation(node.typeName);
            const target = symbol && this.resolve(symbol);
            if (
                target?.declarations?.some((declaration) => this.isOurs(declaration)) &&
                !this.exported.includes(target)
            ) {
                this.unnamed.add(target.name);
            }
        }
        ts.forEachChild(node, (child) => {
            if (!ts.isBlock(child) && !isPrivate(child)) {
                this.findUnnamed(child);
            }
        });
    }

    private isOurs(declaration: ts.Declaration): boolean {
        return declaration.getSourceFile().fileName.startsWith(this.directory);
    }

    private resolve(symbol: ts.Symbol): ts.Symbol {
        return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
    }
}

function isPrivate(node: ts.Node): boolean {
    return ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name);
}

function block(head: string, lines: string[]): string {
    return [head, ...lines.sort().map((line) => `    ${line}`)].join("\n");
}
