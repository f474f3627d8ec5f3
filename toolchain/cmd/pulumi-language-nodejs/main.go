// Command pulumi-language-nodejs is the Node.js language host of the Pulumi CLI.
// The official one is not published as a Go module at a version that today's
// CLI works with; this one runs programs and plugins by @pulumi/pulumi as
// installed in the project.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engineTimeout is how long the engine may be silent before the host ends.
const engineTimeout = 5 * time.Minute

// version is set by the linker.
var version = "dev"

// host serves the engine's language protocol.
type host struct {
	rpc.UnimplementedLanguageRuntimeServer
	engine, tracing string
	defaults        options
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serve() error {
	h := &host{}
	flag.StringVar(&h.tracing, "tracing", "", "where traces go")
	flag.BoolVar(&h.defaults.typescript, "typescript", true, "run TypeScript directly")
	flag.StringVar(&h.defaults.tsconfig, "tsconfig", "", "the tsconfig.json to use")
	flag.StringVar(&h.defaults.nodeargs, "nodeargs", "", "arguments for node")
	flag.StringVar(&h.defaults.packageManager, "packagemanager", "", "npm, yarn, pnpm or bun")
	flag.String("root", "", "the project's root; each request carries it as well")
	flag.Parse()
	h.engine = flag.Arg(0)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if h.engine != "" {
		if err := rpcutil.Healthcheck(ctx, h.engine, engineTimeout, cancel); err != nil {
			return err
		}
	}
	stop := make(chan bool)
	context.AfterFunc(ctx, func() { close(stop) })
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(s *grpc.Server) error {
			rpc.RegisterLanguageRuntimeServer(s, h)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(server.Port)
	return <-server.Done
}

// Handshake tells the engine's address to a host that was started without it.
func (h *host) Handshake(_ context.Context, r *rpc.LanguageHandshakeRequest) (*rpc.LanguageHandshakeResponse, error) {
	if h.engine == "" {
		h.engine = r.GetEngineAddress()
	}
	return &rpc.LanguageHandshakeResponse{}, nil
}

// Cancel has nothing to do: a run ends with its request.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetPluginInfo tells the version.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: version}, nil
}

// RuntimeOptionsPrompts asks nothing when a project is made.
func (h *host) RuntimeOptionsPrompts(context.Context, *rpc.RuntimeOptionsRequest) (*rpc.RuntimeOptionsResponse, error) {
	return &rpc.RuntimeOptionsResponse{}, nil
}

// About tells which Node runs programs.
func (h *host) About(ctx context.Context, _ *rpc.AboutRequest) (*rpc.AboutResponse, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	return &rpc.AboutResponse{Executable: node, Version: strings.TrimSpace(string(out))}, err
}
