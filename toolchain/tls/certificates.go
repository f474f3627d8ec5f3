package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// SelfSignedCert is the resource of the same name.
type SelfSignedCert struct{}

// Annotate gives it the token of the npm SDK.
func (c *SelfSignedCert) Annotate(a infer.Annotator) {
	a.SetToken("index/selfSignedCert", "SelfSignedCert")
}

// SelfSignedCertArgs are its inputs.
type SelfSignedCertArgs struct {
	Owner
	Terms
	Subject           *Subject `pulumi:"subject,optional" provider:"replaceOnChanges"`
	SetAuthorityKeyId *bool    `pulumi:"setAuthorityKeyId,optional" provider:"replaceOnChanges"`
}

// Annotate sets the defaults.
func (c *SelfSignedCertArgs) Annotate(a infer.Annotator) {
	c.Terms.Annotate(a)
	a.SetDefault(&c.SetAuthorityKeyId, false)
}

// SelfSignedCertState is what the engine keeps of one.
type SelfSignedCertState struct {
	SelfSignedCertArgs
	Issued
	KeyAlgorithm string `pulumi:"keyAlgorithm"`
}

// Check refuses unknown uses and impossible times.
func (*SelfSignedCert) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[SelfSignedCertArgs], error) {
	args, failures, err := infer.DefaultCheck[SelfSignedCertArgs](ctx, req.NewInputs)
	if err == nil && len(failures) == 0 {
		failures = args.failures()
	}
	return infer.CheckResponse[SelfSignedCertArgs]{Inputs: args, Failures: failures}, err
}

// WireDependencies leaves the certificate known while only the hours of early renewal change.
func (*SelfSignedCert) WireDependencies(f infer.FieldSelector, args *SelfSignedCertArgs, state *SelfSignedCertState) {
	makes := []infer.InputField{
		f.InputField(&args.DnsNames), f.InputField(&args.IpAddresses), f.InputField(&args.Uris), f.InputField(&args.Subject),
		f.InputField(&args.PrivateKeyPem), f.InputField(&args.PrivateKeyPemWoVersion), f.InputField(&args.SetAuthorityKeyId),
		f.InputField(&args.AllowedUses), f.InputField(&args.ValidityPeriodHours), f.InputField(&args.IsCaCertificate),
		f.InputField(&args.MaxPathLength), f.InputField(&args.SetSubjectKeyId),
	}
	outputs := []infer.OutputField{
		f.OutputField(&state.CertPem), f.OutputField(&state.ReadyForRenewal), f.OutputField(&state.ValidityStartTime),
		f.OutputField(&state.ValidityEndTime), f.OutputField(&state.KeyAlgorithm),
	}
	wire(outputs, makes)
}

func wire(outputs []infer.OutputField, makes []infer.InputField) {
	computed := make([]infer.InputField, len(makes))
	for i, input := range makes {
		computed[i] = input.Computed()
	}
	for _, output := range outputs {
		output.DependsOn(computed...)
	}
}

// Create issues the certificate.
func (*SelfSignedCert) Create(_ context.Context, req infer.CreateRequest[SelfSignedCertArgs]) (infer.CreateResponse[SelfSignedCertState], error) {
	state := SelfSignedCertState{SelfSignedCertArgs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[SelfSignedCertState]{Output: state}, nil
	}
	id, err := state.sign()
	return infer.CreateResponse[SelfSignedCertState]{ID: id, Output: state}, err
}

func (s *SelfSignedCertState) sign() (string, error) {
	given, keyErr := s.key()
	names, namesErr := s.names()
	if err := errors.Join(keyErr, namesErr); err != nil {
		return "", err
	}
	key, algorithm, err := parseKey(given)
	if err != nil {
		return "", fmt.Errorf("privateKeyPem: %w", err)
	}
	template := &x509.Certificate{
		Subject: s.Subject.name(), DNSNames: s.DnsNames, IPAddresses: names.ips, URIs: names.uris,
	}
	if *s.SetAuthorityKeyId {
		if template.AuthorityKeyId, err = keyID(key.Public()); err != nil {
			return "", err
		}
	}
	s.KeyAlgorithm = algorithm
	issued, id, err := s.issue(template, nil, key.Public(), key)
	s.Issued = issued
	return id, err
}

// Update stores other hours of early renewal: everything else issues a new certificate.
func (*SelfSignedCert) Update(_ context.Context, req infer.UpdateRequest[SelfSignedCertArgs, SelfSignedCertState]) (infer.UpdateResponse[SelfSignedCertState], error) {
	state := req.State
	state.SelfSignedCertArgs = req.Inputs
	return infer.UpdateResponse[SelfSignedCertState]{Output: state}, nil
}

// LocallySignedCert is the resource of the same name.
type LocallySignedCert struct{}

