package command_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

const remoteCommand = "command:remote:Command"

// runOver creates a command over the connection and returns its error and how long it took.
func runOver(t *testing.T, connection inputs) (error, time.Duration) {
	t.Helper()
	e := newEngine(t, remoteCommand)
	start := time.Now()
	_, err := e.up(inputs{"connection": connection, "create": "echo in"})
	if err == nil {
		e.wantOutput("stdout", "in")
	}
	return err, time.Since(start)
}

func TestLogin(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, private := newKey(t)
	rsaSigner, rsaPrivate := newRSAKey(t)
	_, other := newKey(t)
	acceptKeys := func(s *sshd) { s.keys = []ssh.PublicKey{signer.PublicKey(), rsaSigner.PublicKey()} }
	for name, c := range map[string]struct {
		server func(*sshd)
		login  inputs
		fails  string // what the error says; empty for a login that works
	}{
		"key":                     {acceptKeys, inputs{"privateKey": pemOf(t, private, "")}, ""},
		"RSA key":                 {acceptKeys, inputs{"privateKey": pemOf(t, rsaPrivate, "")}, ""},
		"encrypted key":           {acceptKeys, inputs{"privateKey": pemOf(t, private, "pass"), "privateKeyPassword": "pass"}, ""},
		"encrypted, no password":  {acceptKeys, inputs{"privateKey": pemOf(t, private, "pass")}, "set privateKeyPassword"},
		"encrypted, wrong":        {acceptKeys, inputs{"privateKey": pemOf(t, private, "pass"), "privateKeyPassword": "no"}, "privateKey for 127.0.0.1"},
		"no key at all":           {acceptKeys, inputs{"privateKey": "none"}, "privateKey for 127.0.0.1"},
		"unknown key":             {acceptKeys, inputs{"privateKey": pemOf(t, other, "")}, "unable to authenticate"},
		"agent":                   {acceptKeys, inputs{"agentSocketPath": startAgent(t, &private)}, ""},
		"agent after a wrong key": {acceptKeys, inputs{"privateKey": pemOf(t, other, ""), "agentSocketPath": startAgent(t, &private)}, ""},
		"no agent":                {acceptKeys, inputs{"agentSocketPath": "/nonexistent"}, "SSH agent for 127.0.0.1"},
		"password":                {func(s *sshd) { s.password = "secret" }, inputs{"password": "secret"}, ""},
		"wrong password":          {func(s *sshd) { s.password = "secret" }, inputs{"password": "other"}, "unable to authenticate"},
		"interactive password":    {func(s *sshd) { s.interactive = "secret" }, inputs{"password": "secret"}, ""},
		"password after a wrong key": {
			func(s *sshd) { acceptKeys(s); s.password = "secret" },
			inputs{"privateKey": pemOf(t, other, ""), "password": "secret"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			connection := startSSHD(t, c.server).connection()
			for k, v := range c.login {
				connection[k] = v
			}
			err, _ := runOver(t, connection)
			if c.fails == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError(t, err, c.fails, "127.0.0.1")
			for _, secret := range []string{"secret", "other", "PRIVATE KEY"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows %q: %v", secret, err)
				}
			}
		})
	}
}

func TestLoginByTheUsersAgent(t *testing.T) {
	signer, private := newKey(t)
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, &private))
	server := startSSHD(t, func(s *sshd) { s.keys = []ssh.PublicKey{signer.PublicKey()} })
	if err, _ := runOver(t, server.connection()); err != nil {
		t.Fatal(err)
	}
}

// byPassword makes a server with a password, and a connection that knows it.
func byPassword(t *testing.T, configure func(*sshd), moreHostKeys ...ssh.Signer) (*sshd, inputs) {
	t.Helper()
	server := startSSHD(t, func(s *sshd) {
		s.password = "secret"
		if configure != nil {
			configure(s)
		}
	}, moreHostKeys...)
	return server, server.connection().with("password", "secret")
}

