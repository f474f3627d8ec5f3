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
     * **Change:** rolling restart of everything but etcd, with new certificates.
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
    /** What the certificates are for, such as the cluster's name: subject of the authorities. */
    clusterName: string;
    /** Names and addresses under which clients reach each server, by the server's key. */
    servers: { [key: string]: string[] };
    /**
     * Keys of those that prove who they are as clients, too: servers, or others.
     *
     * @default - none
     */
    clients?: string[];
    /**
     * The authority that signs.
     *
     * @default - one of the cluster's own
     *
     * **Change:** new certificates for all servers. For a change without a cut the new authority must be among `trustedCertificates`, and
     * with everybody, before.
     */
    certificateAuthority?: CertificateAuthorityArgs;
    /**
     * Certificates of further authorities to trust, as PEM, one after the other.
     *
     * @default - none
     */
    trustedCertificates?: pulumi.Input<string>;
    /**
     * Number of the own authority that signs. The one before it and the one after it are trusted, too, so that a greater number reaches
     * everybody without a cut: raise it by one, and again only when all clients have the new `caCertificate`.
     *
     * @default 1
     *
     * **Change:** new certificates for all servers.
     */
    authorityGeneration?: number;
}

/** How a server proves who it is. */
export interface ServerCertificate {
    /** The server's certificate and its authority's, as PEM. */
    certificate: pulumi.Output<string>;
    /** The server's private key as PEM; secret. */
    privateKey: pulumi.Output<string>;
    /** Certificates of all trusted authorities as PEM. */
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
 * renewed, two years before its end: the one that clients have stays good until then. Its successor is made and trusted beforehand, so that
 * whoever still has the old certificates believes who already has the new ones.
 */
export class ClusterCertificates extends pulumi.ComponentResource {
    /** Certificates of all trusted authorities as PEM: what clients verify servers with. */
    public readonly caCertificate: pulumi.Output<string>;
    /** The certificates of servers and clients, by key. */
    public readonly servers: { [key: string]: ServerCertificate };

    constructor(name: string, args: ClusterCertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("pgha:index:ClusterCertificates", name, {}, opts);
        assertNoProblems(checkCertificates("certificates", args));

        const own = createAuthorities(name, args, this);
        const { certificate, privateKey } = args.certificateAuthority ?? own.signing;
        const authority: Authority = {
            // Settings may hold it as a secret, together with its key; it is none.
            certificate: pulumi.unsecret(pulumi.output(certificate)),
            privateKey,
        };
        this.caCertificate = bundle([authority.certificate, ...own.certificates, args.trustedCertificates ?? ""]);
        const keys = [...new Set([...Object.keys(args.servers), ...(args.clients ?? [])])];
        this.servers = Object.fromEntries(
            keys.map((key) => {
                const subject = { key, names: args.servers[key], isClient: args.clients?.includes(key) ?? false };
                const signed = createCertificate(`${name}-${key}`, subject, authority, this);
                return [key, { ...signed, caCertificate: this.caCertificate }];
            }),
        );
        this.registerOutputs({ caCertificate: this.caCertificate });
    }
}

interface Authority {
    certificate: pulumi.Output<string>;
    privateKey: pulumi.Input<string>;
}

/** Who gets a certificate. */
interface Subject {
    key: string;
    /** Names and addresses of a server; undefined for one that is a client only. */
    names: string[] | undefined;
    isClient: boolean;
}

/** The own authority that signs, and the certificates of those that are trusted: the one before it, itself, and the one after it. */
function createAuthorities(
    name: string,
    { clusterName, authorityGeneration: generation = 1 }: ClusterCertificatesArgs,
    parent: pulumi.Resource,
): { signing: Authority; certificates: pulumi.Output<string>[] } {
    const create = (number: number): Authority =>
        createAuthority(`${name}-authority-${number}`, `${clusterName} certificate authority ${number}`, parent);
    const before = generation > 1 ? [create(generation - 1)] : [];
    const signing = create(generation);
    const all = [...before, signing, create(generation + 1)];
    return { signing, certificates: all.map(({ certificate }) => certificate) };
}

/** Each certificate once, in the order given. */
function bundle(texts: pulumi.Input<string>[]): pulumi.Output<string> {
    const all = pulumi.all(texts).apply((plain) => {
        const lines = plain.filter((text) => text !== "").map((text) => `${text.trimEnd()}\n`);
        return [...new Set(lines)].join("");
    });
    return pulumi.unsecret(all);
}

function createAuthority(name: string, commonName: string, parent: pulumi.Resource): Authority {
    const key = new tls.PrivateKey(`${name}-key`, keyKind, { parent });
    const certificate = new tls.SelfSignedCert(
        name,
        {
            privateKeyPem: key.privateKeyPem,
            subject: { commonName },
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing"],
            ...authorityLife,
        },
        { parent },
    );
    return { certificate: certificate.certPem, privateKey: key.privateKeyPem };
}

function createCertificate(
    name: string,
    { key: commonName, names, isClient }: Subject,
    authority: Authority,
    parent: pulumi.Resource,
): Omit<ServerCertificate, "caCertificate"> {
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
            allowedUses: [
                "digital_signature",
                ...(names === undefined ? [] : ["server_auth"]),
                ...(isClient ? ["client_auth"] : []),
            ],
            ...serverLife,
        },
        { parent },
    );
    return {
        // With the authority's behind it, clients that know only the root can verify one signed by an intermediate authority.
        certificate: pulumi.interpolate`${signed.certPem}${authority.certificate}`,
        privateKey: key.privateKeyPem,
    };
}
