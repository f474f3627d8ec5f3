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
}

/** Generated passwords, by name. They are secret in state and outputs, and hold letters and digits only, so that no file needs quoting. */
export class ClusterCredentials extends pulumi.ComponentResource {
    /** The passwords by name. */
    public readonly passwords: { [name: string]: pulumi.Output<string> };
    /** Salt from which the salts of SCRAM verifiers follow: not secret to PostgreSQL's superuser, but unique to this cluster. */
    public readonly salt: pulumi.Output<string>;

    constructor(name: string, args: ClusterCredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ClusterCredentials", name, {}, opts);
        this.passwords = Object.fromEntries(
            args.names.map((login) => [login, createPassword(`${name}-${login}`, 1, this)]),
        );
        this.salt = createPassword(`${name}-salt`, 1, this);
        this.registerOutputs({});
    }
}

/**
 * Makes a password. A greater generation makes it anew; no other argument may ever change, because that would, too.
 *
 * @internal
 */
export function createPassword(name: string, generation: number, parent: pulumi.Resource): pulumi.Output<string> {
    const keepers = { generation: String(generation) };
    return new random.RandomPassword(name, { length: passwordLength, special: false, keepers }, { parent }).result;
}
