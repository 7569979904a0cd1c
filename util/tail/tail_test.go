package tail_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: tail [-f | -F | -r] [-b # | -c # | -n #] [file ...]\n"

// lines returns the lines from first to last, each its number.
func lines(first, last int) string {
	var b strings.Builder
	step := 1
	if last < first {
		step = -1
	}
	for n := first; n != last+step; n += step {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

// TestTail holds tail against tail(1): of a file and of a stream.
func TestTail(t *testing.T) {
	k := utiltest.New(t)
	text := lines(1, 20)
	blocks := strings.Repeat("x", 512) + strings.Repeat("y", 511) + "\n" + "z"
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/f msgfmt=quiet", In: text},
		{Cmd: "dd of=/open msgfmt=quiet", In: "a\nb\nc"},
		{Cmd: "dd of=/blocks msgfmt=quiet", In: blocks},
		{Cmd: "touch /empty"},
	})
	for _, c := range []struct{ options, in, out string }{
		{"", "/f", lines(11, 20)},
		{"-n 2", "/f", lines(19, 20)},
		{"-n -2", "/f", lines(19, 20)},
		{"-n +19", "/f", lines(19, 20)},
		{"-n +0", "/f", text},
		{"-n +1", "/f", text},
		{"-n 0", "/f", ""},
		{"-n 100", "/f", text},
		{"-n +100", "/f", ""},
		{"-n 2", "/open", "b\nc"},
		{"-n +2", "/open", "b\nc"},
		{"-c 4", "/f", "\n20\n"},
		{"-c +48", "/f", "\n20\n"},
		{"-c 1000", "/f", text},
		{"-c +1000", "/f", ""},
		{"-c 0", "/f", ""},
		{"-b 1", "/blocks", blocks[513:]},
		{"-b +2", "/blocks", blocks[512:]},
		{"-b +1", "/blocks", blocks},
		{"-r", "/f", lines(20, 1)},
		{"-r -n 3", "/f", lines(20, 18)},
		{"-r -n 0", "/f", ""},
		{"-r -c 4", "/f", "20\n\n"},
		{"-r -c 5", "/f", "20\n9\n"},
		{"-r -b 1", "/blocks", "z" + blocks[513:1024]},
		{"-r", "/open", "cb\na\n"},
		{"", "/empty", ""},
		{"-r", "/empty", ""},
		{"-c 3", "/empty", ""},
		{"-2", "/f", lines(19, 20)},
		{"+19", "/f", lines(19, 20)},
		{"-4c", "/f", "\n20\n"},
		{"-2l", "/f", lines(19, 20)},
		{"-2r", "/f", lines(20, 19)},
		{"-1b", "/blocks", blocks[513:]},
	} {
		in := map[string]string{"/f": text, "/open": "a\nb\nc", "/blocks": blocks, "/empty": ""}[c.in]
		k.Check([]utiltest.Step{
			{Cmd: "tail " + c.options + " " + c.in, Out: c.out},
			{Cmd: "tail " + c.options, In: in, Out: c.out},
		})
	}
}

// TestFiles holds names and messages against tail(1).
func TestFiles(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/a msgfmt=quiet", In: "a\n"},
		{Cmd: "dd of=/b msgfmt=quiet", In: "b\n"},
		{Cmd: "tail /a /nope /b", Out: "==> /a <==\na\ntail: /nope: No such file or directory\n\n==> /b <==\nb\n", Status: 1},
		{Cmd: "tail /", Out: "tail: /: Is a directory\n", Status: 1},
		{Cmd: "tail -f", In: "x\n", Out: "x\n"},
		{Cmd: "tail -F", In: "x\n", Out: "x\n"},
		{Cmd: "tail -f /a /b", Out: "tail: -f and -F options only appropriate for a single file\n", Status: 1},
		{Cmd: "tail -fr /a", Out: usage, Status: 1},
		{Cmd: "tail -n 1 -c 1 /a", Out: usage, Status: 1},
		{Cmd: "tail -n 1x /a", Out: "tail: illegal offset -- 1x\n", Status: 1},
		{Cmd: "tail -b 99999999999999999 /a", Out: "tail: illegal offset -- 99999999999999999\n", Status: 1},
		{Cmd: "tail -c 99999999999999999999 /a", Out: "tail: illegal offset -- 99999999999999999999\n", Status: 1},
		{Cmd: "tail -5x /a", Out: "tail: illegal option -- -5x\n", Status: 1},
		{Cmd: "tail -x", Out: "tail: unknown option -- x\n" + usage, Status: 1},
		{Cmd: "tail -n", Out: "tail: option requires an argument -- n\n" + usage, Status: 1},
		{Cmd: "tail -- -5", Out: "tail: -5: No such file or directory\n", Status: 1},
	})
}

