package inpcb_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// nowhere is a port that nobody listens at.
const nowhere = 9

// Oracle: the ERRORS of NetBSD's socket(2), bind(2), connect(2), listen(2), accept(2), send(2), recv(2), shutdown(2), ip(4) and tcp(4).
func TestTCPErrors(t *testing.T) {
	h := newHost(t)
	tcp := func() int { return h.socket(abi.AF_INET, abi.SOCK_STREAM, 0) }
	listener := h.listen(at("127.0.0.1:8000"), 4)
	up := tcp()
	if errno := h.connect(up, at("127.0.0.1:8000")); errno != 0 {
		t.Fatal(errno)
	}
	bound := tcp()
	h.bind(bound, at("0.0.0.0:7000"))
	for _, c := range []struct {
		what  string
		errno abi.Errno
		call  int
		args  []any
	}{
		{"another type", abi.EPROTOTYPE, abi.SYS___socket30, []any{abi.AF_INET, abi.SOCK_SEQPACKET, 0}},
		{"another protocol", abi.EPROTONOSUPPORT, abi.SYS___socket30, []any{abi.AF_INET, abi.SOCK_STREAM, abi.IPPROTO_UDP}},
		{"UDP by number", 0, abi.SYS___socket30, []any{abi.AF_INET, abi.SOCK_DGRAM, abi.IPPROTO_UDP}},
		{"bind: too short", abi.EINVAL, abi.SYS_bind, []any{tcp(), at("127.0.0.1:1234"), 8}},
		{"bind: other family", abi.EINVAL, abi.SYS_bind, []any{tcp(), at("[::1]:1234"), 28}},
		{"bind: AF_LOCAL", abi.EAFNOSUPPORT, abi.SYS_bind, []any{tcp(), append([]byte{16, abi.AF_LOCAL}, make([]byte, 14)...), 16}},
		{"bind: not here", abi.EADDRNOTAVAIL, abi.SYS_bind, []any{tcp(), at("10.9.9.9:1234"), 16}},
		{"bind: taken", abi.EADDRINUSE, abi.SYS_bind, []any{tcp(), at("127.0.0.1:8000"), 16}},
		{"bind: taken by a wildcard", abi.EADDRINUSE, abi.SYS_bind, []any{tcp(), at("127.0.0.1:7000"), 16}},
		{"bind: again", abi.EINVAL, abi.SYS_bind, []any{bound, at("127.0.0.1:7001"), 16}},
		{"connect: too short", abi.EINVAL, abi.SYS_connect, []any{tcp(), at("127.0.0.1:8000"), 15}},
		{"connect: port 0", abi.EADDRNOTAVAIL, abi.SYS_connect, []any{tcp(), at("127.0.0.1:0"), 16}},
		{"connect: a group", abi.EADDRNOTAVAIL, abi.SYS_connect, []any{tcp(), at("224.0.0.1:80"), 16}},
		{"connect: no network", abi.EADDRNOTAVAIL, abi.SYS_connect, []any{tcp(), at("10.9.9.9:80"), 16}},
		{"connect: again", abi.EISCONN, abi.SYS_connect, []any{up, at("127.0.0.1:8000"), 16}},
		{"connect: listening", abi.EOPNOTSUPP, abi.SYS_connect, []any{listener, at("127.0.0.1:8000"), 16}},
		{"connect: refused", abi.ECONNREFUSED, abi.SYS_connect, []any{tcp(), port("127.0.0.1", nowhere), 16}},
		{"listen: connected", abi.EINVAL, abi.SYS_listen, []any{up, 1}},
		{"accept: not listening", abi.EINVAL, abi.SYS_accept, []any{bound, nil, nil}},
		{"getpeername: not connected", abi.ENOTCONN, abi.SYS_getpeername, []any{bound, make([]byte, 16), cint(16)}},
		{"send: not connected", abi.ENOTCONN, abi.SYS_sendto, []any{bound, []byte("x"), 1, abi.MSG_NOSIGNAL, nil, 0}},
		{"send: MSG_OOB", abi.EOPNOTSUPP, abi.SYS_sendto, []any{up, []byte("x"), 1, abi.MSG_OOB, nil, 0}},
		{"recv: not connected", abi.ENOTCONN, abi.SYS_recvfrom, []any{bound, make([]byte, 1), 1, 0, nil, nil}},
		{"recv: listening", abi.ENOTCONN, abi.SYS_recvfrom, []any{listener, make([]byte, 1), 1, 0, nil, nil}},
		{"recv: nothing there", abi.EWOULDBLOCK, abi.SYS_recvfrom, []any{up, make([]byte, 1), 1, abi.MSG_DONTWAIT, nil, nil}},
		{"recv: MSG_OOB", abi.EOPNOTSUPP, abi.SYS_recvfrom, []any{up, make([]byte, 1), 1, abi.MSG_OOB, nil, nil}},
		{"shutdown: not connected", abi.ENOTCONN, abi.SYS_shutdown, []any{bound, abi.SHUT_WR}},
		{"shutdown: how", abi.EINVAL, abi.SYS_shutdown, []any{up, 3}},
	} {
		t.Run(c.what, func(t *testing.T) {
			if _, errno := h.Call(c.call, c.args...); errno != c.errno {
				t.Errorf("%v, want %v", errno, c.errno)
			}
		})
	}
}

