package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// project writes files by their path below a new folder.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runner stands for @pulumi/pulumi's: it writes down what it was called with and exits as it is told.
func runner(t *testing.T, exitCode int) (dir string, calledWith func() string) {
	t.Helper()
	dir = project(t, map[string]string{
		"node_modules/@pulumi/pulumi/cmd/run/index.js": fmt.Sprintf(`
			const { PULUMI_CONFIG, PULUMI_CONFIG_SECRET_KEYS, PULUMI_NODEJS_TYPESCRIPT } = process.env;
			require("fs").writeFileSync("called", [process.argv.slice(2).join(" "),
				PULUMI_CONFIG, PULUMI_CONFIG_SECRET_KEYS, PULUMI_NODEJS_TYPESCRIPT].join("\n"));
			process.exit(%d);`, exitCode),
	})
	return dir, func() string {
		raw, err := os.ReadFile(filepath.Join(dir, "called"))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
}

func runRequest(dir string) *rpc.RunRequest {
	return &rpc.RunRequest{
		Project: "p", Stack: "s", Organization: "o", Pwd: dir, MonitorAddress: "monitor:1", Parallel: 4, DryRun: true,
		Config: map[string]string{"p:b": "1"}, ConfigSecretKeys: []string{"p:b"}, Args: []string{"arg"},
		Info: &rpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir, EntryPoint: "index.ts"},
	}
}

func TestRunCallsTheSDKsRunner(t *testing.T) {
	dir, calledWith := runner(t, 0)
	h := &host{engine: "engine:2", defaults: options{typescript: true}}
	response, err := h.Run(t.Context(), runRequest(dir))
	if err != nil || response.GetError() != "" || response.GetBail() {
		t.Fatalf("%v, %v", response, err)
	}
	want := strings.Join([]string{
		"--monitor monitor:1 --engine engine:2 --organization o --project p --stack s --root-directory " + dir +
			" --pwd " + dir + " --dry-run --parallel 4 index.ts arg",
		`{"p:config:b":"1"}`, `["p:b"]`, "true",
	}, "\n")
	if got := calledWith(); got != want {
		t.Errorf("called with\n%s\nexpected is\n%s", got, want)
	}
}

func TestRunReportsFailures(t *testing.T) {
	for code, want := range map[int]*rpc.RunResponse{
		shownToUser: {Bail: true},
		7:           {Error: "program exited with code 7"},
	} {
		dir, _ := runner(t, code)
		got, err := (&host{}).Run(t.Context(), runRequest(dir))
		if err != nil || got.GetBail() != want.GetBail() || got.GetError() != want.GetError() {
			t.Errorf("exit code %d: %v, %v; expected is %v", code, got, err, want)
		}
	}
	empty := t.TempDir()
	got, err := (&host{}).Run(t.Context(), runRequest(empty))
	if err != nil || !strings.Contains(got.GetError(), "run npm install") {
		t.Errorf("without an SDK: %v, %v", got, err)
	}
}

func TestOptionsOfTheRequestWin(t *testing.T) {
	h := &host{defaults: options{typescript: true, nodeargs: "--a", tsconfig: "old"}}
	values, err := structpb.NewStruct(map[string]any{"typescript": false, "tsconfig": "new", "packagemanager": "pnpm"})
	if err != nil {
		t.Fatal(err)
	}
	want := options{typescript: false, nodeargs: "--a", tsconfig: "new", packageManager: "pnpm"}
	if got := h.options(&rpc.ProgramInfo{Options: values}); got != want {
		t.Errorf("got %+v, expected is %+v", got, want)
	}
}

func TestRequiredPackages(t *testing.T) {
	dir := project(t, map[string]string{
		"node_modules/plain/package.json":                     `{"name":"plain","version":"1.0.0"}`,
		"node_modules/.cache/package.json":                    `{"name":"hidden","version":"1.0.0","pulumi":{"resource":true}}`,
		"node_modules/@pulumi/docker/package.json":            `{"name":"@pulumi/docker","version":"5.2.0","pulumi":{"resource":true,"name":"docker","version":"5.2.0"}}`,
		"node_modules/@pulumi/bare/package.json":              `{"name":"@pulumi/bare","version":"v1.2.3","pulumi":{"resource":true}}`,
		"node_modules/plain/node_modules/nested/package.json": `{"name":"nested","version":"2.0.0","pulumi":{"resource":true,"server":"https://example.com"}}`,
		"node_modules/param/package.json":                     `{"name":"param","version":"3.0.0","pulumi":{"resource":true,"name":"base","parameterization":{"name":"param","version":"3.0.0","value":"dmFsdWU="}}}`,
	})
	program := filepath.Join(dir, "program")
	if err := os.Mkdir(program, 0o700); err != nil {
		t.Fatal(err)
	}
	response, err := (&host{}).GetRequiredPackages(t.Context(), &rpc.GetRequiredPackagesRequest{
		Info: &rpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: program},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range response.GetPackages() {
		got = append(got, fmt.Sprint(p.GetName(), p.GetVersion(), p.GetServer(), string(p.GetParameterization().GetValue())))
	}
	want := []string{"barev1.2.3", "basev3.0.0value", "dockerv5.2.0", "nestedv2.0.0https://example.com"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, expected is %q", got, want)
	}
}

func TestRequiredPackagesWithABrokenParameterization(t *testing.T) {
	dir := project(t, map[string]string{
		"node_modules/param/package.json": `{"name":"param","pulumi":{"resource":true,"parameterization":{"value":"%%"}}}`,
	})
	_, err := (&host{}).GetRequiredPackages(t.Context(), &rpc.GetRequiredPackagesRequest{
		Info: &rpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir},
	})
	if err == nil || !strings.Contains(err.Error(), "param") {
		t.Errorf("the error is %v", err)
	}
}

func TestServedMethodsAnswerOverGRPC(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, h := grpc.NewServer(), &host{}
	rpc.RegisterLanguageRuntimeServer(server, h)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := rpc.NewLanguageRuntimeClient(conn)

	if _, err := client.Handshake(t.Context(), &rpc.LanguageHandshakeRequest{EngineAddress: "engine:3"}); err != nil {
		t.Error(err)
	}
	if h.engine != "engine:3" {
		t.Errorf("the engine's address is %q after the handshake", h.engine)
	}
	about, err := client.About(t.Context(), &rpc.AboutRequest{})
	if err != nil || !strings.HasPrefix(about.GetVersion(), "v") {
		t.Errorf("about: %v, %v", about, err)
	}
	info, err := client.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || info.GetVersion() != version {
		t.Errorf("plugin info: %v, %v", info, err)
	}
}
