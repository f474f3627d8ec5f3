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

/** The file for `etcd --config-file`. Other members than its own leave no trace in it, so that it stays as it is when they come and go. */
export function renderEtcdYaml(config: EtcdMemberConfig): string {
    const scheme = httpScheme(config.tls);
    const own = etcdMemberUrls(config);
    return renderYaml({
        name: config.name,
        "data-dir": `${containerPaths.etcdData}/data`,
        // Inside the container the ports are etcd's own, whatever the host publishes.
        "listen-peer-urls": `${scheme}://0.0.0.0:${defaultPorts.etcdPeer}`,
        "listen-client-urls": `${scheme}://0.0.0.0:${defaultPorts.etcdClient}`,
        // Metrics and health without TLS: with it they would want a client's certificate, and who has one may write to etcd.
        "listen-metrics-urls": `http://0.0.0.0:${defaultPorts.etcdMetrics}`,
        "initial-advertise-peer-urls": own.peer,
        "advertise-client-urls": own.client,
        // Who else is a member is found out at the start: see etcdStartScript.ts.
        "initial-cluster-token": config.clusterToken,
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

/** URLs at which the others and clients find the member. */
export function etcdMemberUrls({ name, members, tls }: EtcdMemberConfig): { peer: string; client: string } {
    const own = members.find((member) => member.name === name);
    if (own === undefined) {
        throw new Error(`etcd member ${name} is not among the members given`);
    }
    const url = (port: number): string => `${httpScheme(tls)}://${own.address}:${port}`;
    return { peer: url(own.peerPort), client: url(own.clientPort) };
}

/** All members, one on each line: name, peer URL, client URL. */
export function renderEtcdMembers(config: EtcdMemberConfig): string {
    return config.members
        .map(({ name }) => {
            const { peer, client } = etcdMemberUrls({ ...config, name });
            return `${name} ${peer} ${client}\n`;
        })
        .join("");
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

/** Words of etcdctl in a member's container, which asks that member unless told otherwise. */
export function etcdctl(
    tls = false,
    endpoints = `${httpScheme(tls)}://127.0.0.1:${defaultPorts.etcdClient}`,
): string[] {
    const files = [
        `--cacert=${containerPaths.etcdCa}`,
        `--cert=${containerPaths.etcdCertificate}`,
        `--key=${containerPaths.serverKey}`,
    ];
    return ["etcdctl", "--command-timeout=3s", `--endpoints=${endpoints}`, ...(tls ? files : [])];
}
