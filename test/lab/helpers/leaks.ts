/** A text in which no secret may stand, and where it comes from. */
export interface Source {
    name: string;
    text: string;
}

/**
 * Says which secrets stand in which sources, in the clear or in base64, alone or inside a longer text that was encoded as a whole.
 * The secrets themselves are not shown.
 */
export function findLeaks(sources: Iterable<Source>, secrets: Map<string, string>): string[] {
    const leaks: string[] = [];
    for (const { name, text } of sources) {
        for (const [owner, secret] of secrets) {
            if (text.includes(secret)) {
                leaks.push(`${name}: ${owner}`);
            } else if (encodedForms(secret).some((form) => text.includes(form))) {
                leaks.push(`${name}: ${owner} in base64`);
            }
        }
    }
    return leaks;
}

/**
 * What of a text's base64 form is the same whatever stands before and after it. Three bytes become four characters, so that there are
 * three forms, by the number of bytes before; characters that also hold bits of a neighbour are left out.
 */
function encodedForms(text: string): string[] {
    return [0, 1, 2].map((before) => {
        const encoded = Buffer.from("\0".repeat(before) + text).toString("base64");
        const firstOwn = Math.ceil((before * 8) / 6);
        const lastOwn = Math.floor(((before + Buffer.byteLength(text)) * 8) / 6);
        return encoded.slice(firstOwn, lastOwn);
    });
}
