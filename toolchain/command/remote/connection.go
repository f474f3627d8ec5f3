// Package remote runs commands on other hosts and copies files to them, over SSH.
package remote

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// The defaults of the npm SDK.
const (
	defaultUser           = "root"
	defaultPort           = 22
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15
)

type endpoint struct {
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional" provider:"secret"`
	Host               string   `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional" provider:"secret"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional" provider:"secret"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
}

// ProxyConnection is how to reach a jump host.
type ProxyConnection struct{ endpoint }

// Connection is how to reach a host, through a jump host where one is given.
type Connection struct {
	endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// Annotate sets the defaults.
func (e *endpoint) Annotate(a infer.Annotator) {
	a.SetDefault(&e.User, defaultUser)
	a.SetDefault(&e.Port, defaultPort)
	a.SetDefault(&e.DialErrorLimit, defaultDialErrorLimit)
	a.SetDefault(&e.PerDialTimeout, defaultPerDialTimeout)
}

func valueOr[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

func (e *endpoint) address() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(int(valueOr(e.Port, defaultPort))))
}

// timeout bounds one dial with its handshake; 0 is no bound.
func (e *endpoint) timeout() time.Duration {
	return time.Duration(valueOr(e.PerDialTimeout, defaultPerDialTimeout)) * time.Second
}

// clientConfig is the configuration of the handshake, and what to close after it.
func (e *endpoint) clientConfig() (*ssh.ClientConfig, io.Closer, error) {
	config := &ssh.ClientConfig{
		User: valueOr(e.User, defaultUser),
		// The npm SDK documents that a connection without hostKey is not verified.
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	if e.HostKey != nil {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, nil, fmt.Errorf("hostKey of %s is not in the form %q: %w", e.Host, "ssh-ed25519 AAAA...", err)
		}
		config.HostKeyCallback = verifyHostKey(key)
		config.HostKeyAlgorithms = algorithms(key)
	}
	signers, closer, err := e.signers()
	if err != nil {
		return nil, nil, err
	}
	// One method for all keys: the client tries each method only once.
	config.Auth = append(config.Auth, ssh.PublicKeysCallback(signers))
	if e.Password != nil {
		password := *e.Password
		config.Auth = append(config.Auth, ssh.Password(password),
			ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range answers {
					answers[i] = password
				}
				return answers, nil
			}))
	}
	return config, closer, nil
}

type noCloser struct{}

func (noCloser) Close() error { return nil }

// signers offers the private key first, then the agent's keys.
func (e *endpoint) signers() (func() ([]ssh.Signer, error), io.Closer, error) {
	var own []ssh.Signer
	if e.PrivateKey != nil {
		signer, err := parsePrivateKey(*e.PrivateKey, e.PrivateKeyPassword)
		if err != nil {
			return nil, nil, fmt.Errorf("privateKey for %s: %w", e.Host, err)
		}
		own = append(own, signer)
	}
	offerOwn := func() ([]ssh.Signer, error) { return own, nil }

	socket := valueOr(e.AgentSocketPath, os.Getenv("SSH_AUTH_SOCK"))
	if socket == "" {
		return offerOwn, noCloser{}, nil
	}
	conn, err := net.Dial("unix", socket)
	switch {
	case err != nil && e.AgentSocketPath != nil:
		return nil, nil, fmt.Errorf("SSH agent for %s: %w", e.Host, err)
	case err != nil: // a stale SSH_AUTH_SOCK is nobody's wish
		return offerOwn, noCloser{}, nil
	}
	return func() ([]ssh.Signer, error) {
		held, err := agent.NewClient(conn).Signers()
		if err != nil {
			return nil, fmt.Errorf("SSH agent for %s: %w", e.Host, err)
		}
		return append(own, held...), nil
	}, conn, nil
}

func parsePrivateKey(text string, passphrase *string) (ssh.Signer, error) {
	if passphrase != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(*passphrase))
	}
	signer, err := ssh.ParsePrivateKey([]byte(text))
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		return nil, errors.New("it is encrypted: set privateKeyPassword")
	}
	return signer, err
}

// hostKeyError is a host that presents another key than the expected one.
type hostKeyError struct{ want, got ssh.PublicKey }

func (e *hostKeyError) Error() string {
	return fmt.Sprintf("the host presents the key %s %s, expected is %s %s: somebody may be in between; "+
		"if the host was reinstalled, set hostKey to its new key",
		e.got.Type(), ssh.FingerprintSHA256(e.got), e.want.Type(), ssh.FingerprintSHA256(e.want))
}

func verifyHostKey(want ssh.PublicKey) ssh.HostKeyCallback {
	fixed := ssh.FixedHostKey(want)
	return func(host string, remote net.Addr, got ssh.PublicKey) error {
		if err := fixed(host, remote, got); err != nil {
			return &hostKeyError{want: want, got: got}
		}
		return nil
	}
}

// algorithms makes the host present the key that is expected, of the several it has.
func algorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA { // the key's type is not a signature that today's hosts make
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}
