import { attempt, CommandOptions, CommandResult, run, RunningCommand, start } from "./command";

const stack = "lab";
const timeoutSeconds = 600;

export interface UpdateOptions extends CommandOptions {
    /** File with the settings, where they aren't the stack's own. */
    configFile?: string;
    /** Further options of Pulumi's command line. */
    options?: string[];
}

function updateArguments(verb: "up" | "destroy", { configFile, options = [] }: UpdateOptions): string[] {
    const settings = configFile === undefined ? [] : ["--config-file", configFile];
    return [
        verb,
        "--stack",
        stack,
        "--yes",
        "--skip-preview",
        "--suppress-outputs",
        "--non-interactive",
        "--color",
        "never",
        ...settings,
        ...options,
    ];
}

/** `pulumi up`, which must succeed. */
export function up(update: UpdateOptions = {}): Promise<CommandResult> {
    return run("pulumi", updateArguments("up", update), { timeoutSeconds, ...update });
}

/** Options by which `up` makes resources anew, whose names may have wildcards. */
export function replacing(...names: string[]): string[] {
    return names.flatMap((name) => ["--replace", `**::${name}`]);
}

/** `pulumi up`, which must fail; gives what it said. */
export async function upFails(update: UpdateOptions = {}): Promise<CommandResult> {
    const result = await attempt("pulumi", updateArguments("up", update), { timeoutSeconds, ...update });
    if (result.status === 0) {
        throw new Error(`pulumi up succeeded where it had to fail:\n${result.output}`);
    }
    return result;
}

/** `pulumi up` in the background. */
export function startUp(update: UpdateOptions = {}): RunningCommand {
    return start("pulumi", updateArguments("up", update), { timeoutSeconds, ...update });
}

/** `pulumi destroy`, which must succeed. */
export function destroy(update: UpdateOptions = {}): Promise<CommandResult> {
    return run("pulumi", updateArguments("destroy", update), { timeoutSeconds, ...update });
}

/** Any other command of Pulumi on the stack, which must succeed. */
export function pulumi(verb: string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run("pulumi", [...verb, "--stack", stack], options);
}

interface Resource {
    urn: string;
    type: string;
    inputs: { [name: string]: unknown };
    outputs?: { [name: string]: unknown };
}

interface Deployment {
    resources?: Resource[];
    pending_operations?: { type: string; resource: Resource }[];
}

/** The stack's state, with secrets in the clear. */
export async function readState(): Promise<Deployment> {
    const { stdout } = await pulumi(["stack", "export", "--show-secrets"]);
    return (JSON.parse(stdout) as { deployment: Deployment }).deployment;
}

/** Generated passwords of a state, by the names of their resources. */
export function passwordsOf(state: Deployment): Map<string, string> {
    return secretsOf(state, ":RandomPassword", "result");
}

/**
 * Of each private key of a state, by the name of its resource, a line in the middle of its PEM text: it stays as it is where line ends are
 * escaped, and no other key has it.
 */
export function privateKeyLinesOf(state: Deployment): Map<string, string> {
    const keys = secretsOf(state, ":PrivateKey", "privateKeyPem");
    return new Map([...keys].map(([name, pem]) => [name, pem.split("\n")[2] ?? pem]));
}

function secretsOf(state: Deployment, type: string, output: string): Map<string, string> {
    const resources = (state.resources ?? []).filter((resource) => resource.type.endsWith(type));
    return new Map(
        resources.flatMap(({ urn, outputs }) => {
            const secret = outputs?.[output];
            return secret === undefined ? [] : [[urn.split("::").at(-1) ?? urn, plainText(secret)]];
        }),
    );
}

/** A secret in an exported state is an object that holds its JSON. */
function plainText(value: unknown): string {
    const plain = typeof value === "object" && value !== null && "plaintext" in value ? value.plaintext : undefined;
    return typeof plain === "string" ? String(JSON.parse(plain)) : String(value);
}
