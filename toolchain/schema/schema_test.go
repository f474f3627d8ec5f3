package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	pfgen "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	pschema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"

	"pulumi-postgres-ha/toolchain"
	"pulumi-postgres-ha/toolchain/bridge/docker"
	"pulumi-postgres-ha/toolchain/bridge/random"
	"pulumi-postgres-ha/toolchain/command"
	"pulumi-postgres-ha/toolchain/tls"
)

// notServed are the resources that the plugins here leave out on purpose.
var notServed = map[string][]string{
	"docker": {"Image"},
	// The provider's only setting is a proxy for getCertificate.
	"tls": {"getCertificate", "getPublicKey", "Provider"},
}

func TestPluginsHaveTheInputsAndOutputsOfTheirSDK(t *testing.T) {
	for name, generate := range map[string]func(*testing.T) pschema.PackageSpec{
		"docker": dockerSpec, "random": randomSpec, "command": commandSpec, "tls": tlsSpec,
	} {
		t.Run(name, func(t *testing.T) {
			sdk := filepath.Join("..", "..", "node_modules", "@pulumi", name)
			checkVersion(t, sdk, toolchain.PluginVersion(name))
			want, got := declaredBy(t, sdk), flatten(generate(t))
			if len(want) < 5 {
				t.Fatalf("only %d declarations found in %s", len(want), sdk)
			}
			for _, left := range notServed[name] {
				delete(want, left)
			}
			for _, member := range slices.Sorted(maps.Keys(want)) {
				served, ok := got[member]
				if !ok {
					t.Errorf("%s: not served", member)
					continue
				}
				compare(t, member+" inputs", want[member].Inputs, served.Inputs)
				if member == "Provider" { // nothing reads its outputs, and the SDK declares only some
					continue
				}
				compare(t, member+" outputs", optional(want[member].Outputs), optional(served.Outputs))
			}
		})
	}
}

// compare reports every path that differs.
func compare(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	paths := map[string]bool{}
	for path := range want {
		paths[path] = true
	}
	for path := range got {
		paths[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if want[path] != got[path] {
			t.Errorf("%s: %s is %q in the SDK, %q here", what, path, want[path], got[path])
		}
	}
}

// optional forgets whether an output may be missing: the engine doesn't ask.
func optional(paths map[string]string) map[string]string {
	plain := map[string]string{}
	for path, typ := range paths {
		plain[path] = strings.TrimSuffix(typ, "?")
	}
	return plain
}

func checkVersion(t *testing.T, sdk, want string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(sdk, "package.json"))
	if err != nil {
		t.Fatalf("%v: run npm ci in the repository first", err)
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Version != want {
		t.Errorf("%s is %s, versions.env says %s: change both together", sdk, manifest.Version, want)
	}
}

func declaredBy(t *testing.T, sdk string) map[string]member {
	t.Helper()
	cmd := exec.Command("node", "declared.mjs", sdk)
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("node declared.mjs %s: %v", sdk, err)
	}
	found := map[string]member{}
	if err := json.Unmarshal(raw, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// quiet swallows the generator's remarks on missing documentation.
var quiet = diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})

func dockerSpec(t *testing.T) pschema.PackageSpec {
	generated, err := tfgen.GenerateSchemaWithOptions(tfgen.GenerateSchemaOptions{
		ProviderInfo: docker.Provider(), DiagnosticsSink: quiet, XInMemoryDocs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return generated.PackageSpec
}

func randomSpec(t *testing.T) pschema.PackageSpec {
	generated, err := pfgen.GenerateSchema(t.Context(), pfgen.GenerateSchemaOptions{
		ProviderInfo: random.Provider(), DiagnosticsSink: quiet, XInMemoryDocs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, generated.ProviderMetadata.PackageSchema)
}

func commandSpec(t *testing.T) pschema.PackageSpec {
	return inferredSpec(t, "command", command.Provider())
}

func tlsSpec(t *testing.T) pschema.PackageSpec { return inferredSpec(t, "tls", tls.Provider()) }

func inferredSpec(t *testing.T, name string, provider p.Provider) pschema.PackageSpec {
	version := semver.MustParse(toolchain.PluginVersion(name))
	server, err := integration.NewServer(context.Background(), name, version, integration.WithProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.GetSchema(p.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, []byte(response.Schema))
}

func parse(t *testing.T, raw []byte) pschema.PackageSpec {
	t.Helper()
	var spec pschema.PackageSpec
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(fmt.Errorf("the generated schema: %w", err))
	}
	return spec
}
