import { containerPaths, defaultPorts, workloadNames } from "./defaults";
import type { NodePlace, PatroniNodeContext } from "./patroniNode";
import { switchoverDirectory } from "./patroniSwitchover";
import { objectName } from "./platform/objectName";
import type { Member } from "./platform/rollout";
import { logsCommand } from "./platform/target";
import type { HostConnection } from "./platform/workload";
import { localConninfo } from "./render/conninfo";
import { copyGuard } from "./render/copyGuard";
import { renderHandOverScript } from "./render/handOverScript";
import { curlLocal, expiredFunction, withoutOutput } from "./render/http";
import { exitIfMajorPending, renderMajorSettled } from "./render/majorChange";
import { nodesFunctions } from "./render/patroniScripts";
import { failFunction, inContainerFunction, shellQuote, waitFor } from "./render/shell";

/** Statements about the passwords of the group's own roles. */
export interface SystemRolesSql {
    /** Gives the roles their passwords, on the leader. */
    change: string;
    /** Answers `t` on every node that has them. */
    check: string;
}

/** Runs a script that another resource has put on the host: that of a disk which was lost comes back only with its resource. */
export function fileScript(host: HostConnection, file: string, resourceEnding: string): string {
    const nextStep = `run 'pulumi up --replace' with the URN that ends in '${resourceEnding}', as 'pulumi stack --show-urns' shows it, then 'pulumi up' again`;
    return [
        failFunction(host),
        `[ -e ${shellQuote(file)} ] || fail ${shellQuote(`${file} is missing`)} ${shellQuote(nextStep)}`,
        `sh -eu ${shellQuote(file)}`,
    ].join("\n");
}

function memberShell(key: string, host: HostConnection, context: PatroniNodeContext): string[] {
    const options = [...withoutOutput, "--max-time", "5"];
    const curl = curlLocal(options, defaultPorts.patroniApi, "", context.enableInternalTls).join(" ");
    return [
        failFunction(host),
        inContainerFunction(objectName(context.target.clusterName, workloadNames.patroni(key))),
        `api() { in_container ${curl}"$1" 2>/dev/null; }`,
    ];
}

/**
 * Gives the group's own roles the passwords of the settings, where this node leads. A cluster that comes back on data that outlived
 * `destroy` still has those of its earlier life, and no replica could log in; a replica waits until it has them by replication, and gives
 * them itself should it come to lead meanwhile.
 */
export function systemRolesScript(
    key: string,
    host: HostConnection,
    context: PatroniNodeContext,
    { change, check }: SystemRolesSql,
): string {
    const node = workloadNames.patroni(key);
    return [
        ...memberShell(key, host, context),
        `set_passwords() { in_container psql -X -q -d '${localConninfo}' -f - >/dev/null 2>&1 <<'END_OF_SQL'`,
        change.trimEnd(),
        "END_OF_SQL",
        "}",
        `answer() { in_container psql -X -q -t -A -d '${localConninfo}' -f - 2>/dev/null <<'END_OF_SQL'`,
        check.trimEnd(),
        "END_OF_SQL",
        "}",
        'settled() { if api /primary; then set_passwords; else api /readiness && [ "$(answer)" = t ]; fi; }',
        waitFor(
            "settled",
            context.gateTimeoutSeconds,
            `fail "${node} neither leads nor streams after ${context.gateTimeoutSeconds} s" "see '${logsCommand(context.target, node)}', then run 'pulumi up' again"`,
        ),
    ].join("\n");
}

/**
 * Hands the leader's role over before the leader's container is replaced, and lets no node go whose data would then be on one other only.
 * Does nothing where none runs. Where certificates have expired nobody may stream or be able to take over.
 */
