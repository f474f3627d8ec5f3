import * as pulumi from "@pulumi/pulumi";
import { checkAdministrators } from "./checks/applications";
import { createPassword } from "./clusterCredentials";
import { LoginGenerationArgs, loginGenerations } from "./passwordGenerations";
import { assertNoProblems } from "./platform/problems";
import { createSqlCommand, SqlConnection } from "./platform/sqlCommand";
import { ConnectionTarget, renderConnectionUrl } from "./render/connectionUrl";
import { loginName } from "./render/roleSql";
import { scramVerifier } from "./render/scram";
import { renderAdministratorsSql } from "./render/sql";

/** A login that makes databases and roles, and is no superuser (seed 000 calls it `admin`). */
export interface AdministratorArgs {
    /**
     * A greater number makes a new password, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
}

/** Arguments of {@link ClusterAdministrators}. */
export interface ClusterAdministratorsArgs {
    /** Administrators by the name of their role. */
    administrators: { [name: string]: AdministratorArgs };
    /** How the roles are made. */
    sql: SqlConnection;
    /** Entry points that lead to the primary. */
    endpoint: ConnectionTarget;
    /** Salt of the SCRAM verifiers. */
    salt: pulumi.Input<string>;
}

/** A login with one connection URL, which leads to the primary. */
export interface DirectLogin {
    username: string;
    password: string;
    url: string;
}

/** Logins that may make databases and roles. One that is taken out can't log in any more, and is not dropped. */
export class ClusterAdministrators extends pulumi.ComponentResource {
    /** The logins by name; secret. They resolve when the roles are there. */
    public readonly logins: pulumi.Output<{ [name: string]: DirectLogin }>;

    constructor(name: string, args: ClusterAdministratorsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ClusterAdministrators", name, {}, opts);
        assertNoProblems(checkAdministrators("administrators", args.administrators));

        const passwords = pulumi.output(
            Object.fromEntries(
                Object.entries(args.administrators).map(([role, { passwordGeneration }]) => [
                    role,
                    createPassword(`${name}-${role}`, passwordGeneration ?? 1, this),
                ]),
            ),
        );
        const sql = pulumi.all([passwords, args.salt]).apply(([plain, salt]) =>
            renderAdministratorsSql(
                Object.entries(plain).map(([role, password]) => {
                    const generations = loginGenerations(args.administrators[role] ?? {});
                    const verifier = scramVerifier(password, `${salt}${loginName(role, generations.current)}`);
                    return { name: role, verifier, generations, connectionLimit: -1 };
                }),
            ),
        );
        const command = createSqlCommand(
            `${name}-roles`,
            { connection: args.sql, sql, purpose: "make the administrators' roles" },
            { parent: this },
        );
        this.logins = pulumi.secret(
            pulumi
                .all([passwords, command.urn])
                .apply(([plain]) => directLogins(plain, args.administrators, args.endpoint, "postgres")),
        );
        this.registerOutputs({ logins: this.logins });
    }
}

/**
 * Logins that go to the primary only.
 *
 * @internal
 */
export function directLogins(
    passwords: { [role: string]: string },
    settings: { [role: string]: LoginGenerationArgs } | undefined,
    endpoint: ConnectionTarget,
    database: string,
): { [role: string]: DirectLogin } {
    return Object.fromEntries(
        Object.entries(passwords).map(([role, password]) => {
            const username = loginName(role, settings?.[role]?.passwordGeneration ?? 1);
            return [role, { username, password, url: renderConnectionUrl(endpoint, { username, password, database }) }];
        }),
    );
}
