import { Recording } from "./recording";

/** The parts of a container's inputs that tests look at. */
export interface ContainerInputs {
    name: string;
    image: string;
    command: string[];
    envs: string[];
    labels: { label: string; value: string }[];
    user: string;
    readOnly: boolean;
    mounts: { type: string; source?: string; target: string; readOnly?: boolean }[];
    networksAdvanced: { name: string; aliases: string[]; ipv4Address?: string }[];
    ports: { internal: number; external: number; ip: string }[];
    healthcheck: { tests: string[]; interval: string; timeout: string; startPeriod: string; retries: number };
    memory: number;
    cpuQuota: number;
    restart: string;
    stopTimeout: number;
    destroyGraceSeconds: number;
    logOpts: { [name: string]: string };
    mustRun: boolean;
}

/** The inputs of the container with that name. */
export function containerInputs(recording: Recording, name: string): ContainerInputs {
    return recording.custom(name).inputs as unknown as ContainerInputs;
}

/** Ports of a container as `published:target`. */
export function publishedBy(recording: Recording, name: string): string[] {
    return containerInputs(recording, name).ports.map(({ external, internal }) => `${external}:${internal}`);
}
