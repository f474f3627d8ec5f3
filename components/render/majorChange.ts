import { containerPaths, systemRoles } from "../defaults";
import { Announcement, RefusedChange } from "./changeWords";
import { MajorChange, MajorNodeScript, renderMajorNodeScript, upgradeDirectory } from "./majorNodeScript";
import { failFunction, inContainerFunction, indent, NamedHost, shellQuote, waitFor } from "./shell";
import { patronictlFunctions } from "./patroniScripts";

/** The first major whose pg_upgrade takes encoding and locales over from the old cluster. */
export const oldestUpgradeTarget = 16;

/** What {@link renderMajorChangeScript} needs. */
export interface MajorChangeScript extends MajorNodeScript {
    host: NamedHost;
    /** The node that is changed first, by its name in Patroni; it runs on that host. */
    node: string;
    /** Its service. */
    serviceName: string;
    /** Names of all other nodes. */
    others: string[];
    /** Script on the host that hands the leader's role over. */
    switchoverScript: string;
    /** What the dynamic configuration says when the change is done. */
    synchronousMode: boolean;
    synchronousNodeCount: number;
}

/** Says what another major version means, or refuses it where the settings don't say which one it takes the place of. */
export function describeMajorChange(from: number, to: number, previous: number | undefined): Announcement[] {
    if (previous !== from) {
        const consent = `postgresMajor: ${to} together with previousPostgresMajor: ${from}`;
        throw new RefusedChange(
            to > from
                ? `major upgrade: PostgreSQL ${from} would become ${to}, with no writes while pg_upgrade runs. Rehearse it with 'pgha rehearse-upgrade ${to}', then set ${consent}`
                : `data loss: PostgreSQL ${to} would come back with its data of before the upgrade, without all that was written since. If that is what you want, set ${consent}`,
        );
    }
    const words =
        to > from
            ? `major upgrade: PostgreSQL ${from} becomes ${to} by pg_upgrade; nobody can write until it is done; the other nodes then copy the data anew; the data of ${from} stays in ${containerPaths.postgresData(from)} of each node`
            : `data loss: PostgreSQL ${to} comes back with its data of before the upgrade; what was written since stays behind in ${containerPaths.postgresRoot}/${from} of each node`;
    return [{ words, alarming: true }];
}

/** Shell that refuses a node's data directory `$dir` if it has data, but none of this major: Patroni would begin beside it. */
export function renderForeignMajorCheck(major: number): string {
    const inDirectory = (path: string): string => `"$dir"${path.slice(containerPaths.postgresRoot.length)}`;
    return [
        `if [ ! -e ${inDirectory(containerPaths.postgresData(major))}/PG_VERSION ]; then`,
        '  for version in "$dir"/*/data/PG_VERSION; do',
        `    [ ! -e "$version" ] || fail "$dir holds data of PostgreSQL $(cat "$version") and none of ${major}" "set 'postgresMajor' to what is there, or move that data away so that this node copies the leader's"`,
        "  done",
        "fi",
    ].join("\n");
}

/** Ends a script where a change has stopped PostgreSQL: Patroni's REST API may say for some seconds that the node still leads. */
export const exitIfMajorPending = `if in_container test -e ${upgradeDirectory}/paused; then exit 0; fi`;

/** What ends a change on a node that has got its new container: Patroni goes on, and what the way back leaves behind gets out of the way. */
export function renderMajorSettled({ from, to }: MajorChange, scope: string, timeoutSeconds: number): string[] {
    const abandoned = containerPaths.postgresData(from);
    const again = `"run 'pulumi up' again"`;
    const local = `--host=${containerPaths.postgresSocket} --username=${systemRoles.superuser}`;
    return [
        patronictlFunctions,
        `if in_container test -e ${upgradeDirectory}/paused; then`,
        `  case "$(ctl show-config ${scope})" in *"pause: true"*) asked resume ${scope} || fail "Patroni is still paused" ${again} ;; esac`,
        indent(waitFor("api /readiness", timeoutSeconds, `fail "PostgreSQL ${to} does not start" ${again}`)),
        // pg_upgrade brings no statistics along, and plans are bad without. In strict synchronous mode they would wait for replicas, which
        // come later.
        ...(to > from
            ? [
                  `  if api /primary; then in_container env PGOPTIONS='-c synchronous_commit=local' vacuumdb --all --analyze-in-stages --jobs=2 ${local} >/dev/null 2>&1 || fail "vacuumdb failed" ${again}; fi`,
              ]
            : []),
        `  in_container rm -rf ${upgradeDirectory}`,
        "fi",
        ...(to > from
            ? []
            : [
                  `if in_container test -e ${abandoned}; then in_container mv ${abandoned} "${abandoned}.$(date +%s)"; fi`,
              ]),
    ];
}

