package tls

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
)

// PrivateKey is the resource of the same name.
type PrivateKey struct{}

// Annotate gives it the token of the npm SDK.
func (k *PrivateKey) Annotate(a infer.Annotator) { a.SetToken("index/privateKey", "PrivateKey") }

// PrivateKeyArgs are its inputs. There is no update, so that each change makes a new key.
type PrivateKeyArgs struct {
	Algorithm  string  `pulumi:"algorithm"`
	RsaBits    *int    `pulumi:"rsaBits,optional"`
	EcdsaCurve *string `pulumi:"ecdsaCurve,optional"`
}

// Annotate sets the defaults, which are the official plugin's.
func (k *PrivateKeyArgs) Annotate(a infer.Annotator) {
	a.SetDefault(&k.RsaBits, 2048)
	a.SetDefault(&k.EcdsaCurve, "P224")
}

// PrivateKeyState is what the engine keeps of a key.
type PrivateKeyState struct {
	PrivateKeyArgs
	PrivateKeyPem              string `pulumi:"privateKeyPem"`
	PrivateKeyPemPkcs8         string `pulumi:"privateKeyPemPkcs8"`
	PrivateKeyOpenssh          string `pulumi:"privateKeyOpenssh"`
	PublicKeyPem               string `pulumi:"publicKeyPem"`
	PublicKeyOpenssh           string `pulumi:"publicKeyOpenssh"`
	PublicKeyFingerprintMd5    string `pulumi:"publicKeyFingerprintMd5"`
	PublicKeyFingerprintSha256 string `pulumi:"publicKeyFingerprintSha256"`
}

const (
	algorithmRSA     = "RSA"
	algorithmECDSA   = "ECDSA"
	algorithmED25519 = "ED25519"
)

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521(),
}

// PEM types.
const (
	pemRSA     = "RSA PRIVATE KEY"
	pemEC      = "EC PRIVATE KEY"
	pemPKCS8   = "PRIVATE KEY"
	pemPublic  = "PUBLIC KEY"
	pemRequest = "CERTIFICATE REQUEST"
	pemCert    = "CERTIFICATE"
)

// Check refuses algorithms and curves that are not there.
func (*PrivateKey) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[PrivateKeyArgs], error) {
	args, failures, err := infer.DefaultCheck[PrivateKeyArgs](ctx, req.NewInputs)
	failures = append(failures, oneOf("algorithm", args.Algorithm, []string{algorithmRSA, algorithmECDSA, algorithmED25519})...)
	if args.EcdsaCurve != nil {
		failures = append(failures, oneOf("ecdsaCurve", *args.EcdsaCurve, slices.Sorted(maps.Keys(curves)))...)
	}
	return infer.CheckResponse[PrivateKeyArgs]{Inputs: args, Failures: failures}, err
}

// oneOf is a failure unless the value is allowed; an empty one is not known yet.
func oneOf(path, value string, allowed []string) []p.CheckFailure {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return []p.CheckFailure{{Property: path, Reason: fmt.Sprintf("%q is none of %q", value, allowed)}}
}

// WireDependencies keeps what is private a secret, whatever the inputs are.
func (*PrivateKey) WireDependencies(f infer.FieldSelector, _ *PrivateKeyArgs, state *PrivateKeyState) {
	f.OutputField(&state.PrivateKeyPem).AlwaysSecret()
	f.OutputField(&state.PrivateKeyPemPkcs8).AlwaysSecret()
	f.OutputField(&state.PrivateKeyOpenssh).AlwaysSecret()
}

// Create makes a key.
func (*PrivateKey) Create(_ context.Context, req infer.CreateRequest[PrivateKeyArgs]) (infer.CreateResponse[PrivateKeyState], error) {
	state := PrivateKeyState{PrivateKeyArgs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[PrivateKeyState]{Output: state}, nil
	}
	key, err := generate(req.Inputs)
	if err != nil {
		return infer.CreateResponse[PrivateKeyState]{}, err
	}
	id, err := state.describe(key)
	return infer.CreateResponse[PrivateKeyState]{ID: id, Output: state}, err
}

func generate(args PrivateKeyArgs) (crypto.Signer, error) {
	switch args.Algorithm {
	case algorithmRSA:
		return rsa.GenerateKey(rand.Reader, *args.RsaBits)
	case algorithmECDSA:
		return ecdsa.GenerateKey(curves[*args.EcdsaCurve], rand.Reader)
	case algorithmED25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("no algorithm %q", args.Algorithm)
}

// describe fills in all formats of a key and returns its ID.
func (s *PrivateKeyState) describe(key crypto.Signer) (string, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	s.PrivateKeyPemPkcs8 = encode(pemPKCS8, pkcs8)
	s.PublicKeyPem = encode(pemPublic, public)
	switch k := key.(type) {
	case *rsa.PrivateKey:
		s.PrivateKeyPem = encode(pemRSA, x509.MarshalPKCS1PrivateKey(k))
	case *ecdsa.PrivateKey:
		sec1, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			return "", err
		}
		s.PrivateKeyPem = encode(pemEC, sec1)
	default:
		s.PrivateKeyPem = s.PrivateKeyPemPkcs8
	}
	sum := sha1.Sum(public)
	return hex.EncodeToString(sum[:]), s.describeForSSH(key)
}

// describeForSSH leaves a key empty that OpenSSH has no format for.
func (s *PrivateKeyState) describeForSSH(key crypto.Signer) error {
	if k, ok := key.(*ecdsa.PrivateKey); ok && k.Curve == elliptic.P224() {
		return nil
	}
	private, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	s.PrivateKeyOpenssh = string(pem.EncodeToMemory(private))
	s.PublicKeyOpenssh = string(ssh.MarshalAuthorizedKey(public))
	s.PublicKeyFingerprintMd5 = ssh.FingerprintLegacyMD5(public)
	s.PublicKeyFingerprintSha256 = ssh.FingerprintSHA256(public)
	return nil
}

func encode(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// decode is the content of the first PEM block, which must be of one of the types.
func decode(text string, types ...string) (*pem.Block, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("no PEM of type %q", types)
	}
	if !slices.Contains(types, block.Type) {
		return nil, fmt.Errorf("the PEM is of type %q, allowed are %q", block.Type, types)
	}
	return block, nil
}

// parseKey reads a private key in any of the formats that PrivateKey writes, and names its algorithm.
func parseKey(text string) (crypto.Signer, string, error) {
	block, err := decode(text, pemRSA, pemEC, pemPKCS8)
	if err != nil {
		return nil, "", err
	}
	var parsed any
	switch block.Type {
	case pemRSA:
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case pemEC:
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, "", err
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		return key, algorithmRSA, nil
	case *ecdsa.PrivateKey:
		return key, algorithmECDSA, nil
	case ed25519.PrivateKey:
		return key, algorithmED25519, nil
	}
	return nil, "", errors.New("the key is neither RSA nor ECDSA nor ED25519")
}
