import * as pulumi from "@pulumi/pulumi";
import type { ServerCertificate } from "./clusterCertificates";
import { containerPaths, defaultPorts, defaultResources, systemRoles, workloadNames } from "./defaults";
import { PatroniConnection, PatroniEndpoint } from "./patroniGroup";
import { objectName } from "./platform/objectName";
import { rollOut } from "./platform/rollout";
import { createSqlCommand, SqlConnection } from "./platform/sqlCommand";
import { HostConnection, ResourcesArgs, Target, Workload, WorkloadFile } from "./platform/workload";
import { replacementWords } from "./render/changeWords";
import { renderExporterWebYaml } from "./render/exporterWebYaml";
import { curlLocal, withoutOutput } from "./render/http";
import { loginName } from "./render/roleSql";
import { renderExporterSql, renderRefusalSql, SystemLogin, systemLogin } from "./render/systemRolesSql";

/** Settings of the exporter. */
export interface PostgresExporterSettingsArgs {
    /**
     * Whether there are exporters.
     *
     * @default true
     *
     * **Change:** in place. Their role stays in PostgreSQL.
     */
    enabled?: boolean;
    /**
     * TCP port on each node's host.
     *
     * @default 9187
     *
     * **Change:** restart of the exporters.
     */
    port?: number;
    /**
     * CPU and memory of each exporter. Source of the default: seed 000.
     *
     * @default - at most 0.25 CPU and 128 MiB, with 0.05 CPU and 32 MiB reserved
     *
     * **Change:** restart of the exporters.
     */
    resources?: ResourcesArgs;
}

/** Arguments of {@link PostgresExporter}. */
export interface PostgresExporterArgs {
    target: Target;
    /** Host of each Patroni node, by the node's key. */
    nodes: { [key: string]: HostConnection };
    /**
     * Published TCP port of single exporters, by the node's key.
     *
     * @default - `settings.port`
     */
    ports?: { [key: string]: number };
    /** The servers to watch. */
    patroni: PatroniConnection;
    /** How its role is made. */
    sql: SqlConnection;
    /** Password of the exporter's role. */
    password: pulumi.Input<string>;
    /**
     * Generation of the password. Each generation has a login of its own.
     *
     * @default 1
     *
     * **Change:** restart of the exporters; earlier ones are refused after it.
     */
    passwordGeneration?: number;
    /** Salt of its SCRAM verifier. */
    salt: pulumi.Input<string>;
    settings: PostgresExporterSettingsArgs;
    /**
     * Certificate with which metrics take TLS only, and the authorities with which PostgreSQL is verified.
     *
     * @default - none: plain text, and TLS without verification to PostgreSQL where it takes it
     *
     * **Change:** restart of the exporters, also when it is renewed.
     */
    certificate?: ServerCertificate;
    /** Image, by digest. It must honour the contract in images/README.md. */
    image: pulumi.Input<string>;
}

const startTimeoutSeconds = 120;

/** One Prometheus exporter beside each PostgreSQL node: seed 000 has a single one for three nodes, which goes blind with its host. */
export class PostgresExporter extends pulumi.ComponentResource {
    /** `host:port` of each exporter, for Prometheus. */
    public readonly targets: string[];

    constructor(name: string, args: PostgresExporterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:PostgresExporter", name, {}, opts);

        const exporters = Object.entries(args.nodes).map(([key, host]) => locateExporter(key, host, args));
        this.targets = exporters.map(({ target }) => target);
        const login = pulumi
            .all([args.password, args.salt])
            .apply(([password, salt]) =>
                systemLogin(systemRoles.exporter, password, args.passwordGeneration ?? 1, salt),
            );
        const role = createRole(name, args, login, this);
        const running = rollOut(
            name,
            {
                target: args.target,
                members: exporters.map(({ key, host, published }) => ({
                    key,
                    host,
                    workload: exporterWorkload(key, published, args, role),
                    replacementWords: replacementWords.exporter(workloadNames.exporter(key)),
                })),
                startTimeoutSeconds,
            },
            { parent: this },
        );
        refuseEarlierPasswords(name, args, login, { parent: this, dependsOn: running });
        this.registerOutputs({ targets: this.targets });
    }
}

