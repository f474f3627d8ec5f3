import { run } from "./run";

/** The host whose console shows the Swarm. */
const manager = "db1";

/** Ways to lose a host. */
export type HostFault = "stop" | "crash" | "cut";

/** The hosts of the lab, its spare ones included, and their addresses. */
export async function readLabHosts(): Promise<Map<string, string>> {
    const script =
        'source lab/lab.env.sh; for host in "${LAB_ALL_HOSTS[@]}"; do echo "$host ${LAB_ADDRESS[$host]}"; done';
    const lines = (await run("bash", ["-euc", script], commandTimeoutMs)).trim().split("\n");
    return new Map(lines.map((line) => line.split(" ") as [string, string]));
}

const commandTimeoutMs = 60_000;
const healTimeoutMs = 180_000;

/** The fault commands of the lab, and a memory of what is to be healed. */
export class Lab {
    private readonly faultyHosts = new Set<string>();

    public async breakHost(fault: HostFault, host: string): Promise<void> {
        // Noted before, not after: a command that fails midway may have done its harm.
        this.faultyHosts.add(host);
        await this.host(commandTimeoutMs, fault, host);
    }

    /** Gives a host that is off an empty disk. */
    public async wipe(host: string): Promise<void> {
        await this.host(commandTimeoutMs, "wipe", host);
    }

    public async heal(host: string): Promise<void> {
        await this.host(healTimeoutMs, "heal", host);
        this.faultyHosts.delete(host);
    }

    public async healAll(): Promise<void> {
        for (const host of this.faultyHosts) {
            await this.heal(host);
        }
    }

    public exec(host: string, ...command: string[]): Promise<string> {
        return this.host(commandTimeoutMs, "exec", host, ...command);
    }

    /** Kills the container that serves the given port of a host, as the kernel does when memory runs out. */
    public async killContainer(host: string, port: string): Promise<void> {
        const container = (await this.exec(host, "docker", "ps", "--quiet", "--filter", `publish=${port}`)).trim();
        if (!/^[0-9a-f]+$/.test(container)) {
            throw new Error(`host ${host}: expected one container on port ${port}, found "${container}"`);
        }
        await this.exec(host, "docker", "kill", "--signal", "KILL", container);
    }

    /** Throws unless every Swarm service has all its containers, each of them past its health check. */
    public async assertServicesComplete(): Promise<void> {
        const running = await this.countRunningContainers(await this.readyHosts());
        for (const line of await this.list(manager, "service", "ls", "--format", "{{.Name}}\t{{.Replicas}}")) {
            const [service = "", replicas = ""] = line.split("\t");
            // such as "1/2": what Swarm knows of the first number lags behind, so only the second is taken
            const wanted = Number.parseInt(replicas.split("/")[1] ?? "", 10);
            if ((running.get(service) ?? 0) < wanted) {
                throw new Error(`service ${service}: ${running.get(service) ?? 0} of ${wanted} containers run`);
            }
        }
    }

    /** Hosts that the Swarm gives work to: spare ones may be among them. */
    private async readyHosts(): Promise<string[]> {
        const nodes = await this.list(manager, "node", "ls", "--format", "{{.Status}} {{.Hostname}}");
        const ready = "Ready ";
        return nodes.filter((line) => line.startsWith(ready)).map((line) => line.slice(ready.length));
    }

    private async countRunningContainers(hosts: string[]): Promise<Map<string, number>> {
        const format = '{{.Label "com.docker.swarm.service.name"}}\t{{.Status}}';
        const counts = new Map<string, number>();
        for (const host of hosts) {
            for (const line of await this.list(host, "ps", "--format", format)) {
                const [service = "", status = ""] = line.split("\t");
                if (/\((unhealthy|health: starting)\)/.test(status)) {
                    throw new Error(`service ${service} on ${host}: ${status}`);
                }
                counts.set(service, (counts.get(service) ?? 0) + 1);
            }
        }
        return counts;
    }

    /** The lines that a docker command of a host prints. */
    private async list(host: string, ...command: string[]): Promise<string[]> {
        return (await this.exec(host, "docker", ...command)).split("\n").filter((line) => line !== "");
    }

    private host(timeoutMs: number, ...args: string[]): Promise<string> {
        return run("lab/host.sh", args, timeoutMs);
    }
}
