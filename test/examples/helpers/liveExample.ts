import { z } from "zod";
import type { ClusterStatus } from "../../../cli/status";
import { trustAuthorities } from "../../../lab/drill/trust";
import { CommandResult } from "../../lab/helpers/command";
import { Example } from "../../lab/helpers/example";
import { inContainer, onHost } from "../../lab/helpers/hosts";
import { parseUrl, Target } from "../../lab/helpers/sql";
import { eventually } from "../../lab/helpers/wait";

const endpoints = z.array(z.string().regex(/^[^:]+:\d+$/));
const login = z.object({ username: z.string(), password: z.string(), url: z.string() });
const workloads = z.array(z.object({ name: z.string(), host: z.string(), label: z.string() }));

/** What every example's stack says of its cluster. */
const outputs = z.object({
    endpoints: z.object({
        readWrite: endpoints.nonempty(),
        readOnly: endpoints.nonempty(),
        any: endpoints.nonempty(),
        pooled: endpoints,
        statistics: endpoints.nonempty(),
        metrics: endpoints,
    }),
    operations: z.object({
        clusterName: z.string(),
        hosts: z.record(z.string(), z.object({ address: z.string() })),
        patroni: workloads.nonempty(),
        etcd: workloads,
        haproxy: workloads.nonempty(),
        pgbouncer: workloads,
        psql: z.object({ local: z.string() }),
    }),
    applications: z.record(
        z.string(),
        z.object({
            urls: z.object({ direct: z.string(), readOnly: z.string(), pooled: z.string().optional() }),
            replicationRoles: z.record(z.string(), login).optional(),
        }),
    ),
    administrators: z.record(z.string(), login).optional(),
    passwords: z.record(z.string(), z.string()),
    caCertificate: z.string(),
    alertRules: z.string().optional(),
});

export type Outputs = z.infer<typeof outputs>;

/** A container of an example's cluster, and the host of the lab that it runs on. */
export interface Workload {
    name: string;
    label: string;
    labHost: string;
}

const healthyTimeoutSeconds = 180;
const commandTimeoutSeconds = 180;
/** Patroni's `ttl`, an election and a promotion, and as much again. */
const replacedTimeoutSeconds = 90;

/** Shell function `kill_it`, which kills the main process of a container that runs. */
function killFunction(label: string): string {
    return [
        "kill_it() {",
        `  id=$(docker ps --quiet --filter label=pgha.workload=${label} --filter status=running)`,
        "  pid=$(docker inspect --format '{{.State.Pid}}' \"$id\")",
        // That of a container that has just ended is 0, with which `kill` would mean this script.
        '  [ "${pid:-0}" -gt 0 ] && kill -9 "$pid"',
        "}",
    ].join("\n");
}

/** Kills a container each time that it comes back, as long as a file is there, and not for ever. */
function keepDead(label: string, mark: string): string {
    return [
        killFunction(label),
        `touch ${mark}`,
        `deadline=$(($(date +%s) + ${replacedTimeoutSeconds}))`,
        `while [ -e ${mark} ] && [ "$(date +%s)" -lt "$deadline" ]; do kill_it 2>/dev/null; sleep 0.1; done`,
    ].join("\n");
}

/** An example that is up in the lab. */
export class LiveExample {
    private constructor(
        private readonly example: Example,
        private readonly labHosts: Map<string, string>,
        public readonly outputs: Outputs,
    ) {}

    /** Reads the outputs of an example that is up. `labHosts` are the names of the lab's hosts by their addresses. */
    public static async read(example: Example, labHosts: Map<string, string>): Promise<LiveExample> {
        const live = new LiveExample(example, labHosts, outputs.parse(await example.outputs()));
        trustAuthorities(live.outputs.caCertificate);
        return live;
    }

    /** Paths of the example's only application. */
    public get urls(): Outputs["applications"][string]["urls"] {
        const [application] = Object.values(this.outputs.applications);
        if (application === undefined) throw new Error("the example has no application");
        return application.urls;
    }

    /** Where a URL leads, as a client comes there that verifies certificates. */
    public target(url: string): Target {
        const target = parseUrl(url);
        return { ...target, login: { ...target.login, caCertificate: this.outputs.caCertificate } };
    }

    /** Containers of one part of the cluster. */
    public workloads(part: "patroni" | "etcd" | "haproxy" | "pgbouncer"): Workload[] {
        return this.outputs.operations[part].map(({ name, label, host }) => ({
            name,
            label,
            labHost: this.labHost(host),
        }));
    }

