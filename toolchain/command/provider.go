// Package command serves the resources of the npm package @pulumi/command.
package command

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"pulumi-postgres-ha/toolchain"
	"pulumi-postgres-ha/toolchain/command/local"
	"pulumi-postgres-ha/toolchain/command/remote"
)

const name = "command"

// Provider is the plugin without its server.
func Provider() p.Provider {
	return infer.Provider(infer.Options{
		Resources: []infer.InferredResource{
			infer.Resource(&local.Command{}),
			infer.Resource(&remote.Command{}),
			infer.Resource(&remote.CopyToRemote{}),
			infer.Resource(&remote.CopyFile{}),
		},
		Functions: []infer.InferredFunction{infer.Function(&local.Run{})},
	})
}

// Run serves the plugin until the engine ends it.
func Run(ctx context.Context) error {
	return p.RunProvider(ctx, name, toolchain.PluginVersion(name), Provider())
}
