package tls

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"pulumi-postgres-ha/toolchain"
)

// inputs are a program's: plain values by their name in the npm SDK.
type inputs map[string]any

func (in inputs) with(name string, value any) inputs {
	out := inputs{}
	for k, v := range in {
		out[k] = v
	}
	out[name] = value
	return out
}

// unit is one resource, driven as the engine does.
type unit struct {
	t      *testing.T
	server integration.Server
	urn    resource.URN
	id     string
	inputs property.Map
	state  property.Map
}

func newUnit(t *testing.T, name string) *unit {
	t.Helper()
	version := semver.MustParse(toolchain.PluginVersion("tls"))
	server, err := integration.NewServer(t.Context(), "tls", version, integration.WithProvider(Provider()))
	if err != nil {
		t.Fatal(err)
	}
	token := "tls:index/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
	return &unit{t: t, server: server, urn: resource.NewURN("dev", "test", "", tokens.Type(token), "unit")}
}

func (u *unit) check(in inputs) (property.Map, []p.CheckFailure) {
	u.t.Helper()
	plain := resource.FromResourcePropertyMap(resource.NewPropertyMapFromMap(in))
	checked, err := u.server.Check(p.CheckRequest{Urn: u.urn, Inputs: plain})
	if err != nil {
		u.t.Fatal(err)
	}
	return checked.Inputs, checked.Failures
}

func (u *unit) tryCreate(in inputs) error {
	u.t.Helper()
	checked, failures := u.check(in)
	if len(failures) > 0 {
		u.t.Fatalf("inputs refused: %v", failures)
	}
	created, err := u.server.Create(p.CreateRequest{Urn: u.urn, Properties: checked})
	u.id, u.inputs, u.state = created.ID, checked, created.Properties
	return err
}

func (u *unit) create(in inputs) *unit {
	u.t.Helper()
	if err := u.tryCreate(in); err != nil {
		u.t.Fatal(err)
	}
	return u
}

// diff is what a run with these inputs would do.
func (u *unit) diff(in inputs) string {
	u.t.Helper()
	checked, _ := u.check(in)
	diff, err := u.server.Diff(p.DiffRequest{ID: u.id, Urn: u.urn, State: u.state, OldInputs: u.inputs, Inputs: checked})
	if err != nil {
		u.t.Fatal(err)
	}
	if !diff.HasChanges {
		return "same"
	}
	for _, change := range diff.DetailedDiff {
		if change.Kind == p.AddReplace || change.Kind == p.UpdateReplace || change.Kind == p.DeleteReplace {
			return "replace"
		}
	}
	return "update"
}

func (u *unit) want(in inputs, want string) {
	u.t.Helper()
	if got := u.diff(in); got != want {
		u.t.Errorf("%v: the engine would %s, expected is %s", in, got, want)
	}
}

func (u *unit) text(name string) string {
	u.t.Helper()
	value := u.state.Get(name)
	if !value.IsString() {
		u.t.Fatalf("%s is no string: %v", name, value)
	}
	return value.AsString()
}

func (u *unit) certificate() *x509.Certificate {
	u.t.Helper()
	block, _ := pem.Decode([]byte(u.text("certPem")))
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		u.t.Fatal(err)
	}
	return parsed
}

func turnClock(t *testing.T, hours int) {
	before := now
	at := before().Add(time.Duration(hours) * time.Hour)
	now = func() time.Time { return at }
	t.Cleanup(func() { now = before })
}

func ecKey(t *testing.T) string {
	return newUnit(t, "PrivateKey").create(inputs{"algorithm": "ECDSA", "ecdsaCurve": "P256"}).text("privateKeyPem")
}

func authorityInputs(t *testing.T) inputs {
	return inputs{
		"privateKeyPem": ecKey(t), "isCaCertificate": true, "validityPeriodHours": 1000, "earlyRenewalHours": 100,
		"allowedUses": []any{"cert_signing", "crl_signing"}, "subject": map[string]any{"commonName": "authority"},
	}
}

