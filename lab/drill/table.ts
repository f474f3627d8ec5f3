/** Pads the cells of each column to the same width. */
export function alignColumns(rows: string[][]): string[][] {
    const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
    return rows.map((row) => row.map((cell, column) => cell.padEnd(width(column))));
}

/** A table of Markdown. */
export function markdownTable(header: string[], rows: string[][]): string {
    const [titles = [], ...cells] = alignColumns([header, ...rows]);
    const table = [titles, titles.map((title) => "-".repeat(title.length)), ...cells];
    return table.map((row) => `| ${row.join(" | ")} |\n`).join("");
}

export function median(values: number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

export function formatSeconds(milliseconds: number): string {
    return `${toSeconds(milliseconds)} s`;
}

/** The median, with the smallest and the largest where there are several. */
export function formatRange(values: number[]): string {
    if (values.length === 0) return "-";
    const middle = formatSeconds(median(values));
    return values.length === 1
        ? middle
        : `${middle} (${toSeconds(Math.min(...values))} to ${toSeconds(Math.max(...values))})`;
}

function toSeconds(milliseconds: number): string {
    return (milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1);
}
