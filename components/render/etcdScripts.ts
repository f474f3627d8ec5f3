import { containerPaths } from "../defaults";
import { etcdctl } from "./etcdYaml";
import { expiredFunction, httpScheme } from "./http";
import { failFunction, inContainerFunction, NamedHost, waitFor } from "./shell";

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

/** Waits until every member of the quorum answers that it can commit. */
export function renderEtcdReadyScript(script: EtcdScript): string {
    return [...memberShell(script), healthyFunction(script), waitUntil("healthy", script)].join("\n");
}

/** Waits likewise after a member was replaced, unless others, which are still to be replaced, have certificates that have expired. */
export function renderEtcdGateScript(script: EtcdScript, clientUrls: string[]): string {
    if (!script.tls) {
        return renderEtcdReadyScript(script);
    }
    return [
        ...memberShell(script),
        healthyFunction(script),
        expiredFunction(containerPaths.etcdCa, clientUrls),
        waitUntil("healthy || expired", script),
    ].join("\n");
}

/** Refuses a change to or from TLS before it cuts the first member off; a member that doesn't run may be replaced. */
export function renderEtcdPrepareScript(script: EtcdScript): string {
    const scheme = httpScheme(script.tls);
    return [
        ...memberShell(script),
        `urls=$(in_container grep '^listen-peer-urls:' ${containerPaths.etcdConfig} 2>/dev/null) || exit 0`,
        'case "$urls" in',
        `  *" ${scheme}://"*) ;;`,
        `  *) fail "etcd's members know each other by other URLs than ${scheme}://; nothing was changed" "set tls.enableInternalTls back, then run 'pulumi up' again" ;;`,
        "esac",
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