func TestKeysOfEveryAlgorithmCanBeReadAgain(t *testing.T) {
	for _, in := range []inputs{
		{"algorithm": "RSA", "rsaBits": 2048},
		{"algorithm": "ECDSA"},
		{"algorithm": "ECDSA", "ecdsaCurve": "P384"},
		{"algorithm": "ED25519"},
	} {
		key := newUnit(t, "PrivateKey").create(in)
		for _, format := range []string{"privateKeyPem", "privateKeyPemPkcs8"} {
			if _, algorithm, err := parseKey(key.text(format)); err != nil || algorithm != in["algorithm"] {
				t.Errorf("%v: %s is read as %q, %v", in, format, algorithm, err)
			}
			if !key.state.Get(format).Secret() {
				t.Errorf("%v: %s is no secret", in, format)
			}
		}
		if ssh := key.text("publicKeyOpenssh"); (ssh == "") != (in["ecdsaCurve"] == nil && in["algorithm"] == "ECDSA") {
			t.Errorf("%v: publicKeyOpenssh is %q", in, ssh)
		}
		key.want(in, "same")
	}
}

func TestAnotherKindOfKeyReplacesIt(t *testing.T) {
	in := inputs{"algorithm": "ECDSA", "ecdsaCurve": "P256"}
	newUnit(t, "PrivateKey").create(in).want(in.with("ecdsaCurve", "P384"), "replace")
}

func TestInputsThatCanNotWorkAreRefused(t *testing.T) {
	cert := authorityInputs(t)
	for resource, cases := range map[string]map[string]inputs{
		"PrivateKey": {"algorithm": {"algorithm": "DSA"}, "ecdsaCurve": {"algorithm": "ECDSA", "ecdsaCurve": "P1"}},
		"SelfSignedCert": {
			"allowedUses[0]":      cert.with("allowedUses", []any{"everything"}),
			"validityPeriodHours": cert.with("validityPeriodHours", -1),
		},
	} {
		for property, in := range cases {
			_, failures := newUnit(t, resource).check(in)
			if len(failures) != 1 || failures[0].Property != property {
				t.Errorf("%s: expected is one failure at %s, there are %v", resource, property, failures)
			}
		}
	}
	for text, in := range map[string]inputs{
		"either privateKeyPem or": cert.with("privateKeyPemWo", "x"),
		"is no IP address":        cert.with("ipAddresses", []any{"nowhere"}),
		"privateKeyPem: ":         cert.with("privateKeyPem", "x"),
		"needs a subject":         cert.with("subject", map[string]any{}),
	} {
		if err := newUnit(t, "SelfSignedCert").tryCreate(in); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("expected is an error with %q, there is %v", text, err)
		}
	}
}

