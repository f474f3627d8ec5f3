/** Marks a wrapped value in what the SDK sends to the engine, and the kind "secret". */
const wrapperKey = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";

interface PlainObject {
    [name: string]: unknown;
}

/** Whether an input was sent as a secret. */
export function isSecret(value: unknown): value is { value: unknown } {
    return isObject(value) && value[wrapperKey] === secretKind;
}

/** Unwraps the secrets in what was sent to the engine. */
export function reveal(value: unknown): unknown {
    if (isSecret(value)) {
        return reveal(value.value);
    }
    if (Array.isArray(value)) {
        return value.map(reveal);
    }
    return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, element]) => [key, reveal(element)]))
        : value;
}

/** All texts, keys included, that anybody may read in what was sent to the engine. */
export function readableTexts(value: unknown): string[] {
    if (isSecret(value)) {
        return [];
    }
    if (Array.isArray(value)) {
        return value.flatMap(readableTexts);
    }
    if (isObject(value)) {
        return Object.entries(value).flatMap(([key, element]) => [key, ...readableTexts(element)]);
    }
    return typeof value === "string" ? [value] : [];
}

function isObject(value: unknown): value is PlainObject {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
