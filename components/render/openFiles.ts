/**
 * A command with the soft limit of open files that it needs: Docker gives containers 1,024 of them since version 29. Where the hard limit
 * is lower the container ends at once and says why, instead of refusing clients later.
 */
export function withOpenFiles(openFiles: number, command: string[]): string[] {
    const remedy = `${command[0]} needs ${openFiles} open files; raise LimitNOFILE of Docker's service on this host, or allow fewer connections`;
    return ["sh", "-c", `ulimit -S -n ${openFiles} || { echo "${remedy}" >&2; exit 1; }; exec "$@"`, "sh", ...command];
}