function createRole(
    name: string,
    args: PostgresExporterArgs,
    login: pulumi.Output<SystemLogin>,
    parent: pulumi.Resource,
): pulumi.Resource {
    const sql = login.apply(renderExporterSql);
    const purpose = "make the exporter's role";
    return createSqlCommand(`${name}-role`, { connection: args.sql, sql, purpose }, { parent });
}

function refuseEarlierPasswords(
    name: string,
    args: PostgresExporterArgs,
    login: pulumi.Output<SystemLogin>,
    opts: pulumi.CustomResourceOptions,
): void {
    const sql = login.apply((current) => renderRefusalSql(systemRoles.exporter, current));
    const purpose = "refuse the exporter's earlier passwords";
    createSqlCommand(`${name}-refusal`, { connection: args.sql, sql, purpose }, opts);
}

/** Where an exporter answers: beside a node with an own address it publishes a port only where one is given. */
function locateExporter(key: string, host: HostConnection, args: PostgresExporterArgs) {
    const hasOwnAddress = serverOf(key, args).address !== host.address;
    const published = args.ports?.[key] ?? (hasOwnAddress ? undefined : (args.settings.port ?? defaultPorts.exporter));
    const target =
        published === undefined
            ? `${objectName(args.target.clusterName, workloadNames.exporter(key))}:${defaultPorts.exporter}`
            : `${host.address}:${published}`;
    return { key, host, published, target };
}

function serverOf(key: string, args: PostgresExporterArgs): PatroniEndpoint {
    const server = args.patroni.nodeEndpoints.find((endpoint) => endpoint.key === key);
    if (server === undefined) {
        throw new pulumi.RunError(`nodes.${key}: the group has no such node`);
    }
    return server;
}

function exporterWorkload(
    key: string,
    published: number | undefined,
    args: PostgresExporterArgs,
    role: pulumi.Resource,
): Workload {
    const { password, passwordGeneration = 1 } = args;
    // With a later password the exporter waits for its login; at first all parts start at once.
    const known = passwordGeneration === 1 ? "" : role.urn;
    const content = pulumi.all([password, known]).apply(([plain]) => plain);
    const server = serverOf(key, args);
    const { certificate } = args;
    return {
        name: workloadNames.exporter(key),
        image: args.image,
        args: [
            "prometheus-postgres-exporter",
            ...(certificate === undefined ? [] : [`--web.config.file=${containerPaths.exporterWebConfig}`]),
        ],
        environment: {
            DATA_SOURCE_URI: `${server.address}:${server.postgresPort}/postgres?${sslParameters(server, args)}`,
            DATA_SOURCE_USER: loginName(systemRoles.exporter, passwordGeneration),
            DATA_SOURCE_PASS_FILE: containerPaths.exporterPassword,
        },
        files: [
            { key: "password", path: containerPaths.exporterPassword, content, secret: true },
            ...tlsFiles(certificate),
        ],
        tmpfs: [],
        ports: published === undefined ? [] : [{ target: defaultPorts.exporter, published }],
        resources: args.settings.resources ?? defaultResources.exporter,
        health: {
            command: curlLocal(withoutOutput, defaultPorts.exporter, "/", certificate !== undefined),
            intervalSeconds: 10,
            timeoutSeconds: 5,
            retries: 3,
            startPeriodSeconds: 30,
        },
        stopGraceSeconds: 30,
        restartDelaySeconds: 5,
    };
}

function sslParameters({ tls }: PatroniEndpoint, { certificate }: PostgresExporterArgs): string {
    if (tls && certificate !== undefined) {
        return `sslmode=verify-full&sslrootcert=${containerPaths.exporterCa}`;
    }
    return `sslmode=${tls ? "require" : "disable"}`;
}

function tlsFiles(server: ServerCertificate | undefined): WorkloadFile[] {
    if (server === undefined) {
        return [];
    }
    const { certificate, privateKey, caCertificate } = server;
    return [
        { key: "web", path: containerPaths.exporterWebConfig, content: renderExporterWebYaml(), secret: false },
        { key: "cert", path: containerPaths.exporterCertificate, content: certificate, secret: false },
        { key: "key", path: containerPaths.serverKey, content: privateKey, secret: true },
        { key: "ca", path: containerPaths.exporterCa, content: caCertificate, secret: false },
    ];
}
