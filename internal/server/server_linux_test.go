package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/component/all"
)

// TestDetach: server.md: when the command returns with 0, a client can connect. Its output ends there too: the server
// keeps none of the standard descriptors. startServer would wait for ever otherwise.
func TestDetach(t *testing.T) {
	d := startServer(t, t.TempDir(), "-c", "3")
	if got := d.stat(t, 6); got != d.pid { // session
		t.Errorf("session %d, want the server's own, %d", got, d.pid)
	}
	p := d.process(t)
	if n, err := p.Sysctl().Int("hw.ncpu"); err != nil || n != 3 {
		t.Errorf("hw.ncpu: %d, %v; want 3", n, err)
	}
	if _, err := p.Open("/"); !errors.Is(err, abi.ENOSYS) {
		t.Errorf("a file on a kernel without rumpvfs: %v, want ENOSYS", err)
	}
	info, err := os.Stat(d.sock)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v; want mode 0600", info.Mode(), err)
	}
}

// TestHalt: sysproxy.md: halt. When reboot(2) returns nobody listens and the socket is gone; then the server ends.
func TestHalt(t *testing.T) {
	d := startServer(t, t.TempDir(), "-lrumpvfs")
	p, other := d.process(t), d.process(t)
	blocked := make(chan error)
	r, _, err := other.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := r.Read(make([]byte, 1))
		blocked <- err
	}()
	if err := p.Sys().Reboot(0, ""); err != nil {
		t.Errorf("reboot: %v", err)
	}
	if !d.refuses(t) {
		t.Error("a client could connect after halt")
	}
	if err := <-blocked; err == nil {
		t.Error("a blocked read returned data")
	}
	d.wait(t)
}

// TestSignals: SIGTERM and SIGINT halt the kernel as reboot(2) does, and so does SIGHUP.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		dir := t.TempDir()
		d := startServer(t, dir, "-lrumpvfs", "-lrumpdev", "-lrumpdev_disk", "-d", "key=/disk,hostpath=disk,size=64k")
		p := d.process(t)
		f, err := p.OpenFile("/disk", abi.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("in the buffer cache"), 1000); err != nil {
			t.Fatal(err)
		}
		d.signal(sig)
		d.wait(t)
		if !d.refuses(t) {
			t.Errorf("%v: a client could connect", sig)
		}
		disk, err := os.ReadFile(filepath.Join(dir, "disk"))
		if err != nil || !bytes.Equal(disk[1000:1019], []byte("in the buffer cache")) {
			t.Errorf("%v: what was written is not on the disk: %v", sig, err)
		}
	}
}

