package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// InstallDependencies runs the project's package manager.
func (h *host) InstallDependencies(
	r *rpc.InstallDependenciesRequest, server rpc.LanguageRuntime_InstallDependenciesServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, r.GetIsTerminal())
	if err != nil {
		return err
	}
	defer closer.Close()
	dir := r.GetDirectory()
	if dir == "" {
		dir = r.GetInfo().GetProgramDirectory()
	}
	pm := npm.PackageManagerType(h.options(r.GetInfo()).packageManager)
	if _, err := npm.Install(server.Context(), pm, dir, r.GetIsPlugin(), stdout, stderr); err != nil {
		return fmt.Errorf("npm install: %w", err)
	}
	return closer.Close()
}

// manifest is what a package.json says about Pulumi.
type manifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Pulumi  struct {
		Resource         bool   `json:"resource"`
		Name             string `json:"name"`
		Version          string `json:"version"`
		Server           string `json:"server"`
		Parameterization *struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Value   string `json:"value"`
		} `json:"parameterization"`
	} `json:"pulumi"`
}

// GetRequiredPackages finds the plugins that the installed npm packages need.
func (h *host) GetRequiredPackages(
	_ context.Context, r *rpc.GetRequiredPackagesRequest,
) (*rpc.GetRequiredPackagesResponse, error) {
	found := map[string]*rpc.PackageDependency{}
	seen := map[string]bool{}
	for dir := r.GetInfo().GetProgramDirectory(); ; dir = filepath.Dir(dir) {
		if err := scan(filepath.Join(dir, "node_modules"), seen, found); err != nil {
			return nil, err
		}
		if dir == r.GetInfo().GetRootDirectory() || dir == filepath.Dir(dir) {
			break
		}
	}
	out := &rpc.GetRequiredPackagesResponse{}
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out.Packages = append(out.Packages, found[k])
	}
	return out, nil
}

// scan reads the packages in a node_modules directory and those nested in them.
func scan(modules string, seen map[string]bool, found map[string]*rpc.PackageDependency) error {
	entries, err := os.ReadDir(modules)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := filepath.Join(modules, e.Name())
		if strings.HasPrefix(e.Name(), "@") {
			if err := scan(dir, seen, found); err != nil {
				return err
			}
			continue
		}
		real, err := filepath.EvalSymlinks(dir)
		if err != nil || seen[real] || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		seen[real] = true
		raw, err := os.ReadFile(filepath.Join(real, "package.json"))
		if err != nil {
			continue
		}
		var m manifest
		if json.Unmarshal(raw, &m) == nil && m.Pulumi.Resource {
			d, err := m.dependency()
			if err != nil {
				return fmt.Errorf("%s: %w", real, err)
			}
			found[d.Name+d.Version] = d
		}
		if err := scan(filepath.Join(real, "node_modules"), seen, found); err != nil {
			return err
		}
	}
	return nil
}

// GetProgramDependencies lists the npm packages of a program.
func (h *host) GetProgramDependencies(
	ctx context.Context, r *rpc.GetProgramDependenciesRequest,
) (*rpc.GetProgramDependenciesResponse, error) {
	mgr, err := npm.ResolvePackageManager("", r.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	deps, err := mgr.ListPackages(ctx, r.GetInfo().GetProgramDirectory(), r.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	out := &rpc.GetProgramDependenciesResponse{}
	for _, d := range deps {
		out.Dependencies = append(out.Dependencies, &rpc.DependencyInfo{Name: d.Name, Version: d.Version})
	}
	return out, nil
}

// dependency is the plugin behind a package.
func (m *manifest) dependency() (*rpc.PackageDependency, error) {
	name := cmp.Or(m.Pulumi.Name, strings.TrimPrefix(m.Name, "@pulumi/"))
	version := cmp.Or(m.Pulumi.Version, m.Version)
	d := &rpc.PackageDependency{
		Kind: "resource", Name: name, Version: "v" + strings.TrimPrefix(version, "v"), Server: m.Pulumi.Server,
	}
	if p := m.Pulumi.Parameterization; p != nil {
		value, err := base64.StdEncoding.DecodeString(p.Value)
		if err != nil {
			return nil, fmt.Errorf("pulumi.parameterization.value: %w", err)
		}
		d.Parameterization = &rpc.PackageParameterization{Name: p.Name, Version: p.Version, Value: value}
	}
	return d, nil
}
