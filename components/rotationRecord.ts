import * as pulumi from "@pulumi/pulumi";
import { clusterSecrets, generationOf } from "./passwordGenerations";
import { announceChanges } from "./platform/announcement";
import type { PostgresClusterArgs } from "./postgresClusterArgs";
import { describeRotation, Generations } from "./render/generationWords";

/** Keeps in the state which generation each password has, so that a preview says which are made anew and refuses a lower one. */
export function recordGenerations(
    name: string,
    args: PostgresClusterArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const recordName = `${name}-generations`;
    const announce = (before: string, after: string) =>
        describeRotation(JSON.parse(before) as Generations, JSON.parse(after) as Generations);
    const hooks = announceChanges(recordName, "input", announce, opts.parent);
    return new pulumi.Stash(recordName, { input: JSON.stringify(generationsOf(args)) }, { ...opts, hooks });
}

function generationsOf({ passwordGenerations, administrators, applications }: PostgresClusterArgs): Generations {
    const logins = [
        ...Object.entries(administrators ?? {}).map(([name, login]) => [`administrators.${name}`, login] as const),
        ...Object.entries(applications ?? {}).flatMap(([key, application]) => [
            [`applications.${key}`, application] as const,
            ...Object.entries({ ...application.roles, ...application.replicationRoles }).map(
                ([role, login]) => [`applications.${key}.roles.${role}`, login] as const,
            ),
        ]),
    ].map(([setting, { passwordGeneration = 1 }]) => [setting, passwordGeneration] as const);
    const own = clusterSecrets.map(
        (secret) => [`passwordGenerations.${secret}`, generationOf(passwordGenerations, secret)] as const,
    );
    return Object.fromEntries([...own, ...logins].sort(([a], [b]) => (a < b ? -1 : 1)));
}