// TestForeground: -s stays, and says what is wrong with status 1.
func TestForeground(t *testing.T) {
	programs, dir := programsDir(t), t.TempDir()
	cmd := command(programs, dir, "rump_server", "-s", "unix://nodir/sock")
	text, status := runProgram(t, cmd)
	want := "rump_sp: failed to bind to URL unix://nodir/sock\nrump server init failed: No such file or directory\n"
	if status != 1 || text != want {
		t.Errorf("status %d\n%swant 1\n%s", status, text, want)
	}
	cmd = command(programs, dir, "rump_server", "-sv", "-lrumpvfs", "unix://csock")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	first := make([]byte, 64)
	if n, err := r.Read(first); err != nil || !bytes.HasPrefix(first[:n], []byte("NetBSD ")) {
		t.Errorf("verbose boot: %q, %v", first[:n], err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "csock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestVerbose: the kernel's messages are on standard error, in the background too, and stay there.
func TestVerbose(t *testing.T) {
	dir := t.TempDir()
	stderr, err := os.Create(filepath.Join(dir, "messages"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd := command(programsDir(t), dir, "rump_server", "-v", "-lrumpvfs", "unix://csock")
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	d := attach(t, dir)
	if fd2, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/2", d.pid)); err != nil || fd2 != stderr.Name() {
		t.Errorf("standard error of the server is %s, %v", fd2, err)
	}
	text, err := os.ReadFile(stderr.Name())
	if err != nil || !bytes.HasPrefix(text, []byte("NetBSD ")) {
		t.Errorf("messages: %q, %v", text, err)
	}
}

// TestConsoleGone: a server whose output nobody reads lives; who writes to the console gets EIO.
func TestConsoleGone(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(programsDir(t), dir, "rump_server", "-s", "-v", "unix://csock")
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil { // the first message of the boot: the socket is there
		t.Fatal(err)
	}
	r.Close()
	p := attach(t, dir).process(t)
	if _, err := p.Sys().Write(1, []byte("hello?")); !errors.Is(err, abi.EIO) {
		t.Errorf("writing to the console: %v, want EIO", err)
	}
	if _, err := p.Sys().Getpid(); err != nil {
		t.Errorf("the server has suffered: %v", err)
	}
	if err := p.Sys().Reboot(0, ""); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestAddressInUse: 48, NetBSD's EADDRINUSE, while a server is there; the socket of a dead one is replaced.
func TestAddressInUse(t *testing.T) {
	dir := t.TempDir()
	first := startServer(t, dir)
	text, status := runProgram(t, command(programsDir(t), dir, "rump_server", "unix://csock"))
	want := "rump_sp: failed to bind to URL unix://csock\nrump server init failed: Address already in use\n"
	if status != 48 || text != want {
		t.Errorf("status %d\n%swant 48\n%s", status, text, want)
	}
	if _, err := first.process(t).Sys().Getpid(); err != nil {
		t.Errorf("the first server has suffered: %v", err)
	}
	first.signal(syscall.SIGKILL)
	first.wait(t)
	second := startServer(t, dir)
	if _, err := second.process(t).Sys().Getpid(); err != nil || second.pid == first.pid {
		t.Errorf("the second server: pid %d, %v", second.pid, err)
	}
}

// TestTCP serves on any address, rump_server(1)'s tcp://0:PORT.
func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	if text, status := runProgram(t, command(programsDir(t), t.TempDir(), "rump_server", "tcp://0:"+port+"/")); status != 0 {
		t.Fatalf("status %d: %s", status, text)
	}
	p, err := client.Dial(context.Background(), "tcp://"+addr, "tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Sys().Reboot(0, ""); err != nil {
		t.Error(err)
	}
}

// TestStartFailures: each prints why, exits with the error's number, and leaves nothing behind.
func TestStartFailures(t *testing.T) {
	programs := programsDir(t)
	for _, c := range []struct {
		args   string
		want   string // in place of DIR stands the working directory
		status int
	}{
		{"-c 0 unix://csock", "rump init failed: Invalid argument\n  \"0\" processors: a number from 1 to 32 is needed, or \"host\"\n", 22},
		{"-r 1q unix://csock", "rump init failed: Invalid argument\n  \"1q\" bytes of memory: a number is needed, with k, m, g or nothing after it\n", 22},
		{"-lrumpnosuch unix://csock", "failed to load -libraries, last error from \"rumpnosuch\":\n  there is no component rumpnosuch\n", 1},
		{"-lrumpfs_tmpfs unix://csock",
			"failed to load -libraries, last error from \"rumpfs_tmpfs\":\n  rumpfs_tmpfs needs -lrumpvfs\n  this set is complete: -lrumpvfs -lrumpfs_tmpfs\n", 1},
		{"-lrumpnosuch -lrumpfs_tmpfs -lrumpfs_zfs unix://csock", "failed to load -libraries, last error from \"rumpfs_zfs\":\n" +
			"  there is no component rumpnosuch\n  rumpfs_tmpfs needs -lrumpvfs\n  component rumpfs_zfs is not written yet\n" +
			"  this set is complete: -lrumpvfs -lrumpfs_tmpfs\n", 1},
		{"-m nope.kmod unix://csock", "module etfs register failed: No such file or directory\n  nope.kmod: no such file or directory\n", 2},
		{"-lrumpvfs -m tmpfs.kmod unix://csock",
			"module load failed: Exec format error\n  tmpfs.kmod: kernel modules cannot be loaded into this kernel; -lrumpfs_tmpfs has module tmpfs built in\n", 8},
		{"-lrumpvfs -lrumpfs_tmpfs -m tmpfs.kmod unix://csock",
			"module load failed: File exists\n  tmpfs.kmod: module tmpfs is built in already, by -lrumpfs_tmpfs\n", 17},
		{"-d key=/a,hostpath=fresh,size=1k unix://csock", "etfs register: Function not implemented\n  fresh: the kernel has no rumpvfs\n", 78},
		{"-lrumpvfs -d key=/a,hostpath=fresh,size=1k,type=reg -d key=/b,hostpath=nodir/x,size=1k unix://csock",
			"etfs hostpath open: No such file or directory\n  nodir/x: no such file or directory\n", 2},
		{"-lrumpvfs -d key=/a,hostpath=short,size=1m,type=reg -d key=/b,hostpath=empty,size=host unix://csock",
			"size=host, but cannot query non-zero size: Invalid argument\n  empty: Invalid argument\n", 22},
		{"-lrumpvfs -d key=/a,hostpath=short,disklabel=a unix://csock", "disklabel not found: No such file or directory\n  short: no disk label found\n", 2},
		{"-lrumpvfs -d key=/a,hostpath=fresh,size=1k,type=reg -d key=b,hostpath=short,size=host,type=reg unix://csock",
			"etfs register: Invalid argument\n  short: Invalid argument\n", 22},
		{"-lrumpvfs -d key=/a,hostpath=fresh,size=1k,type=reg unix://nodir/csock",
			"rump_sp: failed to bind to URL unix://nodir/csock\nrump server init failed: No such file or directory\n", 2},
	} {
		dir := t.TempDir()
		for _, name := range []string{"tmpfs.kmod", "short", "empty"} {
			content := "some bytes"
			if name == "empty" {
				content = ""
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, status := runProgram(t, command(programs, dir, "rump_server", strings.Fields(c.args)...))
		if text != c.want || status != c.status {
			t.Errorf("%s: status %d\n%swant %d\n%s", c.args, status, text, c.status, c.want)
		}
		checkUntouched(t, c.args, dir)
	}
}

// TestEmptyURL: as any other that is not one.
func TestEmptyURL(t *testing.T) {
	text, status := runProgram(t, command(programsDir(t), t.TempDir(), "rump_server", ""))
	want := "rump_sp: invalid locator ``''\nrump server init failed: Invalid argument\n"
	if text != want || status != 22 {
		t.Errorf("status %d\n%swant 22\n%s", status, text, want)
	}
}

// checkUntouched: a server that did not start has left the folder as TestStartFailures made it.
func checkUntouched(t *testing.T, args, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "empty short tmpfs.kmod" {
		t.Errorf("%s: left behind: %s", args, got)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "short")); string(b) != "some bytes" {
		t.Errorf("%s: a host file has %d bytes now", args, len(b))
	}
}

// TestMemLimit: server.md: -r: allocations past the limit fail, the server lives and has the memory again.
func TestMemLimit(t *testing.T) {
	p := startServer(t, t.TempDir(), "-lrumpvfs", "-r", "8m").process(t)
	f := openFile(t, p, "/big", abi.O_RDWR|abi.O_CREAT)
	var written int64
	var err error
	for written < 64<<20 && err == nil {
		var n int
		n, err = f.Write(make([]byte, 64<<10))
		written += int64(n)
	}
	if written < 1<<20 || written > 8<<20 || !errors.Is(err, abi.ENOSPC) && !errors.Is(err, abi.ENOMEM) {
		t.Errorf("%d bytes fit in 8 MiB: %v; want ENOSPC or ENOMEM", written, err)
	}
	if err := f.Truncate(0); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteAt(make([]byte, 1<<20), 0); err != nil {
		t.Errorf("after truncation: %v", err)
	}
}

// TestAllserver: every component there is, as modstat(8) lists them.
func TestAllserver(t *testing.T) {
	dir := t.TempDir()
	d := startDaemon(t, dir, command(programsDir(t), dir, "rump_allserver", "-lrumpfs_tmpfs", "unix://csock"))
	mods, err := d.process(t).Sys().Modstat()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, m := range mods {
		have[abi.CString(m.Name[:])] = true
	}
	for _, c := range all.Components() {
		for _, m := range c.Modules {
			if !have[m.Name] {
				t.Errorf("module %s of %s is not there", m.Name, c.Name)
			}
		}
	}
	if !have["tmpfs"] {
		t.Error("module tmpfs is not there")
	}
}
