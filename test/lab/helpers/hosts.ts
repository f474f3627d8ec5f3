import { attempt, CommandOptions, run } from "./command";

/** Runs a command by the console of a host of the lab. */
export async function onHost(host: string, command: string[], options?: CommandOptions): Promise<string> {
    return (await run("lab/host.sh", ["exec", host, ...command], options)).stdout;
}

/** Runs a shell script on a host. */
export function scriptOnHost(host: string, script: string, options?: CommandOptions): Promise<string> {
    return onHost(host, ["bash", "-euc", script], options);
}

/** Ids of the cluster's containers that run, by workload and host. */
export async function containerIds(hosts: string[]): Promise<Map<string, string>> {
    const format = '{{.Label "pgha.workload"}} {{.ID}}';
    const lists = await Promise.all(
        hosts.map(async (host) => {
            const text = await onHost(host, [
                "docker",
                "ps",
                "--no-trunc",
                "--filter",
                "label=pgha.workload",
                "--format",
                format,
            ]);
            return lines(text)
                .map((line) => line.split(" ") as [string, string])
                .map(([name, id]) => [`${name} on ${host}`, id] as const);
        }),
    );
    return new Map(lists.flat());
}

/** Runs a command in a workload's container on a host. */
export async function inContainer(host: string, workload: string, command: string[]): Promise<string> {
    const filter = ["--filter", `label=pgha.workload=${workload}`, "--filter", "status=running"];
    const id = (await onHost(host, ["docker", "ps", "--quiet", ...filter])).trim();
    if (!/^[0-9a-f]+$/.test(id)) {
        throw new Error(`${workload} on ${host}: expected one container that runs, found "${id}"`);
    }
    return onHost(host, ["docker", "exec", id, ...command]);
}

/** Whether a host's file or directory exists. */
export async function existsOnHost(host: string, path: string): Promise<boolean> {
    return (await attempt("lab/host.sh", ["exec", host, "test", "-e", path])).status === 0;
}

export function lines(text: string): string[] {
    return text.split("\n").filter((line) => line !== "");
}
