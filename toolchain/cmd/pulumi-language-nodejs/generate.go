package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	codegen "github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// GeneratePackage writes the TypeScript SDK of a package: `pulumi package add` and `gen-sdk`.
func (h *host) GeneratePackage(
	ctx context.Context, r *rpc.GeneratePackageRequest,
) (*rpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(r.GetLoaderTarget())
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	cached := schema.NewCachedLoader(loader)
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(r.GetSchema()), &spec); err != nil {
		return nil, err
	}
	pkg, diags, err := schema.BindSpec(spec, cached, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	out := &rpc.GeneratePackageResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(diags)}
	if diags.HasErrors() {
		return out, nil
	}
	files, err := codegen.GeneratePackage("pulumi-language-nodejs", pkg, r.GetExtraFiles(), r.GetLocalDependencies(),
		r.GetLocal(), cached)
	if err != nil {
		return nil, err
	}
	for name, data := range files {
		path := filepath.Join(r.GetDirectory(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Link adds a generated SDK to the project's package.json.
func (h *host) Link(ctx context.Context, r *rpc.LinkRequest) (*rpc.LinkResponse, error) {
	dir := r.GetInfo().GetProgramDirectory()
	mgr, err := npm.ResolvePackageManager(npm.PackageManagerType(h.options(r.GetInfo()).packageManager), dir)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, p := range r.GetPackages() {
		name := "@pulumi/" + p.GetPackage().GetName()
		if raw, err := os.ReadFile(filepath.Join(r.GetInfo().GetRootDirectory(), p.GetPath(), "package.json")); err == nil {
			var m manifest
			if json.Unmarshal(raw, &m) == nil && m.Name != "" {
				name = m.Name
			}
		}
		if err := mgr.Link(ctx, dir, name, p.GetPath()); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("  import * as %s from %q;", strings.ReplaceAll(filepath.Base(name), "-", "_"), name))
	}
	return &rpc.LinkResponse{
		ImportInstructions: "You can import the SDK in your TypeScript code with:\n\n" + strings.Join(lines, "\n") + "\n",
	}, nil
}
