package command_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"pulumi-postgres-ha/toolchain"
	"pulumi-postgres-ha/toolchain/command"
)

// inputs are a program's: plain values by their name in the npm SDK.
type inputs map[string]any

// engine drives one resource as the engine does: checks, diffs, then creates, updates, replaces or deletes.
type engine struct {
	t      *testing.T
	server integration.Server
	urn    resource.URN
	id     string
	state  property.Map
}

func newEngine(t *testing.T, token string) *engine {
	return newEngineWithContext(t, t.Context(), token)
}

func newEngineWithContext(t *testing.T, ctx context.Context, token string) *engine {
	t.Helper()
	version := semver.MustParse(toolchain.PluginVersion("command"))
	server, err := integration.NewServer(ctx, "command", version, integration.WithProvider(command.Provider()))
	if err != nil {
		t.Fatal(err)
	}
	return &engine{t: t, server: server, urn: resource.NewURN("dev", "test", "", tokens.Type(token), "unit")}
}

func toMap(in inputs) property.Map {
	return resource.FromResourcePropertyMap(resource.NewPropertyMapFromMap(in))
}

func (e *engine) check(in inputs) property.Map {
	e.t.Helper()
	checked, err := e.server.Check(p.CheckRequest{Urn: e.urn, State: e.state, Inputs: toMap(in)})
	if err != nil {
		e.t.Fatal(err)
	}
	if len(checked.Failures) > 0 {
		e.t.Fatalf("inputs refused: %v", checked.Failures)
	}
	return checked.Inputs
}

// up brings the resource to the inputs and says what was done: create, same, update or replace.
func (e *engine) up(in inputs) (string, error) {
	e.t.Helper()
	checked := e.check(in)
	if e.id == "" {
		return "create", e.create(checked)
	}
	diff, err := e.server.Diff(p.DiffRequest{ID: e.id, Urn: e.urn, State: e.state, Inputs: checked})
	if err != nil {
		return "", err
	}
	if !diff.HasChanges {
		return "same", nil
	}
	for _, change := range diff.DetailedDiff {
		switch change.Kind {
		case p.AddReplace, p.UpdateReplace, p.DeleteReplace:
			old := p.DeleteRequest{ID: e.id, Urn: e.urn, Properties: e.state}
			if err := e.create(checked); err != nil {
				return "replace", err
			}
			return "replace", e.server.Delete(old)
		}
	}
	updated, err := e.server.Update(p.UpdateRequest{ID: e.id, Urn: e.urn, State: e.state, Inputs: checked})
	if err == nil {
		e.state = e.overTheWire(updated.Properties)
	}
	return "update", err
}

func (e *engine) create(checked property.Map) error {
	created, err := e.server.Create(p.CreateRequest{Urn: e.urn, Properties: checked})
	if err == nil {
		e.id, e.state = created.ID, e.overTheWire(created.Properties)
	}
	return err
}

// overTheWire is what the engine gets when the plugin sends these outputs.
func (e *engine) overTheWire(sent property.Map) property.Map {
	e.t.Helper()
	options := plugin.MarshalOptions{KeepSecrets: true, ComputeAssetHashes: true}
	wire, err := plugin.MarshalProperties(resource.ToResourcePropertyMap(sent), options)
	if err != nil {
		e.t.Fatal(err)
	}
	received, err := plugin.UnmarshalProperties(wire, options)
	if err != nil {
		e.t.Fatal(err)
	}
	return resource.FromResourcePropertyMap(received)
}

// preview asks for the outcome without doing anything.
func (e *engine) preview(in inputs) {
	e.t.Helper()
	checked := e.check(in)
	var err error
	if e.id == "" {
		_, err = e.server.Create(p.CreateRequest{Urn: e.urn, Properties: checked, DryRun: true})
	} else {
		_, err = e.server.Update(p.UpdateRequest{ID: e.id, Urn: e.urn, State: e.state, Inputs: checked, DryRun: true})
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *engine) destroy() error {
	return e.server.Delete(p.DeleteRequest{ID: e.id, Urn: e.urn, Properties: e.state})
}

// mustUp is up for inputs that can't fail, with what should be done.
func (e *engine) mustUp(in inputs, want string) {
	e.t.Helper()
	done, err := e.up(in)
	if err != nil {
		e.t.Fatal(err)
	}
	if done != want {
		e.t.Fatalf("the engine would %s, expected is %s", done, want)
	}
}

func (e *engine) output(name string) string {
	e.t.Helper()
	value := e.state.Get(name)
	if !value.IsString() {
		e.t.Fatalf("output %s is no string: %v", name, value)
	}
	return value.AsString()
}

func (e *engine) wantOutput(name, want string) {
	e.t.Helper()
	if got := e.output(name); got != want {
		e.t.Fatalf("%s is %q, expected is %q", name, got, want)
	}
}

// wantError fails unless the error mentions every part.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected is one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Fatalf("the error lacks %q: %v", part, err)
		}
	}
}

// with is a copy of the inputs with one more.
func (in inputs) with(name string, value any) inputs {
	out := inputs{name: value}
	for k, v := range in {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// logs captures what the plugin shows to the user; without an engine it goes to the default logger.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func captureLogs(t *testing.T) *logs {
	l := &logs{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return l
}

func (l *logs) Write(chunk []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(chunk)
}

func (l *logs) contains(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), part)
}
