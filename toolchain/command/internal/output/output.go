// Package output captures what a command prints and shows it while it runs.
package output

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// The values of the input logging: which streams are shown while the command runs.
const (
	logStdout = "stdout"
	logStderr = "stderr"
	logBoth   = "stdoutAndStderr"
	logNone   = "none"
)

// LoggingValues describes the input logging. Each module has an enum of its
// own because the npm SDK has.
func LoggingValues[T ~string]() []infer.EnumValue[T] {
	return []infer.EnumValue[T]{
		{Name: "Stdout", Value: logStdout, Description: "Shows stdout."},
		{Name: "Stderr", Value: logStderr, Description: "Shows stderr."},
		{Name: "StdoutAndStderr", Value: logBoth, Description: "Shows both."},
		{Name: "None", Value: logNone, Description: "Shows nothing."},
	}
}

// Capture keeps both streams, and their lines as they came for an error message.
type Capture struct {
	mu             sync.Mutex
	stdout, stderr stream
	both           bytes.Buffer
}

// New makes a capture that shows the streams that logging asks for; nil asks for both.
func New[T ~string](ctx context.Context, logging *T) *Capture {
	mode := logBoth
	if logging != nil {
		mode = string(*logging)
	}
	show := p.GetLogger(ctx).InfoStatus
	c := &Capture{}
	c.stdout.capture, c.stderr.capture = c, c
	if mode == logStdout || mode == logBoth {
		c.stdout.show = show
	}
	if mode == logStderr || mode == logBoth {
		c.stderr.show = show
	}
	return c
}

// Writers are what the command's stdout and stderr go to.
func (c *Capture) Writers() (stdout, stderr io.Writer) { return &c.stdout, &c.stderr }

// Close shows what came after the last line break.
func (c *Capture) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stdout.flush()
	c.stderr.flush()
}

// Stdout is the output of the resource: without the last line break, as the
// engine's wire format wants it.
func (c *Capture) Stdout() string { return clean(strings.TrimSuffix(c.stdout.text.String(), "\n")) }

// Stderr is the same for the other stream.
func (c *Capture) Stderr() string { return clean(strings.TrimSuffix(c.stderr.text.String(), "\n")) }

// Both is everything in the order in which it came.
func (c *Capture) Both() string { return clean(c.both.String()) }

// clean makes text that protobuf accepts.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

type stream struct {
	capture *Capture
	text    bytes.Buffer
	show    func(line string)
	partial []byte
}

func (s *stream) Write(chunk []byte) (int, error) {
	s.capture.mu.Lock()
	defer s.capture.mu.Unlock()
	s.text.Write(chunk)
	s.capture.both.Write(chunk)
	if s.show == nil {
		return len(chunk), nil
	}
	s.partial = append(s.partial, chunk...)
	for {
		line, rest, found := bytes.Cut(s.partial, []byte("\n"))
		if !found {
			return len(chunk), nil
		}
		s.show(clean(string(line)))
		s.partial = rest
	}
}

func (s *stream) flush() {
	if s.show != nil && len(s.partial) > 0 {
		s.show(clean(string(s.partial)))
		s.partial = nil
	}
}
