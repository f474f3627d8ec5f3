package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestRemoteCommandLifecycle(t *testing.T) {
	_, connection := byPassword(t, nil)
	log := filepath.Join(t.TempDir(), "log")
	note := func(word string) string { return fmt.Sprintf("echo %s | tee -a %s", word, log) }
	in := inputs{
		"connection": connection, "addPreviousOutputInEnv": false,
		"create": note("create"), "update": note("update"), "delete": note("delete"), "stdin": "one",
	}
	e := newEngine(t, remoteCommand)
	e.mustUp(in, "create")
	e.wantOutput("stdout", "create")
	e.wantOutput("stderr", "")
	e.mustUp(in, "same")
	e.mustUp(in.with("stdin", "two"), "update")
	e.wantOutput("stdout", "update")
	e.mustUp(in.with("triggers", []any{"x"}), "replace")
	e.wantOutput("stdout", "create")
	if err := e.destroy(); err != nil {
		t.Fatal(err)
	}
	wantFile(t, log, "create\nupdate\ncreate\ndelete\ndelete\n")
}

func wantFile(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Fatalf("%s holds %q, expected is %q", name, got, want)
	}
}

func TestRemoteUpdateWithoutItsCommandCreatesAgain(t *testing.T) {
	_, connection := byPassword(t, nil)
	e := newEngine(t, remoteCommand)
	in := inputs{"connection": connection, "create": "cat", "addPreviousOutputInEnv": false}
	e.mustUp(in.with("stdin", "one\n"), "create")
	e.wantOutput("stdout", "one")
	e.mustUp(in.with("stdin", "two\n"), "update")
	e.wantOutput("stdout", "two")
	if err := e.destroy(); err != nil {
		t.Fatal(err)
	}
}

func TestRemotePreviewRunsNothing(t *testing.T) {
	server, connection := byPassword(t, nil)
	e := newEngine(t, remoteCommand)
	e.preview(inputs{"connection": connection, "create": "echo in"})
	e.mustUp(inputs{"connection": connection, "create": "echo in"}, "create")
	e.preview(inputs{"connection": connection, "create": "echo other"})
	if dials := server.dials.Load(); dials != 1 {
		t.Errorf("%d dials, expected is the one of the creation", dials)
	}
}

func TestRemoteFailure(t *testing.T) {
	_, connection := byPassword(t, nil)
	e := newEngine(t, remoteCommand)
	_, err := e.up(inputs{"connection": connection, "create": "echo said; echo why >&2; exit 3"})
	wantError(t, err, "127.0.0.1", "status 3", "said\n", "why\n")
	if e.id != "" {
		t.Error("a resource is left of a failed creation")
	}
}

func TestRemoteFailureOfALongScript(t *testing.T) {
	_, connection := byPassword(t, nil)
	long := strings.Repeat("true; ", 100)
	_, err := newEngine(t, remoteCommand).up(inputs{"connection": connection, "create": long + "echo why; exit 3"})
	wantError(t, err, "status 3", `tr..."`, "why\n")
	if strings.Contains(err.Error(), long) {
		t.Errorf("the error shows the whole script: %v", err)
	}
}

func TestRemoteFailedUpdateKeepsTheState(t *testing.T) {
	_, connection := byPassword(t, nil)
	e := newEngine(t, remoteCommand)
	in := inputs{"connection": connection, "create": "echo first", "addPreviousOutputInEnv": false}
	e.mustUp(in, "create")
	_, err := e.up(in.with("create", "echo second; exit 1"))
	wantError(t, err, "status 1")
	e.wantOutput("stdout", "first")
	e.mustUp(in.with("create", "echo third"), "update")
	e.wantOutput("stdout", "third")
}

func TestRemoteStdinEndsWhenNoneIsGiven(t *testing.T) {
	_, connection := byPassword(t, nil)
	e := newEngine(t, remoteCommand)
	e.mustUp(inputs{"connection": connection, "create": "cat; echo end"}, "create")
	e.wantOutput("stdout", "end")
}

func TestRemoteOutputThatIsNotUTF8(t *testing.T) {
	_, connection := byPassword(t, nil)
	e := newEngine(t, remoteCommand)
	e.mustUp(inputs{"connection": connection, "create": `printf 'a\377b'`}, "create")
	e.wantOutput("stdout", "a\uFFFDb")
}