func TestHostKey(t *testing.T) {
	rsaSigner, _ := newRSAKey(t)
	other, _ := newKey(t)
	otherRSA, _ := newRSAKey(t)
	for name, c := range map[string]struct {
		hostKey string
		fails   []string
	}{
		"right":        {"", nil},
		"right RSA":    {authorized(rsaSigner.PublicKey()), nil},
		"wrong":        {authorized(other.PublicKey()), []string{"the host presents the key", ssh.FingerprintSHA256(other.PublicKey())}},
		"wrong RSA":    {authorized(otherRSA.PublicKey()), []string{"the host presents the key"}},
		"another type": {authorized(newECDSAKey(t)), []string{"no common algorithm for host key"}},
		"malformed":    {"not a key", []string{"hostKey of 127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			server, connection := byPassword(t, nil, rsaSigner)
			if c.hostKey != "" {
				connection = connection.with("hostKey", c.hostKey)
			}
			// Were it repeated, the default of ten dials would take half a minute.
			err, took := runOver(t, connection.with("dialErrorLimit", 10))
			if took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if c.fails == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError(t, err, append(c.fails, "127.0.0.1")...)
			if dials := server.dials.Load(); dials > 1 {
				t.Errorf("%d dials, expected is one at most", dials)
			}
		})
	}
}

func TestProxy(t *testing.T) {
	target, connection := byPassword(t, nil)
	jump, jumpConnection := byPassword(t, nil)
	if err, _ := runOver(t, connection.with("proxy", map[string]any(jumpConnection))); err != nil {
		t.Fatal(err)
	}
	if jump.tunnels.Load() != 1 || target.dials.Load() != 1 {
		t.Errorf("%d tunnels and %d dials of the target, expected is one each", jump.tunnels.Load(), target.dials.Load())
	}
	waitClosed(t, jump)
	waitClosed(t, target)

	wrong, _ := newKey(t)
	jumpConnection = jumpConnection.with("hostKey", authorized(wrong.PublicKey()))
	err, _ := runOver(t, connection.with("proxy", map[string]any(jumpConnection)))
	wantError(t, err, "jump host", "the host presents the key")
}

// waitClosed fails unless the server's connections end.
func waitClosed(t *testing.T, s *sshd) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); s.open.Load() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left open", s.open.Load())
		}
	}
}

func TestConnectionIsClosed(t *testing.T) {
	server, connection := byPassword(t, nil)
	if err, _ := runOver(t, connection); err != nil {
		t.Fatal(err)
	}
	waitClosed(t, server)
}

func TestDialIsRepeated(t *testing.T) {
	server, connection := byPassword(t, func(s *sshd) { s.dropFirst = 1 })
	if err, _ := runOver(t, connection.with("dialErrorLimit", 3)); err != nil {
		t.Fatal(err)
	}
	if dials := server.dials.Load(); dials != 2 {
		t.Errorf("%d dials, expected are 2", dials)
	}

	server, connection = byPassword(t, func(s *sshd) { s.dropFirst = 100 })
	err, _ := runOver(t, connection.with("dialErrorLimit", 2))
	wantError(t, err, "127.0.0.1", "gave up after 2 dials")
	if dials := server.dials.Load(); dials != 2 {
		t.Errorf("%d dials, expected are 2", dials)
	}
}

func TestSilentHostTimesOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	err, took := runOver(t, inputs{"host": "127.0.0.1", "port": port, "perDialTimeout": 1, "dialErrorLimit": 1})
	wantError(t, err, "127.0.0.1", "no connection within 1s")
	if took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestCancelEndsTheCommand(t *testing.T) {
	server, connection := byPassword(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := newEngineWithContext(t, ctx, remoteCommand).up(inputs{"connection": connection, "create": "sleep 20"})
	wantError(t, err, "127.0.0.1")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if dials := server.dials.Load(); dials != 1 {
		t.Errorf("%d dials, expected is one", dials)
	}
}
