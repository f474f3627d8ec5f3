import * as pulumi from "@pulumi/pulumi";
import { checkPatroni } from "./checks/patroni";
import { defaultDataRoot, systemRoles, workloadNames } from "./defaults";
import { locateNode } from "./memberLocation";
import { letNodesGo } from "./patroniHandOver";
import { changeMajor, majorChangeOf } from "./patroniMajor";
import { applyDynamicConfig } from "./patroniDynamicConfig";
import { createNewLogins } from "./patroniLogins";
import type { PatroniGroupArgs, PatroniPasswordArgs } from "./patroniGroupArgs";
import { PatroniMember, patroniMember, PatroniNodeContext } from "./patroniNode";
import { createSwitchoverScript, PoolerControl, switchoverDirectory } from "./patroniSwitchover";
import { normalizePatroniSettings, PatroniSettings } from "./patroniSettings";
import { objectName } from "./platform/objectName";
import { labelConstraints } from "./platform/placement";
import { assertNoProblems } from "./platform/problems";
import { Member, rollOut } from "./platform/rollout";
import { logsCommand } from "./platform/target";
import { describeNodesChange } from "./render/changeWords";
import { httpScheme } from "./render/http";
import { patronictl, patronictlListSeconds } from "./render/patroniScripts";
import { renderPatroniBootstrapYaml, renderPatroniPasswordsYaml, renderPgpass } from "./render/patroniYaml";
import { loginName } from "./render/roleSql";
import { scramVerifier } from "./render/scram";
import { failFunction, inContainerFunction, shellQuote, waitFor } from "./render/shell";
import {
    PatroniLogins,
    renderNewLoginsSql,
    renderPatroniRolesCheckSql,
    renderPatroniRolesSql,
    systemLogin,
} from "./render/systemRolesSql";

/** A PostgreSQL server with the Patroni that runs it. */
export interface PatroniEndpoint {
    /** The user's key of the node. */
    key: string;
    /** The node's name in Patroni. */
    name: string;
    /** The host's address, or the node's own on a single host's bridge network. */
    address: string;
    postgresPort: number;
    apiPort: number;
    /**
     * Whether PostgreSQL takes TLS.
     *
     * @default false
     */
    tls?: boolean;
    /**
     * Whether Patroni's REST API takes TLS only.
     *
     * @default false
     */
    apiTls?: boolean;
}

/** What the proxies and others need to know of a group. `PatroniGroup` satisfies it. */
export interface PatroniConnection {
    /** All nodes, known without waiting. */
    nodeEndpoints: PatroniEndpoint[];
    /**
     * How PgBouncers are led away from a HAProxy that is replaced.
     *
     * @default - none: their clients see errors then
     */
    poolerControl?: PoolerControl;
    /**
     * Resolves when no node is being replaced; then HAProxy and PgBouncer may be.
     *
     * @default - nothing to wait for
     */
    ready?: pulumi.Input<string>;
}

/** Time for all nodes to run, and then to have a leader and streaming replicas, at creation. */
const startTimeoutSeconds = 300;

/** Lag within which a replaced node counts as well again. */
const gateLagBytes = 16 * 1024 * 1024;

/**
 * A group of Patroni nodes: one Swarm service or container for each, on its own host, with its data in a directory or volume of the host.
 *
 * Nodes know each other by host address. An update replaces one at a time: the leader's role is handed over before its container goes, and
 * the next node waits until this one streams again. What lives in the DCS is changed there, without a restart.
 */
export class PatroniGroup extends pulumi.ComponentResource implements PatroniConnection {
    public readonly nodeEndpoints: PatroniEndpoint[];
    public readonly poolerControl?: PoolerControl;
    /** Resolves when the group has a leader and the dynamic configuration is applied. */
    public readonly ready: pulumi.Output<string>;