func TestRemoteEnvironment(t *testing.T) {
	_, connection := byPassword(t, func(s *sshd) { s.acceptEnv = []string{"GOOD"} })
	e := newEngine(t, remoteCommand)
	e.mustUp(inputs{"connection": connection, "create": "echo $GOOD", "environment": map[string]any{"GOOD": "yes"}}, "create")
	e.wantOutput("stdout", "yes")

	_, err := newEngine(t, remoteCommand).up(inputs{
		"connection": connection, "create": "true", "environment": map[string]any{"BAD": "sensitive"},
	})
	wantError(t, err, "127.0.0.1", `"BAD"`, "AcceptEnv")
	if strings.Contains(err.Error(), "sensitive") {
		t.Errorf("the error shows the value: %v", err)
	}
}

func TestRemotePreviousOutput(t *testing.T) {
	names := []string{"PULUMI_COMMAND_STDOUT", "PULUMI_COMMAND_STDERR"}
	const show = "echo previous $PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR"
	for name, c := range map[string]struct {
		accepted []string
		add      any
		want     string
		warns    bool
	}{
		"by default":            {names, nil, "previous out err", false},
		"asked for":             {names, true, "previous out err", false},
		"not wanted":            {names, false, "previous", false},
		"refused by the host":   {nil, nil, "previous", true},
		"not wanted, not taken": {nil, false, "previous", false},
	} {
		t.Run(name, func(t *testing.T) {
			shown := captureLogs(t)
			_, connection := byPassword(t, func(s *sshd) { s.acceptEnv = c.accepted })
			in := inputs{"connection": connection, "create": "echo out; echo err >&2", "update": show}
			if c.add != nil {
				in = in.with("addPreviousOutputInEnv", c.add)
			}
			e := newEngine(t, remoteCommand)
			e.mustUp(in, "create")
			e.mustUp(in.with("stdin", "changed"), "update")
			e.wantOutput("stdout", c.want)
			if warned := shown.contains("AcceptEnv"); warned != c.warns {
				t.Errorf("warned: %v, expected is %v", warned, c.warns)
			}
		})
	}
}

func TestRemoteLogging(t *testing.T) {
	_, connection := byPassword(t, nil)
	for mode, want := range map[string]struct{ stdout, stderr bool }{
		"": {true, true}, "stdoutAndStderr": {true, true}, "stdout": {true, false}, "stderr": {false, true}, "none": {false, false},
	} {
		t.Run("mode "+mode, func(t *testing.T) {
			shown := captureLogs(t)
			in := inputs{"connection": connection, "create": "echo to-out; printf to-err >&2"}
			if mode != "" {
				in = in.with("logging", mode)
			}
			e := newEngine(t, remoteCommand)
			e.mustUp(in, "create")
			e.wantOutput("stdout", "to-out")
			e.wantOutput("stderr", "to-err")
			if got := shown.contains("msg=to-out"); got != want.stdout {
				t.Errorf("stdout shown: %v", got)
			}
			if got := shown.contains("msg=to-err"); got != want.stderr {
				t.Errorf("stderr shown: %v", got)
			}
		})
	}
}

func TestRemoteSecretsStaySecret(t *testing.T) {
	e := newEngine(t, remoteCommand)
	checked := e.check(inputs{
		"connection": inputs{
			"host": "h", "password": "p", "privateKey": "k",
			"proxy": map[string]any{"host": "j", "password": "p"},
		},
		"create": "true",
	})
	connection := checked.Get("connection")
	if !connection.Secret() {
		t.Errorf("the connection is not secret: %v", connection)
	}
	proxy := connection.AsMap().Get("proxy").AsMap()
	for _, value := range []property.Value{connection.AsMap().Get("password"), connection.AsMap().Get("privateKey"), proxy.Get("password")} {
		if !value.Secret() {
			t.Errorf("%v is not secret", value)
		}
	}
	for name, want := range map[string]float64{"port": 22, "dialErrorLimit": 10, "perDialTimeout": 15} {
		if got := proxy.Get(name); !got.IsNumber() || got.AsNumber() != want {
			t.Errorf("the default of %s is %v, expected is %v", name, got, want)
		}
	}
}
