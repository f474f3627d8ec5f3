import { getCACertificates, setDefaultCACertificates } from "node:tls";

/** Makes this process believe servers with certificates of a cluster's authorities, given as PEM. */
export function trustAuthorities(caCertificate: string): void {
    setDefaultCACertificates([...getCACertificates("bundled"), caCertificate]);
}
