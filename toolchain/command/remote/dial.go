package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxPause bounds the growing pause between two dials.
const maxPause = 5 * time.Second

// client is a connection to a host, with the one to the jump host below it.
type client struct {
	*ssh.Client
	host string
	jump *ssh.Client
}

// Close ends both connections.
func (c *client) Close() error {
	err := c.Client.Close()
	if c.jump != nil {
		err = errors.Join(err, c.jump.Close())
	}
	return err
}

// dial connects. The client is closed when ctx ends.
func (c *Connection) dial(ctx context.Context) (*client, error) {
	result := &client{host: c.Host}
	connect := (&net.Dialer{}).DialContext
	if c.Proxy != nil {
		jump, err := c.Proxy.connect(ctx, connect)
		if err != nil {
			return nil, fmt.Errorf("jump host: %w", err)
		}
		result.jump = jump
		connect = jump.DialContext
	}
	var err error
	if result.Client, err = c.connect(ctx, connect); err != nil {
		if result.jump != nil {
			_ = result.jump.Close()
		}
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = result.Close() })
	return result, nil
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// connect repeats failed dials as the connection asks, but not those that can't get better.
func (e *endpoint) connect(ctx context.Context, dial dialFunc) (*ssh.Client, error) {
	limit := valueOr(e.DialErrorLimit, defaultDialErrorLimit)
	for try := 1; ; try++ {
		client, err := e.connectOnce(ctx, dial)
		if err == nil {
			return client, nil
		}
		if permanent(err) {
			return nil, fmt.Errorf("ssh to %s: %w", e.address(), err)
		}
		if limit >= 0 && try >= limit {
			return nil, fmt.Errorf("ssh to %s: gave up after %d dials: %w", e.address(), try, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("ssh to %s: %w", e.address(), errors.Join(ctx.Err(), err))
		case <-time.After(min(time.Duration(try)*time.Second, maxPause)):
		}
	}
}

// configError is a connection that no host would make good.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

func permanent(err error) bool {
	var config configError
	var hostKey *hostKeyError
	var negotiation *ssh.AlgorithmNegotiationError
	return errors.As(err, &config) || errors.As(err, &hostKey) || errors.As(err, &negotiation)
}

func (e *endpoint) connectOnce(ctx context.Context, dial dialFunc) (*ssh.Client, error) {
	config, closer, err := e.clientConfig()
	if err != nil {
		return nil, configError{err}
	}
	defer closer.Close()
	if timeout := e.timeout(); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout,
			fmt.Errorf("no connection within %s (perDialTimeout)", timeout))
		defer cancel()
	}
	conn, err := dial(ctx, "tcp", e.address())
	if err != nil {
		return nil, errors.Join(context.Cause(ctx), err)
	}
	// The handshake knows no context, and a connection through a jump host no deadline.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	sshConn, channels, requests, err := ssh.NewClientConn(conn, e.address(), config)
	if !stop() {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ssh.NewClient(sshConn, channels, requests), nil
}
