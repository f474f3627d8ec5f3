import { containerPaths } from "../defaults";

/** One server as Consul's configuration file describes it. */
export interface ConsulServerConfig {
    /** The server's own name. */
    name: string;
    /** Address under which the other servers reach it. */
    address: string;
    /** Addresses of all servers. */
    addresses: string[];
    datacenter: string;
    httpPort: number;
    serverPort: number;
    gossipPort: number;
}

/** The file for `consul agent -config-file`. Source of the names: consul, agent/config/config.go. */
export function renderConsulJson(config: ConsulServerConfig): string {
    const settings = {
        server: true,
        node_name: config.name,
        datacenter: config.datacenter,
        data_dir: `${containerPaths.consulData}/data`,
        // A server that starts on an empty directory joins; it makes a quorum only together with all others that have none.
        bootstrap_expect: config.addresses.length,
        retry_join: config.addresses
            .filter((address) => address !== config.address)
            .map((address) => `${address}:${config.gossipPort}`),
        bind_addr: "0.0.0.0",
        client_addr: "0.0.0.0",
        advertise_addr: config.address,
        // Consul tells the others the port that it listens on: it must be the published one. What Patroni doesn't use is off.
        ports: {
            http: config.httpPort,
            server: config.serverPort,
            serf_lan: config.gossipPort,
            serf_wan: -1,
            dns: -1,
            grpc: -1,
            grpc_tls: -1,
        },
        connect: { enabled: false },
        // The timing that HashiCorp asks of production servers; with the default of 5 a leader is missed for 10 s.
        performance: { raft_multiplier: 1 },
        // A stopped server stays a member: the quorum must not shrink while one is replaced.
        leave_on_terminate: false,
        skip_leave_on_interrupt: true,
        autopilot: { cleanup_dead_servers: false },
        disable_update_check: true,
        telemetry: { prometheus_retention_time: "60s", disable_hostname: true },
        log_level: "warn",
    };
    return `${JSON.stringify(settings, null, 2)}\n`;
}
