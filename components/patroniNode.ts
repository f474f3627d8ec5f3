import * as pulumi from "@pulumi/pulumi";
import { containerPaths, defaultPorts, workloadNames } from "./defaults";
import type { ServerCertificate } from "./clusterCertificates";
import { dcsClientFiles } from "./dcsClient";
import type { DcsConnection } from "./dcsConnection";
import { locateNode, publishedPorts } from "./memberLocation";
import { prepareFile, switchoverDirectory } from "./patroniSwitchover";
import { objectName } from "./platform/objectName";
import { Member } from "./platform/rollout";
import { logsCommand } from "./platform/target";
import { HostConnection, ResourcesArgs, Target, Workload, WorkloadFile } from "./platform/workload";
import { replacementWords } from "./render/changeWords";
import { exitIfMajorPending, renderForeignMajorCheck, renderMajorSettled } from "./render/majorChange";
import type { MajorChange } from "./render/majorNodeScript";
import type { DcsSection } from "./render/dcsSections";
import { localConninfo } from "./render/conninfo";
import { copyGuard } from "./render/copyGuard";
import { curlLocal, withoutOutput, expiredFunction } from "./render/http";
import { renderPatroniMemberYaml, renderPatroniTlsYaml } from "./render/patroniYaml";
import { failFunction, inContainerFunction, shellQuote, waitFor } from "./render/shell";

/** One Patroni node. */
export interface PatroniNodeArgs {
    /**
     * Key of the host that it is pinned to.
     *
     * **Change:** the node copies the leader's data on the other host; what is in its old directory stays there, unused.
     */
    host: string;
    /**
     * Patroni's tags, such as `nofailover`, `nosync`, `clonefrom`, with text, a number, true or false.
     *
     * @default - none
     *
     * **Change:** rolling restart.
     */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- texts, numbers and booleans: Pulumi's schemas have no unions of them
    tags?: { [name: string]: any };
    /**
     * Published TCP ports of this node alone; seed 004 has REST ports 8001 to 8003.
     *
     * @default - the group's `postgresPort` and `apiPort`, and the exporters' port; none for a node with an own address
     *
     * **Change:** rolling restart, also of HAProxy.
     */
    ports?: PatroniNodePortsArgs;
    /**
     * Address of its own on the bridge network of a single Docker host, where the other members and HAProxy then find it.
     *
     * @default - nodes are found at their host's address
     *
     * **Change:** rolling restart, also of HAProxy.
     */
    address?: string;
}

/** Published TCP ports of one Patroni node. */
export interface PatroniNodePortsArgs {
    /** @default - the group's `postgresPort` */
    postgres?: number;
    /** @default - the group's `apiPort` */
    api?: number;
    /** @default - the exporters' `port` */
    exporter?: number;
}

/** Statements about the passwords of the group's own roles. */
interface SystemRolesSql {
    /** Gives the roles their passwords, on the leader. */
    change: string;
    /** Answers `t` on every node that has them. */
    check: string;
}

/** What all nodes of a group share. */
export interface PatroniNodeContext {
    target: Target;
    /** Patroni's name of the cluster. */
    scope: string;
    image: pulumi.Input<string>;
    /** Keys of all nodes, in the order in which they are replaced. */
    order: string[];
    dcs: DcsConnection;
    postgresMajor: number;
    /** A change of the major version that the settings consent to. */
    majorChange?: MajorChange;
    postgresPort: number;
    apiPort: number;
    dataRoot: string;
    dataVolumes: boolean;
    resources: ResourcesArgs;
    sharedMemoryMiB: number;
    minimumFreeMiB: number;
    stopGraceSeconds: number;
    /** Files that are the same for all nodes, by key. */
    bootstrapYaml: string;
    passwordsYaml: pulumi.Output<string>;
    superuserPgpass: pulumi.Output<string>;
    /** Certificates by node; none where PostgreSQL takes no TLS. */
    certificates?: { [key: string]: ServerCertificate };
    /** Whether Patroni's REST API takes TLS only, and replicas verify the primary. */
    enableInternalTls: boolean;
    /** URLs of all nodes' REST APIs. */
    apiUrls: string[];
    /** The passwords of the group's own roles. */
    systemRolesSql: pulumi.Output<SystemRolesSql>;
    /** Lag, in bytes, within which a replica counts as well again. */
    maximumLagBytes: number;
    gateTimeoutSeconds: number;
}

/** A Patroni node as a member of a roll-out. */
export interface PatroniMember extends Member {
    /** What its step before an update runs, from a file on its host. */
    prepareScript: string;
}

/** Makes a node a member of a roll-out. */
export function patroniMember(
    key: string,
    node: PatroniNodeArgs,
    host: HostConnection,
    context: PatroniNodeContext,
): PatroniMember {
    const { dataRoot, target } = context;
    return {
        key,
        host,
        workload: patroniWorkload(key, node, host, context),
        replacementWords: replacementWords.patroni(workloadNames.patroni(key), context.order.length),
        admission: () => renderForeignMajorCheck(context.postgresMajor),
        onRunning: context.systemRolesSql.apply((sql) => systemRolesScript(key, host, context, sql)),
        beforeUpdate: fileScript(host, prepareFile(dataRoot, target.clusterName, key), `-${key}-switchover`),
        prepareScript: stepDownScript(key, host, context),
        afterUpdate: caughtUpScript(key, host, context),
    };
}

