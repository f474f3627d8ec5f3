import { z } from "zod";
import { Lab } from "../../../lab/drill/lab";
import {
    assertNodesAnswer,
    assertReplicating,
    findLeader,
    readCluster as readMembers,
    readSynchronousStandbys,
} from "../../../lab/drill/patroni";
import { trustAuthorities } from "../../../lab/drill/trust";
import { pulumi } from "./pulumi";
import { eventually } from "./wait";

const endpoints = z.array(z.string().regex(/^[^:]+:\d+$/)).nonempty();
const urls = z.object({ direct: z.string(), readOnly: z.string(), pooled: z.string() });
const login = z.object({ username: z.string(), password: z.string(), urls });
const application = z.object({
    database: z.string(),
    owner: z.string(),
    password: z.string(),
    urls,
    roles: z.record(z.string(), login),
});
const outputs = z.object({
    endpoints: z.object({
        readWrite: endpoints,
        readOnly: endpoints,
        any: endpoints,
        pooled: endpoints,
        statistics: endpoints,
        metrics: endpoints,
    }),
    nodes: z.record(
        z.string(),
        z.object({ name: z.string(), address: z.string(), postgres: z.string(), patroniApi: z.url() }),
    ),
    applications: z.record(z.string(), application),
    passwords: z.record(z.string(), z.string()),
    caCertificate: z.string(),
});

/** What the stack's outputs say of the cluster. */
export type Cluster = z.infer<typeof outputs>;
export type Application = z.infer<typeof application>;

const healthyTimeoutSeconds = 180;

/** Reads the stack's outputs. */
export async function readCluster(): Promise<Cluster> {
    const cluster = outputs.parse(JSON.parse((await pulumi(["stack", "output", "--json", "--show-secrets"])).stdout));
    trustAuthorities(cluster.caCertificate);
    return cluster;
}

/** One application of the cluster. */
export function applicationOf(cluster: Cluster, key: string): Application {
    const found = cluster.applications[key];
    if (found === undefined) {
        throw new Error(`the stack has no application "${key}", only ${Object.keys(cluster.applications).join(", ")}`);
    }
    return found;
}

/** Waits until there is one leader, all replicas stream, and all services run with all their containers. */
export async function waitForHealth({ nodes }: Cluster): Promise<void> {
    const lab = new Lab();
    await eventually("the cluster is healthy", healthyTimeoutSeconds, async () => {
        assertReplicating(await readMembers(nodes), nodes, await readSynchronousStandbys(nodes));
        await assertNodesAnswer(nodes);
        await lab.assertServicesComplete();
    });
}

/** The key of the node that leads. */
export async function readLeader({ nodes }: Cluster): Promise<string> {
    return findLeader(await readMembers(nodes), nodes);
}

/** PostgreSQL's own name of the cluster, made when it was bootstrapped. */
export async function readSystemIdentifier({ nodes }: Cluster): Promise<string> {
    const status = z.object({ database_system_identifier: z.string() });
    const answers = await Promise.all(
        Object.values(nodes).map(async ({ patroniApi }) => {
            const response = await fetch(`${patroniApi}/patroni`);
            return status.parse(await response.json());
        }),
    );
    const identifiers = new Set(answers.map((answer) => answer.database_system_identifier));
    const [identifier] = identifiers;
    if (identifier === undefined || identifiers.size !== 1) {
        throw new Error(`the nodes belong to different clusters: ${[...identifiers].join(", ")}`);
    }
    return identifier;
}