    /** Runs `pgha` as the example's user does, whatever status it ends with. */
    public pgha(...words: string[]): Promise<CommandResult> {
        return this.example.attempt(["npx", "--no-install", "pgha", "--stack", this.example.stack, ...words], {
            timeoutSeconds: commandTimeoutSeconds,
        });
    }

    /** Runs `pgha`, which must succeed. */
    public async pghaSucceeds(...words: string[]): Promise<CommandResult> {
        const result = await this.pgha(...words);
        if (result.status !== 0)
            throw new Error(`pgha ${words.join(" ")} ended with ${result.status}:\n${result.output}`);
        return result;
    }

    public async status(): Promise<ClusterStatus> {
        return JSON.parse((await this.pgha("status", "--json")).stdout) as ClusterStatus;
    }

    /** Waits until `pgha status` finds nothing wrong. */
    public waitForHealth(): Promise<void> {
        return eventually("pgha status finds the cluster healthy", healthyTimeoutSeconds, async () => {
            const { healthy, reasons } = await this.status();
            if (!healthy) throw new Error(reasons.join("; "));
        });
    }

    /** The node that leads. */
    public async leader(): Promise<Workload> {
        const { patroni } = await this.status();
        const leading = patroni.members.find(({ role }) => role === "leader")?.name;
        const found = this.workloads("patroni").find(({ name }) => name === leading);
        if (found === undefined) throw new Error(`no node leads; the members are ${JSON.stringify(patroni.members)}`);
        return found;
    }

    /** Lines that a statement gives on a node, asked as superuser in its container: the only way in where a firewall is up. */
    public async onNode(node: Workload, statement: string, database = "postgres"): Promise<string[]> {
        const { local } = this.outputs.operations.psql;
        const psql = ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", `${local} dbname=${database}`];
        const text = await inContainer(node.labHost, node.label, [...psql, "-c", statement]);
        return text.split("\n").filter((line) => line !== "");
    }

    /** The same on every node, by the node's name. */
    public async onEachNode(statement: string, database?: string): Promise<Map<string, string[]>> {
        const nodes = this.workloads("patroni");
        const answers = await Promise.all(nodes.map((node) => this.onNode(node, statement, database)));
        return new Map(nodes.map(({ name }, index) => [name, answers[index] ?? []]));
    }

    /** Values of parameters of PostgreSQL on every node, by the node's name. */
    public async parameters(names: string[]): Promise<Map<string, { [name: string]: string }>> {
        const list = names.map((name) => `'${name}'`).join(", ");
        const answers = await this.onEachNode(`SELECT name, current_setting(name) FROM unnest(ARRAY[${list}]) AS name`);
        return new Map(
            [...answers].map(([node, rows]) => [node, Object.fromEntries(rows.map((row) => row.split("|")))]),
        );
    }

    /** Kills the main process of a container, as the kernel does when memory runs out: Docker doesn't count that as a stop. */
    public async kill({ labHost, label }: Workload): Promise<void> {
        await onHost(labHost, ["bash", "-euc", `${killFunction(label)}\nkill_it`]);
    }

    /**
     * Keeps a node dead until another one takes writes, and gives that one. Docker starts the container again and again; a Patroni that
     * lived long enough to renew the leader's key would go on leading.
     */
    public async keepDeadUntilReplaced(node: Workload): Promise<Workload> {
        const mark = `/tmp/${node.label}.kept-dead`;
        const others = this.workloads("patroni").filter(({ name }) => name !== node.name);
        const killing = onHost(node.labHost, ["bash", "-uc", keepDead(node.label, mark)], {
            timeoutSeconds: 2 * replacedTimeoutSeconds,
        });
        const replaced = eventually(`another node than ${node.name} leads`, replacedTimeoutSeconds, async () => {
            for (const other of others) {
                const [inRecovery] = await this.onNode(other, "SELECT pg_is_in_recovery()");
                if (inRecovery === "f") return other;
            }
            throw new Error("no other node takes writes");
        }).finally(() => onHost(node.labHost, ["rm", "-f", mark]));
        const [next] = await Promise.all([replaced, killing]);
        return next;
    }

    private labHost(key: string): string {
        const address = this.outputs.operations.hosts[key]?.address ?? "";
        const found = this.labHosts.get(address);
        if (found === undefined) throw new Error(`host ${key} at "${address}" is no host of the lab`);
        return found;
    }
}