    constructor(name: string, args: PatroniGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:PatroniGroup", name, {}, opts);
        assertNoProblems(checkPatroni("patroni", args));

        const settings = normalizePatroniSettings(args.settings, args.memoryMiB, args.requireTls);
        const members = createMembers(name, args, settings, this);
        const tools = createSwitchoverScripts(name, members, args, this);
        const group = rollOut(
            name,
            {
                target: args.target,
                members,
                tools,
                after: args.dcs.dcsSettled,
                ready: readyScript(members, args),
                beforeMembers: (dependsOn) =>
                    changeMajor(
                        name,
                        { args, members, settings, timeoutSeconds: startTimeoutSeconds },
                        { parent: this, dependsOn },
                    ),
                announceMembers: describeNodesChange,
                startTimeoutSeconds,
            },
            { parent: this },
        );
        const dynamic = applyDynamicConfig(
            name,
            {
                target: args.target,
                members,
                config: settings.dynamic,
                switchoverDirectory: switchoverDirectory(args.dataRoot ?? defaultDataRoot, args.target.clusterName),
                gateTimeoutSeconds: settings.catchUpTimeoutSeconds,
            },
            { parent: this, dependsOn: [...group, ...tools] },
        );
        this.nodeEndpoints = nodeEndpoints(members, args, settings);
        this.poolerControl = poolerControl(members, args);
        this.ready = letNodesGo(name, args, this.nodeEndpoints, members, { parent: this, dependsOn: dynamic }).urn;
        this.registerOutputs({ nodes: this.nodeEndpoints, ready: this.ready });
    }
}

function nodeEndpoints(members: Member[], args: PatroniGroupArgs, settings: PatroniSettings): PatroniEndpoint[] {
    return members.map(({ key, host }) => {
        const { address, postgres, api } = locateNode(host.address, args.nodes[key] ?? { host: host.key }, settings);
        return {
            key,
            name: workloadNames.patroni(key),
            address,
            postgresPort: postgres.known,
            apiPort: api.known,
            tls: args.certificates?.[key] !== undefined,
            apiTls: args.enableInternalTls ?? false,
        };
    });
}

function apiUrls({ hosts, nodes, enableInternalTls }: PatroniGroupArgs, settings: PatroniSettings): string[] {
    return Object.values(nodes).flatMap((node) => {
        const { address, api } = locateNode(hosts[node.host]?.address ?? "", node, settings);
        return `${httpScheme(enableInternalTls)}://${address}:${api.known}`;
    });
}

function createMembers(
    name: string,
    args: PatroniGroupArgs,
    settings: PatroniSettings,
    parent: pulumi.Resource,
): PatroniMember[] {
    const { replicationGeneration = 1, rewindGeneration = 1 } = args.passwords;
    const logins = patroniLogins(args.passwords);
    const nodes = Object.entries(args.nodes).flatMap(([key, node]) => {
        const host = args.hosts[node.host];
        return host === undefined ? [] : [{ key, node, host }];
    });
    const known = createNewLogins(name, args.target.clusterName, nodes, logins.apply(renderNewLoginsSql), { parent });
    const passwords = pulumi.all([
        args.passwords.superuser,
        args.passwords.replication,
        args.passwords.rewind,
        args.passwords.api,
        // No node gets a password before all of them know its login.
        known,
    ]);
    const context: PatroniNodeContext = {
        target: args.target,
        scope: args.target.clusterName,
        image: args.image,
        nodes: nodes.map(({ key, node, host }) => ({
            key,
            host,
            address: locateNode(host.address, node, settings).address,
        })),
        dcs: args.dcs,
        postgresMajor: settings.postgresMajor,
        majorChange: majorChangeOf(settings),
        postgresPort: settings.postgresPort,
        apiPort: settings.apiPort,
        dataRoot: args.dataRoot ?? defaultDataRoot,
        dataVolumes: args.dataVolumes ?? false,
        resources: settings.resources,
        sharedMemoryMiB: Math.max(64, Math.floor(args.memoryMiB / 4)),
        minimumFreeMiB: settings.minimumFreeMiB,
        stopGraceSeconds: settings.stopGraceSeconds,
        bootstrapYaml: renderPatroniBootstrapYaml(settings.dynamic, settings.enableDataChecksums),
        passwordsYaml: passwords.apply(([superuser, replication, rewind, api]) =>
            renderPatroniPasswordsYaml({
                superuser,
                replication: {
                    username: loginName(systemRoles.replication, replicationGeneration),
                    password: replication,
                },
                rewind: { username: loginName(systemRoles.rewind, rewindGeneration), password: rewind },
                api,
            }),
        ),
        superuserPgpass: passwords.apply(([superuser]) => renderPgpass(systemRoles.superuser, superuser)),
        systemRolesSql: logins.apply((plain) => ({
            change: renderPatroniRolesSql(plain),
            check: renderPatroniRolesCheckSql(plain),
        })),
        certificates: args.certificates,
        enableInternalTls: args.enableInternalTls ?? false,
        apiUrls: apiUrls(args, settings),
        maximumLagBytes: gateLagBytes,
        gateTimeoutSeconds: settings.catchUpTimeoutSeconds,
        absentNodes: settings.absentNodes,
    };
    return nodes.map(({ key, node, host }) => ({
        ...patroniMember(key, node, host, context),
        constraints: labelConstraints(args.settings.placementLabel, host),
    }));
}

