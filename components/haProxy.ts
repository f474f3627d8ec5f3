import * as pulumi from "@pulumi/pulumi";
import { checkHaProxy } from "./checks/haProxy";
import {
    containerPaths,
    defaultPorts,
    defaultResources,
    haproxyDefaults,
    networkAliases,
    systemLogins,
    workloadNames,
} from "./defaults";
import type { ServerCertificate } from "./clusterCertificates";
import type { HaProxySettingsArgs } from "./haProxyArgs";
import { PatroniConnection } from "./patroniGroup";
import { assertNoProblems } from "./platform/problems";
import { readiness } from "./platform/readiness";
import { spreadOut } from "./platform/spread";
import { OverlayNetwork } from "./platform/runtime";
import { HostConnection, Target, Workload, WorkloadFile } from "./platform/workload";
import {
    HaProxyConfig,
    haproxyHealthPort,
    haproxyOpenFiles,
    renderHaProxyCfg,
    renderHaProxyUsers,
} from "./render/haproxyCfg";
import { replacementWords } from "./render/changeWords";
import { curlLocal, withoutOutput } from "./render/http";
import { withOpenFiles } from "./render/openFiles";

/** Arguments of {@link HaProxy}. */
export interface HaProxyArgs {
    target: Target;
    /** Hosts that each run one HAProxy. */
    hosts: HostConnection[];
    /** Swarm placement constraint that exactly those hosts fulfil. */
    constraint: string;
    /** The servers behind it. */
    patroni: PatroniConnection;
    /** On a Swarm: overlay network on which other stacks find it as `pg-haproxy`. */
    networkId?: pulumi.Input<string>;
    /**
     * Overlay network on which it finds PgBouncer, and PgBouncer it; needed with `ports.pooled`.
     *
     * @default - none
     */
    poolerNetworkId?: pulumi.Input<string>;
    /**
     * Whether PgBouncer refuses clients without TLS; HAProxy itself leads TLS through.
     *
     * @default false
     */
    requireTls?: boolean;
    /**
     * Certificate with which statistics and metrics take TLS only; needed where Patroni's REST API takes TLS, for the authorities to verify
     * it with.
     *
     * @default - none: plain text
     *
     * **Change:** rolling restart, also when it is renewed.
     */
    certificate?: ServerCertificate;
    /** Password of the user `admin` of the statistics page. */
    statisticsPassword: pulumi.Input<string>;
    /**
     * Another password of the same user that is valid, too.
     *
     * @default - none
     *
     * **Change:** rolling restart of HAProxy.
     */
    previousStatisticsPassword?: pulumi.Input<string>;
    settings: HaProxySettingsArgs;
    /** Image, by digest. It must honour the contract in images/README.md. */
    image: pulumi.Input<string>;
}

/** Where clients connect. `HaProxy` satisfies it. */
export interface RouterConnection {
    /** Addresses of the hosts that run an entry point. */
    addresses: string[];
    readWritePort: number;
    readOnlyPort: number;
    anyPort: number;
    statisticsPort: number;
    /** Where PgBouncers are reached through it. */
    pooledPort?: number;
    /**
     * Resolves when PgBouncer may be replaced: a new one has no connection yet, and refuses its clients for a second where its first attempt
     * meets a HAProxy that is away.
     *
     * @default - nothing to wait for
     */
    settled?: pulumi.Input<string>;
}

const startTimeoutSeconds = 120;

/**
 * HAProxy on several hosts: read-write connections go to the primary, read-only ones to replicas within a lag bound, and it asks Patroni
 * itself which is which.
 */
export class HaProxy extends pulumi.ComponentResource implements RouterConnection {
    public readonly addresses: string[];
    public readonly readWritePort: number;
    public readonly readOnlyPort: number;
    public readonly anyPort: number;
    public readonly statisticsPort: number;
    public readonly pooledPort?: number;
    public readonly settled: pulumi.Output<string>;
    /** Resolves when all of them run. */
    public readonly ready: pulumi.Output<string>;

    constructor(name: string, args: HaProxyArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:HaProxy", name, {}, opts);
        assertNoProblems(checkHaProxy("haproxy", args));

        const { settings } = args;
        this.addresses = args.hosts.map((host) => host.address);
        this.readWritePort = settings.ports?.readWrite ?? defaultPorts.readWrite;
        this.readOnlyPort = settings.ports?.readOnly ?? defaultPorts.readOnly;
        this.anyPort = settings.ports?.any ?? defaultPorts.any;
        this.statisticsPort = settings.ports?.statistics ?? defaultPorts.haproxyStats;
        this.pooledPort = settings.ports?.pooled;
        const running = spreadOut(
            name,
            {
                target: args.target,
                hosts: args.hosts,
                constraints: [args.constraint],
                workload: haProxyWorkload(this, args),
                networks: networksOf(args),
                replacementWords: replacementWords.proxy("HAProxy", args.hosts.length),
                duringUpdate: args.patroni.poolerControl,
                after: args.patroni.ready,
                startTimeoutSeconds,
            },
            { parent: this },
        );
        this.ready = readiness(running);
        // A PgBouncer that goes behind HAProxy leaves it its port, so there HAProxy is the one that waits.
        this.settled = this.pooledPort === undefined ? this.ready : pulumi.output(args.patroni.ready ?? "");
        this.registerOutputs({ addresses: this.addresses, ready: this.ready });
    }
}