// loopbacks are an address of each family that is the host itself, and its wildcard.
var loopbacks = []struct{ lo, any string }{{"127.0.0.1", "0.0.0.0"}, {"::1", "::"}}

// Oracle: connect(2), accept(2), getsockname(2), shutdown(2), and tcp(4): what is sent arrives, then the end.
func TestTCPTransfer(t *testing.T) {
	for _, l := range loopbacks {
		t.Run(l.lo, func(t *testing.T) {
			h := newHost(t)
			transfer(t, h, h, l.lo, l.lo)
		})
	}
	t.Run("Ethernet", func(t *testing.T) {
		a, b := pair(t)
		transfer(t, a, b, "10.0.0.1", "10.0.0.2")
		transfer(t, a, b, "fd00::1", "fd00::2")
	})
}

// transfer connects from a to b and sends in both directions.
func transfer(t *testing.T, a, b host, from, to string) {
	t.Helper()
	server := b.listen(port(to, 0), 4)
	where := b.local(server)
	client := a.socket(int(port(to, 0)[1]), abi.SOCK_STREAM, 0)
	if errno := a.connect(client, port(to, where.Port())); errno != 0 {
		t.Fatalf("connect: %v", errno)
	}
	conn, peer := b.accept(server)
	if own := a.local(client); own != peer || own.Addr() != netip.MustParseAddr(from) || own.Port() < 49152 {
		t.Errorf("the client is %v, the server sees %v", own, peer)
	}
	if got, errno := a.name(abi.SYS_getpeername, client); got != where || errno != 0 {
		t.Errorf("the client's peer is %v %v, want %v", got, errno, where)
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	go func() {
		a.send(client, big, 0)
		a.Call(abi.SYS_shutdown, client, abi.SHUT_WR)
	}()
	var got bytes.Buffer
	for {
		s, _, errno := b.recv(conn, 1<<17, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		if s == "" {
			break
		}
		got.WriteString(s)
	}
	if got.String() != big {
		t.Errorf("received %d bytes of %d, or others", got.Len(), len(big))
	}
	b.send(conn, "half closed", 0)
	a.want(client, 100, 0, "half closed", 0)
	b.Close(conn)
	a.want(client, 100, 0, "", 0)
	a.Close(client)
	b.Close(server)
}

// Oracle: connect(2) of a socket that does not wait: EINPROGRESS, EALREADY, readiness for writing, SO_ERROR once.
func TestTCPConnectInProgress(t *testing.T) {
	a, b := pair(t)
	for _, c := range []struct {
		what  string
		addr  []byte
		errno abi.Errno
	}{
		{"taken", at("10.0.0.2:8000"), 0},
		{"refused", port("10.0.0.2", nowhere), abi.ECONNREFUSED},
		{"taken, IPv6", at("[fd00::2]:8000"), 0},
		{"refused, IPv6", port("fd00::2", nowhere), abi.ECONNREFUSED},
	} {
		t.Run(c.what, func(t *testing.T) {
			if c.errno == 0 {
				fd := b.listen(c.addr, 1)
				defer b.Close(fd)
			}
			fd := a.socket(int(c.addr[1]), abi.SOCK_STREAM, 0)
			defer a.Close(fd)
			a.nonblock(fd)
			if errno := a.connect(fd, c.addr); errno != abi.EINPROGRESS {
				t.Fatalf("connect: %v", errno)
			}
			a.poll(fd, abi.POLLOUT, -1)
			if errno := a.soError(fd); errno != c.errno {
				t.Errorf("SO_ERROR: %v, want %v", errno, c.errno)
			}
			if errno := a.soError(fd); errno != 0 {
				t.Errorf("SO_ERROR again: %v", errno)
			}
			want := abi.EISCONN
			if c.errno != 0 {
				want = abi.EINVAL
			}
			if errno := a.connect(fd, c.addr); errno != want {
				t.Errorf("connect again: %v, want %v", errno, want)
			}
		})
	}
}

// An unanswered connection is under way until it is given up: TCP_KEEPINIT, tcp(4). The address has a host route to a neighbour that never answers,
// so it is EALREADY meanwhile.
func TestTCPAlready(t *testing.T) {
	a, _ := pair(t)
	fd := a.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	a.nonblock(fd)
	if errno := a.connect(fd, at("10.0.0.77:80")); errno != abi.EINPROGRESS {
		t.Fatal(errno)
	}
	if errno := a.connect(fd, at("10.0.0.77:80")); errno != abi.EALREADY {
		t.Errorf("connect again: %v", errno)
	}
	if _, errno := a.send(fd, "x", abi.MSG_NOSIGNAL); errno != abi.ENOTCONN {
		t.Errorf("send: %v", errno)
	}
	if got := a.poll(fd, abi.POLLIN|abi.POLLOUT, 0); got != 0 {
		t.Errorf("ready for %#x", got)
	}
}

// Oracle: listen(2) of NetBSD 7.99.34: connections are taken while no more than backlog wait to be accepted; of others the request is dropped, and
// made again later.
func TestTCPBacklog(t *testing.T) {
	for _, backlog := range []int{0, 1, 5} {
		t.Run(fmt.Sprint(backlog), func(t *testing.T) {
			h := newHost(t)
			server := h.listen(at("127.0.0.1:8000"), backlog)
			dropped := inet.Of(h.k).Stack.Stats().TCP.ListenOverflowSynDrop
			taken := 0
			for range 8 {
				before := dropped.Value()
				fd := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
				h.nonblock(fd)
				h.connect(fd, at("127.0.0.1:8000"))
				for dropped.Value() == before && h.waiting(8000) == taken {
					h.poll(fd, abi.POLLIN, 1)
				}
				taken = h.waiting(8000)
			}
			if taken != backlog+1 {
				t.Errorf("%d connections were made, want %d", taken, backlog+1)
			}
			h.nonblock(server)
			for range taken {
				h.accept(server)
			}
		})
	}
}

// waiting counts the connections to a port that are made.
func (h host) waiting(port uint16) int {
	n := 0
	for _, p := range h.pcbs("net.inet.tcp") {
		if p.Tstate == abi.TCPS_ESTABLISHED && addrPort(p.S[:]).Port() == port {
			n++
		}
	}
	return n
}

// Oracle: shutdown(2), send(2), tcp(4): EPIPE with SIGPIPE after SHUT_WR, ECONNRESET after a reset, then the end.
func TestTCPEnds(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 4)
	dial := func() (client, conn int) {
		client = h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		if errno := h.connect(client, at("127.0.0.1:8000")); errno != 0 {
			t.Fatal(errno)
		}
		conn, _ = h.accept(server)
		return client, conn
	}
	t.Run("SHUT_WR", func(t *testing.T) {
		client, conn := dial()
		h.Must(abi.SYS_shutdown, client, abi.SHUT_WR)
		if _, errno := h.send(client, "x", 0); errno != abi.EPIPE {
			t.Errorf("send: %v", errno)
		}
		if got := h.WaitSignals(1); got[0] != abi.SIGPIPE {
			t.Errorf("signals %v", got)
		}
		h.want(conn, 10, 0, "", 0)
	})
	t.Run("SHUT_RD", func(t *testing.T) {
		client, _ := dial()
		h.Must(abi.SYS_shutdown, client, abi.SHUT_RD)
		h.want(client, 10, 0, "", 0)
	})
	t.Run("SO_LINGER 0", func(t *testing.T) {
		client, conn := dial()
		linger := abi.Linger{Onoff: 1}
		if errno := h.setopt(client, abi.SOL_SOCKET, abi.SO_LINGER, linger.Append(nil)); errno != 0 {
			t.Fatal(errno)
		}
		h.Close(client)
		h.want(conn, 10, 0, "", abi.ECONNRESET)
		h.want(conn, 10, 0, "", 0)
		if _, errno := h.send(conn, "x", abi.MSG_NOSIGNAL); errno != abi.EPIPE {
			t.Errorf("send: %v", errno)
		}
	})
	t.Run("unread data", func(t *testing.T) {
		client, conn := dial()
		h.send(client, "unread", 0)
		h.poll(conn, abi.POLLIN, -1)
		h.Close(conn)
		h.want(client, 10, 0, "", abi.ECONNRESET)
	})
	t.Run("listener closed", func(t *testing.T) {
		other := h.listen(at("127.0.0.1:8001"), 4)
		client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		if errno := h.connect(client, at("127.0.0.1:8001")); errno != 0 {
			t.Fatal(errno)
		}
		h.poll(other, abi.POLLIN, -1)
		h.Close(other)
		h.want(client, 10, 0, "", abi.ECONNRESET)
	})
}

// Oracle: recv(2) MSG_PEEK and MSG_WAITALL, FIONREAD of ioctl(2).
func TestTCPPeek(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 4)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	conn, _ := h.accept(server)
	h.send(client, "hello", 0)
	h.poll(conn, abi.POLLIN, -1)
	h.want(conn, 3, abi.MSG_PEEK, "hel", 0)
	n := cint(0)
	h.Must(abi.SYS_ioctl, conn, uint64(abi.FIONREAD), n)
	if kerntest.Int(n) != 5 {
		t.Errorf("FIONREAD %d", kerntest.Int(n))
	}
	h.want(conn, 10, 0, "hello", 0)
	go func() {
		h.send(client, "123", 0)
		h.send(client, "456", 0)
	}()
	h.want(conn, 6, abi.MSG_WAITALL, "123456", 0)
}

