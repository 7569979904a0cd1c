package cat_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestCat holds cat against transcripts core-07, core-08 and core-09, and cat(1).
func TestCat(t *testing.T) {
	k := utiltest.New(t)
	const text = "one\n\n\n\ttab\nlast"
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/t msgfmt=quiet", In: text},
		{Cmd: "cat /t", Out: text},
		{Cmd: "cat -n /t", Out: "     1\tone\n     2\t\n     3\t\n     4\t\ttab\n     5\tlast"},
		{Cmd: "cat -n /t /t", Out: "     1\tone\n     2\t\n     3\t\n     4\t\ttab\n     5\tlast     1\tone\n     2\t\n     3\t\n     4\t\ttab\n     5\tlast"},
		{Cmd: "cat -ev /t", Out: "one$\n$\n$\n\ttab$\nlast"},
		{Cmd: "cat - /t", In: "piped\n", Out: "piped\n" + text},
		{Cmd: "cat", In: "piped\n", Out: "piped\n"},
		{Cmd: "cat -u -t - -", In: "a\tb\n", Out: "a^Ib\n"},
		{Cmd: "cat -B 1 /t", Out: text},
		{Cmd: "cat /dev/null"},
		{Cmd: "cat /nope /t", Out: "cat: /nope: No such file or directory\n" + text, Status: 1},
		{Cmd: "cat -f /t /dev/null", Out: text + "cat: /dev/null: not a regular file\n", Status: 1},
		{Cmd: "cat -f /nope", Out: "cat: /nope: No such file or directory\n", Status: 1},
		{Cmd: "cat -x", Out: "cat: unknown option -- x\nUsage: cat [-beflnstuv] [-B bsize] [-] [file ...]\n", Status: 1},
		{Cmd: "ln -s dangling /dang"},
		{Cmd: "cat /dang", Out: "cat: /dang: No such file or directory\n", Status: 1},
		{Cmd: "ln -s loop /loop"},
		{Cmd: "cat /loop", Out: "cat: /loop: Too many levels of symbolic links\n", Status: 1},
		{Cmd: "cat /" + strings.Repeat("x", 256), Out: "cat: /" + strings.Repeat("x", 256) + ": File name too long\n", Status: 1},
		{Cmd: "cat /dev", Out: "cat: /dev: Is a directory\n", Status: 1},
	})
}

// TestLarge copies a file that takes several reads.
func TestLarge(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	want := strings.Repeat("0123456789abcdef", 50_000)
	k.Check([]utiltest.Step{{Cmd: "mkdir /t"}, {Cmd: "mount_tmpfs tmpfs /t"}, {Cmd: "dd of=/t/f obs=100k msgfmt=quiet", In: want}})
	if got, status := k.Run("", "cat", "/t/f"); got != want || status != 0 {
		t.Errorf("%d bytes [%d], want %d", len(got), status, len(want))
	}
}

// full is a standard output that nothing can be written to.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, abi.ENOSPC }

// TestOutputError checks that cat gives up when its output does.
func TestOutputError(t *testing.T) {
	k := utiltest.New(t)
	var errs strings.Builder
	status := k.RunStreams(t.Context(), strings.NewReader("x"), full{}, &errs, "cat")
	if errs.String() != "cat: stdout: No space left on device\n" || status != 1 {
		t.Errorf("%q [%d]", errs.String(), status)
	}
}

// TestInputError checks that the standard input's errors are told.
func TestInputError(t *testing.T) {
	k := utiltest.New(t)
	var out strings.Builder
	status := k.RunStreams(t.Context(), broken{}, &out, &out, "cat", "-n", "-")
	if out.String() != "cat: stdin: broken\n" || status != 1 {
		t.Errorf("%q [%d]", out.String(), status)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestLock checks that -l locks the host's file, and says so where there is none.
func TestLock(t *testing.T) {
	k := utiltest.New(t)
	f, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if status := k.RunStreams(t.Context(), strings.NewReader("locked\n"), f, os.Stderr, "cat", "-l"); status != 0 {
		t.Errorf("status %d", status)
	}
	if got, _ := os.ReadFile(f.Name()); string(got) != "locked\n" {
		t.Errorf("%q", got)
	}
	k.Check([]utiltest.Step{{Cmd: "cat -l", In: "x", Out: "cat: stdout: Bad file descriptor\n", Status: 1}})
}