func TestASignedCertificateIsVerifiedByItsAuthorityOnly(t *testing.T) {
	in := authorityInputs(t)
	authority := newUnit(t, "SelfSignedCert").create(in)
	request := newUnit(t, "CertRequest").create(inputs{
		"privateKeyPem": ecKey(t), "subject": map[string]any{"commonName": "server"},
		"dnsNames": []any{"pg-haproxy"}, "ipAddresses": []any{"10.0.0.1", "fd00::1"},
	})
	server := newUnit(t, "LocallySignedCert").create(inputs{
		"certRequestPem": request.text("certRequestPem"), "caCertPem": authority.text("certPem"),
		"caPrivateKeyPem": in["privateKeyPem"], "validityPeriodHours": 10,
		"allowedUses": []any{"digital_signature", "server_auth"},
	})

	if !authority.certificate().IsCA || server.certificate().IsCA {
		t.Error("exactly the authority must be one")
	}
	other := newUnit(t, "SelfSignedCert").create(authorityInputs(t))
	for _, host := range []string{"pg-haproxy", "10.0.0.1", "fd00::1"} {
		roots := x509.NewCertPool()
		roots.AddCert(authority.certificate())
		if _, err := server.certificate().Verify(x509.VerifyOptions{DNSName: host, Roots: roots}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		strangers := x509.NewCertPool()
		strangers.AddCert(other.certificate())
		if _, err := server.certificate().Verify(x509.VerifyOptions{DNSName: host, Roots: strangers}); err == nil {
			t.Errorf("%s: another authority verifies it", host)
		}
	}
	if server.state.Get("certPem").Secret() {
		t.Error("a certificate is no secret")
	}
	for owner, name := range map[*unit]string{authority: "privateKeyPem", request: "privateKeyPem", server: "caPrivateKeyPem"} {
		if !owner.state.Get(name).Secret() {
			t.Errorf("%s of %s is no secret", name, owner.urn.Type())
		}
	}
}

func TestAPathLengthOfNoneCounts(t *testing.T) {
	made := newUnit(t, "SelfSignedCert").create(authorityInputs(t).with("maxPathLength", 0)).certificate()
	if made.MaxPathLen != 0 || !made.MaxPathLenZero {
		t.Errorf("the path length is %d, %v", made.MaxPathLen, made.MaxPathLenZero)
	}
}

func TestACertificateIsReplacedFromItsEarlyRenewalOn(t *testing.T) {
	in := authorityInputs(t)
	cert := newUnit(t, "SelfSignedCert").create(in)
	cert.want(in, "same")
	turnClock(t, 899)
	cert.want(in, "same")
	cert.want(in.with("earlyRenewalHours", 50), "update")
	cert.want(in.with("earlyRenewalHours", 102), "replace")
	turnClock(t, 2)
	cert.want(in, "replace")

	read, err := cert.server.Read(p.ReadRequest{ID: cert.id, Urn: cert.urn, Properties: cert.state, Inputs: cert.inputs})
	if err != nil {
		t.Fatal(err)
	}
	if ready := read.Properties.Get("readyForRenewal"); !ready.IsBool() || !ready.AsBool() {
		t.Errorf("after a refresh readyForRenewal is %v", ready)
	}
}

func TestAnotherNameOrAddressReplacesIt(t *testing.T) {
	in := authorityInputs(t).with("dnsNames", []string{"a"}).with("ipAddresses", []string{"192.0.2.1"})
	cert := newUnit(t, "SelfSignedCert").create(in)
	cert.want(in, "same")
	cert.want(in.with("dnsNames", []string{"b"}), "replace")
	cert.want(in.with("ipAddresses", []string{"192.0.2.1", "192.0.2.2"}), "replace")
	cert.want(in.with("ipAddresses", []string{}), "replace")
	cert.want(in.with("subject", map[string]any{"commonName": "another"}), "replace")
}

func TestOtherHoursOfEarlyRenewalKeepTheCertificate(t *testing.T) {
	in := authorityInputs(t)
	cert := newUnit(t, "SelfSignedCert").create(in)
	checked, _ := cert.check(in.with("earlyRenewalHours", 50))
	for _, preview := range []bool{true, false} {
		updated, err := cert.server.Update(p.UpdateRequest{
			ID: cert.id, Urn: cert.urn, State: cert.state, OldInputs: cert.inputs, Inputs: checked, DryRun: preview,
		})
		if err != nil {
			t.Fatal(err)
		}
		if kept := updated.Properties.Get("certPem"); !kept.IsString() || kept.AsString() != cert.text("certPem") {
			t.Errorf("preview %v: the certificate is now %v", preview, kept)
		}
	}
}

func TestAPreviewKnowsNoCertificateYet(t *testing.T) {
	cert := newUnit(t, "SelfSignedCert")
	checked, _ := cert.check(authorityInputs(t))
	created, err := cert.server.Create(p.CreateRequest{Urn: cert.urn, Properties: checked, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if pem := created.Properties.Get("certPem"); !pem.IsComputed() {
		t.Errorf("the certificate is %v", pem)
	}
}

func TestTheClockIsTurnedByWholeSecondsOnly(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "-86400": -24 * time.Hour, "60": time.Minute} {
		clock, err := turnedClock(text)
		if err != nil {
			t.Fatal(err)
		}
		if off := clock().Sub(time.Now()) - want; off.Abs() > time.Second {
			t.Errorf("%q: the clock is %v off", text, off)
		}
	}
	if _, err := turnedClock("a year"); err == nil {
		t.Error("a text that is no number was taken")
	}
}
