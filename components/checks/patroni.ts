import type { PatroniGroupArgs } from "../patroniGroup";
import { normalizePatroniSettings, PatroniSettings, PatroniSettingsArgs } from "../patroniSettings";
import { HbaType } from "../render/pgHba";
import type { HbaRuleArgs } from "../render/pgHba";
import { Problem } from "./problem";
import { checkMembers } from "./members";
import { pagesToMiB } from "./memory";
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

/** Majors that the field still maintains and that the images can be built with. */
const majors = { min: 13, max: 18 };

/** Checks a Patroni group. */
export function checkPatroni(path: string, args: PatroniGroupArgs): Problem[] {
    return [
        ...checkPatroniSettings(path, args.settings, Object.keys(args.nodes).length, args.memoryMiB),
        ...checkMembers(`${path}.nodes`, args.target.clusterName, args.nodes, args.hosts),
    ];
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
            postgresPort: portBounds,
            apiPort: portBounds,
            minimumFreeMiB: { min: 1, max: Infinity },
            // Patroni needs some seconds to give its lock back, and a checkpoint more.
            stopGraceSeconds: { min: 30, max: 3600 },
        }),
        ...checkResources(`${path}.resources`, args.resources),
        ...checkSynchronous(path, args, nodeCount),
        ...checkParameters(`${path}.parameters`, args, settings, memoryMiB),
        ...(args.hbaRules ?? []).flatMap((rule, index) => checkHbaRule(`${path}.hbaRules[${index}]`, rule)),
    ];
}

function checkSynchronous(path: string, args: PatroniSettingsArgs, nodeCount: number): Problem[] {
    const problems: Problem[] = [];
    const count = args.synchronousNodeCount ?? 1;
    if (!Number.isInteger(count) || count < 1 || (count >= nodeCount && (args.synchronousNodeCount ?? 0) > 0)) {
        const reason = `${count} was given; a whole number from 1 to ${nodeCount - 1} is allowed with ${nodeCount} node${nodeCount === 1 ? "" : "s"}, because the primary doesn't count`;
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
    const problems = Object.keys(args.parameters ?? {}).flatMap((name) => checkParameterName(path, name));
    const sharedMiB = pagesToMiB(parameters.shared_buffers ?? 0);
    if (sharedMiB === undefined) {
        const reason = `"${parameters.shared_buffers}" was given; a size such as "512MB" is allowed`;
        problems.push({ path: `${path}.shared_buffers`, reason });
    } else if (sharedMiB >= Math.min(memoryMiB, settings.resources.memoryLimitMiB ?? memoryMiB)) {
        const most = Math.min(memoryMiB, settings.resources.memoryLimitMiB ?? memoryMiB);
        const reason = `${parameters.shared_buffers} was given; it must be less than the memory that a node has (${most} MiB), and a quarter of it is the usual share`;
        problems.push({ path: `${path}.shared_buffers`, reason });
    }
    const connections = Number(parameters.max_connections);
    problems.push(...checkNumber(`${path}.max_connections`, connections, { min: 25, max: 262143 }));
    return problems;
}

function checkParameterName(path: string, name: string): Problem[] {
    if (patroniOwnParameters.includes(name)) {
        return [{ path: `${path}.${name}`, reason: "Patroni sets this one itself and ignores any other value" }];
    }
    return /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/.test(name)
        ? []
        : [{ path, reason: `"${name}" was given; a parameter's name such as "work_mem" is allowed` }];
}

function checkHbaRule(path: string, rule: HbaRuleArgs): Problem[] {
    const problems: Problem[] = [];
    const words = [...(rule.databases ?? []), ...(rule.roles ?? []), rule.address ?? ""];
    if (words.some((word) => /[\n\r\0]/.test(word))) {
        problems.push({ path, reason: "a line break was given; a rule is one line" });
    }
    if (rule.type === HbaType.Local && rule.address !== undefined) {
        const reason = `"${rule.address}" was given; a rule of type local has no address`;
        problems.push({ path: `${path}.address`, reason });
    }
    const address = /^(all|samehost|samenet|[0-9A-Fa-f:.]+\/\d{1,3}|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)$/;
    if (rule.type !== HbaType.Local && rule.address !== undefined && !address.test(rule.address)) {
        const reason = `"${rule.address}" was given; a range such as "192.0.2.0/24", a host name or "all" is allowed`;
        problems.push({ path: `${path}.address`, reason });
    }
    return problems;
}
