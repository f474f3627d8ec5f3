import { isIP } from "node:net";
import type { PatroniGroupArgs } from "../patroniGroupArgs";
import type { PatroniNodeArgs } from "../patroniNode";
import { normalizePatroniSettings, PatroniSettings, PatroniSettingsArgs } from "../patroniSettings";
import { oldestUpgradeTarget } from "../render/majorChange";
import { HbaMethod, HbaType } from "../render/pgHba";
import type { HbaRuleArgs } from "../render/pgHba";
import { checkDcsHosts } from "./dcs";
import { Problem } from "./problem";
import { checkMembers, memberHosts } from "./members";
import { pagesToMiB } from "./memory";
import { checkClusterName } from "./names";
import { checkPlacementLabel } from "./placement";
import { checkSlots, checkSlotsApart } from "./slots";
import { checkTiming } from "./timing";
import { checkNumber, checkNumbers, checkResources, portBounds } from "./values";

/** Parameters that Patroni sets itself and takes from nobody (patroni/postgresql/config.py, CMDLINE_OPTIONS and recovery settings). */
const patroniOwnParameters = [
    "listen_addresses",
    "port",
    "cluster_name",
    "primary_conninfo",
    "primary_slot_name",
    "restore_command",
    "recovery_target_timeline",
    "synchronous_standby_names",
    "hba_file",
    "ident_file",
    "config_file",
    "data_directory",
    "unix_socket_directories",
];

/** Parameters that a node's own configuration sets, where no other value counts. */
const tlsParameters = ["ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file"];

