package server

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rumpctrl/rumpctrl/client"
)

// daemon is a server that a test has started and that has detached.
type daemon struct {
	dir  string // its working directory
	sock string // path of its socket
	url  string
	pid  int
	fd   int // a pidfd: readable when the process has ended
}

// startServer starts rump_server in the background with the socket csock in dir. It is killed when the test ends.
func startServer(t testing.TB, dir string, args ...string) *daemon {
	t.Helper()
	return startDaemon(t, dir, command(programsDir(t), dir, "rump_server", append(args, "unix://csock")...))
}

// startDaemon starts a server that detaches.
func startDaemon(t testing.TB, dir string, cmd *exec.Cmd) *daemon {
	t.Helper()
	if text, status := runProgram(t, cmd); status != 0 || text != "" {
		t.Fatalf("%v: status %d\n%s", cmd.Args, status, text)
	}
	return attach(t, dir)
}

// attach finds the server that listens at the socket csock in dir. It is killed when the test ends.
func attach(t testing.TB, dir string) *daemon {
	t.Helper()
	d := &daemon{dir: dir, sock: filepath.Join(dir, "csock")}
	d.url = "unix://" + d.sock
	d.pid = peer(t, d.sock)
	var err error
	if d.fd, err = unix.PidfdOpen(d.pid, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.signal(syscall.SIGKILL)
		d.wait(t)
		unix.Close(d.fd)
	})
	return d
}

// peer is the process that listens on a socket.
func peer(t testing.TB, sock string) int {
	t.Helper()
	c, err := net.Dial("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil {
		t.Fatal(err, credErr)
	}
	return int(cred.Pid)
}

// signal sends the server a signal; one that has ended takes none.
func (d *daemon) signal(sig syscall.Signal) {
	unix.PidfdSendSignal(d.fd, unix.Signal(sig), nil, 0)
}

// wait waits until the server's process has ended.
func (d *daemon) wait(t testing.TB) {
	t.Helper()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}}, -1)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}

// process makes a process on the server's kernel.
func (d *daemon) process(t testing.TB) *client.Process {
	t.Helper()
	p, err := client.Dial(context.Background(), d.url, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// refuses says whether nobody listens any more, and the socket is gone.
func (d *daemon) refuses(t *testing.T) bool {
	t.Helper()
	_, err := client.Dial(context.Background(), d.url, "late")
	if _, statErr := os.Lstat(d.sock); !errors.Is(statErr, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", statErr)
	}
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

// stat reads a number of /proc/PID/stat, counted as in proc(5).
func (d *daemon) stat(t testing.TB, field int) int {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(d.pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ") // fields from 3 on
	n, err := strconv.Atoi(strings.Fields(rest)[field-3])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
