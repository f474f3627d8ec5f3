/** The scheme of a server's URLs. */
export function httpScheme(tls = false): "https" | "http" {
    return tls ? "https" : "http";
}

/** Options of curl for who asks only whether there is an answer. */
export const withoutOutput = ["-o", "/dev/null"];

/**
 * Words of a call to a server in the same container, with curl's options. Its certificate is not verified: nothing leaves the container, and one that has expired
 * must not get a server killed that still works.
 */
export function curlLocal(options: string[], port: number, path: string, tls = false): string[] {
    return [
        "curl",
        "-fsS",
        ...options,
        ...(tls ? ["--insecure"] : []),
        `${httpScheme(tls)}://127.0.0.1:${port}${path}`,
    ];
}

/**
 * Shell function `expired`, whether the certificate of one of some servers is past its end. Their members don't believe each other any more
 * then, and waiting for them would keep those from being replaced that could mend it.
 */
export function expiredFunction(caFile: string, urls: string[]): string {
    return [
        "expired() {",
        `  for url in ${urls.join(" ")}; do`,
        `    case "$(in_container curl -sS -o /dev/null --max-time 3 --cacert ${caFile} "$url" 2>&1)" in`,
        '      *"certificate has expired"*) return 0 ;;',
        "    esac",
        "  done",
        "  return 1",
        "}",
    ].join("\n");
}
