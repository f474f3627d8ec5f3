// Command plugins is every resource plugin in one binary; it acts by the name
// it is called by.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"pulumi-postgres-ha/toolchain/bridge/docker"
	"pulumi-postgres-ha/toolchain/bridge/random"
	"pulumi-postgres-ha/toolchain/command"
	"pulumi-postgres-ha/toolchain/tls"
)

func main() {
	ctx := context.Background()
	switch name := filepath.Base(os.Args[0]); name {
	case "pulumi-resource-docker":
		info := docker.Provider()
		tfbridge.Main(info.Name, info.Version, info, schema(info))
	case "pulumi-resource-random":
		info := random.Provider()
		pf.Main(ctx, info.Name, info, pf.ProviderMetadata{PackageSchema: schema(info)})
	case "pulumi-resource-command":
		exit(command.Run(ctx))
	case "pulumi-resource-tls":
		exit(tls.Run(ctx))
	default:
		fmt.Fprintf(os.Stderr, "call me as pulumi-resource-{docker,random,command,tls}, not %q\n", name)
		os.Exit(2)
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// schema is the least the engine accepts: the npm SDKs bring their own types.
func schema(info tfbridge.ProviderInfo) []byte {
	return fmt.Appendf(nil, `{"name":%q,"version":%q}`, info.Name, info.Version)
}
