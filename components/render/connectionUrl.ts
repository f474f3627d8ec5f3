/** Entry points of one kind: clients try them in turn. */
export interface ConnectionTarget {
    addresses: string[];
    port: number;
    /**
     * Whether clients without TLS are refused there.
     *
     * @default false
     */
    requireTls?: boolean;
}

/** Who connects to what. */
export interface ConnectionLogin {
    username: string;
    password: string;
    database: string;
}

/** Seconds that a client waits for one entry point before it tries the next. */
const connectTimeoutSeconds = 3;

/** A libpq connection URL with all entry points, so that a client outlives the loss of one. */
export function renderConnectionUrl(target: ConnectionTarget, login: ConnectionLogin): string {
    const user = `${encodeURIComponent(login.username)}:${encodeURIComponent(login.password)}`;
    const hosts = target.addresses.map((address) => `${bracketed(address)}:${target.port}`).join(",");
    const settings = `connect_timeout=${connectTimeoutSeconds}${target.requireTls ? `&${tlsSetting}` : ""}`;
    return `postgresql://${user}@${hosts}/${encodeURIComponent(login.database)}?${settings}`;
}

/** Without it libpq asks for TLS anyway, but other drivers don't. Whether to verify the server is the client's to say: it needs the certificate. */
const tlsSetting = "sslmode=require";

/** Whether a URL was rendered for where TLS is required. */
export function requiresTls(url: string): boolean {
    return url.endsWith(`&${tlsSetting}`);
}

function bracketed(address: string): string {
    return address.includes(":") ? `[${address}]` : address;
}
