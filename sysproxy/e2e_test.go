package sysproxy

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// transports runs a test on every kind of transport: the same calls must do the
// same everywhere.
func transports(t *testing.T, f func(t *testing.T, k *toyKernel, tr Transport)) {
	remote := func(url string, cfg ServerConfig, opts ...Option) func(t *testing.T) {
		return func(t *testing.T) {
			s := startServer(t, url, cfg)
			f(t, s.k, dial(t, s, opts...))
		}
	}
	t.Run("unix", remote("", ServerConfig{}))
	t.Run("tcp", remote("tcp://127.0.0.1:0", ServerConfig{}))
	t.Run("nospin", remote("", ServerConfig{Spin: -1}, WithSpin(0)))
	t.Run("0.4 server", remote("", ServerConfig{NoPrefetch: true}))
	t.Run("0.4 client", remote("", ServerConfig{}, WithoutPrefetch()))
	t.Run("tls", func(t *testing.T) {
		ca := newAuthority(t)
		s := startServer(t, "tls://127.0.0.1:0", ServerConfig{}, ListenTLS(ca.config(t, "server")))
		f(t, s.k, dial(t, s, WithTLS(ca.config(t, "client"))))
	})
	t.Run("local", func(t *testing.T) {
		watchGoroutines(t)
		k := newToyKernel()
		k.raise = func(Process, int) error { return nil }
		tr, err := Local(k, t.Name(), Banner{OS: "NetBSD"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			tr.Close()
			if n := k.count(); n != 0 {
				t.Errorf("%d processes are left after Close", n)
			}
		})
		f(t, k, tr)
	})
}

func pattern(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	r.Read(b)
	return b
}

// TestMemory moves data of many sizes in both directions by all means.
func TestMemory(t *testing.T) {
	sizes := []int{1, 7, 8, 511, 512, 513, 4095, 4096, 16 << 10, 64 << 10, 65<<10 + 1, 128 << 10, 1 << 20}
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		for _, n := range sizes {
			for _, in := range []int{sysCopyIn, sysWrite} {
				for _, out := range []int{sysCopyOut, sysRead} {
					data, got := pattern(n), make([]byte, n)
					c := tr.NewCall(in)
					c.Args(c.In(data), uint64(n))
					want(t, tr, c, uint64(n))
					c = tr.NewCall(out)
					c.Args(c.Out(got), uint64(n))
					want(t, tr, c, uint64(n))
					if !bytes.Equal(got, data) {
						t.Fatalf("%d bytes in by %d and out by %d differ", n, in, out)
					}
				}
			}
		}
	})
}

// TestReadOwnWrite: a call that writes lent memory reads back what it wrote,
// prefetched or not.
func TestReadOwnWrite(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		for _, n := range []int{1, 100, 5000, 100 << 10} {
			data := pattern(n)
			reversed := make([]byte, n)
			for i, b := range data {
				reversed[n-1-i] = b
			}
			c := tr.NewCall(sysSwap)
			c.Args(c.InOut(data), uint64(n))
			want(t, tr, c, sumBytes(reversed))
			if !bytes.Equal(data, reversed) {
				t.Errorf("%d bytes came back wrong", n)
			}
		}
	})
}

func TestArguments(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		for n := range MaxArgs + 4 {
			c := tr.NewCall(sysSum)
			sum := uint64(0)
			for i := range n {
				c.Arg(1 << i)
				if i < MaxArgs {
					sum += 1 << i
				}
			}
			want(t, tr, c, sum)
		}
		if _, err := do(t, tr, 9999); err != abi.ENOSYS {
			t.Errorf("unknown call: %v", err)
		}
		c := tr.NewCall(sysGetpid)
		if err := tr.Do(c); err != nil || c.Ret != [2]uint64{1, 1} {
			t.Errorf("getpid: %v, %v", c.Ret, err)
		}
	})
}

