import { Container, ProgramResult } from "./container";

/** A login to PostgreSQL over TCP, where the password counts. */
export interface Login {
    user: string;
    password: string;
    /** @default 5432 */
    port?: number;
}

/** Statements that psql refused. */
export class SqlError extends Error {}

/** A throw-away PostgreSQL of the project's own image. */
export class Postgres {
    readonly container: Container;

    constructor(options: string[] = []) {
        const script =
            "initdb -D /tmp/data -U postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null && " +
            "echo host all all all scram-sha-256 >>/tmp/data/pg_hba.conf && " +
            "exec postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off";
        this.container = Container.start("patroni", ["sh", "-c", script], { options });
        this.container.waitFor(["pg_isready", "-q", "-h", "127.0.0.1"]);
    }

    /** Runs statements as the product does: psql of the same image, as superuser, statements by standard input. */
    apply(sql: string, environment: { [name: string]: string } = {}): void {
        const conninfo = "host=/tmp user=postgres dbname=postgres connect_timeout=3";
        checked(this.container.exec(["psql", "-X", "-q", "-t", "-A", "-d", conninfo, "-f", "-"], sql, environment));
    }

    /** Rows of a query, columns separated by `|`; as superuser unless a login is given. `$values` are psql variables. */
    query(database: string, sql: string, login?: Login, values: { [name: string]: string } = {}): string[] {
        const variables = Object.entries(values).flatMap(([name, value]) => ["-v", `${name}=${value}`]);
        const environment: { [name: string]: string } = login
            ? {
                  PGHOST: "127.0.0.1",
                  PGPORT: String(login.port ?? 5432),
                  PGUSER: login.user,
                  PGPASSWORD: login.password,
              }
            : { PGHOST: "/tmp", PGUSER: "postgres" };
        const command = ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", ...variables, "-f", "-"];
        // A name in the environment is a name; as argument it could be taken for a connection string.
        return rows(checked(this.container.exec(command, sql, { ...environment, PGDATABASE: database })));
    }

    /** Rows of a query over a connection URL, as an application would use it. */
    queryUrl(url: string, sql: string): string[] {
        return rows(checked(this.container.exec(["psql", "-X", "-q", "-t", "-A", "-d", url, "-c", sql])));
    }

    remove(): void {
        this.container.remove();
    }
}

function checked(result: ProgramResult): ProgramResult {
    if (result.status !== 0) {
        throw new SqlError(result.stderr.trim());
    }
    return result;
}

function rows(result: ProgramResult): string[] {
    return result.stdout.split("\n").slice(0, -1);
}
