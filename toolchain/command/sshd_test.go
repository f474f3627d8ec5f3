package command_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// sshd is a server on loopback that runs what it is asked to on this machine.
type sshd struct {
	t        *testing.T
	listener net.Listener
	hostKey  string // as the input hostKey wants it

	// What it accepts; set before the first connection.
	keys        []ssh.PublicKey
	password    string
	interactive string
	acceptEnv   []string
	noSFTP      bool
	dropFirst   int32

	dials, open, tunnels atomic.Int32
}

func newKey(t *testing.T) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signerOf(t, private), private
}

func newRSAKey(t *testing.T) (ssh.Signer, *rsa.PrivateKey) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signerOf(t, private), private
}

func newECDSAKey(t *testing.T) ssh.PublicKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signerOf(t, private).PublicKey()
}

func signerOf(t *testing.T, private any) ssh.Signer {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// pemOf is the text of a private key, encrypted when there is a passphrase.
func pemOf(t *testing.T, private any, passphrase string) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func authorized(key ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(key)) }

// startSSHD starts a server with a host key of its own, and more if given.
func startSSHD(t *testing.T, configure func(*sshd), moreHostKeys ...ssh.Signer) *sshd {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, _ := newKey(t)
	s := &sshd{t: t, listener: listener, hostKey: authorized(host.PublicKey())}
	configure(s)
	config := &ssh.ServerConfig{}
	if len(s.keys) > 0 {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if slices.ContainsFunc(s.keys, func(k ssh.PublicKey) bool { return string(k.Marshal()) == string(key.Marshal()) }) {
				return nil, nil
			}
			return nil, errors.New("unknown key")
		}
	}
	if s.password != "" {
		config.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) == s.password {
				return nil, nil
			}
			return nil, errors.New("wrong password")
		}
	}
	if s.interactive != "" {
		config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err == nil && len(answers) == 1 && answers[0] == s.interactive {
				return nil, nil
			}
			return nil, errors.New("wrong answer")
		}
	}
	for _, key := range append([]ssh.Signer{host}, moreHostKeys...) {
		config.AddHostKey(key)
	}
	go s.accept(config)
	t.Cleanup(func() { _ = listener.Close() })
	return s
}

func (s *sshd) accept(config *ssh.ServerConfig) {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.dials.Add(1) <= s.dropFirst {
			_ = conn.Close()
			continue
		}
		go s.serve(conn, config)
	}
}

func (s *sshd) serve(conn net.Conn, config *ssh.ServerConfig) {
	s.open.Add(1)
	defer s.open.Add(-1)
	defer conn.Close()
	client, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer client.Close()
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			go s.session(channel)
		case "direct-tcpip":
			go s.tunnel(channel)
		default:
			_ = channel.Reject(ssh.UnknownChannelType, channel.ChannelType())
		}
	}
}

func (s *sshd) session(offered ssh.NewChannel) {
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	env := os.Environ()
	for request := range requests {
		switch request.Type {
		case "env":
			var variable struct{ Name, Value string }
			_ = ssh.Unmarshal(request.Payload, &variable)
			accepted := slices.Contains(s.acceptEnv, variable.Name)
			if accepted {
				env = append(env, variable.Name+"="+variable.Value)
			}
			_ = request.Reply(accepted, nil)
		case "exec":
			var exec struct{ Command string }
			_ = ssh.Unmarshal(request.Payload, &exec)
			_ = request.Reply(true, nil)
			status := execute(channel, exec.Command, env)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			return
		case "subsystem":
			_ = request.Reply(!s.noSFTP, nil)
			if s.noSFTP {
				return
			}
			if server, err := sftp.NewServer(channel); err == nil {
				_ = server.Serve()
			}
			return
		default:
			_ = request.Reply(false, nil)
		}
	}
}

func execute(channel ssh.Channel, script string, env []string) uint32 {
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, channel, channel, channel.Stderr()
	cmd.WaitDelay = time.Second
	var exit *exec.ExitError
	if errors.As(cmd.Run(), &exit) {
		return uint32(exit.ExitCode())
	}
	return 0
}

func (s *sshd) tunnel(offered ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	_ = ssh.Unmarshal(offered.ExtraData(), &to)
	target, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(to.Host), Port: int(to.Port)})
	if err != nil {
		_ = offered.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer target.Close()
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	s.tunnels.Add(1)
	go ssh.DiscardRequests(requests)
	go func() { _, _ = io.Copy(target, channel); _ = target.Close() }()
	_, _ = io.Copy(channel, target)
}

// connection is the input of that name, without a login.
func (s *sshd) connection() inputs {
	address := s.listener.Addr().(*net.TCPAddr)
	return inputs{"host": address.IP.String(), "port": address.Port, "hostKey": s.hostKey, "dialErrorLimit": 1}
}

// startAgent serves an SSH agent that holds the keys and returns its socket.
func startAgent(t *testing.T, keys ...any) string {
	t.Helper()
	keyring := agent.NewKeyring()
	for _, key := range keys {
		if err := keyring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(t.TempDir(), "agent.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); _ = agent.ServeAgent(keyring, conn) }()
		}
	}()
	return socket
}
