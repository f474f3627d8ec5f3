package command_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
)

const localCommand = "command:local:Command"

func TestLocalCommandLifecycle(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	note := func(word string) string {
		return fmt.Sprintf("echo %s $PULUMI_COMMAND_STDOUT $NAME | tee -a %s", word, log)
	}
	in := inputs{
		"create": note("create"), "update": note("update"), "delete": note("delete"),
		"environment": map[string]any{"NAME": "a"},
	}
	e := newEngine(t, localCommand)
	e.mustUp(in, "create")
	e.wantOutput("stdout", "create a")
	e.mustUp(in, "same")
	e.mustUp(in.with("environment", map[string]any{"NAME": "b"}), "update")
	e.wantOutput("stdout", "update create a b")
	e.mustUp(in.with("triggers", []any{"x"}), "replace")
	if err := e.destroy(); err != nil {
		t.Fatal(err)
	}
	wantFile(t, log, "create a\nupdate create a b\ncreate a\ndelete update create a b b\ndelete create a a\n")
}

func TestLocalInputs(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		in   inputs
		want string
	}{
		"stdin":              {inputs{"create": "cat", "stdin": "text"}, "text"},
		"dir":                {inputs{"create": "pwd -P", "dir": dir}, dir},
		"interpreter":        {inputs{"create": "text", "interpreter": []any{"echo", "-n", "interpreted"}}, "interpreted text"},
		"environment":        {inputs{"create": "echo $A$B", "environment": map[string]any{"A": "1", "B": "2"}}, "12"},
		"one line break off": {inputs{"create": `printf 'a\n\n'`}, "a\n"},
		"nothing to create":  {inputs{"update": "echo updated"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, localCommand)
			e.mustUp(c.in, "create")
			e.wantOutput("stdout", c.want)
		})
	}
}

func TestLocalPreviousOutputCanBeLeftOut(t *testing.T) {
	e := newEngine(t, localCommand)
	in := inputs{"create": "echo out", "update": "echo previous $PULUMI_COMMAND_STDOUT", "addPreviousOutputInEnv": false}
	e.mustUp(in, "create")
	e.mustUp(in.with("stdin", "changed"), "update")
	e.wantOutput("stdout", "previous")
}

func TestLocalLogging(t *testing.T) {
	shown := captureLogs(t)
	newEngine(t, localCommand).mustUp(inputs{"create": "echo quiet; echo silent >&2", "logging": "none"}, "create")
	newEngine(t, localCommand).mustUp(inputs{"create": "echo loud; echo silent >&2", "logging": "stdout"}, "create")
	if shown.contains("quiet") || shown.contains("silent") || !shown.contains("msg=loud") {
		t.Errorf("shown is %s", shown.text.String())
	}
}

func TestLocalFailure(t *testing.T) {
	e := newEngine(t, localCommand)
	_, err := e.up(inputs{"create": "echo said; echo why >&2; exit 3"})
	wantError(t, err, "exit status 3", "said\n", "why\n")
	_, err = newEngine(t, localCommand).up(inputs{"create": "true", "dir": "/nonexistent"})
	wantError(t, err, "/nonexistent")
}

func TestLocalFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"index.js", "lib/a.js", "lib/secret.js", "lib/deep/b.js", "lib/c.css"} {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ patterns, want []any }{
		"one level":         {[]any{"*.js"}, []any{"index.js"}},
		"all levels":        {[]any{"**.js"}, []any{"index.js", "lib/a.js", "lib/deep/b.js", "lib/secret.js"}},
		"some left out":     {[]any{"lib/**", "!**secret.*"}, []any{"lib/a.js", "lib/c.css", "lib/deep/b.js"}},
		"the last rule won": {[]any{"!**secret.*", "lib/*.js"}, []any{"lib/a.js", "lib/secret.js"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, localCommand)
			e.mustUp(inputs{"create": "true", "dir": dir, "assetPaths": c.patterns, "archivePaths": c.patterns}, "create")
			assets := e.state.Get("assets").AsMap().AsMap()
			archive := e.state.Get("archive").AsArchive()
			inArchive := slices.Sorted(maps.Keys(archive.Assets))
			if got := slices.Sorted(maps.Keys(assets)); fmt.Sprint(got) != fmt.Sprint(c.want) || fmt.Sprint(inArchive) != fmt.Sprint(c.want) {
				t.Fatalf("assets are %v, the archive holds %v, expected is %v", got, inArchive, c.want)
			}
			for name, asset := range assets {
				if got := asset.AsAsset().Path; got != filepath.Join(dir, name) {
					t.Errorf("the path of %s is %s", name, got)
				}
			}
		})
	}
	_, err := newEngine(t, localCommand).up(inputs{"create": "true", "dir": dir, "assetPaths": []any{"[a"}})
	wantError(t, err, `"[a"`)
}

func TestLocalRunFunction(t *testing.T) {
	e := newEngine(t, localCommand)
	result, err := e.server.Invoke(p.InvokeRequest{
		Token: "command:local:run", Args: toMap(inputs{"command": "cat; echo $X", "stdin": "in\n", "environment": map[string]any{"X": "x"}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Return.Get("stdout"); !got.IsString() || got.AsString() != "in\nx" {
		t.Errorf("stdout is %v", got)
	}
	_, err = e.server.Invoke(p.InvokeRequest{Token: "command:local:run", Args: toMap(inputs{"command": "exit 4"})})
	wantError(t, err, "exit status 4")
}