/** Runs a script that another resource has put on the host: that of a disk which was lost comes back only with its resource. */
function fileScript(host: HostConnection, file: string, resourceEnding: string): string {
    const nextStep = `run 'pulumi up --replace' with the URN that ends in '${resourceEnding}', as 'pulumi stack --show-urns' shows it, then 'pulumi up' again`;
    return [
        failFunction(host),
        `[ -e ${shellQuote(file)} ] || fail ${shellQuote(`${file} is missing`)} ${shellQuote(nextStep)}`,
        `sh -eu ${shellQuote(file)}`,
    ].join("\n");
}

function patroniWorkload(
    key: string,
    node: PatroniNodeArgs,
    host: HostConnection,
    context: PatroniNodeContext,
): Workload {
    const name = workloadNames.patroni(key);
    const location = locateNode(host.address, node, context);
    const memberYaml = renderPatroniMemberYaml({
        scope: context.scope,
        name,
        address: location.address,
        postgresPort: location.postgres.known,
        apiPort: location.api.known,
        dcs: dcsSection(host, context.dcs),
        postgresMajor: context.postgresMajor,
        tags: node.tags ?? {},
    });
    const inConfig = (file: string): string => `${containerPaths.patroniConfigDirectory}/${file}`;
    return {
        name,
        image: context.image,
        args: ["patroni", containerPaths.patroniConfigDirectory],
        // Patroni merges all files of the directory, in the order of their names.
        files: [
            { key: "member", path: inConfig("10-member.yml"), content: memberYaml, secret: false },
            {
                key: "bootstrap",
                path: inConfig("20-bootstrap.yml"),
                content: context.bootstrapYaml,
                secret: false,
                frozen: true,
            },
            { key: "passwords", path: inConfig("30-passwords.yml"), content: context.passwordsYaml, secret: true },
            { key: "pgpass", path: containerPaths.superuserPgpass, content: context.superuserPgpass, secret: true },
            ...tlsFiles(context.certificates?.[key], context.enableInternalTls),
            ...dcsClientFiles(context.dcs.dcsCertificate),
        ],
        data: {
            hostPath: `${context.dataRoot}/${context.target.clusterName}/${name}`,
            volumeName: context.dataVolumes ? objectName(context.target.clusterName, name) : undefined,
            path: containerPaths.postgresRoot,
            minimumFreeMiB: context.minimumFreeMiB,
        },
        tmpfs: [
            { path: "/tmp", sizeMiB: 64 },
            { path: containerPaths.postgresSocket, sizeMiB: 1 },
            // Docker's 64 MiB are too few for parallel queries.
            { path: "/dev/shm", sizeMiB: context.sharedMemoryMiB },
        ],
        ports: publishedPorts(location.postgres, location.api),
        address: node.address,
        resources: context.resources,
        // Liveness of Patroni itself: PostgreSQL's own state is Patroni's to mend, and a killed container would only disturb it.
        health: {
            command: curlLocal(withoutOutput, defaultPorts.patroniApi, "/liveness", context.enableInternalTls),
            intervalSeconds: 5,
            timeoutSeconds: 5,
            retries: 6,
            startPeriodSeconds: 30,
        },
        stopGraceSeconds: context.stopGraceSeconds,
        restartDelaySeconds: 1,
    };
}

/** TLS of PostgreSQL: the files, and the part of Patroni's configuration that names them. */
function tlsFiles(server: ServerCertificate | undefined, enableInternalTls: boolean): WorkloadFile[] {
    if (server === undefined) {
        return [];
    }
    const { certificate, privateKey, caCertificate } = server;
    const inConfig = `${containerPaths.patroniConfigDirectory}/15-tls.yml`;
    return [
        { key: "tls", path: inConfig, content: renderPatroniTlsYaml(enableInternalTls), secret: false },
        { key: "cert", path: containerPaths.serverCertificate, content: certificate, secret: false },
        { key: "key", path: containerPaths.serverKey, content: privateKey, secret: true },
        { key: "ca", path: containerPaths.caCertificate, content: caCertificate, secret: false },
    ];
}

function dcsSection(host: HostConnection, dcs: DcsConnection): DcsSection {
    return { kind: dcs.dcsKind, settings: { ...dcs.dcsSettings, ...dcs.dcsHostSettings?.[host.key] } };
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
function systemRolesScript(
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
function stepDownScript(key: string, host: HostConnection, context: PatroniNodeContext): string {
    const node = workloadNames.patroni(key);
    const { clusterName } = context.target;
    const script = `${switchoverDirectory(context.dataRoot, clusterName)}/${node}`;
    const shell = [...memberShell(key, host, context), exitIfMajorPending];
    const others = preferredCandidates(key, context.order).map(workloadNames.patroni);
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
        ...copyGuard({ scope: context.scope, node, others, orElse: orExpired }),
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

/** Who should lead after a node: one that has been replaced already, or else the one that is replaced last. */
function preferredCandidates(key: string, order: string[]): string[] {
    const position = order.indexOf(key);
    return [...order.slice(0, position), ...order.slice(position + 1).reverse()];
}

/**
 * Waits until a replaced node streams with little lag, or leads; not where nodes that are still to be replaced have certificates that have
 * expired.
 */
function caughtUpScript(key: string, host: HostConnection, context: PatroniNodeContext): string {
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
