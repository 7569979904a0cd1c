package inpcb_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// greedy is a process that a test ends itself.
func (h host) greedy() (host, *kern.Proc) {
	h.t.Helper()
	kp, err := h.k.NewProc("greedy")
	must(h.t, err)
	return host{kerntest.Wrap(h.t, kp), h.k, h.t}, kp
}

// heap is how much memory is in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first leaves what pools keep
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

// Processes that open sockets until they get none: EMFILE (socket(2)) at their RLIMIT_NOFILE; others are none the worse for it, and when they are gone nothing is
// left.
func TestGreedyForDescriptors(t *testing.T) {
	h := newHost(t)
	h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0) // the first makes what all have
	before := heap()
	kinds := [][2]int{{abi.AF_INET, abi.SOCK_STREAM}, {abi.AF_INET6, abi.SOCK_DGRAM}, {abi.AF_INET, abi.SOCK_RAW}, {abi.AF_INET6, abi.SOCK_STREAM}}
	var procs []*kern.Proc
	for range 20 {
		p, kp := h.greedy()
		procs = append(procs, kp)
		limit := make([]byte, abi.SizeofRlimit)
		p.Must(abi.SYS_getrlimit, abi.RLIMIT_NOFILE, limit)
		var r abi.Rlimit
		must(t, r.Decode(limit))
		for i := 3; ; i++ { // 0, 1 and 2 are the console
			kind := kinds[i%len(kinds)]
			if _, errno := p.Call(abi.SYS___socket30, kind[0], kind[1], 0); errno != 0 {
				if errno != abi.EMFILE || uint64(i) != r.Cur {
					t.Errorf("descriptor %d: %v; the limit is %d", i, errno, r.Cur)
				}
				break
			}
		}
	}
	h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	for _, kp := range procs {
		kp.Exit()
	}
	procs = nil
	if n := heap() - before; n > 4<<20 {
		t.Errorf("%d KB are in use afterwards", n>>10)
	}
	for _, name := range []string{"net.inet.raw", "net.inet6.udp6"} {
		if list := h.pcbs(name); len(list) != 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// Processes that send to themselves and do not read: a socket holds what its buffers may (SO_SNDBUF, SO_RCVBUF, kern.sbmax), and all of it is free when they
// are gone.
func TestGreedyForMemory(t *testing.T) {
	h := newHost(t)
	h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	before := heap()
	const socks, size = 16, 128 << 10
	p, kp := h.greedy()
	piece := strings.Repeat("x", 8192)
	for range socks {
		udp := p.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
		p.bind(udp, at("127.0.0.1:0"))
		if errno := p.connect(udp, port("127.0.0.1", p.local(udp).Port())); errno != 0 {
			t.Fatal(errno)
		}
		server := p.listen(at("127.0.0.1:0"), 1)
		tcp := p.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		if errno := p.connect(tcp, port("127.0.0.1", p.local(server).Port())); errno != 0 {
			t.Fatal(errno)
		}
		conn, _ := p.accept(server)
		for _, fd := range []int{udp, tcp, conn} {
			p.setopt(fd, abi.SOL_SOCKET, abi.SO_RCVBUF, cint(size))
			p.setopt(fd, abi.SOL_SOCKET, abi.SO_SNDBUF, cint(size))
			p.nonblock(fd)
			for range 200 {
				if _, errno := p.send(fd, piece, 0); errno != 0 && errno != abi.EWOULDBLOCK && errno != abi.ENOBUFS {
					t.Fatal(errno)
				}
			}
			for range 2000 {
				p.send(fd, "", 0)
				p.send(fd, "x", 0)
			}
		}
	}
	// Each TCP stream is in a send and a receive buffer, in both directions; what is in buffers of 2 KB clusters counts twice. Half as much again is for
	// segments of a byte that nobody has had the time to put together. Without limits it would be 80 MB and more.
	if n, most := heap()-before, socks*(2*2*size*2+2*size)+16<<20; n > most {
		t.Errorf("%d KB in use, want %d at most", n>>10, most>>10)
	}
	kp.Exit()
	eventually(t, "end of the connections", func() bool { return len(h.pcbs("net.inet.udp")) == 1 })
	eventually(t, "free memory", func() bool { return heap()-before < 8<<20 })
}

// Processes that vanish in the middle of calls that wait: none of the calls stays, nor their sockets.
func TestVanishInCalls(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 5)
	before := runtime.NumGoroutine()
	for range 20 {
		p, kp := h.greedy()
		tcp := p.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		p.connect(tcp, at("127.0.0.1:8000"))
		conn, _ := h.accept(server)
		udp := p.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
		own := p.listen(at("127.0.0.1:0"), 1)
		raw := p.socket(abi.AF_INET, abi.SOCK_RAW, 77)
		big := make([]byte, 4<<20)
		calls := [][]any{
			{abi.SYS_recvfrom, tcp, make([]byte, 10), 10, 0, nil, nil},
			{abi.SYS_sendto, tcp, big, len(big), abi.MSG_NOSIGNAL, nil, 0},
			{abi.SYS_recvfrom, udp, make([]byte, 10), 10, 0, nil, nil},
			{abi.SYS_accept, own, nil, nil},
			{abi.SYS_recvfrom, raw, make([]byte, 10), 10, abi.MSG_WAITALL, nil, nil},
			{abi.SYS_poll, (&abi.Pollfd{Fd: int32(udp), Events: abi.POLLIN}).Append(nil), 1, -1},
		}
		done := make(chan struct{}, len(calls))
		for _, c := range calls {
			go func() {
				p.Call(c[0].(int), c[1:]...)
				done <- struct{}{}
			}()
		}
		kp.Exit()
		for range calls {
			<-done
		}
		h.Close(conn)
	}
	for _, name := range []string{"net.inet.udp", "net.inet.raw"} {
		if list := h.pcbs(name); len(list) != 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
	eventually(t, "end of the goroutines", func() bool { return runtime.NumGoroutine() <= before+2 })
	if list := h.pcbs("net.inet.tcp"); len(list) > 1+2*20 {
		t.Errorf("%d connections are left", len(list))
	}
}
