/** Kilobytes in PostgreSQL's units of memory. */
const unitsKilobytes: { [unit: string]: number } = { B: 1 / 1024, kB: 1, MB: 1024, GB: 1024 ** 2, TB: 1024 ** 3 };

/** PostgreSQL's page size in kilobytes: a plain number of `shared_buffers` counts pages. */
const pageKilobytes = 8;

/** MiB of a memory setting that counts pages when it has no unit, such as `shared_buffers`; undefined when it is none. */
export function pagesToMiB(value: string | number | boolean): number | undefined {
    const match = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?$/.exec(String(value).trim());
    if (match === null) {
        return undefined;
    }
    const kilobytes = match[2] === undefined ? pageKilobytes : unitsKilobytes[match[2]];
    return kilobytes === undefined ? undefined : (Number(match[1]) * kilobytes) / 1024;
}
