package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience ends a test that waits for what never comes. No test passes by it.
const patience = 30 * time.Second

// terminal is a pseudo-terminal with rump on it.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	home   string

	mu      sync.Mutex
	changed *sync.Cond
	screen  bytes.Buffer // all that has been written
	seen    int          // how much of it has been waited for
	ended   bool
}

// startTerminal runs rump on a terminal of its own.
func startTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	master, slave := openPTY(t)
	defer slave.Close()
	tt := &terminal{t: t, master: master, cmd: program(t, args...)}
	tt.changed = sync.NewCond(&tt.mu)
	for _, v := range tt.cmd.Env {
		if home, ok := strings.CutPrefix(v, "HOME="); ok {
			tt.home = home
		}
	}
	tt.cmd.Stdin, tt.cmd.Stdout, tt.cmd.Stderr = slave, slave, slave
	tt.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := tt.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tt.cmd.Process.Kill()
		tt.cmd.Wait()
		master.Close()
	})
	go tt.gather()
	return tt
}

// openPTY returns the two ends of a pseudo-terminal of 80 columns.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals: %v", err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// gather reads what is written to the terminal.
func (tt *terminal) gather() {
	b := make([]byte, 4096)
	for {
		n, err := tt.master.Read(b)
		tt.mu.Lock()
		tt.screen.Write(b[:n])
		tt.ended = err != nil
		tt.changed.Broadcast()
		tt.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// wait waits for text after what has been waited for last.
func (tt *terminal) wait(text string) {
	tt.t.Helper()
	timer := time.AfterFunc(patience, func() { tt.cmd.Process.Kill() })
	defer timer.Stop()
	tt.mu.Lock()
	defer tt.mu.Unlock()
	for {
		rest := tt.screen.String()[tt.seen:]
		if i := strings.Index(rest, text); i >= 0 {
			tt.seen += i + len(text)
			return
		}
		if tt.ended {
			tt.t.Fatalf("no %q in %q", text, rest)
		}
		tt.changed.Wait()
	}
}

// enter types.
func (tt *terminal) enter(keys string) {
	tt.t.Helper()
	if _, err := tt.master.WriteString(keys); err != nil {
		tt.t.Fatal(err)
	}
}

// leave waits for the end of the program and returns its exit status.
func (tt *terminal) leave() int {
	tt.t.Helper()
	timer := time.AfterFunc(patience, func() { tt.cmd.Process.Kill() })
	defer timer.Stop()
	tt.cmd.Wait()
	return tt.cmd.ProcessState.ExitCode()
}

const (
	left, up    = "\x1b[D", "\x1b[A"
	backspace   = "\x7f"
	interrupt   = "\x03"
	endOfFile   = "\x04"
	lineStart   = "\x01"
	clearToHere = "\x15"
	search      = "\x12"
)

// TestTerminal is a session on a terminal: what is typed and what must appear. Oracle: the keys of docs/shell.md, and for the
// terminal itself termios(4).
func TestTerminal(t *testing.T) {
	tt := startTerminal(t)
	for _, step := range []struct{ keys, want string }{
		{"", "rump:/# "},
		{"eco hello" + strings.Repeat(left, 7) + "h\r", "\r\nhello\r\n"},
		{"", "rump:/# "},
		{"xecho start" + lineStart + "\x1b[3~\r", "\r\nstart\r\n"},
		{"", "rump:/# "},
		{up + up + "\r", "\r\nhello\r\n"},
		{"", "rump:/# "},
		{"nonsense" + clearToHere + "echo cleared\r", "\r\ncleared\r\n"},
		{"", "rump:/# "},
		{"sta" + search, "echo start"},
		{"\r", "\r\nstart\r\n"},
		{"", "rump:/# "},
		{"if true\r", "\r\n> "},
		{"then echo two lines; fi\r", "\r\ntwo lines\r\n"},
		{"", "rump:/# "},
		{"while :\r", "\r\n> "},
		{"do" + interrupt, "^C\r\nrump:/# "},
		{"given up" + interrupt, "^C\r\nrump:/# "},
		{"echo $?\r", "\r\n130\r\n"},
		{"", "rump:/# "},
		{"mkdi\t/dirname\r", "rump:/# "},
		{"cd /dirn\t\r", "rump:/dirname# "},
		{"> 'a file'\r", "rump:/dirname# "},
		{"echo a\t\r", "\r\na file\r\n"},
		{"", "rump:/dirname# "},
		{"mk\t\t", "mkdir"},
		{"", "mknod"},
		{interrupt, "rump:/dirname# "},
		{"echo go; cat\r", "\r\ngo\r\n"}, // that is out when the terminal edits lines itself again
		{"typed\r", "typed\r\ntyped\r\n"},
		{endOfFile, "rump:/dirname# "},
		{"echo go; cat\r", "\r\ngo\r\n"},
		{interrupt, "^Crump:/dirname# "},
		{"echo $?; read x; echo $x\r", "\r\n130\r\n"},
		{"value\r", "value\r\nvalue\r\n"},
		{"", "rump:/dirname# "},
		{"echo go; while :; do :; done\r", "\r\ngo\r\n"},
		{interrupt, "rump:/dirname# "},
		{"trap 'echo trapped' INT; echo go; cat\r", "\r\ngo\r\n"},
		{"cat runs\r", "cat runs\r\ncat runs\r\n"}, // before that the trap would run, and cat after it
		{interrupt, "trapped\r\n"},
		{"", "rump:/dirname# "},
		{"trap - INT; ls -C; test -t 0 && test -t 1 && echo tty; ls | cat\r", "a file\r\ntty\r\na file\r\n"},
		{"", "rump:/dirname# "},
		{"{ while :; do echo x; done | { read y; echo job $y; }; } & wait\r", "job x\r\n"},
		{"", "rump:/dirname# "},
		{"PS1='new> '\r", "new> "},
		{"cat <<E\r", "> "},
		{"here\r", "> "},
		{"E\r", "\r\nhere\r\nnew> "},
		{"(exit 7)\r", "new> "},
		{endOfFile, "\r\n"},
	} {
		tt.enter(step.keys)
		tt.wait(step.want)
	}
	if status := tt.leave(); status != 7 {
		t.Errorf("exit status %d, want 7", status)
	}
	tt.checkHistory()
}

// checkHistory looks at the file of the history.
func (tt *terminal) checkHistory() {
	tt.t.Helper()
	file := filepath.Join(tt.home, ".rump_history")
	fi, err := os.Stat(file)
	if err != nil {
		tt.t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o600 {
		tt.t.Errorf("the history's mode is %v", fi.Mode())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		tt.t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "echo hello\necho start\necho hello\necho cleared\necho start\nif true\n") ||
		strings.Contains(string(text), "given up") {
		tt.t.Errorf("history: %q", text)
	}
}

// TestTerminalHalt halts the kernel of a session.
func TestTerminalHalt(t *testing.T) {
	tt := startTerminal(t, "-lrumpvfs")
	tt.wait("rump:/# ")
	tt.enter("halt\r")
	tt.wait("sh: kernel has halted\r\n")
	if status := tt.leave(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestTerminalSignals ends sessions by signals of the host, as sh(1) has it: 128 and the signal's number.
func TestTerminalSignals(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		tt := startTerminal(t)
		tt.wait("rump:/# ")
		if err := tt.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if status := tt.leave(); status != want {
			t.Errorf("%v: exit status %d, want %d", sig, status, want)
		}
	}
}

// TestNoTerminal checks that without a terminal there is no prompt and no escape code.
func TestNoTerminal(t *testing.T) {
	cmd := program(t)
	cmd.Stdin = strings.NewReader("echo a\nif true\nthen echo b; fi\n")
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "a\nb\n" {
		t.Errorf("%q, %v", out, err)
	}
}
