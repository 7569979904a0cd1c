package kern_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// ourGoroutines counts the goroutines that are in package kern.
func ourGoroutines() int {
	var b strings.Builder
	pprof.Lookup("goroutine").WriteTo(&b, 2)
	n := 0
	for _, g := range strings.Split(b.String(), "\n\n") {
		if strings.Contains(g, "rumpctrl/kern.") {
			n++
		}
	}
	return n
}

// A thousand kernels in one process: each boots, serves and halts, and nothing of it stays.
func TestThousandKernels(t *testing.T) {
	before := ourGoroutines()
	for i := range 1000 {
		k, err := kern.New(kern.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			t.Fatal(err)
		}
		kp, err := k.NewProc("client")
		if err != nil {
			t.Fatal(err)
		}
		p := kerntest.Wrap(t, kp)
		if _, errno := p.Call(abi.SYS_getpid); errno != 0 {
			t.Fatal(errno)
		}
		ret, errno := p.Call2(abi.SYS_pipe)
		if errno != 0 {
			t.Fatal(errno)
		}
		p.Call(abi.SYS_fcntl, ret[0], abi.F_SETFL, abi.O_ASYNC)
		kq, _ := p.Call(abi.SYS_kqueue)
		ev := kevents(abi.Kevent{Ident: 1, Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: 1})
		p.Call(abi.SYS___kevent50, kq, ev, 1, nil, 0, nil)
		tick := kerntest.Struct(&abi.Itimerval{Value: abi.Timeval{Usec: 50}, Interval: abi.Timeval{Usec: 50}})
		p.Call(abi.SYS___setitimer50, abi.ITIMER_REAL, tick, nil)
		if i%2 == 0 {
			kp.Exit()
		}
		k.Halt()
	}
	for ourGoroutines() > before {
		runtime.Gosched()
	}
}

// Kernels of one process share nothing: calls on many at once do not get in each other's way.
func TestKernelsAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			p := start(t)
			for range 50 {
				r, w := p.Pipe()
				p.Write(w, p.K.Hostname())
				if s, _ := p.Read(r, 100); s != p.K.Hostname() {
					t.Errorf("read %q", s)
				}
				child := p.Fork()
				child.Close(r)
				child.Exit()
				p.Close(r)
				p.Close(w)
			}
		})
	}
	wg.Wait()
}

// A process whose client vanishes in the middle of a call that waits leaves nothing behind: the call ends with EINTR, its
// descriptors are closed, and those that waited for it go on.
func TestVanishingClients(t *testing.T) {
	for name, wait := range map[string]func(p *kerntest.P, r, w int) <-chan result{
		"nanosleep": func(p *kerntest.P, r, w int) <-chan result {
			return blocked(p, abi.SYS___nanosleep50, p.Mem.Map(spec(3600, 0)), 0)
		},
		"poll": func(p *kerntest.P, r, w int) <-chan result {
			return blocked(p, abi.SYS_poll, p.Mem.Map(pollfds(abi.Pollfd{Fd: int32(r), Events: abi.POLLIN})), 1, math.MaxUint64)
		},
		"select": func(p *kerntest.P, r, w int) <-chan result {
			return blocked(p, abi.SYS___select50, uint64(r+1), p.Mem.Map(fdset(r)), 0, 0, 0)
		},
		"kevent": func(p *kerntest.P, r, w int) <-chan result {
			kq := p.Must(abi.SYS_kqueue)
			add := kevents(abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD})
			return blocked(p, abi.SYS___kevent50, uint64(kq), p.Mem.Map(add), 1, p.Mem.Map(make([]byte, 40)), 1, 0)
		},
		"read": func(p *kerntest.P, r, w int) <-chan result {
			return blocked(p, abi.SYS_read, uint64(r), p.Mem.Map(make([]byte, 1)), 1)
		},
		"write": func(p *kerntest.P, r, w int) <-chan result {
			b := p.Mem.Map(make([]byte, 1<<20))
			// It has written a part when it is interrupted, and says so.
			return blocked(p, abi.SYS_write, uint64(w), b, 1<<20)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := kerntest.New(t)
			p := kerntest.Proc(t, k)
			r, w := p.Pipe()
			peer := p.Fork()
			peer.Close(w)
			done := wait(p, r, w)
			p.Exit()
			if got := <-done; got.errno != abi.EINTR && (name != "write" || got.ret <= 0) {
				t.Errorf("%v", got)
			}
			for { // what was written, and then the end of file, since the last writer is gone
				s, errno := peer.Read(r, 1<<20)
				if errno != 0 {
					t.Fatal(errno)
				}
				if s == "" {
					break
				}
			}
			if k.Proc(p.PID) != nil {
				t.Error("the process is still there")
			}
		})
	}
}

// A call that is told to stop waiting, as before exec, ends with EINTR while its process stays.
func TestCancelledCall(t *testing.T) {
	p := start(t)
	r, _ := p.Pipe()
	m := &cancelMemory{blockMemory{Memory: &p.Mem, blocked: make(chan struct{}, 1)}, make(chan struct{})}
	done := make(chan abi.Errno, 1)
	go func() {
		_, errno := p.Syscall(m, abi.SYS_read, []uint64{uint64(r), p.Mem.Map(make([]byte, 1)), 1})
		done <- errno
	}()
	<-m.blocked
	close(m.done)
	if errno := <-done; errno != abi.EINTR {
		t.Error(errno)
	}
	p.Must(abi.SYS_getpid)
}

