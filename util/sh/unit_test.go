package sh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// TestPipe moves more through a pipe than it holds. Oracle: pipe(2).
func TestPipe(t *testing.T) {
	ctx := context.Background()
	r, w := newPipe()
	text := strings.Repeat("0123456789", pipeSize/4)
	go func() {
		w.write(ctx, []byte(text))
		w.close()
	}()
	got, err := io.ReadAll(port{ctx, r})
	if err != nil || string(got) != text {
		t.Errorf("read %d bytes of %d, %v", len(got), len(text), err)
	}
}

// TestPipeEnds uses a pipe one end of which is gone, or is still held by a fork.
func TestPipeEnds(t *testing.T) {
	ctx := context.Background()
	r, w := newPipe()
	other := w.fork((*client.Process)(nil))
	w.close()
	if n, err := other.write(ctx, []byte("x")); n != 1 || err != nil {
		t.Errorf("write by a fork: %d, %v", n, err)
	}
	other.close()
	var b [4]byte
	if n, err := r.read(ctx, b[:]); n != 1 || err != nil {
		t.Errorf("read: %d, %v", n, err)
	}
	if _, err := r.read(ctx, b[:]); err != io.EOF {
		t.Errorf("read at the end: %v", err)
	}
	r, w = newPipe()
	r.close()
	if _, err := w.write(ctx, []byte("x")); !isBrokenPipe(err) {
		t.Errorf("write without a reader: %v", err)
	}
	if _, err := r.write(ctx, b[:]); err != abi.EBADF {
		t.Errorf("write to the reader: %v", err)
	}
	if _, err := w.read(ctx, b[:]); err != abi.EBADF {
		t.Errorf("read from the writer: %v", err)
	}
}

// TestPipeInterrupted ends the context of a read and of a write that wait.
func TestPipeInterrupted(t *testing.T) {
	for name, wait := range map[string]func(ctx context.Context) error{
		"read": func(ctx context.Context) error {
			r, _ := newPipe()
			_, err := r.read(ctx, make([]byte, 1))
			return err
		},
		"write": func(ctx context.Context) error {
			_, w := newPipe()
			_, err := w.write(ctx, make([]byte, pipeSize+1))
			return err
		},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		if err := wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHostInput interrupts a read of standard input: what comes then is for the next one.
func TestHostInput(t *testing.T) {
	r, w := io.Pipe()
	in := newHostInput(r)
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	b := make([]byte, 8)
	if _, err := in.read(ctx, b); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	go func() {
		io.WriteString(w, "later")
		w.Close()
	}()
	got, err := io.ReadAll(port{context.Background(), in})
	if err != nil || string(got) != "later" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestHistory writes and reads the file of the history. Oracle: docs/shell.md.
func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h := openHistoryFile(path)
	for _, entry := range []string{"a", "a", "", "  ", "b", "a"} {
		h.Add(entry)
	}
	if h.Len() != 3 || h.At(0) != "a" || h.At(1) != "b" || h.At(2) != "a" {
		t.Errorf("entries %q", h.entries)
	}
	h.close()
	if text, err := os.ReadFile(path); err != nil || string(text) != "a\nb\na\n" {
		t.Errorf("the file has %q, %v", text, err)
	}
	again := openHistoryFile(path)
	defer again.close()
	if again.Len() != 3 || again.At(1) != "b" {
		t.Errorf("entries read %q", again.entries)
	}
}

// TestHistoryLimits reads a file that is too long, and leaves alone what is no file.
func TestHistoryLimits(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "history")
	var b strings.Builder
	for i := 0; b.Len() <= historySize; i++ {
		fmt.Fprintf(&b, "entry %d\n", i)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h := openHistoryFile(path)
	h.Add("last")
	h.close()
	if h.Len() != historyMax || h.At(0) != "last" {
		t.Errorf("%d entries, the latest %q", h.Len(), h.At(0))
	}
	again := openHistoryFile(path)
	defer again.close()
	if again.Len() != historyMax || again.At(0) != "last" || again.At(1) != h.At(1) {
		t.Errorf("%d entries read, the latest %q", again.Len(), again.At(0))
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{link, dir} {
		if h := openHistoryFile(name); h.file != nil || h.Len() != 0 {
			t.Errorf("%s was opened", name)
		}
	}
}

// TestWordStart finds the word that a key completes. Oracle: XCU 2.3.
func TestWordStart(t *testing.T) {
	for line, want := range map[string]int{
		"": 0, "ls": 0, "ls ": 3, "ls /tm": 3, `ls a\ b`: 3, "a|b": 2, "a >f": 3, "x=/t": 2, "$(l": 2,
	} {
		if got := wordStart(line); got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
	for before, want := range map[string]bool{
		"": true, "a; ": true, "if ": true, "a | ": true, "( ": true, "ls ": false, "a && ": true,
	} {
		if got := commandPosition(before); got != want {
			t.Errorf("%q: %v, want %v", before, got, want)
		}
	}
}

// TestTrim removes prefixes and suffixes. Oracle: XCU 2.6.2.
func TestTrim(t *testing.T) {
	for _, c := range []struct {
		pat, text                  string
		prefix, longPre, suf, long string
	}{
		{"*/", "a/b/c", "b/c", "c", "a/b/c", "a/b/c"},
		{"/*", "a/b/c", "a/b/c", "a/b/c", "a/b", "a"},
		{"*", "abc", "abc", "", "abc", ""},
		{"?", "é", "", "", "", ""},
		{"a", "", "", "", "", ""},
		{"[", "[x[", "x[", "x[", "[x", "[x"},
		{`\*`, "*x*", "x*", "x*", "*x", "*x"},
		{"", "abc", "abc", "abc", "abc", "abc"},
		{"*\n", "a\nb\n", "b\n", "", "a\nb", ""},
		{"a|b", "a|bc", "c", "c", "a|bc", "a|bc"},
	} {
		got := [4]string{trim(c.pat, c.text, false, false), trim(c.pat, c.text, false, true),
			trim(c.pat, c.text, true, false), trim(c.pat, c.text, true, true)}
		if want := [4]string{c.prefix, c.longPre, c.suf, c.long}; got != want {
			t.Errorf("%q of %q: %q, want %q", c.pat, c.text, got, want)
		}
	}
}
