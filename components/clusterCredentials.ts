import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** Length of a generated password: 62 kinds of characters give 190 bits. */
const passwordLength = 32;

/** Arguments of {@link ClusterCredentials}. */
export interface ClusterCredentialsArgs {
    /**
     * Names of the passwords to make.
     *
     * **Change:** in place; a name that is taken out loses its password.
     */
    names: string[];
    /**
     * Generations of the passwords, by name. Each generation has a password of its own.
     *
     * @default - 1 for all
     *
     * **Change:** in place; that name gets another password.
     */
    generations?: { [name: string]: number };
    /**
     * Names of which the generation before is wanted, too.
     *
     * @default - none
     *
     * **Change:** in place.
     */
    withPrevious?: string[];
}

/** Generated passwords, by name. They are secret in state and outputs, and hold letters and digits only, so that no file needs quoting. */
export class ClusterCredentials extends pulumi.ComponentResource {
    /** The passwords by name. */
    public readonly passwords: { [name: string]: pulumi.Output<string> };
    /** The passwords of the generation before, by name, for those names of which it is wanted. */
    public readonly previousPasswords: { [name: string]: pulumi.Output<string> };
    /** Salt from which the salts of SCRAM verifiers follow: not secret to PostgreSQL's superuser, but unique to this cluster. */
    public readonly salt: pulumi.Output<string>;

    constructor(name: string, args: ClusterCredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ClusterCredentials", name, {}, opts);
        const create = (names: string[], generationsBack: number): { [name: string]: pulumi.Output<string> } =>
            Object.fromEntries(
                names.map((login) => {
                    const generation = (args.generations?.[login] ?? 1) - generationsBack;
                    return [login, createPassword(`${name}-${login}`, generation, this)];
                }),
            );
        this.passwords = create(args.names, 0);
        this.previousPasswords = create(args.withPrevious ?? [], 1);
        this.salt = createPassword(`${name}-salt`, 1, this);
        this.registerOutputs({});
    }
}

/**
 * Makes the password of a generation: a resource for each, so that who goes back before an update is finished gets the same password again.
 * No argument may ever change, because that would make it anew.
 *
 * @internal
 */
export function createPassword(name: string, generation: number, parent: pulumi.Resource): pulumi.Output<string> {
    const resource = generation === 1 ? name : `${name}-generation-${generation}`;
    const keepers = { generation: String(generation) };
    return new random.RandomPassword(resource, { length: passwordLength, special: false, keepers }, { parent }).result;
}
