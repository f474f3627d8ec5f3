import { shellQuote, sortedEntries } from "./shell";

/** A Swarm node and the labels that it must have. */
export interface NodeLabels {
    /** Hostname of the Swarm node. */
    nodeName: string;
    labels: { [name: string]: string };
}

/** Label that holds the mark of the last setting. */
export const markLabel = "pgha.mark";

/**
 * The script that prepares a host: kernel settings that survive a restart, and an sshd that takes the many short connections of the
 * Docker provider (its default of 10 unauthenticated ones drops some at random).
 *
 * @param fail - definition of the shell function `fail`
 */
export function renderHostScript(fail: string, sysctls: { [name: string]: string }): string {
    const refused = `fail "a kernel setting was refused" "correct 'sysctls' of this host"`;
    const settings = sortedEntries(sysctls).map(([name, value]) => `${name} = ${value}`);
    return [
        fail,
        "docker info -f '{{.ServerVersion}}' >/dev/null 2>&1 || fail 'no Docker engine answers' 'install and start Docker there'",
        `sysctls=${shellQuote(settings.join("\n"))}`,
        "file=/etc/sysctl.d/60-pgha.conf",
        'if ! printf "%s\\n" "$sysctls" | cmp -s - "$file"; then',
        '  mkdir -p "${file%/*}" && printf "%s\\n" "$sysctls" > "$file.new"',
        // What is refused must not come back with the next boot.
        `  sysctl -q -p "$file.new" || { rm "$file.new"; ${refused}; }`,
        '  mv "$file.new" "$file"',
        "fi",
        `sysctl -q -p "$file" || ${refused}`,
        `limits=${shellQuote("MaxStartups 100:30:200\nMaxSessions 100")}`,
        "file=/etc/ssh/sshd_config.d/10-pgha.conf",
        'if ! printf "%s\\n" "$limits" | cmp -s - "$file"; then',
        '  mkdir -p "${file%/*}" && printf "%s\\n" "$limits" > "$file.new" && mv "$file.new" "$file"',
        "  sshd=$(command -v sshd || echo /usr/sbin/sshd)",
        `  "$sshd" -t || { rm "$file"; fail "sshd refuses MaxStartups and MaxSessions in $file" "run 'sshd -t' there"; }`,
        '  systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || kill -HUP "$(cat /run/sshd.pid)" ||',
        // The file goes, so that the next `up` tries again.
        `    { rm "$file"; fail "can't reload sshd" "look at 'systemctl status ssh' there"; }`,
        "fi",
    ].join("\n");
}

/** Shell function `node_id`: the id of the node with that hostname, a Ready one before one that is down. */
function nodeIdFunction(nodeName: string): string {
    return [
        "node_id() {",
        "  docker node ls --format '{{.Hostname}} {{.Status}} {{.ID}}' |",
        `    awk -v name=${shellQuote(nodeName)} '$1 == name { if ($2 == "Ready") { print $3; found = 1; exit } other = $3 } END { if (!found && other) print other }'`,
        "}",
    ].join("\n");
}

/** Shell function `labels_of`: the node's labels, one `name=value` a line. */
const labelsOfFunction =
    "labels_of() { docker node inspect -f '{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}}{{println}}{{end}}' \"$1\"; }";

/** The script that prints the mark of the last setting when all labels are still there, and a new mark when they aren't. */
export function renderLabelCheckScript(node: NodeLabels): string {
    const checks = sortedEntries(node.labels).map(([name, value]) => `has ${shellQuote(`${name}=${value}`)} || lost=1`);
    return [
        nodeIdFunction(node.nodeName),
        labelsOfFunction,
        "lost=",
        'present=$(labels_of "$(node_id)" 2>/dev/null) || lost=1',
        'has() { printf "%s\\n" "$present" | grep -qxF -- "$1"; }',
        ...checks,
        `mark=$(printf "%s\\n" "$present" | sed -n 's/^${markLabel}=//p')`,
        '[ -z "$lost" ] && [ -n "$mark" ] || mark=$(date +%s%N)',
        'echo "$mark"',
    ].join("\n");
}

/** The nodes that keep a label. */
export interface LabelHolders {
    label: string;
    /** Hostnames of the Swarm nodes. */
    nodeNames: string[];
}

/** The script that takes labels from all nodes of the Swarm but some. */
export function renderLabelRemovalScript(fail: string, holders: LabelHolders[]): string {
    return [
        fail,
        labelsOfFunction,
        `nodes=$(docker node ls --format '{{.ID}} {{.Hostname}}') ||`,
        `  fail "can't list the Swarm's nodes" "is the manager given in 'swarm.manager' really one?"`,
        "keep() {",
        "  label=$1",
        "  shift",
        `  printf '%s\\n' "$nodes" | while read -r id name; do`,
        '    case " $* " in *" $name "*) continue ;; esac',
        `    labels_of "$id" | grep -q "^$label=" || continue`,
        '    docker node update --label-rm "$label" "$id" >/dev/null || exit 1',
        `  done || fail "can't take $label from a node" "run 'pulumi up' again"`,
        "}",
        ...holders.map(({ label, nodeNames }) => `keep ${[label, ...nodeNames].map(shellQuote).join(" ")}`),
    ].join("\n");
}

/** The script that sets a node's labels, and the mark by which a lost one is noticed. */
export function renderLabelScript(fail: string, node: NodeLabels, mark: string): string {
    const additions = sortedEntries(node.labels).map(
        ([name, value]) => `--label-add ${shellQuote(`${name}=${value}`)}`,
    );
    return [
        fail,
        nodeIdFunction(node.nodeName),
        "id=$(node_id)",
        `[ -n "$id" ] || fail ${shellQuote(`no Swarm node is called ${node.nodeName}`)} "join it to the Swarm, or set 'nodeName' to what 'docker node ls' shows"`,
        `docker node update ${additions.join(" ")} --label-add ${shellQuote(`${markLabel}=${mark}`)} "$id" >/dev/null ||`,
        `  fail "can't set its labels" "is the manager given in 'swarm.manager' really one?"`,
    ].join("\n");
}