// TestLong has lines and files that are longer than a buffer, forward and backward.
func TestLong(t *testing.T) {
	k := utiltest.New(t)
	long := strings.Repeat("abcdefghi ", 14_000)
	text := "first\n" + long + "\n" + long + "x\nlast\n"
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/f msgfmt=quiet", In: text},
		{Cmd: "tail -r /f", Out: "last\n" + long + "x\n" + long + "\nfirst\n"},
		{Cmd: "tail -r", In: text, Out: "last\n" + long + "x\n" + long + "\nfirst\n"},
		{Cmd: "tail -rn 2 /f", Out: "last\n" + long + "x\n"},
		{Cmd: "tail -n 2 /f", Out: long + "x\nlast\n"},
		{Cmd: "tail -n 2", In: text, Out: long + "x\nlast\n"},
		{Cmd: "tail -n +3 /f", Out: long + "x\nlast\n"},
		{Cmd: "tail -c 150000", In: text, Out: text[len(text)-150_000:]},
		{Cmd: "tail -c 3", In: text, Out: "st\n"},
	})
}

// TestReadError prints what there was before an error.
func TestReadError(t *testing.T) {
	k := utiltest.New(t)
	for _, options := range [][]string{{"tail"}, {"tail", "-c", "4"}, {"tail", "-n", "+1"}} {
		var out bytes.Buffer
		in := io.MultiReader(strings.NewReader("a b\n"), iotest.ErrReader(errors.New("broken")))
		status := k.RunStreams(context.Background(), in, &out, &out, options...)
		if want := "a b\ntail: stdin: broken\n"; out.String() != want || status != 1 {
			t.Errorf("%q: %s[%d], want %s", options, &out, status, want)
		}
	}
}

// follower is a tail that runs.
type follower struct {
	t      *testing.T
	out    *bufio.Reader
	cancel context.CancelFunc
	status chan int
}

func follow(t *testing.T, k *utiltest.Kernel, args ...string) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	f := &follower{t, bufio.NewReader(r), cancel, make(chan int, 1)}
	go func() {
		f.status <- k.RunStreams(ctx, strings.NewReader(""), w, w, args...)
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if rest, err := io.ReadAll(f.out); len(rest) > 0 || err != nil {
			t.Errorf("after the end: %q, %v", rest, err)
		}
	})
	return f
}

// expect reads lines that should come.
func (f *follower) expect(lines ...string) {
	f.t.Helper()
	for _, want := range lines {
		if got, err := f.out.ReadString('\n'); got != want || err != nil {
			f.t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
}

func appendLine(t *testing.T, k *utiltest.Kernel, file, line string) {
	t.Helper()
	f, err := k.Process().OpenFile(file, abi.O_WRONLY|abi.O_APPEND|abi.O_CREAT, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line); err != nil {
		t.Fatal(err)
	}
}

// TestFollow prints what is appended, and stays with a file that is renamed.
func TestFollow(t *testing.T) {
	k := utiltest.New(t)
	appendLine(t, k, "/log", "1\n2\n")
	f := follow(t, k, "tail", "-fn1", "/log")
	f.expect("2\n")
	appendLine(t, k, "/log", "3\n")
	f.expect("3\n")
	k.Check([]utiltest.Step{{Cmd: "mv /log /log.0"}})
	appendLine(t, k, "/log", "other\n")
	appendLine(t, k, "/log.0", "4\n")
	f.expect("4\n")
}

// TestFollowEmpty begins with nothing.
func TestFollowEmpty(t *testing.T) {
	k := utiltest.New(t)
	appendLine(t, k, "/log", "")
	f := follow(t, k, "tail", "-f", "/log")
	appendLine(t, k, "/log", "1\n")
	f.expect("1\n")
}

// TestFollowName goes to the file that has the name now, whole, and to the beginning of one that has been cut short.
func TestFollowName(t *testing.T) {
	k := utiltest.New(t)
	appendLine(t, k, "/log", "1\n2\n")
	f := follow(t, k, "tail", "-F", "/log")
	f.expect("1\n", "2\n")
	appendLine(t, k, "/new", "a\nb\n")
	k.Check([]utiltest.Step{{Cmd: "mv /new /log"}})
	f.expect("a\n", "b\n")
	appendLine(t, k, "/log", "c\n")
	f.expect("c\n")
	k.Check([]utiltest.Step{{Cmd: "dd of=/log msgfmt=quiet", In: "d\n"}})
	f.expect("d\n")
}

// TestFollowFifo waits for writers to come back.
func TestFollowFifo(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{{Cmd: "mkfifo /fifo"}})
	f := follow(t, k, "tail", "-f", "-n", "+1", "/fifo")
	appendLine(t, k, "/fifo", "1\n")
	f.expect("1\n")
	appendLine(t, k, "/fifo", "2\n")
	f.expect("2\n")
}
