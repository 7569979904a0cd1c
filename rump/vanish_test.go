package rump

import (
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/kern"
)

// cable is a way from clients to a server that can be cut: the server sees clients that are gone without a word.
type cable struct {
	url string // where clients connect

	mu    sync.Mutex
	conns []net.Conn
}

func newCable(t *testing.T, server string) *cable {
	t.Helper()
	sock := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cable{url: "unix://" + sock}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", server)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, near, far)
			c.mu.Unlock()
			go io.Copy(near, far)
			go io.Copy(far, near)
		}
	}()
	return c
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// waitCalls is how many calls the waits make together.
const waitCalls = 7

// waits are calls that do not return by themselves; rd is the end of a pipe that nobody writes to.
var waits = map[string]func(p *client.Process, rd int) error{
	"read": func(p *client.Process, rd int) error {
		_, err := p.Sys().Read(rd, make([]byte, 1))
		return err
	},
	"poll": func(p *client.Process, rd int) error {
		_, err := p.Sys().Poll([]abi.Pollfd{{Fd: int32(rd), Events: abi.POLLIN}}, -1)
		return err
	},
	"kevent": func(p *client.Process, rd int) error {
		kq, err := p.Sys().Kqueue(0)
		if err != nil {
			return err
		}
		change := []abi.Kevent{{Ident: uint64(rd), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}}
		_, err = p.Sys().Kevent(kq, change, make([]abi.Kevent, 1), nil)
		return err
	},
	"nanosleep": func(p *client.Process, _ int) error {
		return p.Sys().Nanosleep(abi.Timespec{Sec: 1 << 30}, nil)
	},
	"flock": func(p *client.Process, _ int) error {
		fd, err := p.Sys().Open("/locked", abi.O_RDWR, 0)
		if err != nil {
			return err
		}
		return p.Sys().Flock(fd, abi.LOCK_EX)
	},
}

// TestVanishedClients: sysproxy.md: a client that vanishes takes its process with it: blocked calls are interrupted,
// descriptors closed, locks released.
func TestVanishedClients(t *testing.T) {
	k := boot(t, Config{})
	_, sock := listen(t, k)
	before := k.Kernel().Procs()
	holder := local(t, k)
	fd, err := holder.Sys().Open("/locked", abi.O_RDWR|abi.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Sys().Flock(fd, abi.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	c := newCable(t, sock)
	var calls sync.WaitGroup
	victims := 0
	for range 10 {
		p := dial(t, c.url)
		child, err := p.Fork()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*client.Process{p, child} {
			victims++
			block(t, k, p, &calls)
		}
	}
	if got := len(k.Kernel().Procs()) - len(before); got != victims+1 {
		t.Fatalf("%d processes, %d victims", got, victims)
	}
	c.cut()
	calls.Wait()
	holder.Close()
	for _, p := range k.Kernel().Procs() {
		if !slices.Contains(before, p) {
			waitExit(k, p)
		}
	}
	if after := k.Kernel().Procs(); !slices.Equal(after, before) {
		t.Errorf("%d processes, %d before", len(after), len(before))
	}
	locked := local(t, k)
	if fd, err = locked.Sys().Open("/locked", abi.O_RDWR, 0); err == nil {
		err = locked.Sys().Flock(fd, abi.LOCK_EX|abi.LOCK_NB)
	}
	if err != nil {
		t.Errorf("a lock of a client that has vanished: %v", err)
	}
}

// block has a process make a call of each kind that waits, and returns when all are in the kernel.
func block(t *testing.T, k *Kernel, p *client.Process, calls *sync.WaitGroup) {
	t.Helper()
	rd, _, err := p.Sys().Pipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := k.Stats().Calls
	for name, wait := range waits {
		calls.Go(func() {
			if err := wait(p, rd); err == nil {
				t.Errorf("%s returned without an error", name)
			}
		})
	}
	for k.Stats().Calls < begun+waitCalls {
		runtime.Gosched()
	}
}

// waitExit waits until a process of the kernel has exited.
func waitExit(k *Kernel, p *kern.Proc) {
	gone := make(chan struct{}, 1)
	w := &kern.Watcher{Notify: func(hint uint32, _ int64) {
		if hint&abi.NOTE_EXIT != 0 {
			select {
			case gone <- struct{}{}:
			default:
			}
		}
	}}
	p.Sel.Watch(w)
	defer p.Sel.Unwatch(w)
	if k.Kernel().Proc(p.PID) == p {
		<-gone
	}
}