// Annotate gives it the token of the npm SDK.
func (c *LocallySignedCert) Annotate(a infer.Annotator) {
	a.SetToken("index/locallySignedCert", "LocallySignedCert")
}

// LocallySignedCertArgs are its inputs.
type LocallySignedCertArgs struct {
	Terms
	CertRequestPem           string  `pulumi:"certRequestPem" provider:"replaceOnChanges"`
	CaCertPem                string  `pulumi:"caCertPem" provider:"replaceOnChanges"`
	CaPrivateKeyPem          *string `pulumi:"caPrivateKeyPem,optional" provider:"secret,replaceOnChanges"`
	CaPrivateKeyPemWo        *string `pulumi:"caPrivateKeyPemWo,optional" provider:"secret"`
	CaPrivateKeyPemWoVersion *int    `pulumi:"caPrivateKeyPemWoVersion,optional" provider:"replaceOnChanges"`
}

// LocallySignedCertState is what the engine keeps of one.
type LocallySignedCertState struct {
	LocallySignedCertArgs
	Issued
	CaKeyAlgorithm string `pulumi:"caKeyAlgorithm"`
}

// Check refuses unknown uses and impossible times.
func (*LocallySignedCert) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[LocallySignedCertArgs], error) {
	args, failures, err := infer.DefaultCheck[LocallySignedCertArgs](ctx, req.NewInputs)
	if err == nil && len(failures) == 0 {
		failures = args.failures()
	}
	return infer.CheckResponse[LocallySignedCertArgs]{Inputs: args, Failures: failures}, err
}

// WireDependencies leaves the certificate known while only the hours of early renewal change.
func (*LocallySignedCert) WireDependencies(f infer.FieldSelector, args *LocallySignedCertArgs, state *LocallySignedCertState) {
	makes := []infer.InputField{
		f.InputField(&args.CertRequestPem), f.InputField(&args.CaCertPem), f.InputField(&args.CaPrivateKeyPem),
		f.InputField(&args.CaPrivateKeyPemWoVersion), f.InputField(&args.AllowedUses), f.InputField(&args.ValidityPeriodHours),
		f.InputField(&args.IsCaCertificate), f.InputField(&args.MaxPathLength), f.InputField(&args.SetSubjectKeyId),
	}
	outputs := []infer.OutputField{
		f.OutputField(&state.CertPem), f.OutputField(&state.ReadyForRenewal), f.OutputField(&state.ValidityStartTime),
		f.OutputField(&state.ValidityEndTime), f.OutputField(&state.CaKeyAlgorithm),
	}
	wire(outputs, makes)
}

// Create issues the certificate.
func (*LocallySignedCert) Create(_ context.Context, req infer.CreateRequest[LocallySignedCertArgs]) (infer.CreateResponse[LocallySignedCertState], error) {
	state := LocallySignedCertState{LocallySignedCertArgs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[LocallySignedCertState]{Output: state}, nil
	}
	id, err := state.sign()
	return infer.CreateResponse[LocallySignedCertState]{ID: id, Output: state}, err
}

func (s *LocallySignedCertState) sign() (string, error) {
	given, err := either("caPrivateKeyPem", s.CaPrivateKeyPem, s.CaPrivateKeyPemWo)
	if err != nil {
		return "", err
	}
	key, algorithm, err := parseKey(given)
	if err != nil {
		return "", fmt.Errorf("caPrivateKeyPem: %w", err)
	}
	authority, err := parseAuthority(s.CaCertPem)
	if err != nil {
		return "", fmt.Errorf("caCertPem: %w", err)
	}
	request, err := parseRequest(s.CertRequestPem)
	if err != nil {
		return "", fmt.Errorf("certRequestPem: %w", err)
	}
	template := &x509.Certificate{
		Subject: request.Subject, DNSNames: request.DNSNames, IPAddresses: request.IPAddresses, URIs: request.URIs,
	}
	s.CaKeyAlgorithm = algorithm
	issued, id, err := s.issue(template, authority, request.PublicKey, key)
	s.Issued = issued
	return id, err
}

func parseAuthority(text string) (*x509.Certificate, error) {
	block, err := decode(text, pemCert)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseRequest(text string) (*x509.CertificateRequest, error) {
	block, err := decode(text, pemRequest)
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	return request, request.CheckSignature()
}

// Update stores other hours of early renewal: everything else issues a new certificate.
func (*LocallySignedCert) Update(_ context.Context, req infer.UpdateRequest[LocallySignedCertArgs, LocallySignedCertState]) (infer.UpdateResponse[LocallySignedCertState], error) {
	state := req.State
	state.LocallySignedCertArgs = req.Inputs
	return infer.UpdateResponse[LocallySignedCertState]{Output: state}, nil
}
