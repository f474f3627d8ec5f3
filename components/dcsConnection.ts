import type * as pulumi from "@pulumi/pulumi";
import type { ServerCertificate } from "./clusterCertificates";
import type { DcsKind } from "./render/dcsSections";

/** A store for Patroni's leader lock and dynamic configuration. `EtcdQuorum`, `ExternalEtcd` and `ConsulQuorum` satisfy it. */
export interface DcsConnection {
    /** Which store it is. */
    dcsKind: DcsKind;
    /** What stands in Patroni's section of that name on every node. */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- texts, numbers, booleans and lists: Pulumi's schemas have no unions of them
    dcsSettings: { [name: string]: any };
    /**
     * What stands there beside it, by the key of the node's host.
     *
     * @default - the same for all hosts
     */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
    dcsHostSettings?: { [hostKey: string]: { [name: string]: any } };
    /**
     * What Patroni shows the store, and the authorities to verify it with, where those settings name the files of both.
     *
     * @default - none
     */
    dcsCertificate?: ServerCertificate;
    /**
     * Resolves when no member of the store is being replaced; then Patroni's nodes may be.
     *
     * @default - nothing to wait for
     */
    dcsSettled?: pulumi.Input<string>;
}
