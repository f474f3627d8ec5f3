import { containerPaths, defaultPorts } from "../defaults";
import { httpScheme } from "./http";
import { renderYaml } from "./yaml";

/** One member as etcd's configuration file describes it. */
export interface EtcdMemberConfig {
    /** The member's own name. */
    name: string;
    /** Names, addresses and ports of all members, this one included. */
    members: { name: string; address: string; clientPort: number; peerPort: number }[];
    /** Token that keeps members of different clusters apart. */
    clusterToken: string;
    heartbeatIntervalMilliseconds: number;
    electionTimeoutMilliseconds: number;
    quotaBackendMiB: number;
    /** Whether clients and members speak TLS, both with certificates. */
    tls?: boolean;
}

/** The file for `etcd --config-file`. */
export function renderEtcdYaml(config: EtcdMemberConfig): string {
    const scheme = httpScheme(config.tls);
    const peerUrl = (member: { address: string; peerPort: number }): string =>
        `${scheme}://${member.address}:${member.peerPort}`;
    const own = config.members.find((member) => member.name === config.name);
    if (own === undefined) {
        throw new Error(`etcd member ${config.name} is not among the members given`);
    }
    return renderYaml({
        name: config.name,
        "data-dir": `${containerPaths.etcdData}/data`,
        // Inside the container the ports are etcd's own, whatever the host publishes.
        "listen-peer-urls": `${scheme}://0.0.0.0:${defaultPorts.etcdPeer}`,
        "listen-client-urls": `${scheme}://0.0.0.0:${defaultPorts.etcdClient}`,
        // Metrics and health without TLS: with it they would want a client's certificate, and who has one may write to etcd.
        "listen-metrics-urls": `http://0.0.0.0:${defaultPorts.etcdMetrics}`,
        "initial-advertise-peer-urls": peerUrl(own),
        "advertise-client-urls": `${scheme}://${own.address}:${own.clientPort}`,
        "initial-cluster": config.members.map((member) => `${member.name}=${peerUrl(member)}`).join(","),
        "initial-cluster-token": config.clusterToken,
        "initial-cluster-state": "new",
        "heartbeat-interval": config.heartbeatIntervalMilliseconds,
        "election-timeout": config.electionTimeoutMilliseconds,
        // Patroni writes a few keys every loop: without compaction the history fills the quota (autobase#528).
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "1h",
        "quota-backend-bytes": config.quotaBackendMiB * 1024 * 1024,
        // Refuses changes of the membership that would lose the quorum.
        "strict-reconfig-check": true,
        logger: "zap",
        "log-level": "warn",
        ...(config.tls ? tlsSettings() : {}),
    });
}

function tlsSettings() {
    const security = {
        "cert-file": containerPaths.etcdCertificate,
        "key-file": containerPaths.serverKey,
        "trusted-ca-file": containerPaths.etcdCa,
        "client-cert-auth": true,
    };
    return {
        "client-transport-security": security,
        // Docker may hide where a member's connections come from, so that its certificate doesn't name it.
        "peer-transport-security": { ...security, "skip-client-san-verification": true },
    };
}

/** Words of etcdctl in a member's container. */
export function etcdctl(tls = false): string[] {
    const address = `127.0.0.1:${defaultPorts.etcdClient}`;
    const files = [
        `--cacert=${containerPaths.etcdCa}`,
        `--cert=${containerPaths.etcdCertificate}`,
        `--key=${containerPaths.serverKey}`,
    ];
    const options = [`--endpoints=${httpScheme(tls)}://${address}`, ...(tls ? files : [])];
    return ["etcdctl", "--command-timeout=3s", ...options];
}