/** A command that keeps WAL where it was written, as the documentation's example and seed 000's do. */
const localCopy = /(^|[\s;&|(])(cp|mv|install|dd|ln)\s/;

/** Majors that the field still maintains and that the images can be built with. */
const majors = { min: 13, max: 18 };

/** Checks a Patroni group. */
export function checkPatroni(path: string, args: PatroniGroupArgs): Problem[] {
    return [
        ...checkClusterName("target.clusterName", args.target.clusterName),
        ...checkPatroniSettings(path, args.settings, Object.keys(args.nodes).length, args.memoryMiB),
        ...(args.requireTls && args.certificates === undefined
            ? [{ path: `${path}.requireTls`, reason: "true was given, but no certificates; nobody could connect" }]
            : []),
        ...(args.enableInternalTls && Object.keys(args.nodes).some((key) => args.certificates?.[key] === undefined)
            ? [{ path: `${path}.enableInternalTls`, reason: "true was given, but not a certificate for each node" }]
            : []),
        ...(args.poolers !== undefined && args.routers === undefined
            ? [{ path: `${path}.poolers`, reason: "given without routers; PgBouncers would go on before HAProxy does" }]
            : []),
        ...checkMembers(`${path}.nodes`, args.target.clusterName, args.nodes, args.hosts),
        ...checkNodes(`${path}.nodes`, args.nodes),
        ...checkSlotsApart(`${path}.slots`, args.settings.slots, Object.keys(args.nodes)),
        ...checkAbsentNodes(`${path}.absentNodes`, args.settings.absentNodes, Object.keys(args.nodes)),
        ...checkDcsHosts(
            `${path}.nodes`,
            args.nodes,
            args.dcs.dcsHostSettings && Object.keys(args.dcs.dcsHostSettings),
        ),
        ...checkPlacementLabel(
            `${path}.placementLabel`,
            args.settings.placementLabel,
            memberHosts(args.nodes, args.hosts),
        ),
    ];
}

/** Refuses absent nodes that the group doesn't have. */
export function checkAbsentNodes(path: string, absent: string[] | undefined, nodeKeys: string[]): Problem[] {
    return (absent ?? [])
        .filter((key) => !nodeKeys.includes(key))
        .map((key) => ({ path, reason: `"${key}" was given; keys of nodes are allowed: ${nodeKeys.join(", ")}` }));
}

/** Checks what can be told without the hosts. */
export function checkPatroniSettings(
    path: string,
    args: PatroniSettingsArgs,
    nodeCount: number,
    memoryMiB: number,
): Problem[] {
    const settings = normalizePatroniSettings(args, memoryMiB);
    return [
        ...checkNumber(`${path}.nodes`, nodeCount, { min: 1, max: 32 }),
        ...checkTiming(path, settings.timing),
        ...checkNumbers(path, args, {
            primaryStopTimeoutSeconds: { min: 0, max: 3600 },
            maximumLagOnFailoverBytes: { min: 0, max: Number.MAX_SAFE_INTEGER },
            postgresMajor: majors,
            previousPostgresMajor: majors,
            postgresPort: portBounds,
            apiPort: portBounds,
            minimumFreeMiB: { min: 1, max: Infinity },
            catchUpTimeoutSeconds: { min: 10, max: 86400 },
            // Patroni needs some seconds to give its lock back, and a checkpoint more.
            stopGraceSeconds: { min: 30, max: 3600 },
        }),
        ...checkResources(`${path}.resources`, args.resources),
        ...checkMajorChange(path, args, settings.postgresMajor),
        ...checkSynchronous(path, args, nodeCount),
        ...checkSlots(path, args, nodeCount, memoryMiB),
        ...checkParameters(`${path}.parameters`, args, settings, memoryMiB),
        ...(args.hbaRules ?? []).flatMap((rule, index) => checkHbaRule(`${path}.hbaRules[${index}]`, rule)),
    ];
}

function checkMajorChange(path: string, { previousPostgresMajor }: PatroniSettingsArgs, major: number): Problem[] {
    if (previousPostgresMajor === undefined) {
        return [];
    }
    if (previousPostgresMajor === major) {
        const reason = `${major} was given, which postgresMajor is, too; give the major that it takes the place of`;
        return [{ path: `${path}.previousPostgresMajor`, reason }];
    }
    if (previousPostgresMajor < major && major < oldestUpgradeTarget) {
        const reason = `${major} was given; upgrades lead to ${oldestUpgradeTarget} or later`;
        return [{ path: `${path}.postgresMajor`, reason }];
    }
    return [];
}

function checkSynchronous(path: string, args: PatroniSettingsArgs, nodeCount: number): Problem[] {
    const problems: Problem[] = [];
    const count = args.synchronousNodeCount ?? 1;
    if (!Number.isInteger(count) || count < 1 || (count >= nodeCount && (args.synchronousNodeCount ?? 0) > 0)) {
        const allowed =
            nodeCount > 1
                ? `a whole number from 1 to ${nodeCount - 1} is allowed with ${nodeCount} nodes, because the primary doesn't count`
                : "with one node none can be synchronous; add a node or leave it out";
        const reason = `${count} was given; ${allowed}`;
        problems.push({ path: `${path}.synchronousNodeCount`, reason });
    }
    if (args.synchronousModeStrict === true && nodeCount < 2) {
        const reason = "strict synchronous mode with one node would refuse every commit; add a node or leave it off";
        problems.push({ path: `${path}.synchronousModeStrict`, reason });
    }
    if (args.synchronousModeStrict === true && args.synchronousMode === false) {
        const reason = "Patroni ignores it while synchronousMode is false; turn that on or leave this off";
        problems.push({ path: `${path}.synchronousModeStrict`, reason });
    }
    return problems;
}

function checkParameters(
    path: string,
    args: PatroniSettingsArgs,
    settings: PatroniSettings,
    memoryMiB: number,
): Problem[] {
    const parameters = settings.dynamic.parameters;
    const problems = Object.entries(args.parameters ?? {}).flatMap(([name, value]) =>
        checkParameter(path, name, value),
    );
    problems.push(
        ...checkNumber(`${path}.max_connections`, Number(parameters.max_connections), { min: 25, max: 262143 }),
    );
    if (!(memoryMiB > 0 && memoryMiB < Infinity)) {
        // No host, or one whose memory is wrong: that is what is reported.
        return problems;
    }
    const sharedMiB = pagesToMiB(parameters.shared_buffers ?? 0);
    if (sharedMiB === undefined) {
        const reason = `"${parameters.shared_buffers}" was given; a size such as "512MB" is allowed`;
        problems.push({ path: `${path}.shared_buffers`, reason });
    } else if (sharedMiB >= Math.min(memoryMiB, settings.resources.memoryLimitMiB ?? memoryMiB)) {
        const most = Math.min(memoryMiB, settings.resources.memoryLimitMiB ?? memoryMiB);
        const reason = `${parameters.shared_buffers} was given; it must be less than the memory that a node has (${most} MiB), and a quarter of it is the usual share`;
        problems.push({ path: `${path}.shared_buffers`, reason });
    }
    return problems;
}

function checkParameter(path: string, name: string, value: unknown): Problem[] {
    if (patroniOwnParameters.includes(name.toLowerCase())) {
        return [{ path: `${path}.${name}`, reason: "Patroni sets this one itself and ignores any other value" }];
    }
    if (tlsParameters.includes(name.toLowerCase())) {
        return [{ path: `${path}.${name}`, reason: "the cluster's certificates set this one; see the setting tls" }];
    }
    if (name.toLowerCase() === "archive_command" && localCopy.test(String(value))) {
        const reason = `"${String(value)}" was given; it copies to the node's own disk, which is lost with the node, and a failover splits the archive over the nodes; give a command that sends WAL elsewhere`;
        return [{ path: `${path}.${name}`, reason }];
    }
    const problems = checkScalar(`${path}.${name}`, value);
    if (problems.length > 0) {
        return problems;
    }
    return /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/.test(name)
        ? []
        : [{ path, reason: `"${name}" was given; a parameter's name such as "work_mem" is allowed` }];
}

/** Checks the tags of Patroni nodes. */
export function checkNodes(path: string, nodes: { [key: string]: PatroniNodeArgs }): Problem[] {
    return Object.entries(nodes).flatMap(([key, node]) => [
        ...Object.entries(node.tags ?? {}).flatMap(([name, value]) =>
            checkScalar(`${path}.${key}.tags.${name}`, value),
        ),
        ...checkNumbers(`${path}.${key}.ports`, node.ports ?? {}, {
            postgres: portBounds,
            api: portBounds,
            exporter: portBounds,
        }),
    ]);
}

function checkScalar(path: string, value: unknown): Problem[] {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
        return [{ path, reason: `${JSON.stringify(value)} was given; text, a number, true or false is allowed` }];
    }
    return /[\n\r\0]/.test(String(value)) ? [{ path, reason: "a line break was given; a value is one line" }] : [];
}

