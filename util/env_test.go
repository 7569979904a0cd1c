package util

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// set is a Set of the utilities of a test.
type set []*Utility

func (s set) Lookup(name string) *Utility {
	for _, u := range s {
		if u.Called(name) {
			return u
		}
	}
	return nil
}

// run runs main as a utility named u and returns what it printed, both streams as one terminal shows them, and
// its status.
func run(t *testing.T, main func(ctx context.Context, env *Env) int, more ...*Utility) (string, int) {
	t.Helper()
	var screen strings.Builder
	u := &Utility{Name: "u", Usage: []string{"[-a] file", "-b"}, NoKernel: true, Main: main}
	env := &Env{
		Args: []string{"/path/u"}, Stdin: strings.NewReader(""), Stdout: &screen, Stderr: &screen,
		Getenv: func(string) string { return "" }, Set: set(append(more, u)),
	}
	status := Run(context.Background(), u, env)
	return screen.String(), status
}

// TestMessages has the forms of err(3) and warn(3), and of usage messages.
func TestMessages(t *testing.T) {
	got, status := run(t, func(_ context.Context, env *Env) int {
		env.Warn(abi.ENOENT, "%s", "/nope")
		env.Warn(&fs.PathError{Op: "open", Path: "/x", Err: abi.EACCES}, "/x")
		env.Warn(errors.New("it broke"), "")
		env.Warnx("%d files", 2)
		env.Err(fmt.Errorf("wrapped: %w", abi.ENOSPC), "write")
		env.Errx("bad")
		return env.UsageError()
	})
	want := `u: /nope: No such file or directory
u: /x: Permission denied
u: it broke
u: 2 files
u: write: No space left on device
u: bad
usage: u [-a] file
       u -b
`
	if got != want || status != 1 {
		t.Errorf("status %d, printed:\n%s", status, got)
	}
}

// TestOrder: what is printed comes out in its order though standard output is gathered.
func TestOrder(t *testing.T) {
	inner := &Utility{Name: "inner", NoKernel: true, Main: func(_ context.Context, env *Env) int {
		fmt.Fprintln(env.Stdout, "2 "+env.Name(), env.Args[1])
		env.Warnx("3")
		return 7
	}}
	got, status := run(t, func(ctx context.Context, env *Env) int {
		fmt.Fprintln(env.Stdout, "1")
		status := env.Run(ctx, "inner", "arg")
		fmt.Fprintln(env.Stdout, "4")
		env.Run(ctx, "nosuch")
		return status
	}, inner)
	if want := "1\n2 inner arg\ninner: 3\n4\nu: nosuch: not found\n"; got != want || status != 7 {
		t.Errorf("status %d, printed %q", status, got)
	}
}

// writes counts the writes that reach it.
type writes struct {
	strings.Builder
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.Builder.Write(p)
}

// TestGathering: small writes are gathered, large ones go through, nothing is lost or turned around.
func TestGathering(t *testing.T) {
	var w writes
	out := newOutput(&w)
	var want strings.Builder
	for i := range 10000 {
		s := fmt.Sprintln(i)
		if i == 5000 {
			s = strings.Repeat("x", 3*outputSize)
		}
		want.WriteString(s)
		if n, err := io.WriteString(out, s); n != len(s) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if err := out.Flush(); err != nil || w.String() != want.String() {
		t.Errorf("%v: got %d bytes, want %d", err, w.Len(), want.Len())
	}
	if w.n > 10 {
		t.Errorf("%d writes", w.n)
	}
}

// failing fails every write.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestOutputFails: output that is lost is a failure, said once; a reader that went away is known to the user.
func TestOutputFails(t *testing.T) {
	for _, tt := range []struct {
		err     error
		message string
	}{
		{abi.ENOSPC, "u: stdout: No space left on device\n"},
		{io.ErrClosedPipe, ""},
	} {
		var stderr strings.Builder
		u := &Utility{Name: "u", NoKernel: true, Main: func(_ context.Context, env *Env) int {
			for range 100000 {
				fmt.Fprintln(env.Stdout, "line")
			}
			return 0
		}}
		status := Run(context.Background(), u, &Env{Args: []string{"u"}, Stdout: failing{tt.err}, Stderr: &stderr})
		if status != 1 || stderr.String() != tt.message {
			t.Errorf("%v: status %d, said %q", tt.err, status, stderr.String())
		}
	}
}

// screen is a terminal of a shell.
type screen struct{ writes }

func (*screen) IsTerminal() bool        { return true }
func (*screen) Size() (int, int, error) { return 132, 24, nil }

// TestTerminal: utilities ask the stream below the buffers, and a terminal gets whole lines at once.
func TestTerminal(t *testing.T) {
	var w screen
	u := &Utility{Name: "u", NoKernel: true, Main: func(_ context.Context, env *Env) int {
		columns, rows, ok := TerminalSize(env.Stdout)
		if !IsTerminal(env.Stdout) || IsTerminal(env.Stderr) || columns != 132 || rows != 24 || !ok {
			t.Errorf("terminal %v, stderr %v, %d columns, %d rows, %v",
				IsTerminal(env.Stdout), IsTerminal(env.Stderr), columns, rows, ok)
		}
		io.WriteString(env.Stdout, "a line\nhalf")
		if w.String() != "a line\n" {
			t.Errorf("the terminal shows %q", w.String())
		}
		return 0
	}}
	Run(context.Background(), u, &Env{Args: []string{"u"}, Stdout: &w, Stderr: io.Discard})
	if w.String() != "a line\nhalf" {
		t.Errorf("the terminal shows %q", w.String())
	}
}

// TestHelp: help and documentation have the synopsis and a row for each option.
func TestHelp(t *testing.T) {
	u := &Utility{
		Name: "u", Section: 1, Doc: "do it", Usage: []string{"[-a] [-f file]"},
		Options:  []Option{{Letter: 'a', Doc: "All."}, {Letter: 'f', Arg: "file", Doc: "A|B."}},
		Operands: []Operand{{"x=n", "X."}},
	}
	want := "u(1) - do it\n\n\tu [-a] [-f file]\n\n  -a       All.\n  -f file  A|B.\n  x=n      X.\n"
	if got := u.Help(); got != want {
		t.Errorf("help:\n%s", got)
	}
	u.Usage = []string{"Usage:\tu one", "\t  [more]", "\tu two"}
	if got := strings.Join(u.Synopsis(), "\n"); got != "u one\n    [more]\nu two" {
		t.Errorf("synopsis:\n%s", got)
	}
}
