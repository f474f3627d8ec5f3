/** The anchor that a heading gets on the usual Git hosts. */
export function slug(heading: string): string {
    return heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-");
}
