/** Quotes a name. */
export function quoteIdentifier(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
    const escaped = text.replaceAll("'", "''");
    return text.includes("\\") ? `E'${escaped.replaceAll("\\", "\\\\")}'` : `'${escaped}'`;
}

/** Quotes names as the right side of `IN`, which must not be empty: no name is an empty text. */
export function quoteList(names: string[]): string {
    return `(${(names.length === 0 ? [""] : names).map(quoteLiteral).join(", ")})`;
}

/** A statement that must not run inside a transaction, and only where a query finds nothing. */
export function onlyUnless(query: string, statement: string): string {
    return `SELECT ${quoteLiteral(statement)} WHERE NOT EXISTS (${query}) \\gexec`;
}

/** Statements for psql, which ends at the first that fails. */
export function statements(list: string[]): string {
    // Without the statement's text in an error no verifier gets into a log.
    return ["\\set VERBOSITY terse", "\\set ON_ERROR_STOP on", ...list, ""].join("\n");
}
