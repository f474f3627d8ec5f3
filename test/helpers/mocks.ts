import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceOutputsRequest, RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { getMonitor } from "@pulumi/pulumi/runtime/settings";
import { contentHash } from "../../components/platform/objectName";
import { Recording, Registration } from "./recording";
import { reveal } from "./wire";

/** Settings of {@link record}. */
export interface RecordOptions {
    preview?: boolean;
    /** What every provider function answers as its standard output. */
    answer?: string;
    /** What every command on a host prints. */
    printed?: string;
    /** Outputs of every other stack that the program refers to. */
    stackOutputs?: object;
    /** What the stack was before: inputs that the program ignores changes of keep their values, as in the engine. */
    previous?: Recording;
}

/** What a program asked for before it threw. */
export interface Refusal {
    recording: Recording;
    error: Error | undefined;
}

/** Runs a program against an engine that takes everything, and returns what it was asked for. */
export async function record(program: () => void, options: RecordOptions = {}): Promise<Recording> {
    const { recording, error } = await attempt(program, options);
    if (error !== undefined) {
        throw error;
    }
    return recording;
}

/** Runs a program that has to throw. */
export async function recordRefusal(program: () => void): Promise<Refusal> {
    const refusal = await attempt(program, {});
    if (refusal.error === undefined) {
        throw new Error(`nothing was refused; created: ${refusal.recording.names().join(", ")}`);
    }
    return refusal;
}

/** Paths of the inputs that a component refused. */
export function problemPaths(error: Error | undefined): string[] {
    if (!pulumi.InputPropertiesError.isInstance(error)) {
        throw error ?? new Error("nothing was refused");
    }
    return error.errors.map((problem) => problem.propertyPath);
}

/** The password that the engine of these tests generates: easy to find wherever it turns up. */
export function generatedPassword(name: string, generation = "1"): string {
    return `Generated0${Buffer.from(name).toString("hex")}0${generation}0End`;
}

/** The private key that the engine of these tests generates. */
export function generatedKey(name: string): string {
    return `PRIVATE KEY of ${name}\n`;
}

/** The certificate that the engine of these tests signs. */
export function generatedCertificate(name: string): string {
    return `certificate of ${name}\n`;
}

async function attempt(program: () => void, options: RecordOptions): Promise<Refusal> {
    const { stackTraceLimit } = Error;
    // Pulumi notes a stack for each property of a resource, of which Mocha takes all frames: that would be most of a test's time.
    Error.stackTraceLimit = 1;
    try {
        return await recorded(program, options);
    } finally {
        Error.stackTraceLimit = stackTraceLimit;
    }
}

async function recorded(program: () => void, options: RecordOptions): Promise<Refusal> {
    const recording = new Recording();
    await startEngine(recording, options);
    const log = pulumi.log as { warn: (message: string) => Promise<void> };
    const { warn } = log;
    log.warn = (message) => {
        recording.warnings.push(message);
        return Promise.resolve();
    };
    let error: Error | undefined;
    try {
        program();
    } catch (caught) {
        error = caught as Error;
    }
    await pulumi.runtime.disconnect();
    log.warn = warn;
    return { recording, error };
}

async function startEngine(recording: Recording, options: RecordOptions): Promise<void> {
    const mocks: pulumi.runtime.Mocks = {
        newResource: ({ type, name }) => {
            if (type === "pulumi:pulumi:StackReference") {
                return { id: name, state: { name, outputs: options.stackOutputs, secretOutputNames: [] } };
            }
            const registration = recording.find(type, name);
            return { id: `${name}-id`, state: { ...registration?.wire, ...computedState(registration, options) } };
        },
        call: ({ token, inputs }) => {
            recording.invocations.push({ token, inputs: inputs as { [name: string]: unknown } });
            return { stdout: options.answer ?? "" };
        },
    };
    await pulumi.runtime.setMocks(mocks, "project", "stack", options.preview ?? false);
    // The mocks are told inputs only; parents, dependencies and options are in the request.
    const monitor = getMonitor() as unknown as MockMonitor;
    const registerResource = monitor.registerResource.bind(monitor);
    const registerResourceOutputs = monitor.registerResourceOutputs.bind(monitor);
    const names = new Map<string, string>();
    monitor.registerResource = async (request: RegisterResourceRequest, callback) => {
        const registration = readRequest(request, names, options.previous);
        recording.resources.push(registration);
        await registerResource(request, (failure, response) => {
            names.set((response as { getUrn(): string } | undefined)?.getUrn() ?? "", registration.name);
            callback(failure, response);
        });
    };
    monitor.registerResourceOutputs = (request: RegisterResourceOutputsRequest, callback) => {
        recording.outputs.push(request.getOutputs()?.toJavaScript());
        registerResourceOutputs(request, callback);
    };
}

/** What a provider computes, with the secretness that the real one gives it. */
function computedState(registration: Registration | undefined, { printed = "" }: RecordOptions): object {
    if (registration?.type === "command:remote:Command") {
        return { stdout: printed };
    }
    if (registration?.type === "tls:index/privateKey:PrivateKey") {
        return { privateKeyPem: pulumi.secret(generatedKey(registration.name)) };
    }
    if (registration?.type.startsWith("tls:") === true) {
        return {
            certRequestPem: `request of ${registration.name}\n`,
            certPem: generatedCertificate(registration.name),
        };
    }
    if (registration?.type === "random:index/randomId:RandomId") {
        return { hex: contentHash(JSON.stringify(registration.inputs)) };
    }
    if (/^docker:index\/(secret|serviceConfig):/.test(registration?.type ?? "")) {
        // The engine names anew whatever is replaced.
        return { name: `${registration?.name}-${contentHash(JSON.stringify(registration?.inputs)).slice(0, 7)}` };
    }
    if (registration?.type !== "random:index/randomPassword:RandomPassword") {
        return {};
    }
    const { generation } = registration.inputs.keepers as { generation: string };
    return { result: pulumi.secret(generatedPassword(registration.name, generation)) };
}

function readRequest(
    request: RegisterResourceRequest,
    names: Map<string, string>,
    previous: Recording | undefined,
): Registration {
    const nameOf = (urn: string): string => names.get(urn) ?? urn;
    const type = request.getType();
    const name = request.getName();
    const ignoreChanges = request.getIgnorechangesList();
    const given = (request.getObject()?.toJavaScript() ?? {}) as Registration["wire"];
    const kept = Object.entries(previous?.find(type, name)?.wire ?? {}).filter(([key]) => ignoreChanges.includes(key));
    const wire = { ...given, ...Object.fromEntries(kept) };
    return {
        type,
        name,
        custom: request.getCustom(),
        wire,
        inputs: reveal(wire) as Registration["inputs"],
        parent: request.getParent() === "" ? undefined : nameOf(request.getParent()),
        // A provider is referred to as URN::id.
        provider: request.getProvider() === "" ? undefined : nameOf(request.getProvider().replace(/::[^:]*$/, "")),
        dependsOn: request.getDependenciesList().map(nameOf).sort(),
        ignoreChanges,
        deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    };
}
