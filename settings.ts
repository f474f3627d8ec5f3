import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import {
    AdministratorArgs,
    ApplicationArgs,
    ApplicationRoleArgs,
    CertificateAuthorityArgs,
    ClusterConsulArgs,
    ClusterEtcdArgs,
    ClusterImagesArgs,
    ClusterNetworkArgs,
    ClusterPasswordGenerationsArgs,
    ClusterPatroniArgs,
    ClusterTlsArgs,
    ConsulMemberArgs,
    EndpointMode,
    DockerHostsArgs,
    EtcdMemberArgs,
    ExternalEtcdArgs,
    EtcdMemberPortsArgs,
    FirewallSettingsArgs,
    HaProxyPortsArgs,
    HaProxySettingsArgs,
    HbaMethod,
    HbaRuleArgs,
    HbaType,
    HostArgs,
    IgnoredSlotArgs,
    PatroniNodeArgs,
    PatroniNodePortsArgs,
    PgBouncerSettingsArgs,
    PoolMode,
    PostgresClusterArgs,
    PostgresExporterSettingsArgs,
    PublishMode,
    ReplicationRoleArgs,
    ResourcesArgs,
    RoleAccess,
    SlotArgs,
    SlotType,
    SshArgs,
    SwarmArgs,
    TimingPreset,
} from "./components";

/** A schema for each field of an args interface: one that is left out here doesn't compile, so that no setting goes unread. */
type Shape<T> = { [Field in keyof Required<T>]: z.ZodType<T[Field]> };

/** An object with these fields and no others: a misspelt key is an error. */
function fields<T>(shape: Shape<T>): z.ZodType<T> {
    return z.strictObject(shape) as unknown as z.ZodType<T>;
}

const text = z.string();
const number = z.number();
const flag = z.boolean();
const texts = z.array(text);
const textMap = z.record(text, text);
const scalarMap = z.record(text, z.union([text, number, flag]));

const resources = fields<ResourcesArgs>({
    cpuLimit: number.optional(),
    memoryLimitMiB: number.optional(),
    cpuReservation: number.optional(),
    memoryReservationMiB: number.optional(),
}).optional();

const ssh = fields<SshArgs>({ user: text.optional(), port: number.optional(), hostKey: text.optional() });

const host = fields<HostArgs>({
    address: text,
    sshAddress: text.optional(),
    ssh: ssh.optional(),
    nodeName: text.optional(),
    memoryMiB: number,
    labels: textMap.optional(),
    placementLabel: text.optional(),
    sysctls: textMap.optional(),
});

const swarm = fields<SwarmArgs>({
    manager: text,
    publishMode: z.enum(PublishMode).optional(),
    endpointMode: z.enum(EndpointMode).optional(),
});

const dockerHosts = fields<DockerHostsArgs>({ subnet: text.optional(), previousSubnet: text.optional() });

const images = fields<ClusterImagesArgs>({
    patroni: text,
    etcd: text.optional(),
    consul: text.optional(),
    haproxy: text,
    pgbouncer: text,
    exporter: text,
});

const network = fields<ClusterNetworkArgs>({
    existingNetworkId: text.optional(),
    name: text.optional(),
    subnet: text.optional(),
    enableEncryption: flag.optional(),
    poolerSubnet: text.optional(),
});

const etcdMember = fields<EtcdMemberArgs>({
    host: text,
    ports: fields<EtcdMemberPortsArgs>({
        client: number.optional(),
        peer: number.optional(),
        metrics: number.optional(),
    }).optional(),
    address: text.optional(),
});

const etcd = fields<ClusterEtcdArgs>({
    members: z.record(text, etcdMember).optional(),
    heartbeatIntervalMilliseconds: number.optional(),
    electionTimeoutMilliseconds: number.optional(),
    quotaBackendMiB: number.optional(),
    clientPort: number.optional(),
    peerPort: number.optional(),
    metricsPort: number.optional(),
    placementLabel: text.optional(),
    resources,
});