/** Clients on the cluster's network find PgBouncer by the same name, whether or not it is behind HAProxy. */
function networksOf({ networkId, poolerNetworkId }: HaProxyArgs): OverlayNetwork[] {
    const { haproxy, pgbouncer } = networkAliases;
    const pooler = poolerNetworkId === undefined ? [] : [{ id: poolerNetworkId, aliases: [haproxy] }];
    const aliases = poolerNetworkId === undefined ? [haproxy] : [haproxy, pgbouncer];
    return [...(networkId === undefined ? [] : [{ id: networkId, aliases }]), ...pooler];
}

function haProxyWorkload(router: RouterConnection, args: HaProxyArgs): Workload {
    const cfg = haProxyConfig(args);
    const { pooledPort } = router;
    return {
        name: workloadNames.haproxy,
        image: args.image,
        args: withOpenFiles(haproxyOpenFiles(cfg), [
            ...["haproxy", "-W", "-db", "-f", containerPaths.haproxyConfig, "-f", containerPaths.haproxyUsers],
        ]),
        labels: args.settings.labels,
        files: [
            { key: "config", path: containerPaths.haproxyConfig, content: renderHaProxyCfg(cfg), secret: false },
            {
                key: "users",
                path: containerPaths.haproxyUsers,
                content: pulumi
                    .all([args.statisticsPassword, args.previousStatisticsPassword])
                    .apply(([password, previous]) => renderHaProxyUsers(systemLogins.haproxyStats, password, previous)),
                secret: true,
            },
            ...tlsFiles(args.certificate),
        ],
        tmpfs: [{ path: "/tmp", sizeMiB: 16 }],
        address: args.settings.address,
        networkAlias: networkAliases.haproxy,
        ports: [
            { target: defaultPorts.readWrite, published: router.readWritePort },
            { target: defaultPorts.readOnly, published: router.readOnlyPort },
            { target: defaultPorts.any, published: router.anyPort },
            { target: defaultPorts.haproxyStats, published: router.statisticsPort },
            ...(pooledPort === undefined ? [] : [{ target: defaultPorts.pgbouncer, published: pooledPort }]),
        ],
        resources: args.settings.resources ?? defaultResources.haproxy,
        health: {
            command: curlLocal(withoutOutput, haproxyHealthPort, "/healthz"),
            intervalSeconds: 3,
            timeoutSeconds: 3,
            retries: 3,
            startPeriodSeconds: 10,
        },
        stopGraceSeconds: 30,
        restartDelaySeconds: 1,
    };
}

function tlsFiles(server: ServerCertificate | undefined): WorkloadFile[] {
    if (server === undefined) {
        return [];
    }
    const pem = pulumi.interpolate`${server.certificate}${server.privateKey}`;
    return [
        { key: "cert", path: containerPaths.haproxyCertificate, content: pem, secret: true },
        { key: "ca", path: containerPaths.haproxyCa, content: server.caCertificate, secret: false },
    ];
}

function haProxyConfig(args: HaProxyArgs): HaProxyConfig {
    const { settings } = args;
    return {
        servers: args.patroni.nodeEndpoints,
        statisticsTls: args.certificate !== undefined,
        maxConnections: settings.maxConnections ?? haproxyDefaults.maxConnections,
        checkIntervalMilliseconds: settings.checkIntervalMilliseconds ?? 1000,
        downCheckIntervalMilliseconds: settings.downCheckIntervalMilliseconds ?? 250,
        connectTimeoutSeconds: settings.connectTimeoutSeconds ?? 1,
        clientTimeoutSeconds: settings.clientTimeoutSeconds ?? 86400,
        serverTimeoutSeconds: settings.serverTimeoutSeconds ?? 86400,
        readOnlyMaximumLagMiB: settings.readOnlyMaximumLagMiB ?? 16,
        enableReadOnlyFallback: settings.enableReadOnlyFallback ?? true,
        poolers:
            settings.ports?.pooled === undefined
                ? undefined
                : { name: networkAliases.poolers, requireTls: args.requireTls },
    };
}