// TestFaults: what is not lent for reading cannot be read, what is not lent for
// writing not written.
func TestFaults(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		secret, lent := pattern(64), pattern(64)
		had := bytes.Clone(lent)
		try := func(name string, num int, addr func(c *Call) uint64, n uint64, zero bool) {
			t.Helper()
			c := tr.NewCall(num)
			defer c.Free()
			c.Args(addr(c), n)
			ret, err := done(t, tr, c)
			// A client of a 0.4 server cannot refuse; it gives zeroes.
			if err != abi.EFAULT && !(zero && err == 0 && ret == 0) {
				t.Errorf("%s: %d, %v", name, ret, err)
			}
		}
		old := !tr.Banner().Has(WordPrefetch) && tr.Banner().Release != ""
		if c, ok := tr.(*Conn); ok && !c.link.Load().prefetch {
			old = true
		}
		try("null", sysPeek, func(*Call) uint64 { return 0 }, 8, old)
		try("wild", sysPeek, func(*Call) uint64 { return 1 << 61 }, 8, old)
		try("out only", sysPeek, func(c *Call) uint64 { return c.Out(secret) }, 8, old)
		try("far behind", sysPeek, func(c *Call) uint64 { return c.In(lent) + 65 }, 8, old)
		try("before", sysPeek, func(c *Call) uint64 { return c.In(lent) - 8 }, 8, old)
		try("empty", sysPeek, func(c *Call) uint64 { return c.In(nil) }, 8, old)
		if !old {
			try("too long", sysPeek, func(c *Call) uint64 { return c.In(lent) }, 65, false)
			try("string", sysCopyStr, func(c *Call) uint64 { return c.In([]byte("abc")) }, 10, false)
			try("no string", sysCopyStr, func(c *Call) uint64 { return 0 }, 10, false)
		}
		c := tr.NewCall(sysCopyIn)
		c.Args(c.In(secret), 64)
		want(t, tr, c, 64)
		for _, f := range []func(c *Call) uint64{
			func(c *Call) uint64 { return c.In(lent) },
			func(c *Call) uint64 { return c.Out(lent) + 1 },
			func(c *Call) uint64 { return c.Out(lent) - 1 },
			func(c *Call) uint64 { return 0 },
		} {
			for _, num := range []int{sysCopyOut, sysRead} {
				c := tr.NewCall(num)
				c.Args(f(c), 64)
				done(t, tr, c) // a remote kernel cannot know that it failed
				c.Free()
				if !bytes.Equal(lent, had) {
					t.Fatalf("call %d wrote what was not lent for writing", num)
				}
			}
		}
	})
}

func TestStrings(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 1023))
	transports(t, func(t *testing.T, k *toyKernel, tr Transport) {
		for _, s := range []string{"", "a", "/etc/passwd", long} {
			c := tr.NewCall(sysCopyStr)
			c.Args(c.InString(s), 1024)
			want(t, tr, c, uint64(len(s)))
		}
		c := tr.NewCall(sysCopyStr)
		c.Args(c.InString(long+"y"), 1024)
		if _, err := done(t, tr, c); err != abi.ENAMETOOLONG {
			t.Errorf("1024 bytes without a NUL: %v", err)
		}
		c.Free()
	})
}

// TestConcurrent makes calls of all kinds from many threads of one process.
func TestConcurrent(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 60 {
					n := 1 + (g*977+i*131)%9000
					if i%20 == 0 {
						n = 70 << 10
					}
					data := pattern(n)
					sum := make([]byte, n)
					for j, b := range data {
						sum[n-1-j] = b
					}
					c := tr.NewCall(sysSwap)
					c.Args(c.InOut(data), uint64(n))
					if err := tr.Do(c); err != nil || c.Err != 0 || c.Ret[0] != sumBytes(sum) {
						t.Errorf("thread %d: %v, %v", g, err, c.Err)
						return
					}
					c.Free()
				}
			})
		}
		wg.Wait()
	})
}

// TestBlocked: while calls wait, whether they say so or not, others go on.
func TestBlocked(t *testing.T) {
	transports(t, func(t *testing.T, k *toyKernel, tr Transport) {
		const n = 20
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				num := sysBlock
				if i%2 == 0 {
					num = sysSulk
				}
				if v, err := do(t, tr, num); v != 1 || err != 0 {
					t.Errorf("blocked call: %d, %v", v, err)
				}
			})
		}
		p := k.find(t.Name())
		await(t, "all wait", func() bool { return p.waiting.Load() == n })
		for range n {
			if _, err := do(t, tr, sysRelease); err != 0 {
				t.Errorf("release: %v", err)
			}
		}
		wg.Wait()
	})
}