const consul = fields<ClusterConsulArgs>({
    members: z.record(text, fields<ConsulMemberArgs>({ host: text })).optional(),
    httpPort: number.optional(),
    serverPort: number.optional(),
    gossipPort: number.optional(),
    resources,
});

const hbaRule = fields<HbaRuleArgs>({
    type: z.enum(HbaType),
    databases: texts.optional(),
    roles: texts.optional(),
    address: text.optional(),
    method: z.enum(HbaMethod).optional(),
});

const patroniNode = fields<PatroniNodeArgs>({
    host: text,
    tags: scalarMap.optional(),
    ports: fields<PatroniNodePortsArgs>({
        postgres: number.optional(),
        api: number.optional(),
        exporter: number.optional(),
    }).optional(),
    address: text.optional(),
});

const slot = fields<SlotArgs>({ type: z.enum(SlotType), database: text.optional(), plugin: text.optional() });

const ignoredSlot = fields<IgnoredSlotArgs>({
    name: text.optional(),
    type: z.enum(SlotType).optional(),
    database: text.optional(),
    plugin: text.optional(),
});

const patroni = fields<ClusterPatroniArgs>({
    nodes: z.record(text, patroniNode).optional(),
    timing: z.enum(TimingPreset).optional(),
    ttlSeconds: number.optional(),
    loopWaitSeconds: number.optional(),
    retryTimeoutSeconds: number.optional(),
    primaryStartTimeoutSeconds: number.optional(),
    primaryStopTimeoutSeconds: number.optional(),
    maximumLagOnFailoverBytes: number.optional(),
    synchronousMode: flag.optional(),
    synchronousModeStrict: flag.optional(),
    synchronousNodeCount: number.optional(),
    failsafeMode: flag.optional(),
    usePgRewind: flag.optional(),
    useSlots: flag.optional(),
    slots: z.record(text, slot).optional(),
    ignoreSlots: z.array(ignoredSlot).optional(),
    enableDataChecksums: flag.optional(),
    parameters: scalarMap.optional(),
    hbaRules: z.array(hbaRule).optional(),
    postgresMajor: number.optional(),
    previousPostgresMajor: number.optional(),
    postgresPort: number.optional(),
    apiPort: number.optional(),
    placementLabel: text.optional(),
    resources,
    minimumFreeMiB: number.optional(),
    catchUpTimeoutSeconds: number.optional(),
    absentNodes: texts.optional(),
    stopGraceSeconds: number.optional(),
});

const haproxy = fields<HaProxySettingsArgs>({
    hosts: texts.optional(),
    placementLabel: text.optional(),
    maxConnections: number.optional(),
    checkIntervalMilliseconds: number.optional(),
    downCheckIntervalMilliseconds: number.optional(),
    connectTimeoutSeconds: number.optional(),
    clientTimeoutSeconds: number.optional(),
    serverTimeoutSeconds: number.optional(),
    readOnlyMaximumLagMiB: number.optional(),
    enableReadOnlyFallback: flag.optional(),
    ports: fields<HaProxyPortsArgs>({
        readWrite: number.optional(),
        readOnly: number.optional(),
        any: number.optional(),
        statistics: number.optional(),
        pooled: number.optional(),
    }).optional(),
    address: text.optional(),
    resources,
    labels: textMap.optional(),
});

const pgbouncer = fields<PgBouncerSettingsArgs>({
    enabled: flag.optional(),
    hosts: texts.optional(),
    placementLabel: text.optional(),
    poolMode: z.enum(PoolMode).optional(),
    maxClientConnections: number.optional(),
    defaultPoolSize: number.optional(),
    maxPreparedStatements: number.optional(),
    queryWaitTimeoutSeconds: number.optional(),
    port: number.optional(),
    address: text.optional(),
    resources,
});

const exporter = fields<PostgresExporterSettingsArgs>({
    enabled: flag.optional(),
    port: number.optional(),
    resources,
});

