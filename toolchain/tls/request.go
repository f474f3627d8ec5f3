package tls

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Subject is a distinguished name.
type Subject struct {
	CommonName         *string  `pulumi:"commonName,optional"`
	Country            *string  `pulumi:"country,optional"`
	EmailAddress       *string  `pulumi:"emailAddress,optional"`
	Locality           *string  `pulumi:"locality,optional"`
	Organization       *string  `pulumi:"organization,optional"`
	OrganizationalUnit *string  `pulumi:"organizationalUnit,optional"`
	PostalCode         *string  `pulumi:"postalCode,optional"`
	Province           *string  `pulumi:"province,optional"`
	SerialNumber       *string  `pulumi:"serialNumber,optional"`
	StreetAddresses    []string `pulumi:"streetAddresses,optional"`
}

var oidEmailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

func (s *Subject) name() pkix.Name {
	if s == nil {
		return pkix.Name{}
	}
	name := pkix.Name{
		Country:            list(s.Country),
		Locality:           list(s.Locality),
		Organization:       list(s.Organization),
		OrganizationalUnit: list(s.OrganizationalUnit),
		PostalCode:         list(s.PostalCode),
		Province:           list(s.Province),
		StreetAddress:      s.StreetAddresses,
		CommonName:         text(s.CommonName),
		SerialNumber:       text(s.SerialNumber),
	}
	if s.EmailAddress != nil {
		name.ExtraNames = []pkix.AttributeTypeAndValue{{Type: oidEmailAddress, Value: *s.EmailAddress}}
	}
	return name
}

func list(value *string) []string {
	if value == nil {
		return nil
	}
	return []string{*value}
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// Owner is who a request or a self-signed certificate is for, with its key.
type Owner struct {
	DnsNames    []string `pulumi:"dnsNames,optional" provider:"replaceOnChanges"`
	IpAddresses []string `pulumi:"ipAddresses,optional" provider:"replaceOnChanges"`
	Uris        []string `pulumi:"uris,optional" provider:"replaceOnChanges"`
	// A key that was only handed over is kept as a secret, too: the engine needs it to make the resource again.
	PrivateKeyPem          *string `pulumi:"privateKeyPem,optional" provider:"secret,replaceOnChanges"`
	PrivateKeyPemWo        *string `pulumi:"privateKeyPemWo,optional" provider:"secret"`
	PrivateKeyPemWoVersion *int    `pulumi:"privateKeyPemWoVersion,optional" provider:"replaceOnChanges"`
}

// key is the one that was given either way.
func (o *Owner) key() (string, error) {
	return either("privateKeyPem", o.PrivateKeyPem, o.PrivateKeyPemWo)
}

func either(name string, kept, handedOver *string) (string, error) {
	switch {
	case (kept == nil) == (handedOver == nil):
		return "", fmt.Errorf("give either %[1]s or %[1]sWo", name)
	case kept != nil:
		return *kept, nil
	}
	return *handedOver, nil
}

// names are the owner's alternative names.
type names struct {
	ips  []net.IP
	uris []*url.URL
}

func (o *Owner) names() (names, error) {
	var parsed names
	for _, address := range o.IpAddresses {
		ip := net.ParseIP(address)
		if ip == nil {
			return names{}, fmt.Errorf("%q is no IP address", address)
		}
		parsed.ips = append(parsed.ips, ip)
	}
	for _, raw := range o.Uris {
		uri, err := url.Parse(raw)
		if err != nil {
			return names{}, err
		}
		parsed.uris = append(parsed.uris, uri)
	}
	return parsed, nil
}

// CertRequest is the resource of the same name.
type CertRequest struct{}

// Annotate gives it the token of the npm SDK.
func (r *CertRequest) Annotate(a infer.Annotator) { a.SetToken("index/certRequest", "CertRequest") }

// CertRequestArgs are its inputs.
type CertRequestArgs struct {
	Owner
	Subject *Subject `pulumi:"subject,optional" provider:"replaceOnChanges"`
}

// CertRequestState is what the engine keeps of a request.
type CertRequestState struct {
	CertRequestArgs
	CertRequestPem string `pulumi:"certRequestPem"`
	KeyAlgorithm   string `pulumi:"keyAlgorithm"`
}

// Create signs a request.
func (*CertRequest) Create(_ context.Context, req infer.CreateRequest[CertRequestArgs]) (infer.CreateResponse[CertRequestState], error) {
	state := CertRequestState{CertRequestArgs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[CertRequestState]{Output: state}, nil
	}
	der, err := state.sign()
	if err != nil {
		return infer.CreateResponse[CertRequestState]{}, err
	}
	state.CertRequestPem = encode(pemRequest, der)
	sum := sha1.Sum([]byte(state.CertRequestPem))
	return infer.CreateResponse[CertRequestState]{ID: hex.EncodeToString(sum[:]), Output: state}, nil
}

func (s *CertRequestState) sign() ([]byte, error) {
	given, keyErr := s.key()
	names, namesErr := s.names()
	if err := errors.Join(keyErr, namesErr); err != nil {
		return nil, err
	}
	key, algorithm, err := parseKey(given)
	if err != nil {
		return nil, fmt.Errorf("privateKeyPem: %w", err)
	}
	s.KeyAlgorithm = algorithm
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: s.Subject.name(), DNSNames: s.DnsNames, IPAddresses: names.ips, URIs: names.uris,
	}, key)
}

// Update only stores a key that was handed over again: everything else makes a new request.
func (*CertRequest) Update(_ context.Context, req infer.UpdateRequest[CertRequestArgs, CertRequestState]) (infer.UpdateResponse[CertRequestState], error) {
	state := req.State
	state.CertRequestArgs = req.Inputs
	return infer.UpdateResponse[CertRequestState]{Output: state}, nil
}
