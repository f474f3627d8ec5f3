import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Client, type ClientConfig, DatabaseError, type QueryResultRow } from "pg";
import { errorText } from "./wait";

export interface Login {
    user: string;
    password: string;
    database: string;
    /** Certificate, as PEM, of the authority that the server is verified with. Without it there is no TLS. */
    caCertificate?: string;
}

const connectTimeoutMs = 2000;
const keepAliveMs = 1000;
/** An answer later than this counts as a dead connection, as a client with TCP_USER_TIMEOUT would see it. */
const defaultQueryTimeoutMs = 2000;

/** What the driver needs to log in at an endpoint. */
export function clientConfig(endpoint: string, { caCertificate, ...login }: Login): ClientConfig {
    const separator = endpoint.lastIndexOf(":");
    const host = endpoint.slice(0, separator);
    // Without the host here the driver would not compare an address with the certificate's.
    const ssl = caCertificate === undefined ? undefined : { ca: caCertificate, host };
    return { ...login, host, port: Number(endpoint.slice(separator + 1)), ssl };
}

/** No connection could be made, so nothing was sent. */
export class NotConnectedError extends Error {}

/** One client connection that goes to the next endpoint after every failure, as a multi-host connection string does. */
export class Session {
    private current: { client: Client; socket: Socket } | undefined;

    public constructor(
        private readonly endpoints: string[],
        private readonly login: Login,
        private endpointIndex = 0,
        private readonly queryTimeoutMs = defaultQueryTimeoutMs,
    ) {}

    /** Leaves a connection that doesn't answer, as a pool does that validates one before it lends it. */
    public async validate(): Promise<void> {
        await this.current?.client.query("").catch(() => this.close());
    }

    /** Runs one statement as one transaction. After an error the connection is gone and the next call makes a new one. */
    public async query<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
        // A session that its server has ended meanwhile is noticed first, as by a pool that drops a connection that has ended.
        await setImmediate();
        const client = this.current?.client ?? (await this.connect());
        try {
            return (await client.query<Row>(text, values)).rows;
        } catch (error) {
            this.close();
            throw error;
        }
    }

    public close(): void {
        // Not client.end(): its goodbye never ends on a connection whose other side is cut off.
        this.current?.socket.destroy();
        this.current = undefined;
    }

    private async connect(): Promise<Client> {
        const endpoint = this.endpoints[this.endpointIndex % this.endpoints.length] ?? "";
        const socket = new Socket();
        socket.setKeepAlive(true, keepAliveMs);
        const client = new Client({
            ...clientConfig(endpoint, this.login),
            application_name: "drill",
            connectionTimeoutMillis: connectTimeoutMs,
            // Never statement_timeout or a cancel: PostgreSQL would acknowledge a row that no standby has.
            query_timeout: this.queryTimeoutMs,
            stream: () => socket,
        });
        const connection = { client, socket };
        client.on("error", () => {
            socket.destroy();
            if (this.current === connection) this.close();
        });
        client.on("end", () => {
            if (this.current === connection) this.close();
        });
        // Counted up here and not on failure: whatever ends this connection, the next one goes elsewhere.
        this.endpointIndex += 1;
        try {
            await client.connect();
        } catch (error) {
            socket.destroy();
            throw new NotConnectedError(`${endpoint}: ${errorText(error)}`);
        }
        this.current = connection;
        return client;
    }
}

/** What is known of a row whose insert failed. */
export type FailedInsert = "unsent" | "refused" | "unknown";

/**
 * "refused" only where PostgreSQL itself says that the statement was rolled back. Lost connections (class 08), shutdowns
 * (57), system errors (58) and internal errors (XX) leave open whether the commit took place.
 */
export function classifyFailedInsert(error: unknown): FailedInsert {
    if (error instanceof NotConnectedError) {
        return "unsent";
    }
    const rolledBack =
        error instanceof DatabaseError &&
        error.severity === "ERROR" &&
        error.code !== undefined &&
        !/^(08|57|58|XX)/.test(error.code);
    return rolledBack ? "refused" : "unknown";
}