function patroniLogins(passwords: PatroniPasswordArgs): pulumi.Output<PatroniLogins> {
    const { superuser, replication, rewind, salt, replicationGeneration = 1, rewindGeneration = 1 } = passwords;
    return pulumi.all([superuser, replication, rewind, salt]).apply(([superuserPassword, ...others]) => {
        const [replicationPassword, rewindPassword, plainSalt] = others;
        return {
            superuser: scramVerifier(superuserPassword, `${plainSalt}${systemRoles.superuser}`),
            replication: systemLogin(systemRoles.replication, replicationPassword, replicationGeneration, plainSalt),
            rewind: systemLogin(systemRoles.rewind, rewindPassword, rewindGeneration, plainSalt),
        };
    });
}

function createSwitchoverScripts(
    name: string,
    members: PatroniMember[],
    { target, dataRoot = defaultDataRoot, routers, poolers }: PatroniGroupArgs,
    parent: pulumi.Resource,
): pulumi.Resource[] {
    const shared = { clusterName: target.clusterName, dataRoot, routers, poolers };
    return members.map(({ key, host, prepareScript }) =>
        createSwitchoverScript(name, { ...shared, key, host, prepareScript }, { parent }),
    );
}

function poolerControl([first]: Member[], { target, dataRoot, poolers }: PatroniGroupArgs): PoolerControl | undefined {
    if (first === undefined || poolers === undefined) {
        return undefined;
    }
    const directory = switchoverDirectory(dataRoot ?? defaultDataRoot, target.clusterName);
    return { host: first.host, script: `sh ${shellQuote(`${directory}/${first.workload.name}`)} --reconnect` };
}

/** Waits, in the first node's container, until there is a leader and all nodes run or stream. */
function readyScript(members: Member[], args: PatroniGroupArgs): string {
    const [first] = members;
    if (first === undefined) {
        return "";
    }
    const scope = args.target.clusterName;
    const ctl = `in_container ${patronictl(patronictlListSeconds)} list`;
    return [
        failFunction(first.host),
        inContainerFunction(objectName(args.target.clusterName, first.workload.name)),
        // Columns: cluster, member, host, role, state, timeline, lag.
        `well() { ${ctl} -f tsv ${scope} 2>/dev/null | awk -F '\\t' -v want=${members.length} '$4 == "Leader" { leader = 1 } $5 == "running" || $5 == "streaming" { ok++ } END { exit !(leader && ok >= want) }'; }`,
        waitFor(
            "well",
            startTimeoutSeconds,
            `${ctl} ${scope} >&2 || true; fail "the cluster is not complete after ${startTimeoutSeconds} s" "look at the states above and at '${logsCommand(args.target, "NODE")}' of a node that is not running or streaming, then run 'pulumi up' again"`,
        ),
    ].join("\n");
}
