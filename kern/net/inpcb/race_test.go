package inpcb_test

import (
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Calls of many threads on the same sockets, which are closed meanwhile, end with an errno of their manual pages; the race detector is the oracle too.
func TestManyThreads(t *testing.T) {
	h := newHost(t)
	allowed := map[abi.Errno]bool{
		0: true, abi.EBADF: true, abi.EINVAL: true, abi.ENOTCONN: true, abi.EISCONN: true, abi.EALREADY: true, abi.EINPROGRESS: true,
		abi.ECONNREFUSED: true, abi.ECONNRESET: true, abi.ECONNABORTED: true, abi.EPIPE: true, abi.EWOULDBLOCK: true, abi.EADDRINUSE: true,
		abi.EOPNOTSUPP: true, abi.EDESTADDRREQ: true, abi.EMFILE: true, abi.ENOTSOCK: true, abi.ENOBUFS: true,
	}
	server := h.listen(at("127.0.0.1:8000"), 5)
	h.nonblock(server)
	sa := at("127.0.0.1:8000")
	for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_DGRAM, abi.SOCK_RAW} {
		for range 20 {
			fd := h.socket(abi.AF_INET, typ, 0)
			h.nonblock(fd)
			calls := [][]any{
				{abi.SYS_connect, fd, sa, 16}, {abi.SYS_bind, fd, at("127.0.0.1:0"), 16},
				{abi.SYS_sendto, fd, []byte("x"), 1, abi.MSG_NOSIGNAL, nil, 0}, {abi.SYS_recvfrom, fd, make([]byte, 10), 10, 0, nil, nil},
				{abi.SYS_shutdown, fd, abi.SHUT_RDWR}, {abi.SYS_getsockname, fd, make([]byte, 16), cint(16)},
				{abi.SYS_accept, server, nil, nil}, {abi.SYS_setsockopt, fd, abi.IPPROTO_IP, abi.IP_TTL, cint(9), 4},
				{abi.SYS_listen, fd, 1}, {abi.SYS_close, fd},
			}
			var wg sync.WaitGroup
			for _, c := range calls {
				wg.Go(func() {
					if v, errno := h.Call(c[0].(int), c[1:]...); !allowed[errno] {
						t.Errorf("%s of type %d: %v", abi.SyscallByNum(c[0].(int)).Name, typ, errno)
					} else if c[0] == abi.SYS_accept && errno == 0 {
						h.Call(abi.SYS_close, int(v))
					}
				})
			}
			wg.Wait()
		}
	}
}

// A process that vanishes with everything open, while a thread of it waits, leaves nothing behind but connections that are being closed.
func TestVanishedProcess(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 5)
	kp, err := h.k.NewProc("client")
	must(t, err)
	p := host{kerntest.Wrap(t, kp), h.k, t}
	client := p.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	p.connect(client, at("127.0.0.1:8000"))
	conn, _ := h.accept(server)
	udp := p.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	p.bind(udp, at("0.0.0.0:7000"))
	mreq := abi.IpMreq{Multiaddr: abi.InAddrFrom4([4]byte{239, 1, 2, 3}), Interface: abi.InAddrFrom4([4]byte{127, 0, 0, 1})}
	if errno := p.setopt(udp, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreq.Append(nil)); errno != 0 {
		t.Fatal(errno)
	}
	p.socket(abi.AF_INET, abi.SOCK_RAW, 89)
	done := make(chan abi.Errno)
	go func() {
		_, _, errno := p.recv(client, 10, 0)
		done <- errno
	}()
	kp.Exit()
	if errno := <-done; errno != abi.EINTR && errno != abi.EBADF && errno != abi.ESRCH && errno != 0 {
		t.Errorf("recv of the vanished: %v", errno)
	}
	h.want(conn, 10, 0, "", 0)
	for _, name := range []string{"net.inet.udp", "net.inet.raw"} {
		if list := h.pcbs(name); len(list) != 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
	if errno := h.bindWith(abi.SOCK_DGRAM, binder{0, "0.0.0.0:7000", 0}); errno != 0 {
		t.Errorf("the port: %v", errno)
	}
}

// A kernel that halts with connections in every state leaves no goroutine of its sockets behind; and a socket has none while it lives.
func TestNoGoroutines(t *testing.T) {
	before := inpcbGoroutines()
	t.Run("kernel", func(t *testing.T) {
		h := newHost(t)
		server := h.listen(at("127.0.0.1:8000"), 100)
		idle := runtime.NumGoroutine()
		for range 20 {
			fd := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
			if errno := h.connect(fd, at("127.0.0.1:8000")); errno != 0 {
				t.Fatal(errno)
			}
			h.accept(server)
			udp := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
			h.bind(udp, at("127.0.0.1:0"))
		}
		if now := runtime.NumGoroutine(); now > idle+10 {
			t.Errorf("%d goroutines with 60 sockets, %d without", now, idle)
		}
	})
	if after := inpcbGoroutines(); after > before {
		t.Errorf("%d goroutines are left, %d were there", after, before)
	}
}

// inpcbGoroutines counts the goroutines that are in this package.
func inpcbGoroutines() int {
	b := make([]byte, 1<<20)
	n := 0
	for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(g, "kern/net/inpcb.") {
			n++
		}
	}
	return n
}

// Oracle: kqueue(2): EVFILT_READ and EVFILT_WRITE of a socket tell of data, room, and the end.
func TestKqueue(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 5)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	kq := int(h.Must(abi.SYS_kqueue))
	add := func(fd int, filter uint32) {
		ev := abi.Kevent{Ident: uint64(fd), Filter: filter, Flags: abi.EV_ADD}
		h.Must(abi.SYS___kevent50, kq, ev.Append(nil), 1, nil, 0, nil)
	}
	next := func() abi.Kevent {
		var ev abi.Kevent
		b := make([]byte, abi.SizeofKevent)
		h.Must(abi.SYS___kevent50, kq, nil, 0, b, 1, nil)
		must(t, ev.Decode(b))
		return ev
	}
	add(server, abi.EVFILT_READ)
	h.connect(client, at("127.0.0.1:8000"))
	if ev := next(); ev.Ident != uint64(server) {
		t.Errorf("a connection: %+v", ev)
	}
	conn, peer := h.accept(server)
	if peer.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Error(peer)
	}
	add(conn, abi.EVFILT_READ)
	h.send(client, "hello", 0)
	if ev := next(); ev.Ident != uint64(conn) || ev.Data != 5 || ev.Flags&abi.EV_EOF != 0 {
		t.Errorf("data: %+v", ev)
	}
	h.want(conn, 5, 0, "hello", 0)
	h.Close(client)
	if ev := next(); ev.Ident != uint64(conn) || ev.Flags&abi.EV_EOF == 0 {
		t.Errorf("the end: %+v", ev)
	}
}

// A kernel that halts while sockets of every kind are open and in use: their processes go afterwards, and nothing breaks.
func TestHaltWithSockets(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 5)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	pending := h.socket(abi.AF_INET6, abi.SOCK_STREAM, 0)
	h.nonblock(pending)
	h.connect(pending, at("[::1]:8001"))
	for _, fd := range h.allSockets() {
		h.bind(fd, at("0.0.0.0:0"))
		h.bind(fd, at("[::]:0"))
	}
	done := make(chan abi.Errno)
	go func() {
		_, errno := h.Call(abi.SYS_accept, server, nil, nil)
		if errno == 0 {
			_, _, errno = h.recv(client, 10, 0)
		}
		done <- errno
	}()
	h.k.Halt()
	<-done
	h.Exit()
}
