import * as pulumi from "@pulumi/pulumi";
import { checkExternalEtcd } from "./checks/dcs";
import type { DcsConnection } from "./dcsConnection";
import type { EtcdConnection } from "./etcdQuorum";
import { assertNoProblems } from "./platform/problems";
import { DcsKind, etcd3Settings } from "./render/dcsSections";

/** An etcd quorum that is there already, and that somebody else runs. */
export interface ExternalEtcdArgs {
    /**
     * Client URLs of its members, such as `http://192.0.2.21:2379`; all of them with the same scheme. The Patroni nodes must reach
     * each of them. It must be etcd 3.4 or newer without authentication, and no other cluster in it may have this cluster's name.
     *
     * **Change:** rolling restart of Patroni. Another quorum does not know the cluster: its keys must be there first.
     */
    endpoints: string[];
}

/**
 * An etcd quorum that is there already, as a store for Patroni. Nothing is created in it but Patroni's keys, below `/service/<cluster>`.
 *
 * @example
 * ```typescript
 * const etcd = new ExternalEtcd("etcd", { endpoints: ["http://192.0.2.21:2379", "http://192.0.2.22:2379", "http://192.0.2.23:2379"] });
 * ```
 */
export class ExternalEtcd extends pulumi.ComponentResource implements EtcdConnection, DcsConnection {
    public readonly endpoints: pulumi.Output<string[]>;
    public readonly endpointUrls: string[];
    public readonly dcsKind: DcsKind = DcsKind.Etcd3;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in DcsConnection
    public readonly dcsSettings: { [name: string]: any };

    constructor(name: string, args: ExternalEtcdArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ExternalEtcd", name, {}, opts);
        assertNoProblems(checkExternalEtcd("externalEtcd", args));

        this.endpointUrls = args.endpoints;
        this.endpoints = pulumi.output(args.endpoints);
        this.dcsSettings = etcd3Settings(args.endpoints);
        this.registerOutputs({ endpoints: this.endpoints });
    }
}
