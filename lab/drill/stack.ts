import { z } from "zod";
import { readLabHosts } from "./lab";
import { run } from "./run";
import type { Login } from "./session";
import { trustAuthorities } from "./trust";

const endpoints = z.array(z.string().regex(/^[^:]+:\d+$/)).nonempty();

const outputs = z.object({
    endpoints: z.object({ readWrite: endpoints, readOnly: endpoints, pooled: endpoints }),
    nodes: z.record(z.string(), z.object({ address: z.string(), patroniApi: z.url(), postgres: z.string() })),
    operations: z.object({
        hosts: z.record(z.string(), z.object({ address: z.string() })),
        etcd: z.array(z.object({ host: z.string() })),
    }),
    caCertificate: z.string(),
    applications: z.record(z.string(), z.object({ database: z.string(), owner: z.string(), password: z.string() })),
});

const etcdPort = 2379;

/** A database node; its key is the name of its host in the lab. */
export type Nodes = z.infer<typeof outputs>["nodes"];

/** What the drill needs to know of the cluster, out of the stack's outputs. */
export interface Stack {
    endpoints: z.infer<typeof outputs>["endpoints"];
    nodes: Nodes;
    /** Where etcd's members answer. */
    stores: string[];
    /** Of the authorities with which Patroni's REST API is verified. */
    caCertificate: string;
    login: Login;
}

/** Reads a stack that nothing but the lab's own hosts may be in. */
export async function readLabStack(name: string): Promise<Stack> {
    const stack = await readStack(name);
    assertInLab(stack, await readLabHosts());
    return stack;
}

/** Reads the outputs of a stack of this project's lab; the load logs in as the owner of the first application. */
export async function readStack(name: string): Promise<Stack> {
    const script = 'source lab/env.sh && pulumi stack output --json --show-secrets --stack "$1"';
    const text = await run("bash", ["-c", script, "drill", name], 60_000);
    const stack = parseStackOutputs(JSON.parse(text));
    trustAuthorities(stack.caCertificate);
    return stack;
}

export function parseStackOutputs(value: unknown): Stack {
    const parsed = outputs.safeParse(value);
    if (!parsed.success) {
        throw new Error(
            `stack outputs are not those of a cluster (is it up? try: make up)\n${z.prettifyError(parsed.error)}`,
        );
    }
    const application = Object.values(parsed.data.applications)[0];
    if (application === undefined) {
        throw new Error("the stack has no application database to write to: add one to its settings");
    }
    const { hosts, etcd } = parsed.data.operations;
    return {
        endpoints: parsed.data.endpoints,
        nodes: parsed.data.nodes,
        stores: etcd.map(({ host }) => `${hosts[host]?.address}:${etcdPort}`),
        caCertificate: parsed.data.caCertificate,
        login: { user: application.owner, password: application.password, database: application.database },
    };
}

/** Throws unless all of the cluster is in the lab: nothing else is put under load, and nothing else is broken. */
export function assertInLab({ nodes, endpoints }: Stack, hosts: Map<string, string>): void {
    for (const [name, node] of Object.entries(nodes)) {
        if (hosts.get(name) !== node.address) {
            throw new Error(`node ${name} at ${node.address} is no host of the lab`);
        }
    }
    const addresses = new Set(hosts.values());
    for (const endpoint of Object.values(endpoints).flat()) {
        if (!addresses.has(endpoint.slice(0, endpoint.lastIndexOf(":")))) {
            throw new Error(`endpoint ${endpoint} is not in the lab`);
        }
    }
}
