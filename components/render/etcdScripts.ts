import { containerPaths } from "../defaults";
import { EtcdAdmission, etcdFiles } from "./etcdStartScript";
import { etcdctl } from "./etcdYaml";
import { expiredFunction } from "./http";
import { memberGuard } from "./memberGuard";
import { failFunction, inContainerFunction, NamedHost, shellQuote, waitFor } from "./shell";

/** A member of an etcd quorum, as scripts on its host need it. */
export interface EtcdScript {
    host: NamedHost;
    /** The member's service there. */
    serviceName: string;
    /** Command that shows the member's logs. */
    logsCommand: string;
    /** Whether the members speak TLS. */
    tls: boolean;
    timeoutSeconds: number;
}

/**
 * Waits until all members that are wanted vote and can commit, and takes the others out of the quorum, one after the other. Those stay until
 * then, so that they can help while others join.
 */
export function renderEtcdReadyScript(script: EtcdScript, wanted: string[]): string {
    const all = etcdctl(script.tls).join(" ");
    const some = etcdctl(script.tls, '"$urls"').join(" ");
    return [
        ...memberShell(script),
        healthyFunction(script),
        `wanted=${shellQuote(wanted.join(" "))}`,
        // Fields: id, status, name, peer URL, client URL, whether it is a learner.
        `select_members() { printf '%s\n' "$members" | awk -F ', ' -v wanted=" $wanted " -v which="$1" '{ is = index(wanted, " " $3 " ") > 0 && $3 != "" } is == (which == "wanted")'; }`,
        "all_vote() {",
        `  members=$(in_container ${all} member list 2>/dev/null) || return 1`,
        '  urls=$(select_members wanted | awk -F \', \' \'$5 != "" && $6 == "false" { printf "%s%s", separator, $5; separator = "," }\')',
        `  [ "$(printf '%s\n' "$urls" | awk -F , '{ print NF }')" -eq ${wanted.length} ] || return 1`,
        `  in_container ${some} endpoint health >/dev/null 2>&1`,
        "}",
        "retire() {",
        "  for id in $(select_members others | awk -F ', ' '{ print $1 }'); do",
        `    in_container ${all} member remove "$id" >/dev/null 2>&1 || return 1`,
        "  done",
        "}",
        waitUntil("all_vote && retire && healthy", script),
    ].join("\n");
}

/** Waits until every member of the quorum can commit, unless others, which are still to be replaced, have certificates that have expired. */
export function renderEtcdGateScript(script: EtcdScript): string {
    const { functions, orExpired } = expiredGate(script);
    return [
        ...memberShell(script),
        healthyFunction(script),
        ...functions,
        waitUntil(`healthy${orExpired}`, script),
    ].join("\n");
}

/** Refuses to let a member go that the quorum could not do without, because another one is away or ill. */
export function renderEtcdGuardScript(script: EtcdScript): string {
    const { functions, orExpired } = expiredGate(script);
    const health = [...etcdctl(script.tls), "endpoint", "health"].join(" ");
    return [
        ...memberShell(script),
        ...functions,
        "spared() {",
        '  [ -n "$(container)" ] || return 0',
        `  said=$(in_container ${health} --cluster 2>&1) || true`,
        // A learner has no vote, and can't answer.
        "  votes=$(printf '%s\\n' \"$said\" | grep ' is healthy\\| is unhealthy' | grep -vc learner) || true",
        "  well=$(printf '%s\\n' \"$said\" | grep -c ' is healthy') || true",
        '  [ "$votes" -eq 1 ] || [ "$well" -gt "$((votes / 2 + 1))" ]',
        "}",
        `needed() { in_container ${health} >/dev/null 2>&1; }`,
        `others() { printf '%s\\n' "$said" | awk '/ is unhealthy/ { printf "%s%s", separator, $1; separator = ", " } END { if (separator == "") print "nobody, but it has no member to spare" }'; }`,
        memberGuard(
            `spared${orExpired}`,
            "without this member etcd would have no quorum; not well, or still joining: $(others)",
        ),
    ].join("\n");
}

/** What lets a step of the roll-out go on where a member's certificate has expired. */
function expiredGate({ tls }: EtcdScript): { functions: string[]; orExpired: string } {
    if (!tls) {
        return { functions: [], orExpired: "" };
    }
    // Read there, because the script would otherwise change, and run again, whenever another member comes or goes.
    const urls = `$(in_container cat ${containerPaths.etcdData}/${etcdFiles.members} | awk '{ print $3 }')`;
    return { functions: [expiredFunction(containerPaths.etcdCa, [urls])], orExpired: " || expired" };
}

/** Admits a member to its data directory `$dir` on a host that is new to it, before it starts there. */
export function renderEtcdAdmissionScript(members: string, admission: EtcdAdmission): string {
    return [
        `file=$dir/${etcdFiles.admission}`,
        `write() { printf '%s\\n%s' ${admission} ${shellQuote(members)} > "$file.new" && chmod 644 "$file.new" && mv "$file.new" "$file"; }`,
        `write || fail "can't write $file" "look for a full disk with 'df' there, then run 'pulumi up' again"`,
    ].join("\n");
}

function memberShell({ host, serviceName }: EtcdScript): string[] {
    return [failFunction(host), inContainerFunction(serviceName)];
}

function healthyFunction({ tls }: EtcdScript): string {
    const health = [...etcdctl(tls), "endpoint", "health", "--cluster"].join(" ");
    return `healthy() { in_container ${health} >/dev/null 2>&1; }`;
}

function waitUntil(condition: string, { timeoutSeconds, logsCommand }: EtcdScript): string {
    const late = `fail "the etcd quorum is not healthy after ${timeoutSeconds} s" "look at '${logsCommand}' and run 'pulumi up' again"`;
    return waitFor(condition, timeoutSeconds, late);
}
