import { containerPaths } from "../defaults";
import { etcdctl } from "./etcdYaml";
import { expiredFunction } from "./http";
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
