import { Recording } from "./recording";

/** The parts of a Swarm service's inputs that tests look at. */
export interface ServiceInputs {
    name: string;
    mode: { replicated?: { replicas: number }; global?: boolean };
    endpointSpec: { mode: string; ports: { targetPort: number; publishedPort: number; publishMode: string }[] };
    updateConfig: { order: string; failureAction: string; parallelism: number };
    taskSpec: {
        containerSpec: {
            image: string;
            args: string[];
            env: { [name: string]: string };
            user: string;
            readOnly: boolean;
            configs: { configName: string; fileName: string }[];
            secrets: { secretName: string; fileName: string; fileMode: number; fileUid: string; fileGid: string }[];
            mounts: { type: string; source?: string; target: string }[];
            stopGracePeriod: string;
        };
        resources: { limits?: object; reservation?: object };
        placement: { constraints: string[]; maxReplicas: number };
        networksAdvanceds: { id: string; aliases: string[] }[];
    };
}

/** The inputs of the Swarm service with that name. */
export function serviceInputs(recording: Recording, name: string): ServiceInputs {
    return recording.custom(name).inputs as unknown as ServiceInputs;
}

/** Ports of a service as `published:target`. */
export function portsOf(recording: Recording, name: string): string[] {
    const { ports } = serviceInputs(recording, name).endpointSpec;
    return ports.map((port) => `${port.publishedPort}:${port.targetPort}`);
}

/** What a service's config or secret holds. */
export function fileContent(recording: Recording, name: string): string {
    const { dataRaw, data } = recording.custom(name).inputs as { dataRaw?: string; data?: string };
    return dataRaw ?? Buffer.from(data ?? "", "base64").toString();
}

/** The script that prepares for the replacement of a Patroni node, as the step before it finds it on the node's host. */
export function prepareScript(recording: Recording, step: string): string {
    const [, file = ""] =
        /^sh -eu '(\S+\.prepare)'$/m.exec(String(recording.custom(`${step}-prepare`).inputs.stdin)) ?? [];
    const writes = String(recording.custom(`${step}-switchover`).inputs.stdin);
    const [, quoted = ""] = new RegExp(`^write '${file}' '((?:[^']|'\\\\'')*)' \\|\\|`, "m").exec(writes) ?? [];
    return quoted.replaceAll("'\\''", "'");
}
