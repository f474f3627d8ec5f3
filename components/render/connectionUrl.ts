/** Entry points of one kind: clients try them in turn. */
export interface ConnectionTarget {
    addresses: string[];
    port: number;
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
    return `postgresql://${user}@${hosts}/${encodeURIComponent(login.database)}?connect_timeout=${connectTimeoutSeconds}`;
}

function bracketed(address: string): string {
    return address.includes(":") ? `[${address}]` : address;
}
