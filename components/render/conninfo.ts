import { containerPaths, systemRoles } from "../defaults";

/** Connection string of the superuser inside a node's container, where no password is asked. */
export const localConninfo = `host=${containerPaths.postgresSocket} user=${systemRoles.superuser} dbname=postgres`;

/** Connection string of the superuser from a node's container through the entry points. */
export function routerConninfo(addresses: string[], port: number, sessions: "read-write" | "any"): string {
    const settings = [
        `host=${addresses.join(",")}`,
        `port=${port}`,
        `user=${systemRoles.superuser}`,
        "dbname=postgres",
        "connect_timeout=3",
        `target_session_attrs=${sessions}`,
        `passfile=${containerPaths.superuserPgpass}`,
    ];
    return settings.join(" ");
}
