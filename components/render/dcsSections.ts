/** Stores that Patroni keeps its leader lock in, by the names of their sections in its configuration. */
export enum DcsKind {
    /** etcd by its version 3 API; the version 2 API is gone from etcd 3.4 on. */
    Etcd3 = "etcd3",
    Consul = "consul",
}

/** Patroni's section for one store. */
export interface DcsSection {
    kind: DcsKind;
    /** What stands in it. */
    settings: { [name: string]: unknown };
}

/** Files of Patroni's container by which etcd and Patroni believe each other. */
export interface DcsTlsFiles {
    cacert: string;
    cert?: string;
    key?: string;
}

/** Patroni's settings for an etcd quorum. Source: patroni, docs/yaml_configuration.rst, "Etcdv3". */
export function etcd3Settings(endpoints: string[], files?: DcsTlsFiles): { [name: string]: unknown } {
    return {
        ...files,
        protocol: endpoints.every((url) => url.startsWith("https:")) ? "https" : "http",
        hosts: endpoints.map((url) => url.replace(/^https?:\/\//, "")),
    };
}

/** Patroni's settings for the one Consul server that a node talks to. Source: patroni, docs/yaml_configuration.rst, "Consul". */
export function consulSettings(address: string, httpPort: number): { [name: string]: unknown } {
    return { scheme: "http", host: `${address}:${httpPort}` };
}