/**
 * The script on the host of the node that is changed first: makes that node the leader, and changes its data. It ends with Patroni paused
 * and PostgreSQL stopped there; the roll-out then replaces the node's container, and its gate lets Patroni go on.
 *
 * The moment of the change is one write to the DCS: the key `initialize` gets the system identifier of the other data. From then on
 * Patroni starts nothing on the old data any more; until then nothing has happened that a resume doesn't put right.
 */
export function renderMajorChangeScript(script: MajorChangeScript): string {
    const { scope, node, others, change, timeoutSeconds } = script;
    const standby = script.synchronousMode ? "Sync Standby" : "Replica";
    return [
        failFunction(script.host),
        inContainerFunction(script.serviceName),
        patronictlFunctions,
        "on_node() { in_container sh -s -- \"$@\" <<'END_OF_SCRIPT'",
        renderMajorNodeScript(script),
        "END_OF_SCRIPT",
        "}",
        `again="mend what the lines above name, then run 'pulumi up' again"`,
        'state=$(on_node settle) || fail "can\'t tell how far the change of major version is" "$again"',
        'if [ "$state" = changed ]; then exit 0; fi',
        `rows() { ctl list -f tsv ${scope}; }`,
        `case "$state:$(ctl show-config ${scope})" in open:*"pause: true"*) fail "Patroni is paused" "run 'pgha resume', then 'pulumi up' again" ;; esac`,
        // Columns: cluster, member, host, role, state, timeline, lag.
        `leads() { rows | awk -F '\\t' -v name=${node} '$2 == name && $4 == "Leader" && $5 == "running" { ok = 1 } END { exit !ok }'; }`,
        `ready() { rows | awk -F '\\t' -v name=${node} '$2 == name && ($4 == "Leader" || ($4 == "${standby}" && $5 == "streaming")) { ok = 1 } END { exit !ok }'; }`,
        'count() { asked edit-config "$1" -s synchronous_node_count="$2" --force; }',
        "lead() {",
        "  leads && return",
        // Only a synchronous standby can take over without losing commits; which one is, is Patroni's choice as long as not all are.
        ...(script.synchronousMode ? [`  count ${scope} ${others.length} || return 1`] : []),
        indent(waitFor("ready", timeoutSeconds, "return 1")),
        `  leader=$(rows | awk -F '\\t' '$4 == "Leader" { print $2 }')`,
        `  leads || sh ${shellQuote(script.switchoverScript)} "$leader" ${node} || return 1`,
        indent(waitFor("leads", timeoutSeconds, "return 1")),
        "}",
        'if [ "$state" = open ]; then',
        "  led=0",
        "  lead || led=1",
        ...(script.synchronousMode
            ? [
                  `  count ${scope} ${script.synchronousNodeCount} || fail "can't put synchronous_node_count back" "$again"`,
              ]
            : []),
        `  [ "$led" -eq 0 ] || fail "${node} can't take the leader's role over" "see 'patronictl list ${scope}', then run 'pulumi up' again"`,
        "fi",
        `on_node ${change.to > change.from ? "upgrade" : "back"} ${others.map(shellQuote).join(" ")} ||`,
        `  fail "PostgreSQL ${change.from} was not changed to ${change.to}" "$again, or put 'postgresMajor' back"`,
    ].join("\n");
}
