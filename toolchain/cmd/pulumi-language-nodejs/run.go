package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// shownToUser is the exit code of @pulumi/pulumi's runner after it printed the error itself.
const shownToUser = 32

// options are the runtime options of Pulumi.yaml.
type options struct {
	typescript                         bool
	tsconfig, nodeargs, packageManager string
}

// options are those the CLI passed as flags, overridden by what a request carries.
func (h *host) options(info *rpc.ProgramInfo) options {
	o := h.defaults
	for k, v := range info.GetOptions().AsMap() {
		s, _ := v.(string)
		switch k {
		case "typescript":
			if b, ok := v.(bool); ok {
				o.typescript = b
			}
		case "tsconfig":
			o.tsconfig = s
		case "nodeargs":
			o.nodeargs = s
		case "packagemanager":
			o.packageManager = s
		}
	}
	return o
}

// command runs a module of the project in dir by node.
func (o options) command(ctx context.Context, dir, module string, args ...string) (*exec.Cmd, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	resolve := exec.CommandContext(ctx, node, "-e", "console.log(require.resolve(process.argv[1]))", module)
	resolve.Dir = dir
	path, err := resolve.Output()
	if err != nil {
		return nil, fmt.Errorf("@pulumi/pulumi is not installed in %s; run npm install", dir)
	}
	all := append(strings.Fields(o.nodeargs), strings.TrimSpace(string(path)))
	cmd := exec.CommandContext(ctx, node, append(all, args...)...)
	cmd.Env = os.Environ()
	if o.typescript {
		cmd.Env = append(cmd.Env, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if o.tsconfig != "" {
		cmd.Env = append(cmd.Env, "PULUMI_NODEJS_TSCONFIG_PATH="+o.tsconfig)
	}
	return cmd, nil
}

// Run runs a program until it ends.
func (h *host) Run(ctx context.Context, r *rpc.RunRequest) (*rpc.RunResponse, error) {
	var args []string
	add := func(k, v string) {
		if v != "" {
			args = append(args, "--"+k, v)
		}
	}
	add("monitor", r.GetMonitorAddress())
	add("engine", h.engine)
	add("organization", r.GetOrganization())
	add("project", r.GetProject())
	add("stack", r.GetStack())
	add("root-directory", r.GetInfo().GetRootDirectory())
	add("pwd", r.GetPwd())
	if r.GetDryRun() {
		args = append(args, "--dry-run")
	}
	add("parallel", fmt.Sprint(r.GetParallel()))
	add("tracing", h.tracing)
	entry := r.GetInfo().GetEntryPoint()
	if entry == "" {
		entry = "."
	}
	if entry == "." && r.GetInfo().GetProgramDirectory() != "" {
		entry = r.GetInfo().GetProgramDirectory()
	}
	args = append(args, entry)
	args = append(args, r.GetArgs()...)
	dir := r.GetInfo().GetProgramDirectory()
	if dir == "" {
		dir = r.GetPwd()
	}
	cmd, err := h.options(r.GetInfo()).command(ctx, dir, "@pulumi/pulumi/cmd/run", args...)
	if err != nil {
		return &rpc.RunResponse{Error: err.Error()}, nil
	}
	cfg := map[string]string{}
	for k, v := range r.GetConfig() {
		key, err := config.ParseKey(k)
		if err != nil {
			return nil, err
		}
		cfg[key.Namespace()+":config:"+key.Name()] = v
	}
	values, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(append([]string{}, r.GetConfigSecretKeys()...))
	if err != nil {
		return nil, err
	}
	cmd.Dir = r.GetPwd()
	cmd.Env = append(cmd.Env, "PULUMI_CONFIG="+string(values), "PULUMI_CONFIG_SECRET_KEYS="+string(secrets))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	_, _ = os.Stdout.Sync(), os.Stderr.Sync()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &rpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == shownToUser:
		return &rpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit):
		return &rpc.RunResponse{Error: fmt.Sprintf("program exited with code %d", exit.ExitCode())}, nil
	}
	return &rpc.RunResponse{Error: err.Error()}, nil
}

// RunPlugin runs a provider written as a TypeScript directory (PulumiPlugin.yaml).
func (h *host) RunPlugin(r *rpc.RunPluginRequest, server rpc.LanguageRuntime_RunPluginServer) error {
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer closer.Close()
	dir := r.GetInfo().GetProgramDirectory()
	cmd, err := h.options(r.GetInfo()).command(server.Context(), dir, "@pulumi/pulumi/cmd/run-plugin",
		append([]string{dir}, r.GetArgs()...)...)
	if err != nil {
		return err
	}
	cmd.Dir = r.GetPwd()
	cmd.Env = append(cmd.Env, r.GetEnv()...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return errors.Join(server.Send(&rpc.RunPluginResponse{
			Output: &rpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())},
		}), closer.Close())
	}
	if err != nil {
		return err
	}
	return closer.Close()
}