// A thread that waits at a connection finds out when another closes its descriptor, and what is closed while it is used ends cleanly.
func TestTCPCloseWhileReading(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 100)
	for range 50 {
		client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		if errno := h.connect(client, at("127.0.0.1:8000")); errno != 0 {
			t.Fatal(errno)
		}
		conn, _ := h.accept(server)
		done := make(chan abi.Errno)
		go func() {
			_, _, errno := h.recv(client, 10, 0)
			done <- errno
		}()
		h.Close(conn)
		h.Call(abi.SYS_close, client)
		if errno := <-done; errno != 0 && errno != abi.EBADF && errno != abi.ENOTCONN {
			t.Errorf("recv: %v", errno)
		}
	}
}

// Oracle: tcp(4), TCP_KEEPINIT: a connection that is not made in that time is given up with ETIMEDOUT.
func TestTCPTimeout(t *testing.T) {
	a, _ := pair(t)
	fd := a.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	if errno := a.setopt(fd, abi.IPPROTO_TCP, abi.TCP_KEEPINIT, cint(1)); errno != 0 {
		t.Fatal(errno)
	}
	if errno := a.connect(fd, at("10.0.0.77:80")); errno != abi.ETIMEDOUT {
		t.Errorf("connect: %v", errno)
	}
	if errno := a.connect(fd, at("10.0.0.77:80")); errno != abi.EINVAL {
		t.Errorf("connect again: %v", errno)
	}
}

