// Package utiltest runs utilities on a kernel inside the test, and compares what they print with what they should.
//
// A test boots a kernel with [New] and hands [Kernel.Check] a list of [Step], which reads like a transcript. Every
// utility of util/all is there; nothing of the host is, but for the standard streams that a step has.
//
// Start reading at [Kernel.Check].
package utiltest

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// Kernel is a booted kernel of a test's own. It is halted when the test ends.
type Kernel struct {
	// Vars is the environment of the utilities: nothing but what a test puts there. TZ is UTC at first.
	Vars map[string]string

	t      testing.TB
	kernel *rump.Kernel
}

// New boots a kernel with components, and what these need: "rumpfs_tmpfs". Without any it has the file systems that
// every kernel with files has.
func New(t testing.TB, components ...string) *Kernel {
	t.Helper()
	if len(components) == 0 {
		components = []string{"rumpvfs"}
	}
	return Boot(t, rump.Config{Components: rump.With(components...)})
}

// Boot is New with a configuration of the test's own: of kernels that share buses.
func Boot(t testing.TB, config rump.Config) *Kernel {
	t.Helper()
	k, err := rump.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	return &Kernel{Vars: map[string]string{"TZ": "UTC"}, t: t, kernel: k}
}

// Process makes a process that lives until the test ends.
func (k *Kernel) Process() *client.Process {
	k.t.Helper()
	p, err := k.kernel.Process("test")
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { p.Close() })
	return p
}

// Run runs a utility in a process of its own. It returns what came out of standard output and error, in the order of
// a terminal, and the exit status.
func (k *Kernel) Run(stdin string, args ...string) (string, int) {
	k.t.Helper()
	var out bytes.Buffer
	pipe := struct{ io.Reader }{strings.NewReader(stdin)} // no file: it cannot seek
	status := k.RunStreams(context.Background(), pipe, &out, &out, args...)
	return out.String(), status
}

// RunStreams is Run with streams of the caller's. They need not be safe for concurrent use. The end of the context ends the
// process, as in a shell.
func (k *Kernel) RunStreams(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, args ...string) int {
	k.t.Helper()
	return k.RunAs(ctx, 0, stdin, stdout, stderr, args...)
}

// RunAs is RunStreams as a user other than the super-user.
func (k *Kernel) RunAs(ctx context.Context, uid int, stdin io.Reader, stdout, stderr io.Writer, args ...string) int {
	k.t.Helper()
	u := all.Lookup(args[0])
	if u == nil {
		k.t.Fatalf("no utility %s", args[0])
	}
	p, err := k.kernel.Process(args[0])
	if err != nil {
		k.t.Fatal(err)
	}
	defer context.AfterFunc(ctx, func() { p.Close() })()
	defer p.Close()
	if uid != 0 {
		if err := p.Sys().Setuid(uid); err != nil {
			k.t.Fatal(err)
		}
	}
	return util.Run(ctx, u, &util.Env{
		Args: args, Stdin: stdin, Stdout: stdout, Stderr: stderr,
		Getenv: func(name string) string { return k.Vars[name] },
		Proc:   p, Set: all.Set{},
	})
}

// Step is a command of a transcript.
type Step struct {
	Cmd    string // words, separated by blanks; a word between single quotes may have blanks
	In     string // standard input
	Out    string // what standard output and error should have, where times are "<date>", "in <time>" and "<ms>", Ethernet addresses "<mac>" and addresses of links "<linklocal>"
	Status int
}

// Check runs the steps one after the other and reports those that come out otherwise.
func (k *Kernel) Check(steps []Step) {
	k.t.Helper()
	for _, s := range steps {
		got, status := k.Run(s.In, Words(s.Cmd)...)
		if got = Normal(got); got != s.Out || status != s.Status {
			k.t.Errorf("$ %s\n%s[%d]\nwant:\n%s[%d]", s.Cmd, got, status, s.Out, s.Status)
		}
	}
}

// Words splits a command into words.
func Words(cmd string) []string {
	var words []string
	for i, part := range strings.Split(cmd, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

var (
	dates  = regexp.MustCompile(`(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d +(\d\d:\d\d(:\d\d \d{4})?|\d{4})`)
	ethers = regexp.MustCompile(`\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b`)
	locals = regexp.MustCompile(`\bfe80::[0-9a-f:]*`)
	trips  = regexp.MustCompile(`time=\d+\.\d+ ms|(= )?(\d+\.\d+/){3}\d+\.\d+ ms`)
	times  = regexp.MustCompile(`in \d+\.\d+ secs \(\d+ bytes/sec\)`)
)

// Normal puts words in place of what differs from run to run.
func Normal(s string) string {
	s = times.ReplaceAllString(dates.ReplaceAllString(s, "<date>"), "in <time>")
	s = locals.ReplaceAllString(ethers.ReplaceAllString(s, "<mac>"), "<linklocal>")
	return trips.ReplaceAllString(s, "<ms>")
}

// Until is an output that keeps what is written to it, and calls Seen each time that it has a text in it: to stop a utility that goes on.
type Until struct {
	Want string
	Seen func()

	text strings.Builder
}

// Write keeps p.
func (u *Until) Write(p []byte) (int, error) {
	u.text.Write(p)
	if strings.Contains(u.text.String(), u.Want) {
		u.Seen()
	}
	return len(p), nil
}

// String is what was written.
func (u *Until) String() string { return u.text.String() }