func TestFork(t *testing.T) {
	transports(t, func(t *testing.T, k *toyKernel, tr Transport) {
		data := []byte("what the parent has")
		c := tr.NewCall(sysCopyIn)
		c.Args(c.In(data), uint64(len(data)))
		want(t, tr, c, uint64(len(data)))
		child, err := tr.Fork()
		if err != nil {
			t.Fatal(err)
		}
		if pid, _ := do(t, child, sysGetpid); pid != 2 {
			t.Errorf("child has pid %d", pid)
		}
		got := make([]byte, len(data))
		c = child.NewCall(sysRead)
		c.Args(c.Out(got), uint64(len(got)))
		want(t, child, c, uint64(len(got)))
		if !bytes.Equal(got, data) {
			t.Errorf("child has %q", got)
		}
		grandchild, err := child.Fork()
		if err != nil {
			t.Fatal(err)
		}
		child.Close()
		await(t, "child is gone", func() bool { return k.count() == 2 })
		if pid, _ := do(t, grandchild, sysGetpid); pid != 3 {
			t.Errorf("grandchild has pid %d", pid)
		}
		grandchild.Close()
		k.mu.Lock()
		k.refuse = abi.EAGAIN
		k.mu.Unlock()
		if _, err := tr.Fork(); err == nil {
			t.Error("fork did not fail")
		}
		if pid, err := do(t, tr, sysGetpid); pid != 1 || err != 0 {
			t.Errorf("after fork: %d, %v", pid, err)
		}
	})
}

// TestExec: calls of other threads are interrupted and end before the process
// takes its new name; then it goes on.
func TestExec(t *testing.T) {
	transports(t, func(t *testing.T, k *toyKernel, tr Transport) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := do(t, tr, sysBlock); err != abi.EINTR {
					t.Errorf("blocked call: %v", err)
				}
			})
		}
		p := k.find(t.Name())
		await(t, "all wait", func() bool { return p.waiting.Load() == 3 })
		if err := tr.Exec("another"); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		name := make([]byte, 20)
		c := tr.NewCall(sysName)
		c.Args(c.Out(name), 20)
		want(t, tr, c, 7)
		if string(name[:7]) != "another" {
			t.Errorf("name is %q", name)
		}
		wg.Go(func() {
			if v, err := do(t, tr, sysBlock); v != 1 || err != 0 {
				t.Errorf("call that blocks after exec: %d, %v", v, err)
			}
		})
		do(t, tr, sysRelease)
		wg.Wait()
	})
}

func TestAnon(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		addr, err := do(t, tr, sysAnon, 100)
		if addr == 0 || err != 0 {
			t.Fatalf("%#x, %v", addr, err)
		}
		sum, err := do(t, tr, sysPeek, addr, 100)
		if err != 0 || sum != sumBytes(bytes.Repeat([]byte("A"), 100)) {
			t.Errorf("%v", err)
		}
		if _, err := do(t, tr, sysAnon, DefaultMaxAnon); err != abi.ENOMEM {
			t.Errorf("more than the limit: %v", err)
		}
		if _, err := do(t, tr, sysAnon, 1<<63); err != abi.ENOMEM {
			t.Errorf("far more than the limit: %v", err)
		}
	})
}

// TestClose: calls in flight fail, the process ends, later calls fail.
func TestClose(t *testing.T) {
	transports(t, func(t *testing.T, k *toyKernel, tr Transport) {
		p := k.find(t.Name())
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() {
				c := tr.NewCall(sysBlock)
				err := tr.Do(c)
				if _, remote := tr.(*Conn); !remote && err == nil && c.Err == abi.EINTR {
					err = nil
				} else if err == nil {
					err = fmt.Errorf("no error: %v", c.Err)
				} else {
					err = nil
				}
				errs <- err
			}()
		}
		await(t, "all wait", func() bool { return p.waiting.Load() == int32(cap(errs)) })
		tr.Close()
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		await(t, "process is gone", func() bool { return k.count() == 0 })
		if p.exits.Load() != 1 {
			t.Errorf("process exited %d times", p.exits.Load())
		}
		if err := tr.Do(tr.NewCall(sysGetpid)); err == nil {
			t.Error("call after Close")
		}
		tr.Close()
	})
}

func TestManyCopyOuts(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		for _, n := range []int{10, 4 << 10, 64 << 10} {
			b := make([]byte, 100*n)
			c := tr.NewCall(sysMany)
			c.Args(c.Out(b), uint64(n), 100)
			want(t, tr, c, 100)
			for i := range 100 {
				if b[i*n] != byte(i) || b[i*n+n-1] != 7 {
					t.Fatalf("piece %d of %d bytes is wrong", i, n)
				}
			}
		}
	})
}

