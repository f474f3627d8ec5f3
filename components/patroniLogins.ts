import * as pulumi from "@pulumi/pulumi";
import { workloadNames } from "./defaults";
import { createHostCommand, RunOn } from "./platform/hostCommand";
import { objectName } from "./platform/objectName";
import { Member } from "./platform/rollout";
import { localConninfo } from "./render/conninfo";
import { failFunction, inContainerFunction, waitFor } from "./render/shell";

/** Time for a leader to be there, and for all nodes to have replayed what it did. */
const timeoutSeconds = 120;

/**
 * Makes the logins of new passwords on a living group, before its nodes get these passwords one after the other: whichever node is asked by
 * a changed or an unchanged one then knows both. At creation there is nothing to do.
 *
 * @param sql - what {@link renderNewLoginsSql} gives
 * @returns something that resolves when every node has the logins.
 */
export function createNewLogins(
    name: string,
    clusterName: string,
    members: Pick<Member, "key" | "host">[],
    sql: pulumi.Output<string>,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string[]> {
    const commands = members.map(({ key, host }) => {
        const node = workloadNames.patroni(key);
        const script = sql.apply((statements) =>
            [
                failFunction(host),
                inContainerFunction(objectName(clusterName, node)),
                `answer() { in_container psql -X -q -t -A -d '${localConninfo}' -f - 2>/dev/null <<'END_OF_SQL'`,
                statements.trimEnd(),
                "END_OF_SQL",
                "}",
                waitFor(
                    '[ "$(answer)" = t ]',
                    timeoutSeconds,
                    `fail "${node} has no logins for the new passwords after ${timeoutSeconds} s; no password was changed" "look at 'patronictl list ${clusterName}': there must be a leader, and ${node} must stream; then run 'pulumi up' again"`,
                ),
            ].join("\n"),
        );
        return createHostCommand(
            // Another one where the node moves to: no container of it is there yet.
            `${name}-${key}-logins-${host.key}`,
            { host, purpose: `make the logins of new passwords known to ${node}`, script, runOn: RunOn.Update },
            opts,
        );
    });
    return pulumi.all(commands.map(({ urn }) => urn));
}
