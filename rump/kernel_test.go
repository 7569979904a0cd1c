package rump

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// boot makes and boots a kernel that is halted when the test ends.
func boot(t testing.TB, cfg Config) *Kernel {
	t.Helper()
	k, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	return k
}

// listen serves the kernel on a socket of its own.
func listen(t testing.TB, k *Kernel) (url, sock string) {
	t.Helper()
	sock = filepath.Join(t.TempDir(), "sock")
	url, err := k.Listen("unix://" + sock)
	if err != nil {
		t.Fatal(err)
	}
	return url, sock
}

func dial(t testing.TB, url string, opts ...sysproxy.Option) *client.Process {
	t.Helper()
	p, err := client.Dial(context.Background(), url, t.Name(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func local(t testing.TB, k *Kernel) *client.Process {
	t.Helper()
	p, err := k.Process(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestLookupComponent(t *testing.T) {
	for name, want := range map[string]string{
		"rumpfs_tmpfs": "rumpfs_tmpfs", "-lrumpfs_tmpfs": "rumpfs_tmpfs", "fs_tmpfs": "rumpfs_tmpfs", "vfs": "rumpvfs",
		"librumpfs_tmpfs.so": "rumpfs_tmpfs", "/usr/lib/librumpvfs.so.0.0": "rumpvfs", "rump": "rump", "librump.so": "rump",
		"rumpfs_zfs": "", "rumpnosuch": "", "": "", "-l": "", "lib": "", "/": "", "tmpfs": "", "rumpfs_tmpfs2": "",
	} {
		e, err := LookupComponent(name)
		var bad *ComponentError
		if (err != nil) != (want == "") || err == nil && e.Name != want || err != nil && !errors.As(err, &bad) {
			t.Errorf("%q is %q, %v; want %q", name, e.Name, err, want)
		}
	}
}

// TestWith: the sets are rump_wmd's, server.md.
func TestWith(t *testing.T) {
	for _, c := range []struct{ names, want string }{
		{"rumpfs_tmpfs", "rumpvfs rumpfs_tmpfs"},
		{"-lrumpfs_ffs", "rumpdev rumpdev_disk rumpvfs rumpfs_ffs"},
		{"rumpnosuch rumpvfs", "rumpvfs rumpnosuch"},
		{"", ""},
	} {
		if got := strings.Join(With(strings.Fields(c.names)...), " "); got != c.want {
			t.Errorf("%q needs %q, want %q", c.names, got, c.want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	var missing *kern.MissingError
	var bad *ComponentError
	if _, err := New(Config{Components: []string{"rumpfs_tmpfs"}}); !errors.As(err, &missing) ||
		!strings.HasSuffix(err.Error(), "; this set is complete: -lrumpvfs -lrumpfs_tmpfs") {
		t.Errorf("an incomplete set: %v", err)
	}
	if _, err := New(Config{Components: []string{"rumpnosuch"}}); !errors.As(err, &bad) || bad.Planned {
		t.Errorf("an unknown component: %v", err)
	}
	if _, err := New(Config{Components: With("rumpfs_zfs")}); !errors.As(err, &bad) || !bad.Planned {
		t.Errorf("a component to come: %v", err)
	}
}

// TestComponentsAnyOrder: server.md: -l in any order, and repeated.
func TestComponentsAnyOrder(t *testing.T) {
	for _, names := range []string{"rumpvfs rumpfs_tmpfs", "rumpfs_tmpfs rumpvfs", "fs_tmpfs -lrumpvfs rumpvfs rump"} {
		k := boot(t, Config{Components: strings.Fields(names)})
		var got []string
		for _, c := range k.Kernel().Components() {
			if c.Name != Base {
				got = append(got, c.Name)
			}
		}
		if strings.Join(got, " ") != "rumpvfs rumpfs_tmpfs" {
			t.Errorf("%s: started as %v", names, got)
		}
	}
}

// TestBareKernel: server.md: nothing loaded: process calls, sysctl, time, reboot; a file call is ENOSYS.
func TestBareKernel(t *testing.T) {
	p := local(t, boot(t, Config{Components: []string{Base}, NCPU: 5, Hostname: "bare"}))
	if _, err := p.Open("/"); !errors.Is(err, abi.ENOSYS) {
		t.Errorf("open: %v, want ENOSYS", err)
	}
	name, err1 := p.Sysctl().String("kern.hostname")
	ncpu, err2 := p.Sysctl().Int("hw.ncpu")
	if name != "bare" || ncpu != 5 || err1 != nil || err2 != nil {
		t.Errorf("hostname %q, %v; ncpu %d, %v", name, err1, ncpu, err2)
	}
}

// TestManyKernels: a thousand in one program; when they have halted nothing of them is left running.
func TestManyKernels(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 50
	}
	before := runtime.NumGoroutine()
	var kernels []*Kernel
	for i := range n {
		k, err := New(Config{Components: With("rumpfs_tmpfs"), Hostname: fmt.Sprint("k", i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			t.Fatal(err)
		}
		kernels = append(kernels, k)
	}
	for i, k := range kernels {
		p, err := k.Process("one")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.WriteFile("/name", []byte(fmt.Sprint("k", i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, k := range kernels {
		p, err := k.Process("other")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := p.ReadFile("/name"); err != nil || string(b) != fmt.Sprint("k", i) {
			t.Fatalf("kernel %d: %q, %v", i, b, err)
		}
	}
	var wg sync.WaitGroup
	for _, k := range kernels {
		wg.Go(k.Halt)
	}
	wg.Wait()
	for runtime.NumGoroutine() > before {
		runtime.Gosched() // the last ones are on their way out
	}
}

// TestProcessClose: Close, and the end of a context, interrupt a call that waits.
func TestProcessClose(t *testing.T) {
	k := boot(t, Config{})
	ctx, cancel := context.WithCancel(context.Background())
	closed := local(t, k)
	ended, err := k.ProcessContext(ctx, "ended")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		p    *client.Process
		stop func()
	}{
		"close":   {closed, func() { closed.Close() }},
		"context": {ended, cancel},
	} {
		r, _, err := c.p.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		result := make(chan error)
		go func() {
			_, err := r.Read(make([]byte, 1))
			result <- err
		}()
		c.stop()
		if err := <-result; err == nil {
			t.Errorf("%s: the read returned data", name)
		}
		if _, err := c.p.Sys().Getpid(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: a call afterwards: %v", name, err)
		}
	}
}

// TestForkExec: descriptors are copied by fork(2), and closed by execve(2) where they are marked so.
func TestForkExec(t *testing.T) {
	k := boot(t, Config{})
	url, _ := listen(t, k)
	for name, p := range map[string]*client.Process{"local": local(t, k), "remote": dial(t, url)} {
		rd, _, err := p.Sys().Pipe2(abi.O_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		child, err := p.Fork()
		if err != nil {
			t.Fatalf("%s: fork: %v", name, err)
		}
		pid, _ := p.Sys().Getpid()
		if ppid, err := child.Sys().Getppid(); err != nil || ppid != pid {
			t.Errorf("%s: the child's parent is %d, %v; want %d", name, ppid, err, pid)
		}
		var st abi.Stat
		if err := child.Sys().Fstat(rd, &st); err != nil {
			t.Errorf("%s: the child's descriptor: %v", name, err)
		}
		if err := child.Exec("new-name"); err != nil {
			t.Errorf("%s: exec: %v", name, err)
		}
		if err := child.Sys().Fstat(rd, &st); !errors.Is(err, abi.EBADF) {
			t.Errorf("%s: after exec: %v, want EBADF", name, err)
		}
		if err := p.Sys().Fstat(rd, &st); err != nil {
			t.Errorf("%s: the parent's descriptor: %v", name, err)
		}
		child.Close()
	}
}

// TestSignal: a signal goes to its client, as RAISE, while a call is under way.
func TestSignal(t *testing.T) {
	k := boot(t, Config{})
	url, _ := listen(t, k)
	signals := make(chan int, 1)
	p := dial(t, url, sysproxy.WithSignals(func(sig int) { signals <- sig }))
	pid, err := p.Sys().Getpid()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := p.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := r.Read(make([]byte, 1))
		read <- err
	}()
	k.Kernel().Proc(pid).Signal(abi.SIGUSR1)
	if sig := <-signals; sig != abi.SIGUSR1 {
		t.Errorf("signal %d, want %d", sig, abi.SIGUSR1)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Errorf("the call that was under way: %v", err)
	}
}

// TestHaltByClient: sysproxy.md: halt. Listeners are closed and sockets gone before reboot(2) returns.
func TestHaltByClient(t *testing.T) {
	for _, where := range []string{"local", "remote"} {
		k := boot(t, Config{})
		url, sock := listen(t, k)
		p := local(t, k)
		if where == "remote" {
			p = dial(t, url)
		}
		if err := p.Sys().Reboot(0, ""); err != nil {
			t.Errorf("%s: reboot: %v", where, err)
		}
		if _, err := os.Lstat(sock); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the socket: %v", where, err)
		}
		if _, err := client.Dial(context.Background(), url, "late"); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%s: a client that comes late: %v", where, err)
		}
		<-k.Done()
		if _, err := k.Process("late"); !errors.Is(err, abi.ENXIO) {
			t.Errorf("%s: a process that comes late: %v, want ENXIO", where, err)
		}
		if _, err := k.Listen(url); !errors.Is(err, abi.ENXIO) {
			t.Errorf("%s: listening again: %v, want ENXIO", where, err)
		}
		if _, err := os.Lstat(sock); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: listening again left a socket", where)
		}
	}
}

// TestHaltDrains: what other clients were told that they wrote is there; nothing is half done.
func TestHaltDrains(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	k := boot(t, Config{Drives: []Drive{{Key: "/log", HostPath: file, Type: Reg, Size: 1 << 20}}})
	url, _ := listen(t, k)
	const record = 64
	var wg sync.WaitGroup
	begun := make(chan struct{}, 8)
	written := make([]int, 8)
	for i := range written {
		f, err := dial(t, url).OpenFile("/log", abi.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for n := range (1 << 17) / record {
				b := []byte(strings.Repeat(string(rune('a'+i)), record))
				if _, err := f.WriteAt(b, int64(i)<<17+int64(n)*record); err != nil {
					return
				}
				written[i]++
				if n == 10 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range written {
		<-begun
	}
	if err := dial(t, url).Sys().Reboot(0, ""); err != nil {
		t.Error(err)
	}
	wg.Wait()
	log, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range written {
		part := string(log[i<<17 : (i+1)<<17])
		got := strings.Count(part, string(rune('a'+i)))
		// A write may be done and its answer lost; more than one cannot be.
		if got < n*record || got > (n+1)*record || got%record != 0 || strings.Trim(part[:got], string(rune('a'+i))) != "" {
			t.Errorf("client %d: %d bytes of %d written ones", i, got, n*record)
		}
	}
}
