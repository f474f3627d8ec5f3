import { shellQuote } from "./shell";

/** Who may reach some published ports of a host, beside the cluster's hosts. */
export interface FirewallRule {
    /** Name of the set of sources. */
    name: string;
    ports: number[];
    /** IPv4 addresses and networks in CIDR notation. */
    sources: string[];
}

/** A host's firewall. */
export interface FirewallConfig {
    clusterName: string;
    /** IPv4 addresses of all hosts of the cluster: they reach every port. */
    hosts: string[];
    rules: FirewallRule[];
    /** Bridge by which the cluster's containers on this host reach its own published ports. */
    bridge: string;
}

/** The nftables table of a cluster; nobody else's rules are touched. */
function firewallTable(clusterName: string): string {
    return `inet pgha_${clusterName}`;
}

/**
 * The table as a file for `nft -f`, which replaces it as a whole.
 *
 * Docker sends a published port to its container before any rule of the chains `input` sees it. So the decision falls earlier: after
 * connection tracking (priority -200) and before Docker's address translation (-100), where a packet still has the published port.
 */
export function renderFirewall({ clusterName, hosts, rules, bridge }: FirewallConfig): string {
    const table = firewallTable(clusterName);
    const ports = [...new Set(rules.flatMap((rule) => rule.ports))].sort((a, b) => a - b);
    const open = rules.filter((rule) => rule.ports.length > 0 && rule.sources.length > 0);
    return [
        `table ${table} {}`,
        `delete table ${table}`,
        `table ${table} {`,
        ...[{ name: "hosts", sources: hosts }, ...open].flatMap(({ name, sources }) => sourceSet(name, sources)),
        "    chain published_ports {",
        "        type filter hook prerouting priority -150; policy accept;",
        "        meta l4proto != { tcp, udp } return",
        "        fib daddr type != local return",
        // Replies to this host's own connections, whose local port may be any.
        "        ct direction reply return",
        `        iifname { "lo", "${bridge}" } return`,
        "        ip saddr @hosts return",
        ...open.map((rule) => `        th dport { ${rule.ports.join(", ")} } ip saddr @${rule.name} return`),
        ...(ports.length === 0 ? [] : [`        th dport { ${ports.join(", ")} } counter drop`]),
        "    }",
        "}",
        "",
    ].join("\n");
}

/** A set of sources; networks in it may overlap. */
function sourceSet(name: string, sources: string[]): string[] {
    return [
        `    set ${name} {`,
        "        type ipv4_addr",
        "        flags interval",
        "        auto-merge",
        `        elements = { ${sources.join(", ")} }`,
        "    }",
    ];
}

interface FirewallFiles {
    rules: string;
    unit: string;
    unitFile: string;
}

function filesOf(clusterName: string): FirewallFiles {
    const unit = `pgha-firewall-${clusterName}.service`;
    return { rules: `/etc/pgha/firewall-${clusterName}.nft`, unit, unitFile: `/etc/systemd/system/${unit}` };
}

/** What brings the rules back after a restart of the host, and after a reload of nftables.service, which begins by flushing them. */
function renderUnit(clusterName: string, rules: string): string {
    return [
        "[Unit]",
        `Description=Firewall of the PostgreSQL cluster ${clusterName}`,
        "DefaultDependencies=no",
        "After=local-fs.target nftables.service",
        "Before=network-pre.target docker.service",
        "Wants=network-pre.target",
        "PartOf=nftables.service",
        "ReloadPropagatedFrom=nftables.service",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        `ExecStart=/usr/bin/env nft -f ${rules}`,
        `ExecReload=/usr/bin/env nft -f ${rules}`,
        "",
        "[Install]",
        "WantedBy=sysinit.target nftables.service",
    ].join("\n");
}

/** Lets the hosts of the last rules in, too. */
const admitEarlierHosts = [
    `earlier=$(sed -n '/^    set hosts {/,/^    }/s/^ *elements = { \\(.*\\) }$/\\1/p' "$file" 2>/dev/null) || true`,
    'if [ -n "$earlier" ]; then',
    '  sed "/^    set hosts {/,/^    }/s/elements = { /&$earlier, /" "$file.new" >"$file.all"',
    '  mv "$file.all" "$file.new"',
    "fi",
];

/**
 * The script that sets a host's firewall now, and for the time after a restart where the host has systemd.
 *
 * @param fail - definition of the shell function `fail`
 * @param keepsHosts - whether the cluster's hosts of before still get in
 */
export function renderFirewallScript(fail: string, config: FirewallConfig, keepsHosts: boolean): string {
    const { rules, unit, unitFile } = filesOf(config.clusterName);
    return [
        fail,
        sbinPath,
        "command -v nft >/dev/null || fail 'nft is missing, so no firewall is set' 'install it there: apt-get install nftables'",
        `file=${rules}`,
        'mkdir -p "${file%/*}"',
        `printf "%s" ${shellQuote(renderFirewall(config))} >"$file.new"`,
        ...(keepsHosts ? admitEarlierHosts : []),
        'nft -f "$file.new" || { rm "$file.new"; fail "nft refuses the rules; those before them still hold" "look at the line above: a kernel without nf_tables, or a source that is none" ; }',
        'mv "$file.new" "$file"',
        "[ -d /run/systemd/system ] || return 0",
        `printf "%s\\n" ${shellQuote(renderUnit(config.clusterName, rules))} >${unitFile}`,
        `if ! { systemctl daemon-reload && systemctl --quiet enable ${unit} && systemctl start ${unit}; }; then`,
        `  fail "the rules hold, but can't be set again when the host starts" "look at 'systemctl status ${unit}' there"`,
        "fi",
    ].join("\n");
}

/** The script that takes a host's firewall away. */
export function renderFirewallRemovalScript(clusterName: string): string {
    const { rules, unit, unitFile } = filesOf(clusterName);
    const table = firewallTable(clusterName);
    return [
        sbinPath,
        `if [ -e ${unitFile} ]; then systemctl --quiet disable --now ${unit} || true; rm -f ${unitFile}; systemctl daemon-reload || true; fi`,
        `rm -f ${rules}`,
        // To delete a table that isn't there is an error; to add it first is none.
        `! command -v nft >/dev/null || printf 'table %s {}\\ndelete table %s\\n' ${shellQuote(table)} ${shellQuote(table)} | nft -f -`,
    ].join("\n");
}

/** Where nft is, although a login without root's profile doesn't look there. */
const sbinPath = "PATH=$PATH:/usr/sbin:/sbin";
