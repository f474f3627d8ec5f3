import { systemRoles } from "../defaults";

/** One line of pg_hba.conf. */
export interface HbaRuleArgs {
    /** Kind of connection. */
    type: HbaType;
    /**
     * Databases, as in pg_hba.conf: `all`, `sameuser`, or names.
     *
     * @default ["all"]
     */
    databases?: string[];
    /**
     * Roles, as in pg_hba.conf: `all`, `+group`, or names.
     *
     * @default ["all"]
     */
    roles?: string[];
    /** Client addresses in CIDR notation, or `all`. Not for `local`. */
    address?: string;
    /**
     * How the client proves who it is.
     *
     * @default HbaMethod.ScramSha256
     */
    method?: HbaMethod;
}

/** Kinds of connections. */
export enum HbaType {
    /** The Unix socket inside the container. */
    Local = "local",
    /** TCP, encrypted or not. */
    Host = "host",
    /** TCP with TLS only. */
    HostSsl = "hostssl",
    /** TCP without TLS only. */
    HostNoSsl = "hostnossl",
}

/** Ways to authenticate. `trust` and `password` are left out on purpose; so is `md5`, which PostgreSQL has deprecated. */
export enum HbaMethod {
    ScramSha256 = "scram-sha-256",
    Cert = "cert",
    Reject = "reject",
}

/** Rules for applications when none are given: any address, with a SCRAM password. */
export const defaultHbaRules: HbaRuleArgs[] = [{ type: HbaType.Host, address: "all" }];

/**
 * The lines of pg_hba.conf: the cluster's own logins first, so that no rule of the user can lock Patroni out, then the given ones. Where TLS is
 * required, whoever comes without it is refused before any of them counts.
 */
export function renderPgHba(rules: HbaRuleArgs[], requireTls = false): string[] {
    const withoutTls: HbaRuleArgs = {
        type: HbaType.HostNoSsl,
        databases: ["all", "replication"],
        address: "all",
        method: HbaMethod.Reject,
    };
    const { rewind, pgbouncer, exporter } = systemRoles;
    const own: HbaRuleArgs[] = [
        // With "+" for the logins of all generations of their passwords.
        { type: HbaType.Host, databases: ["replication"], roles: [`+${systemRoles.replication}`], address: "all" },
        {
            type: HbaType.Host,
            roles: [systemRoles.superuser, ...[rewind, pgbouncer, exporter].map((role) => `+${role}`)],
            address: "all",
        },
    ];
    // Inside its container PostgreSQL's own user needs no password: that is how lost passwords are set anew.
    return [
        `local all ${quoteName(systemRoles.superuser)} peer`,
        ...[{ type: HbaType.Local }, ...(requireTls ? [withoutTls] : []), ...own, ...rules].map(renderRule),
    ];
}

/** Words that mean something to pg_hba.conf; any other name is quoted. */
const keywords = /^(all|sameuser|samerole|samegroup|replication)$/;

function renderRule(rule: HbaRuleArgs): string {
    const names = (values: string[] | undefined): string => (values ?? ["all"]).map(quoteName).join(",");
    const address = rule.type === HbaType.Local ? [] : [rule.address ?? "all"];
    return [rule.type, names(rule.databases), names(rule.roles), ...address, rule.method ?? HbaMethod.ScramSha256].join(
        " ",
    );
}

function quoteName(name: string): string {
    if (keywords.test(name)) {
        return name;
    }
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    return name.startsWith("+") ? `+${quoted(name.slice(1))}` : quoted(name);
}
