import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ClusterOperations, OperationsWorkload } from "../components";
import { CommandFailure, ExitStatus, messageOf } from "./failure";

/** Where a cluster's description comes from. */
export interface Source {
    /** File with the JSON of all outputs; `-` is standard input. Without it Pulumi is asked. */
    outputs?: string;
    /** The output that holds the description. */
    outputName: string;
    stack?: string;
    /** Directory of the Pulumi project. */
    cwd?: string;
}

const workloads = z.array(z.object({ name: z.string(), host: z.string(), label: z.string() }));
const schema: z.ZodType<ClusterOperations> = z.object({
    clusterName: z.string(),
    hosts: z.record(
        z.string(),
        z.object({ address: z.string(), user: z.string(), port: z.number(), hostKey: z.string().optional() }),
    ),
    patroni: workloads,
    etcd: workloads,
    haproxy: workloads,
    pgbouncer: workloads,
    exporters: workloads,
    internalTls: z.boolean().optional(),
    switchoverDirectory: z.string(),
    psql: z.object({ readWrite: z.string(), readOnly: z.string(), local: z.string() }),
});

/** Reads the description of a cluster. */
export async function readOperations(source: Source): Promise<ClusterOperations> {
    const text = source.outputs === undefined ? await askPulumi(source) : readOutputs(source.outputs);
    return parseOperations(text, source.outputName);
}

/** Takes a cluster's description out of a stack's outputs. */
function parseOperations(text: string, name: string): ClusterOperations {
    let outputs: unknown;
    try {
        outputs = JSON.parse(text);
    } catch (error) {
        throw unusable(`the outputs are not JSON: ${messageOf(error)}`);
    }
    const parsed = z.record(z.string(), z.unknown()).safeParse(outputs);
    if (!parsed.success) {
        throw unusable("the outputs are not an object");
    }
    const description = schema.safeParse(parsed.data[name]);
    if (!description.success) {
        const missing = parsed.data[name] === undefined;
        const reason = missing ? "is missing" : `is not a cluster's:\n${z.prettifyError(description.error)}`;
        throw unusable(`the output "${name}" ${reason}`);
    }
    return description.data;
}

function unusable(message: string): CommandFailure {
    const next =
        "export the cluster's property 'operations' from the program, run 'pulumi up', or name the output with --output-name";
    return new CommandFailure(message, next, ExitStatus.Usage);
}

function readOutputs(file: string): string {
    try {
        return readFileSync(file === "-" ? 0 : file, "utf8");
    } catch (error) {
        throw new CommandFailure(
            `can't read the outputs: ${messageOf(error)}`,
            "write them with 'pulumi stack output --json'",
            ExitStatus.Usage,
        );
    }
}

/** Asks Pulumi for the outputs; secret ones stay hidden, since none is needed. */
function askPulumi({ stack, cwd }: Source): Promise<string> {
    const options = [...(stack === undefined ? [] : ["--stack", stack]), ...(cwd === undefined ? [] : ["--cwd", cwd])];
    const child = spawn("pulumi", ["stack", "output", "--json", "--non-interactive", ...options], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const failure = (message: string): CommandFailure =>
        new CommandFailure(
            `pulumi can't give the stack's outputs: ${message}`,
            "name the project with --cwd and the stack with --stack, or give the outputs with --outputs",
            ExitStatus.Usage,
        );
    return new Promise((fulfil, reject) => {
        child.on("error", (error) => reject(failure(error.message)));
        child.on("close", (status) => (status === 0 ? fulfil(stdout) : reject(failure(stderr.trim()))));
    });
}

/** The Patroni node that the user means, by its name or by its host's key. */
export function findNode({ patroni }: ClusterOperations, given: string): OperationsWorkload {
    const byName = patroni.filter(({ name }) => name === given);
    const [node, ...others] = byName.length > 0 ? byName : patroni.filter(({ host }) => host === given);
    if (node === undefined || others.length > 0) {
        const names = patroni.map(({ name }) => name).join(", ");
        const [reason, further] =
            node === undefined ? ["there is no node", ", or its host's key"] : ["several nodes run on host", ""];
        throw new CommandFailure(`${reason} "${given}"`, `name one of: ${names}${further}`, ExitStatus.Usage);
    }
    return node;
}