export function stepDownScript(key: string, host: HostConnection, context: PatroniNodeContext): string {
    const node = workloadNames.patroni(key);
    const { clusterName } = context.target;
    const script = `${switchoverDirectory(context.dataRoot, clusterName)}/${node}`;
    const shell = [...memberShell(key, host, context), exitIfMajorPending];
    const others = preferredCandidates(key, context.nodes).map((other) => workloadNames.patroni(other.key));
    if (others.length === 0) {
        // Alone it has nobody to hand over to; the shutdown checkpoint is short after this one.
        return [...shell, "api /primary || exit 0", `in_container psql -X -q -d '${localConninfo}' -c CHECKPOINT`].join(
            "\n",
        );
    }
    const { functions, orExpired } = expiredGate(context);
    return [
        ...shell,
        ...functions,
        ...nodesFunctions(context.scope),
        ...copyGuard({ node, others: withoutAbsent(others, context), orElse: orExpired }),
        "api /primary || exit 0",
        `sh ${[script, node, ...others].map(shellQuote).join(" ")}${orExpired} ||`,
        `  fail "${node} leads and no other node could take over" "see 'patronictl list'; a replica must be streaming, then run 'pulumi up' again"`,
        waitFor(
            `api /replica${orExpired}`,
            context.gateTimeoutSeconds,
            `fail "${node} did not become a replica after its switchover" "see 'patronictl list', then run 'pulumi up' again"`,
        ),
    ].join("\n");
}

/** What lets a step of the roll-out go on where a node's certificate has expired. */
function expiredGate({ enableInternalTls, apiUrls }: PatroniNodeContext): { functions: string[]; orExpired: string } {
    return enableInternalTls
        ? { functions: [expiredFunction(containerPaths.caCertificate, apiUrls)], orExpired: " || expired" }
        : { functions: [], orExpired: "" };
}

function withoutAbsent(names: string[], { absentNodes }: PatroniNodeContext): string[] {
    const absent = absentNodes.map(workloadNames.patroni);
    return names.filter((name) => !absent.includes(name));
}

/** Who should lead after a node: one that has been replaced already, or else the one that is replaced last. */
function preferredCandidates(key: string, nodes: NodePlace[]): NodePlace[] {
    const position = nodes.findIndex((node) => node.key === key);
    return [...nodes.slice(0, position), ...nodes.slice(position + 1).reverse()];
}

/**
 * Does for a node that is to come to another host, where the step before its replacement finds nothing, what that step does; and hands the
 * leader's role over from one that the settings don't have any more. It runs beside the node before, which has been replaced by then.
 */
export function moveScript(key: string, context: PatroniNodeContext): Member["beforeMove"] {
    const { nodes, target, dataRoot } = context;
    const peer = nodes[nodes.findIndex((node) => node.key === key) - 1] ?? nodes[1];
    const own = nodes.filter((node) => node.key === key);
    if (peer === undefined) {
        return undefined;
    }
    const peerName = workloadNames.patroni(peer.key);
    const script = renderHandOverScript({
        host: peer.host,
        serviceName: objectName(target.clusterName, peerName),
        scope: context.scope,
        nodes: [...preferredCandidates(key, nodes), ...own].map(({ key: node, address }) => {
            return { name: workloadNames.patroni(node), address };
        }),
        moving: workloadNames.patroni(key),
        guarding: withoutAbsent(
            nodes.filter((node) => node.key !== key).map((node) => workloadNames.patroni(node.key)),
            context,
        ),
        switchoverScript: `${switchoverDirectory(dataRoot, target.clusterName)}/${peerName}`,
        gate: expiredGate(context),
    });
    return { host: peer.host, script };
}

/**
 * Waits until a replaced node streams with little lag, or leads; not where nodes that are still to be replaced have certificates that have
 * expired.
 */
export function caughtUpScript(key: string, host: HostConnection, context: PatroniNodeContext): string {
    const node = workloadNames.patroni(key);
    const { functions, orExpired } = expiredGate(context);
    return [
        ...memberShell(key, host, context),
        ...functions,
        ...(context.majorChange === undefined
            ? []
            : renderMajorSettled(context.majorChange, context.scope, context.gateTimeoutSeconds)),
        waitFor(
            `api '/readiness?lag=${context.maximumLagBytes}&mode=write'${orExpired}`,
            context.gateTimeoutSeconds,
            `fail "${node} does not stream within ${context.gateTimeoutSeconds} s; the nodes after it were left alone" "see '${logsCommand(context.target, node)}', then run 'pulumi up' again"`,
        ),
    ].join("\n");
}
