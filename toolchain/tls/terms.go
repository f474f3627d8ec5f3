package tls

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

var keyUsages = map[string]x509.KeyUsage{
	"cert_signing":       x509.KeyUsageCertSign,
	"content_commitment": x509.KeyUsageContentCommitment,
	"crl_signing":        x509.KeyUsageCRLSign,
	"data_encipherment":  x509.KeyUsageDataEncipherment,
	"decipher_only":      x509.KeyUsageDecipherOnly,
	"digital_signature":  x509.KeyUsageDigitalSignature,
	"encipher_only":      x509.KeyUsageEncipherOnly,
	"key_agreement":      x509.KeyUsageKeyAgreement,
	"key_encipherment":   x509.KeyUsageKeyEncipherment,
}

var extendedKeyUsages = map[string]x509.ExtKeyUsage{
	"any_extended":                      x509.ExtKeyUsageAny,
	"client_auth":                       x509.ExtKeyUsageClientAuth,
	"code_signing":                      x509.ExtKeyUsageCodeSigning,
	"email_protection":                  x509.ExtKeyUsageEmailProtection,
	"ipsec_end_system":                  x509.ExtKeyUsageIPSECEndSystem,
	"ipsec_tunnel":                      x509.ExtKeyUsageIPSECTunnel,
	"ipsec_user":                        x509.ExtKeyUsageIPSECUser,
	"microsoft_commercial_code_signing": x509.ExtKeyUsageMicrosoftCommercialCodeSigning,
	"microsoft_kernel_code_signing":     x509.ExtKeyUsageMicrosoftKernelCodeSigning,
	"microsoft_server_gated_crypto":     x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	"netscape_server_gated_crypto":      x509.ExtKeyUsageNetscapeServerGatedCrypto,
	"ocsp_signing":                      x509.ExtKeyUsageOCSPSigning,
	"server_auth":                       x509.ExtKeyUsageServerAuth,
	"timestamping":                      x509.ExtKeyUsageTimeStamping,
}

// Terms are what a certificate is good for, and how long.
type Terms struct {
	AllowedUses         []string `pulumi:"allowedUses" provider:"replaceOnChanges"`
	ValidityPeriodHours int      `pulumi:"validityPeriodHours" provider:"replaceOnChanges"`
	EarlyRenewalHours   *int     `pulumi:"earlyRenewalHours,optional"`
	IsCaCertificate     *bool    `pulumi:"isCaCertificate,optional" provider:"replaceOnChanges"`
	MaxPathLength       *int     `pulumi:"maxPathLength,optional" provider:"replaceOnChanges"`
	SetSubjectKeyId     *bool    `pulumi:"setSubjectKeyId,optional" provider:"replaceOnChanges"`
}

// Annotate sets the defaults, which are the official plugin's.
func (t *Terms) Annotate(a infer.Annotator) {
	a.SetDefault(&t.EarlyRenewalHours, 0)
	a.SetDefault(&t.IsCaCertificate, false)
	a.SetDefault(&t.MaxPathLength, -1)
	a.SetDefault(&t.SetSubjectKeyId, false)
}

func (t *Terms) failures() []p.CheckFailure {
	allowed := slices.Sorted(maps.Keys(keyUsages))
	allowed = append(allowed, slices.Sorted(maps.Keys(extendedKeyUsages))...)
	var failures []p.CheckFailure
	for i, use := range t.AllowedUses {
		failures = append(failures, oneOf(fmt.Sprintf("allowedUses[%d]", i), use, allowed)...)
	}
	for name, hours := range map[string]int{"validityPeriodHours": t.ValidityPeriodHours, "earlyRenewalHours": *t.EarlyRenewalHours} {
		if hours < 0 {
			failures = append(failures, p.CheckFailure{Property: name, Reason: "hours can't be negative"})
		}
	}
	return failures
}

// Issued is what issuing a certificate leaves.
type Issued struct {
	CertPem           string `pulumi:"certPem"`
	ReadyForRenewal   bool   `pulumi:"readyForRenewal"`
	ValidityStartTime string `pulumi:"validityStartTime"`
	ValidityEndTime   string `pulumi:"validityEndTime"`
}

// issue signs the template by the terms. Without a parent it signs itself.
func (t *Terms) issue(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (Issued, string, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return Issued{}, "", err
	}
	template.SerialNumber = serial
	template.NotBefore = now().UTC().Truncate(time.Second)
	template.NotAfter = template.NotBefore.Add(time.Duration(t.ValidityPeriodHours) * time.Hour)
	template.BasicConstraintsValid = true
	for _, use := range t.AllowedUses {
		if usage, ok := keyUsages[use]; ok {
			template.KeyUsage |= usage
		} else {
			template.ExtKeyUsage = append(template.ExtKeyUsage, extendedKeyUsages[use])
		}
	}
	if *t.IsCaCertificate {
		if template.Subject.String() == "" {
			return Issued{}, "", errors.New("a certificate authority needs a subject")
		}
		template.IsCA = true
	}
	if *t.MaxPathLength >= 0 {
		template.MaxPathLen, template.MaxPathLenZero = *t.MaxPathLength, *t.MaxPathLength == 0
	}
	if *t.IsCaCertificate || *t.SetSubjectKeyId {
		if template.SubjectKeyId, err = keyID(public); err != nil {
			return Issued{}, "", err
		}
	}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return Issued{}, "", err
	}
	return Issued{
		CertPem:           encode(pemCert, der),
		ValidityStartTime: template.NotBefore.Format(time.RFC3339),
		ValidityEndTime:   template.NotAfter.Format(time.RFC3339),
	}, serial.String(), nil
}

// keyID identifies a public key as RFC 7093 has it: the leftmost 160 bits of its SHA-256 sum.
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return sum[:20], nil
}