const firewall = fields<FirewallSettingsArgs>({
    clients: texts,
    monitoring: texts.optional(),
    operators: texts.optional(),
});

const tls = fields<ClusterTlsArgs>({
    requireTls: flag.optional(),
    enableInternalTls: flag.optional(),
    serverNames: texts.optional(),
    trustedCertificates: text.optional(),
    authorityGeneration: number.optional(),
    certificateAuthority: fields<CertificateAuthorityArgs>({ certificate: text, privateKey: text }).optional(),
});

const generations = { passwordGeneration: number.optional(), oldestPasswordGeneration: number.optional() };

const application = fields<ApplicationArgs>({
    database: text.optional(),
    owner: text.optional(),
    roles: z
        .record(
            text,
            fields<ApplicationRoleArgs>({
                access: z.enum(RoleAccess).optional(),
                connectionLimit: number.optional(),
                ...generations,
            }),
        )
        .optional(),
    replicationRoles: z
        .record(text, fields<ReplicationRoleArgs>({ connectionLimit: number.optional(), ...generations }))
        .optional(),
    schemas: texts.optional(),
    extensions: texts.optional(),
    connectionLimit: number.optional(),
    ...generations,
    allowDrop: flag.optional(),
});

const passwordGenerations = fields<ClusterPasswordGenerationsArgs>({
    all: number.optional(),
    superuser: number.optional(),
    replication: number.optional(),
    rewind: number.optional(),
    patroniApi: number.optional(),
    pgbouncer: number.optional(),
    exporter: number.optional(),
    statistics: number.optional(),
    oldestStatistics: number.optional(),
});

/** The stack's settings. Their names, meanings and defaults are those of `PostgresClusterArgs`. */
export type Settings = PostgresClusterArgs & {
    clusterName: string;
    /** Whether `pulumi destroy`, or another `clusterName`, is refused. */
    protect?: boolean;
};

const shape: Shape<Settings> = {
    clusterName: text,
    hosts: z.record(text, host),
    swarm: swarm.optional(),
    dockerHosts: dockerHosts.optional(),
    images,
    network: network.optional(),
    etcd: etcd.optional(),
    externalEtcd: fields<ExternalEtcdArgs>({ endpoints: texts }).optional(),
    consul: consul.optional(),
    patroni: patroni.optional(),
    haproxy: haproxy.optional(),
    pgbouncer: pgbouncer.optional(),
    exporter: exporter.optional(),
    tls: tls.optional(),
    firewall: firewall.optional(),
    applications: z.record(text, application).optional(),
    administrators: z.record(text, fields<AdministratorArgs>(generations)).optional(),
    passwordGenerations: passwordGenerations.optional(),
    dataRoot: text.optional(),
    dataVolumes: flag.optional(),
    labels: textMap.optional(),
    protect: flag.optional(),
};

/** Settings that are plain text; the others are objects or flags. */
const textSettings: (keyof Settings)[] = ["clusterName", "dataRoot"];

/** Reads the stack's config and refuses what is missing, misspelt or of the wrong kind, all at once, each with its path. */
export function readSettings(config: pulumi.Config): Settings {
    const names = Object.keys(shape) as (keyof Settings)[];
    const given = names.flatMap((name) => {
        const value = textSettings.includes(name) ? config.get(name) : config.getObject<unknown>(name);
        return value === undefined ? [] : [[name, value] as const];
    });
    return parseSettings(Object.fromEntries(given), config.name);
}

/** Checks settings as they come from a stack's file. */
export function parseSettings(given: object, namespace: string): Settings {
    const result = fields<Settings>(shape).safeParse(given);
    if (!result.success) {
        const problems = result.error.issues.map(
            (issue) => `  - ${namespace}:${issue.path.join(".")}: ${issue.message}`,
        );
        const stack = "Pulumi.<stack>.yaml";
        throw new pulumi.RunError(`${stack} can't be used; nothing was created:\n${problems.join("\n")}`);
    }
    return result.data;
}
