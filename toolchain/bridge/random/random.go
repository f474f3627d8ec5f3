// Package random bridges the Terraform provider for random values to the
// resources of the npm package @pulumi/random.
package random

import (
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-random/shim"

	"pulumi-postgres-ha/toolchain"
)

// Provider describes every bridged resource.
func Provider() tfbridge.ProviderInfo {
	return tfbridge.ProviderInfo{
		Name:    "random",
		Version: toolchain.PluginVersion("random"),
		P:       pf.ShimProvider(shim.NewProvider()),
		// The bridge insists on it; it would hold what an earlier version of this bridge has to be compatible with.
		MetadataInfo: tfbridge.NewProviderMetadata(nil),
		Resources: map[string]*tfbridge.ResourceInfo{
			"random_bytes":    {Tok: resource("RandomBytes")},
			"random_id":       {Tok: resource("RandomId")},
			"random_integer":  {Tok: resource("RandomInteger")},
			"random_password": {Tok: resource("RandomPassword")},
			"random_pet":      {Tok: resource("RandomPet")},
			"random_shuffle":  {Tok: resource("RandomShuffle")},
			"random_string":   {Tok: resource("RandomString")},
			"random_uuid":     {Tok: resource("RandomUuid")},
			"random_uuid4":    {Tok: resource("RandomUuid4")},
			"random_uuid7":    {Tok: resource("RandomUuid7")},
		},
	}
}

func resource(name string) tokens.Type {
	return tfbridge.MakeResource("random", "index", name)
}
