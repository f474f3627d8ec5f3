import * as pulumi from "@pulumi/pulumi";
import { containerPaths, defaultPorts, workloadNames } from "./defaults";
import type { ServerCertificate } from "./clusterCertificates";
import { dcsClientFiles } from "./dcsClient";
import type { DcsConnection } from "./dcsConnection";
import { locateNode, publishedPorts } from "./memberLocation";
import {
    caughtUpScript,
    fileScript,
    moveScript,
    stepDownScript,
    SystemRolesSql,
    systemRolesScript,
} from "./patroniSteps";
import { prepareFile } from "./patroniSwitchover";
import { objectName } from "./platform/objectName";
import { Member } from "./platform/rollout";
import { HostConnection, ResourcesArgs, Target, Workload, WorkloadFile } from "./platform/workload";
import { replacementWords } from "./render/changeWords";
import { renderForeignMajorCheck } from "./render/majorChange";
import type { MajorChange } from "./render/majorNodeScript";
import type { DcsSection } from "./render/dcsSections";
import { curlLocal, withoutOutput } from "./render/http";
import { renderPatroniMemberYaml, renderPatroniTlsYaml } from "./render/patroniYaml";

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

/** A node, and where the others find it. */
export interface NodePlace {
    key: string;
    host: HostConnection;
    address: string;
}

/** What all nodes of a group share. */
export interface PatroniNodeContext {
    target: Target;
    /** Patroni's name of the cluster. */
    scope: string;
    image: pulumi.Input<string>;
    /** All nodes, in the order in which they are replaced. */
    nodes: NodePlace[];
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
    /** Keys of nodes whose absence keeps no other one from being replaced. */
    absentNodes: string[];
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
        replacementWords: replacementWords.patroni(workloadNames.patroni(key), context.nodes.length),
        admission: () => renderForeignMajorCheck(context.postgresMajor),
        onRunning: context.systemRolesSql.apply((sql) => systemRolesScript(key, host, context, sql)),
        beforeMove: moveScript(key, context),
        beforeUpdate: fileScript(host, prepareFile(dataRoot, target.clusterName, key), `-${key}-switchover`),
        prepareScript: stepDownScript(key, host, context),
        afterUpdate: caughtUpScript(key, host, context),
    };
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
