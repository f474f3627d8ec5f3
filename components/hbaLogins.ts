import { loginGenerations } from "./passwordGenerations";
import type { PostgresClusterArgs } from "./postgresClusterArgs";
import type { HbaRuleArgs } from "./render/pgHba";
import { loginNames } from "./render/roleSql";

/** Rules of pg_hba.conf in which a role of an application, or an administrator, stands for all of its logins. */
export function withAllLogins(
    rules: HbaRuleArgs[] | undefined,
    { administrators, applications }: Pick<PostgresClusterArgs, "administrators" | "applications">,
): HbaRuleArgs[] | undefined {
    const settings = [
        ...Object.entries(administrators ?? {}),
        ...Object.entries(applications ?? {}).flatMap(([key, application]) => [
            [application.owner ?? key, application] as const,
            ...Object.entries({ ...application.roles, ...application.replicationRoles }),
        ]),
    ];
    const logins = new Map(settings.map(([role, given]) => [role, loginNames(role, loginGenerations(given))]));
    return rules?.map((rule) =>
        rule.roles === undefined
            ? rule
            : { ...rule, roles: [...new Set(rule.roles.flatMap((role) => [role, ...(logins.get(role) ?? [])]))] },
    );
}