// Oracle: tcp(4), SO_LINGER of getsockopt(2): close waits until the peer has taken what was sent.
func TestTCPLinger(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 4)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	conn, _ := h.accept(server)
	linger := abi.Linger{Onoff: 1, Linger: 60}
	h.setopt(client, abi.SOL_SOCKET, abi.SO_LINGER, linger.Append(nil))
	data := strings.Repeat("x", 1<<20)
	closed := make(chan abi.Errno)
	go func() {
		h.send(client, data, 0)
		_, errno := h.Call(abi.SYS_close, client)
		closed <- errno
	}()
	total := 0
	for {
		s, _, errno := h.recv(conn, 1<<16, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		if s == "" {
			break
		}
		total += len(s)
	}
	if total != len(data) {
		t.Errorf("%d bytes arrived", total)
	}
	h.Close(conn)
	if errno := <-closed; errno != 0 {
		t.Errorf("close: %v", errno)
	}
}

// Oracle: inet6(4): link-local addresses have their interface in sin6_scope_id, or embedded as KAME has it; and come back with it.
func TestScopes(t *testing.T) {
	a, b := pair(t)
	ll := linkLocal(t, b)
	server := b.listen(at("[::]:8000"), 4)
	for _, c := range []struct {
		what  string
		sa    []byte
		errno abi.Errno
	}{
		{"sin6_scope_id", sockaddr.Inet(ll, 8000, 2), 0},
		{"embedded", embedded(ll, 8000, 2), 0},
		{"no such interface", sockaddr.Inet(ll, 8000, 99), abi.ENXIO},
	} {
		t.Run(c.what, func(t *testing.T) {
			client := a.socket(abi.AF_INET6, abi.SOCK_STREAM, 0)
			defer a.Close(client)
			if errno := a.connect(client, c.sa); errno != c.errno {
				t.Fatalf("connect: %v, want %v", errno, c.errno)
			}
			udp := a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
			defer a.Close(udp)
			if errno := a.sendto(udp, "x", c.sa); errno != c.errno {
				t.Errorf("sendto: %v, want %v", errno, c.errno)
			}
			if c.errno != 0 {
				return
			}
			conn, _ := b.accept(server)
			defer b.Close(conn)
			sa, n := make([]byte, 28), cint(28)
			a.Must(abi.SYS_getpeername, client, sa, n)
			if !bytes.Equal(sa, sockaddr.Inet(ll, 8000, 2)) {
				t.Errorf("the peer is % x", sa)
			}
		})
	}
	fd := b.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	if errno := b.bind(fd, sockaddr.Inet(ll, 7000, 2)); errno != 0 {
		t.Errorf("bind: %v", errno)
	}
	from := a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	a.sendto(from, "to a bound one", sockaddr.Inet(ll, 7000, 2))
	b.want(fd, 100, 0, "to a bound one", 0)
	other := b.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	if errno := b.bind(other, sockaddr.Inet(ll, 7001, 1)); errno != abi.EADDRNOTAVAIL {
		t.Errorf("bind on lo0: %v", errno)
	}
}

// linkLocal is the link-local address of shmif0.
func linkLocal(t *testing.T, h host) netip.Addr {
	t.Helper()
	for _, ia := range ifnet.Of(h.k).ByName("shmif0").Addrs() {
		if ip, _, _, ok := sockaddr.ParseInet(ia.Addr); ok && ip.IsLinkLocalUnicast() {
			return ip
		}
	}
	t.Fatal("no link-local address")
	return netip.Addr{}
}

// embedded is a struct sockaddr_in6 without sin6_scope_id and with the scope in the address.
func embedded(ip netip.Addr, port, scope uint16) []byte {
	sa := sockaddr.Inet(ip, port, 0)
	sockaddr.EmbedScope(sa, uint32(scope))
	return sa
}
