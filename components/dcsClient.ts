import type { ServerCertificate } from "./clusterCertificates";
import { containerPaths } from "./defaults";
import { WorkloadFile } from "./platform/workload";
import type { DcsTlsFiles } from "./render/dcsSections";

/** Where Patroni's section for a store finds its certificate. */
export const dcsClientPaths: DcsTlsFiles = {
    cacert: containerPaths.dcsCa,
    cert: containerPaths.dcsCertificate,
    key: containerPaths.dcsKey,
};

/** The files there. */
export function dcsClientFiles(client: ServerCertificate | undefined): WorkloadFile[] {
    if (client === undefined) {
        return [];
    }
    return [
        { key: "dcs-ca", path: containerPaths.dcsCa, content: client.caCertificate, secret: false },
        { key: "dcs-cert", path: containerPaths.dcsCertificate, content: client.certificate, secret: false },
        { key: "dcs-key", path: containerPaths.dcsKey, content: client.privateKey, secret: true },
    ];
}
