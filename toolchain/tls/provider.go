// Package tls serves the resources of the npm package @pulumi/tls: keys, requests and certificates.
package tls

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"pulumi-postgres-ha/toolchain"
)

const name = "tls"

// now is the clock; tests turn it.
var now = time.Now

// clockOffset is the variable by which tests of whole clusters turn the clock: certificates issued in the past end in minutes.
const clockOffset = "PULUMI_TLS_CLOCK_OFFSET_SECONDS"

// turnedClock is the clock that the text asks for.
func turnedClock(text string) (func() time.Time, error) {
	if text == "" {
		return time.Now, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s=%q is no whole number of seconds", clockOffset, text)
	}
	return func() time.Time { return time.Now().Add(time.Duration(seconds) * time.Second) }, nil
}

// Provider is the plugin without its server.
func Provider() p.Provider {
	provider := infer.Provider(infer.Options{
		Resources: []infer.InferredResource{
			infer.Resource(&PrivateKey{}),
			infer.Resource(&CertRequest{}),
			infer.Resource(&SelfSignedCert{}),
			infer.Resource(&LocallySignedCert{}),
		},
	})
	diff, read := provider.Diff, provider.Read
	provider.Diff = func(ctx context.Context, req p.DiffRequest) (p.DiffResponse, error) {
		found, err := diff(ctx, req)
		replaceForParts(found.DetailedDiff)
		if err == nil && dueForRenewal(req.State, req.Inputs) {
			found.HasChanges = true
			if found.DetailedDiff == nil {
				found.DetailedDiff = map[string]p.PropertyDiff{}
			}
			found.DetailedDiff[readyForRenewal] = p.PropertyDiff{Kind: p.UpdateReplace}
		}
		return found, err
	}
	provider.Read = func(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
		found, err := read(ctx, req)
		if err == nil && dueForRenewal(found.Properties, found.Inputs) {
			found.Properties = found.Properties.Set(readyForRenewal, property.New(true))
		}
		return found, err
	}
	return provider
}

// replaceForParts has a resource replaced when a part of a list or an object differs: infer takes replaceOnChanges for a whole property only.
func replaceForParts(differences map[string]p.PropertyDiff) {
	replacing := map[p.DiffKind]p.DiffKind{p.Add: p.AddReplace, p.Delete: p.DeleteReplace, p.Update: p.UpdateReplace}
	for path, difference := range differences {
		if kind, ok := replacing[difference.Kind]; ok && strings.ContainsAny(path, ".[") {
			difference.Kind = kind
			differences[path] = difference
		}
	}
}

// Run serves the plugin until the engine ends it.
func Run(ctx context.Context) error {
	clock, err := turnedClock(os.Getenv(clockOffset))
	if err != nil {
		return err
	}
	now = clock
	return p.RunProvider(ctx, name, toolchain.PluginVersion(name), Provider())
}

const readyForRenewal = "readyForRenewal"

// dueForRenewal says whether a certificate's life, less the hours of early renewal that the inputs ask for, is over.
// What has no end, as a key, never is.
func dueForRenewal(state, inputs property.Map) bool {
	end := state.Get("validityEndTime")
	if !end.IsString() {
		return false
	}
	ends, err := time.Parse(time.RFC3339, end.AsString())
	if err != nil {
		return false
	}
	early := inputs.Get("earlyRenewalHours")
	if early.IsNumber() {
		ends = ends.Add(-time.Duration(early.AsNumber() * float64(time.Hour)))
	}
	return !now().Before(ends)
}