function checkHbaRule(path: string, rule: HbaRuleArgs): Problem[] {
    const problems: Problem[] = [];
    const names = [rule.databases ?? ["all"], rule.roles ?? ["all"]];
    if (names.some((list) => list.length === 0 || list.includes(""))) {
        problems.push({ path, reason: "an empty list or name was given; leave it out for all, or give names" });
    }
    if ([...names.flat(), rule.address ?? ""].some((word) => /[\n\r\0]/.test(word))) {
        problems.push({ path, reason: "a line break was given; a rule is one line" });
    }
    if (rule.method === HbaMethod.Cert && rule.type !== HbaType.HostSsl) {
        const reason = `"${rule.method}" was given; PostgreSQL takes it only for rules of type ${HbaType.HostSsl}`;
        problems.push({ path: `${path}.method`, reason });
    }
    if (rule.address === undefined) {
        return problems;
    }
    if (rule.type === HbaType.Local) {
        const reason = `"${rule.address}" was given; a rule of type local has no address`;
        problems.push({ path: `${path}.address`, reason });
    } else if (!isHbaAddress(rule.address)) {
        const reason = `"${rule.address}" was given; a range such as "192.0.2.0/24", a host name or "all" is allowed`;
        problems.push({ path: `${path}.address`, reason });
    }
    return problems;
}

/** Whether PostgreSQL understands an address. With one wrong rule a running server ignores the whole file, and another does not start. */
function isHbaAddress(text: string): boolean {
    const [address = "", length, ...rest] = text.split("/");
    if (length === undefined) {
        // A name; a bare address would want a mask after it.
        return /^\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(text) && !/^[0-9.]+$/.test(text);
    }
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    return rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= most;
}