// TestReserveDropped: what is reserved and not committed goes nowhere.
func TestReserveDropped(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := dial(t, s)
	b := []byte("untouched")
	call := c.NewCall(sysHalfRead)
	call.Args(call.Out(b), 9)
	if _, err := done(t, c, call); err != abi.EIO || string(b) != "untouched" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestShutdownAnswersCalls(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := dial(t, s)
	p := s.k.find(t.Name())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := do(t, c, sysBlock); err != abi.EINTR {
			t.Errorf("interrupted call: %v", err)
		}
	})
	await(t, "it waits", func() bool { return p.waiting.Load() == 1 })
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if _, err := Dial(context.Background(), s.url, "late"); err == nil {
		t.Error("a client connected after Shutdown")
	}
}

// TestShutdownGivesUp: a call that does not end when it is told to does not hold
// up Shutdown longer than its context says, and its process ends when it does.
func TestShutdownGivesUp(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := dial(t, s)
	p := s.k.find(t.Name())
	result := make(chan error)
	go func() { result <- c.Do(c.NewCall(sysStuck)) }()
	await(t, "it waits", func() bool { return p.waiting.Load() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	isErr(t, s.Shutdown(ctx), context.DeadlineExceeded)
	if err := <-result; err == nil {
		t.Error("the call has an answer")
	}
	p.release <- struct{}{}
}

// TestBothWays has threads that write and threads that read much at once, so
// that both directions of the connection are full.
func TestBothWays(t *testing.T) {
	transports(t, func(t *testing.T, _ *toyKernel, tr Transport) {
		data := pattern(1 << 20)
		c := tr.NewCall(sysWrite)
		c.Args(c.In(data), 1<<20)
		want(t, tr, c, 1<<20)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					c := tr.NewCall(sysWrite)
					c.Args(c.In(data), 1<<20)
					if err := tr.Do(c); err != nil || c.Err != 0 {
						t.Errorf("write: %v, %v", err, c.Err)
					}
				}
			})
			wg.Go(func() {
				got := make([]byte, 1<<20)
				for range 5 {
					c := tr.NewCall(sysRead)
					c.Args(c.Out(got), 1<<20)
					if err := tr.Do(c); err != nil || c.Err != 0 || !bytes.Equal(got, data) {
						t.Errorf("read: %v, %v", err, c.Err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestRoundTrips counts what the server has to ask for (docs/protocol.md): with
// prefetch nothing that fits, without it one COPYIN for a buffer of any size.
func TestRoundTrips(t *testing.T) {
	for _, old := range []bool{false, true} {
		s := startServer(t, "", ServerConfig{NoPrefetch: old})
		c := dial(t, s)
		asked := func(name string, want uint64, num int, args ...func(c *Call) uint64) {
			t.Helper()
			before := s.Stats().CopyIns
			call := c.NewCall(num)
			for _, a := range args {
				call.Arg(a(call))
			}
			if _, err := done(t, c, call); err != 0 {
				t.Errorf("%s: %v", name, err)
			}
			if n := s.Stats().CopyIns - before; n != want {
				t.Errorf("%s: %d COPYINs, want %d (prefetch: %v)", name, n, want, !old)
			}
		}
		without := uint64(0)
		if old {
			without = 1
		}
		in := func(n int) func(c *Call) uint64 { return func(c *Call) uint64 { return c.In(make([]byte, n)) } }
		num := func(n uint64) func(c *Call) uint64 { return func(*Call) uint64 { return n } }
		path := func(c *Call) uint64 { return c.InString("/etc/passwd") }
		out := func(c *Call) uint64 { return c.Out(make([]byte, 152)) }
		asked("stat", without, sysStat, path, out)
		asked("write of 4 KiB", without, sysWrite, in(4<<10), num(4<<10))
		asked("write of 64 KiB", without, sysWrite, in(64<<10), num(64<<10))
		asked("write of 1 MiB", 1, sysWrite, in(1<<20), num(1<<20))
	}
}

// TestIdle: a client that does nothing costs the server a goroutine and the
// client none.
func TestIdle(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	before := runtime.NumGoroutine()
	const n = 50
	for range n {
		c := dial(t, s)
		call := c.NewCall(sysWrite)
		call.Args(call.In(make([]byte, 64<<10)), 64<<10)
		want(t, c, call, 64<<10)
	}
	await(t, "one goroutine for each", func() bool { return runtime.NumGoroutine() <= before+n })
	await(t, "no reader is awake", func() bool { return s.readers.now.Load() == 0 })
}
