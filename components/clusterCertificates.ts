import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { isIP } from "node:net";
import { checkCertificates } from "./checks/certificates";
import { assertNoProblems } from "./platform/problems";

/** A certificate authority that is there already. */
export interface CertificateAuthorityArgs {
    /**
     * Its certificate as PEM. Where it is an intermediate one, those up to the root may follow.
     *
     * **Change:** rolling restart of Patroni's nodes and PgBouncer, with new certificates.
     */
    certificate: pulumi.Input<string>;
    /**
     * Its private key as PEM, without a passphrase; it stays a secret.
     *
     * **Change:** as for `certificate`.
     */
    privateKey: pulumi.Input<string>;
}

/** Arguments of {@link ClusterCertificates}. */
export interface ClusterCertificatesArgs {
    /** Name of the cluster: subject of its authority. */
    clusterName: string;
    /** Names and addresses under which clients reach each server, by the server's key. */
    servers: { [key: string]: string[] };
    /**
     * The authority that signs.
     *
     * @default - one of the cluster's own
     *
     * **Change:** new certificates for all servers.
     */
    certificateAuthority?: CertificateAuthorityArgs;
}

/** How a server proves who it is. */
export interface ServerCertificate {
    /** The server's certificate and its authority's, as PEM. */
    certificate: pulumi.Output<string>;
    /** The server's private key as PEM; secret. */
    privateKey: pulumi.Output<string>;
    /** The authority's certificate as PEM. */
    caCertificate: pulumi.Output<string>;
}

const hoursPerDay = 24;

/** Ten years. It is renewed two years before its end, so that no server's certificate outlives it. */
const authorityLife = { validityPeriodHours: 3650 * hoursPerDay, earlyRenewalHours: 730 * hoursPerDay };

/** A year, renewed 90 days before its end: an `up` each quarter is enough. */
const serverLife = { validityPeriodHours: 365 * hoursPerDay, earlyRenewalHours: 90 * hoursPerDay };

/** Small keys and quick handshakes, which every maintained TLS library takes. */
const keyKind = { algorithm: "ECDSA", ecdsaCurve: "P256" };

/**
 * A certificate for each server of a cluster, signed by an authority of its own or a given one.
 *
 * The first `up` within the last 90 days of a certificate makes a new one. The cluster's own authority keeps its key when its certificate is
 * renewed, two years before its end: the one that clients have stays good until then.
 */
export class ClusterCertificates extends pulumi.ComponentResource {
    /** The authority's certificate as PEM: what clients verify servers with. */
    public readonly caCertificate: pulumi.Output<string>;
    /** The servers' certificates, by key. */
    public readonly servers: { [key: string]: ServerCertificate };

    constructor(name: string, args: ClusterCertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ClusterCertificates", name, {}, opts);
        assertNoProblems(checkCertificates("certificates", args));

        const { certificate, privateKey } = args.certificateAuthority ?? createAuthority(name, args.clusterName, this);
        // Settings may hold it as a secret, together with its key; it is none.
        this.caCertificate = pulumi.unsecret(pulumi.output(certificate));
        const authority = { certificate: this.caCertificate, privateKey };
        this.servers = Object.fromEntries(
            Object.entries(args.servers).map(([key, names]) => [
                key,
                createServerCertificate(`${name}-${key}`, key, names, authority, this),
            ]),
        );
        this.registerOutputs({ caCertificate: this.caCertificate });
    }
}

function createAuthority(name: string, clusterName: string, parent: pulumi.Resource): CertificateAuthorityArgs {
    const key = new tls.PrivateKey(`${name}-authority-key`, keyKind, { parent });
    const certificate = new tls.SelfSignedCert(
        `${name}-authority`,
        {
            privateKeyPem: key.privateKeyPem,
            subject: { commonName: `${clusterName} certificate authority` },
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing"],
            ...authorityLife,
        },
        { parent },
    );
    return { certificate: certificate.certPem, privateKey: key.privateKeyPem };
}

function createServerCertificate(
    name: string,
    commonName: string,
    names: string[],
    authority: { certificate: pulumi.Output<string>; privateKey: pulumi.Input<string> },
    parent: pulumi.Resource,
): ServerCertificate {
    const key = new tls.PrivateKey(`${name}-key`, keyKind, { parent });
    const sorted = [...new Set(names)].sort();
    const request = new tls.CertRequest(
        `${name}-request`,
        {
            privateKeyPem: key.privateKeyPem,
            subject: { commonName },
            dnsNames: sorted.filter((each) => isIP(each) === 0),
            ipAddresses: sorted.filter((each) => isIP(each) !== 0),
        },
        { parent },
    );
    const signed = new tls.LocallySignedCert(
        `${name}-certificate`,
        {
            certRequestPem: request.certRequestPem,
            caCertPem: authority.certificate,
            caPrivateKeyPem: authority.privateKey,
            allowedUses: ["digital_signature", "server_auth"],
            ...serverLife,
        },
        { parent },
    );
    return {
        // With the authority's behind it, clients that know only the root can verify one signed by an intermediate authority.
        certificate: pulumi.interpolate`${signed.certPem}${authority.certificate}`,
        privateKey: key.privateKeyPem,
        caCertificate: authority.certificate,
    };
}