type cancelMemory struct {
	blockMemory
	done chan struct{}
}

func (m *cancelMemory) Done() <-chan struct{} { return m.done }

// Threads of one process do everything at once. The race detector is the judge.
func TestConcurrentCalls(t *testing.T) {
	k := kerntest.New(t)
	p := kerntest.Proc(t, k)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			for range 200 {
				randomCall(p, rng)
			}
		})
	}
	wg.Wait()
}

// quickCalls are calls on a few descriptors that do not wait for long.
var quickCalls = []int{abi.SYS_dup, abi.SYS_dup2, abi.SYS_close, abi.SYS_pipe, abi.SYS_fcntl, abi.SYS_poll, abi.SYS_kqueue, abi.SYS___kevent50,
	abi.SYS_getpid, abi.SYS___setitimer50, abi.SYS_setpgid, abi.SYS_setgroups, abi.SYS___sysctl, abi.SYS___fstat50, abi.SYS_ioctl}

func randomCall(p *kerntest.P, rng *rand.Rand) {
	fd := rng.IntN(24)
	switch num := quickCalls[rng.IntN(len(quickCalls))]; num {
	case abi.SYS_dup, abi.SYS_close:
		p.Call(num, fd)
	case abi.SYS_dup2:
		p.Call(num, fd, rng.IntN(24))
	case abi.SYS_fcntl:
		p.Call(num, fd, []int{abi.F_GETFL, abi.F_SETFL, abi.F_SETFD, abi.F_DUPFD_CLOEXEC}[rng.IntN(4)], rng.IntN(128))
	case abi.SYS_poll:
		p.Call(num, pollfds(abi.Pollfd{Fd: int32(fd), Events: abi.POLLIN}), 1, rng.IntN(2))
	case abi.SYS___kevent50:
		ev := kevents(abi.Kevent{Ident: uint64(rng.IntN(24)), Filter: uint32(rng.IntN(7)), Flags: uint32(rng.IntN(64)), Data: 1000})
		p.Call(num, fd, ev, 1, make([]byte, 80), 2, spec(0, 1000))
	case abi.SYS_setgroups:
		p.Call(num, 1, kerntest.Ints(int32(fd)))
	case abi.SYS___sysctl:
		p.SetSysctl("kern.domainname", []byte{byte(fd) + 'a'})
	case abi.SYS___fstat50:
		p.Call(num, fd, make([]byte, abi.SizeofStat))
	case abi.SYS_ioctl:
		p.Call(num, fd, abi.FIOASYNC, kerntest.Ints(int32(rng.IntN(2))))
	case abi.SYS_setpgid:
		child, err := p.Proc.Fork()
		if err == nil {
			p.Call(num, child.PID, 0)
			child.Exit()
		}
	default:
		p.Call(num, rng.IntN(4), 0, 0)
	}
}

// FuzzSyscall makes a call with any number and any arguments, over memory of any content: no panic, and an answer. A call that waits is
// interrupted.
func FuzzSyscall(f *testing.F) {
	for _, n := range []int{abi.SYS_read, abi.SYS_writev, abi.SYS___sysctl, abi.SYS___kevent50, abi.SYS_poll, abi.SYS_ioctl, abi.SYS_fcntl, abi.SYS___select50} {
		f.Add(uint16(n), uint64(3), uint64(1)<<32, uint64(2), uint64(1)<<32, uint64(1)<<32, uint64(96), []byte("\x01\x00\x00\x00\xfe\xff\xff\xff\x00\x00\x00\x01"))
	}
	f.Fuzz(func(t *testing.T, num uint16, a, b, c, d, e, g uint64, mem []byte) {
		k, err := kern.New(kern.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			t.Fatal(err)
		}
		defer k.Halt()
		kp, err := k.NewProc("fuzz")
		if err != nil {
			t.Fatal(err)
		}
		p := kerntest.Wrap(t, kp)
		p.Call(abi.SYS_pipe)
		p.Call(abi.SYS_kqueue)
		var m kerntest.Memory
		m.Map(append(mem, make([]byte, 4096)...)) // at 1 << 32
		wait := &blockMemory{Memory: &m, blocked: make(chan struct{}, 1)}
		done := make(chan abi.Errno, 1)
		go func() {
			_, errno := kp.Syscall(wait, int(num%512), []uint64{a, b, c, d, e, g, 0, 0})
			done <- errno
		}()
		select {
		case errno := <-done:
			checkAnswer(t, k, errno)
		case <-wait.blocked:
			go kp.Exit()
			checkAnswer(t, k, <-done)
		}
	})
}

func checkAnswer(t *testing.T, k *kern.Kernel, errno abi.Errno) {
	if errno > abi.ELAST {
		t.Errorf("errno %d", errno)
	}
	if strings.Contains(string(k.Msgbuf.Bytes()), "panic") {
		t.Errorf("%s", k.Msgbuf.Bytes())
	}
}

func BenchmarkBoot(b *testing.B) {
	for b.Loop() {
		k, err := kern.New(kern.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			b.Fatal(err)
		}
		k.Halt()
	}
}
