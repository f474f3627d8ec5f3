import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { failFunction, inContainerFunction, waitFor } from "../render/shell";
import { createAttempt } from "./attempt";
import { createHostCommand } from "./hostCommand";
import { contentHash } from "./objectName";
import { HostConnection } from "./workload";

/** How SQL reaches the primary: by psql in a container on one of the hosts. */
export interface SqlConnection {
    /** Host whose container runs psql. */
    host: HostConnection;
    /** Service whose container has psql and the superuser's password file. */
    serviceName: string;
    /** Connection string for psql; it names a password file and holds no password. */
    conninfo: string;
    /** Resolves when the primary can be reached. */
    ready: pulumi.Output<string[]>;
}

/** Arguments of {@link createSqlCommand}. */
export interface SqlCommandArgs {
    connection: SqlConnection;
    /** Statements for psql, safe to repeat. */
    sql: pulumi.Input<string>;
    /** What the statements do, for the error message. */
    purpose: string;
    /** Statements to run when the resource goes. Nothing runs if they are left out. */
    deleteSql?: string;
}

/** Time for the primary to answer. */
const connectTimeoutSeconds = 60;

/** Runs statements as superuser on the primary when they change. They travel by standard input only. */
export function createSqlCommand(
    name: string,
    args: SqlCommandArgs,
    opts: pulumi.CustomResourceOptions,
): remote.Command {
    const { connection, purpose } = args;
    const script = pulumi
        .all([args.sql, connection.ready])
        .apply(([statements]) => psqlScript(connection, purpose, statements));
    const deleteScript =
        args.deleteSql === undefined ? undefined : psqlScript(connection, `undoing: ${purpose}`, args.deleteSql);
    // A short hash of what holds verifiers of random passwords tells nothing about them.
    const wanted = pulumi.unsecret(pulumi.output(args.sql).apply(contentHash));
    const stamp = createAttempt(name, wanted, opts.parent).hex;
    return createHostCommand(name, { host: connection.host, purpose, script, stamp, deleteScript }, opts);
}

function psqlScript(connection: SqlConnection, purpose: string, statements: string): string {
    const unreachable = `fail "no primary answers: ${purpose}" "look at 'patronictl list' and at HAProxy's statistics page, then run 'pulumi up' again"`;
    const refused = `fail "PostgreSQL refused a statement: ${purpose}" "mend what the line above names, then run 'pulumi up' again"`;
    return [
        failFunction(connection.host),
        inContainerFunction(connection.serviceName),
        `sql() { in_container psql -X -q -t -A -d "${connection.conninfo}" "$@"; }`,
        waitFor("sql -c 'SELECT 1' >/dev/null 2>&1", connectTimeoutSeconds, `sql -c 'SELECT 1' || ${unreachable}`),
        `sql -f - >/dev/null <<'END_OF_SQL' || ${refused}`,
        statements.trimEnd(),
        "END_OF_SQL",
    ].join("\n");
}
