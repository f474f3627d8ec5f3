import { Client, DatabaseError, type QueryResultRow } from "pg";
import { clientConfig, type Login } from "../../../lab/drill/session";

/** A role's login, and the entry points of one kind. */
export interface Target {
    login: Login;
    /** Each as `host:port`. */
    endpoints: string[];
}

const connectTimeoutMs = 5000;
const queryTimeoutMs = 20_000;

/** Takes a connection URL with several hosts apart, which the driver doesn't know. */
export function parseUrl(url: string): Target {
    const parts = /^postgresql:\/\/([^:@]+):([^@]+)@([^/]+)\/([^?]+)/.exec(url)?.slice(1).map(decodeURIComponent);
    const [user, password, hosts, database] = parts ?? [];
    if (user === undefined || password === undefined || hosts === undefined || database === undefined) {
        throw new Error("not a connection URL of a role with password, hosts and database");
    }
    return { login: { user, password, database }, endpoints: hosts.split(",") };
}

/** Runs one statement over a connection of its own, with TLS where an authority's certificate is given to verify the server with. */
export async function query<Row extends QueryResultRow>(
    endpoint: string,
    login: Login,
    text: string,
    values: unknown[] = [],
): Promise<Row[]> {
    const client = new Client({
        ...clientConfig(endpoint, login),
        connectionTimeoutMillis: connectTimeoutMs,
        query_timeout: queryTimeoutMs,
    });
    // A connection that is lost while nothing runs on it is told as an event.
    client.on("error", () => undefined);
    try {
        await client.connect();
        return (await client.query<Row>(text, values)).rows;
    } catch (error) {
        // The driver's errors don't say which of the entry points they come from.
        if (error instanceof Error) error.message = `${login.user} at ${endpoint}: ${error.message}`;
        throw error;
    } finally {
        await client.end().catch(() => undefined);
    }
}

/** Runs a statement that the server must refuse, and gives the server's answer, as `SQLSTATE message`. */
export async function refusal(endpoint: string, login: Login, text = "SELECT 1"): Promise<string> {
    try {
        await query(endpoint, login, text);
    } catch (error) {
        if (error instanceof DatabaseError) return `${error.code} ${error.message}`;
        throw error;
    }
    throw new Error(`${login.user} at ${endpoint}: "${text}" was not refused`);
}

/** Gives one value of one row. */
export async function value(endpoint: string, login: Login, text: string, values: unknown[] = []): Promise<unknown> {
    const [row] = await query(endpoint, login, text, values);
    return row === undefined ? undefined : Object.values(row)[0];
}
