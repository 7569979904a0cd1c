package inpcb_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: ip(4) and in_pcbconnect: 0.0.0.0 and :: are this host.
func TestConnectToUnspecified(t *testing.T) {
	h := newHost(t)
	for _, l := range loopbacks {
		server := h.listen(port(l.lo, 8000), 1)
		client := h.socket(int(port(l.lo, 1)[1]), abi.SOCK_STREAM, 0)
		if errno := h.connect(client, port(l.any, 8000)); errno != 0 {
			t.Errorf("%s: %v", l.any, errno)
		}
		h.accept(server)
	}
}

// Oracle: shutdown(2), SO_OVERFLOWED and FIONREAD: of UDP.
func TestUDPShutdown(t *testing.T) {
	h := newHost(t)
	fd := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	h.bind(fd, at("127.0.0.1:7000"))
	h.setopt(fd, abi.SOL_SOCKET, abi.SO_RCVBUF, cint(3000))
	client := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	for range 10 {
		h.sendto(client, strings.Repeat("x", 1000), at("127.0.0.1:7000"))
	}
	last := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	h.connect(last, at("127.0.0.1:7001"))
	h.send(last, "after the others", 0)
	h.want(last, 1, 0, "", abi.ECONNREFUSED)
	n := cint(0)
	h.Must(abi.SYS_ioctl, fd, uint64(abi.FIONREAD), n)
	lost, _ := h.getopt(fd, abi.SOL_SOCKET, abi.SO_OVERFLOWED)
	if got := kerntest.Int(n); got < 1000 || got > 3000 || kerntest.Int(lost) != 10-got/1000 {
		t.Errorf("%d bytes wait, %d datagrams were lost", got, kerntest.Int(lost))
	}
	h.Must(abi.SYS_shutdown, fd, abi.SHUT_RD)
	h.want(fd, 10, 0, "", 0)
	if errno := h.sendto(fd, "still sends", at("127.0.0.1:7000")); errno != 0 {
		t.Errorf("send: %v", errno)
	}
	h.Must(abi.SYS_shutdown, fd, abi.SHUT_WR)
	if _, errno := h.send(fd, "x", abi.MSG_NOSIGNAL); errno != abi.EPIPE {
		t.Errorf("send: %v", errno)
	}
}

// Oracle: ip6(4), IPV6_DONTFRAG and IPV6_PATHMTU; ip(4), the DF bit and IP_ERRORMTU: what is too long and may not be cut is refused.
func TestTooLong(t *testing.T) {
	a, b := pair(t)
	b.bind(b.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0), at("[::]:7000"))
	udp := a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	if errno := a.connect(udp, at("[fd00::2]:7000")); errno != 0 {
		t.Fatal(errno)
	}
	mtu, errno := a.getopt(udp, abi.IPPROTO_IPV6, abi.IPV6_PATHMTU)
	var info abi.Ip6Mtuinfo
	if errno != 0 || info.Decode(mtu) != nil || info.Mtu != 1500 {
		t.Errorf("IPV6_PATHMTU: %v, %d bytes, %d", errno, len(mtu), info.Mtu)
	}
	if _, errno := a.send(udp, strings.Repeat("x", 2000), 0); errno != 0 {
		t.Errorf("with fragments: %v", errno)
	}
	a.setopt(udp, abi.IPPROTO_IPV6, abi.IPV6_DONTFRAG, cint(1))
	if v, _ := a.getopt(udp, abi.IPPROTO_IPV6, abi.IPV6_DONTFRAG); kerntest.Int(v) != 1 {
		t.Error("IPV6_DONTFRAG is not set")
	}
	if _, errno := a.send(udp, strings.Repeat("x", 2000), 0); errno != abi.EMSGSIZE {
		t.Errorf("IPV6_DONTFRAG: %v", errno)
	}
	raw := a.socket(abi.AF_INET, abi.SOCK_RAW, 200)
	a.setopt(raw, abi.IPPROTO_IP, abi.IP_HDRINCL, cint(1))
	d := make([]byte, 2000)
	d[0], d[8], d[9] = 0x45, 64, 200
	binary.LittleEndian.PutUint16(d[2:], 2000)
	binary.LittleEndian.PutUint16(d[6:], abi.IP_DF)
	copy(d[16:], []byte{10, 0, 0, 2})
	if errno := a.sendto(raw, string(d), at("10.0.0.2:0")); errno != abi.EMSGSIZE {
		t.Errorf("DF: %v", errno)
	}
	if v, _ := a.getopt(raw, abi.IPPROTO_IP, abi.IP_ERRORMTU); kerntest.Int(v) != 1500 {
		t.Errorf("IP_ERRORMTU % x", v)
	}
}

// Oracle: listen(2): the length of the queue can be changed while it listens; a shorter one is no error, though the queue stays as long as it was.
func TestListenAgain(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 5)
	for i := range 3 {
		fd := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		h.connect(fd, at("127.0.0.1:8000"))
		for h.waiting(8000) == i {
			h.poll(fd, abi.POLLIN, 1)
		}
	}
	h.Must(abi.SYS_listen, server, 0)
	for range 3 {
		h.accept(server)
	}
	unbound := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.Must(abi.SYS_listen, unbound, 1)
	if got := h.local(unbound); got.Port() < 49152 || !got.Addr().IsUnspecified() {
		t.Errorf("a listening socket that was not bound is at %v", got)
	}
}

// Oracle: ip6(4), IPV6_LEAVE_GROUP; options for root alone; IPV6_PORTRANGE.
func TestOptions6OfUsers(t *testing.T) {
	a, _ := pair(t)
	fd := a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	mreq := abi.Ipv6Mreq{Multiaddr: abi.In6Addr{Addr: netip.MustParseAddr("ff02::1:3").As16()}, Interface: 2}
	any := mreq
	any.Interface = 0
	for _, c := range []struct {
		name  int
		mreq  abi.Ipv6Mreq
		errno abi.Errno
	}{
		{abi.IPV6_LEAVE_GROUP, mreq, abi.EADDRNOTAVAIL},
		{abi.IPV6_JOIN_GROUP, mreq, 0},
		{abi.IPV6_JOIN_GROUP, mreq, abi.EADDRINUSE},
		{abi.IPV6_LEAVE_GROUP, any, 0},
		{abi.IPV6_LEAVE_GROUP, any, abi.EADDRNOTAVAIL},
	} {
		if errno := a.setopt(fd, abi.IPPROTO_IPV6, c.name, c.mreq.Append(nil)); errno != c.errno {
			t.Errorf("option %d: %v, want %v", c.name, errno, c.errno)
		}
	}
	user := host{a.Fork(), a.k, t}
	user.Must(abi.SYS_setuid, 1000)
	ufd := user.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	if errno := user.setopt(ufd, abi.IPPROTO_IPV6, abi.IPV6_RECVHOPOPTS, cint(0)); errno != abi.EPERM {
		t.Errorf("IPV6_RECVHOPOPTS of a user: %v", errno)
	}
	user.setopt(ufd, abi.IPPROTO_IPV6, abi.IPV6_PORTRANGE, cint(abi.IPV6_PORTRANGE_HIGH))
	if v, _ := user.getopt(ufd, abi.IPPROTO_IPV6, abi.IPV6_PORTRANGE); kerntest.Int(v) != abi.IPV6_PORTRANGE_HIGH {
		t.Errorf("IPV6_PORTRANGE % x", v)
	}
}

// Oracle: SO_DONTROUTE of getsockopt(2) and MSG_DONTROUTE of send(2): gateways are not gone through.
func TestDontRoute(t *testing.T) {
	a, b := pair(t)
	a.addRoute(t, "192.0.2.0", "10.0.0.2")
	udp := a.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	if errno := a.sendto(udp, "x", at("192.0.2.1:7000")); errno != 0 {
		t.Errorf("through the gateway: %v", errno)
	}
	a.setopt(udp, abi.SOL_SOCKET, abi.SO_DONTROUTE, cint(1))
	if errno := a.sendto(udp, "x", at("192.0.2.1:7000")); errno != abi.ENETUNREACH {
		t.Errorf("SO_DONTROUTE: %v", errno)
	}
	if errno := a.sendto(udp, "x", at("10.0.0.2:7000")); errno != 0 {
		t.Errorf("SO_DONTROUTE to a neighbour: %v", errno)
	}
	tcp := a.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	a.setopt(tcp, abi.SOL_SOCKET, abi.SO_DONTROUTE, cint(1))
	if errno := a.connect(tcp, at("192.0.2.1:80")); errno != abi.ENETUNREACH {
		t.Errorf("TCP with SO_DONTROUTE: %v", errno)
	}
	b.listen(at("10.0.0.2:80"), 1)
	if errno := a.connect(tcp, at("10.0.0.2:80")); errno != 0 {
		t.Errorf("TCP to a neighbour: %v", errno)
	}
}

// addRoute adds a route to a network of 24 bits by a routing socket.
func (h host) addRoute(t *testing.T, network, gateway string) {
	t.Helper()
	fd := h.socket(abi.AF_ROUTE, abi.SOCK_RAW, 0)
	defer h.Close(fd)
	m := abi.RtMsghdr{Version: abi.RTM_VERSION, Type: abi.RTM_ADD, Flags: abi.RTF_UP | abi.RTF_GATEWAY | abi.RTF_STATIC, Seq: 1,
		Addrs: abi.RTA_DST | abi.RTA_GATEWAY | abi.RTA_NETMASK}
	body := append(port(network, 0), port(gateway, 0)...)
	body = append(body, 7, 0, 0, 0, 255, 255, 255, 0)
	m.Msglen = uint16(abi.SizeofRtMsghdr + len(body))
	if _, errno := h.Write(fd, string(append(m.Append(nil), body...))); errno != 0 {
		t.Fatalf("route: %v", errno)
	}
}

// Oracle: identd(8)'s older way: net.inet.tcp.ident.<foreign address>.<port>.<local address>.<port>.
func TestIdentByNumbers(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 1)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	h.accept(server)
	mib, err := h.K.Sysctl().MIB("net.inet.tcp.ident")
	must(t, err)
	lo := int32(binary.LittleEndian.Uint32([]byte{127, 0, 0, 1}))
	name := append(mib, lo, int32(abi.Htons(8000)), lo, int32(abi.Htons(h.local(client).Port())))
	uid, size := cint(-1), []byte{4, 0, 0, 0, 0, 0, 0, 0}
	h.Must(abi.SYS___sysctl, kerntest.Ints(name...), len(name), uid, size, nil, 0)
	if kerntest.Int(uid) != 0 {
		t.Errorf("the user is %d", kerntest.Int(uid))
	}
	name[len(name)-1]++
	h.Want(abi.ESRCH, abi.SYS___sysctl, kerntest.Ints(name...), len(name), uid, size, nil, 0)
	h.Want(abi.EINVAL, abi.SYS___sysctl, kerntest.Ints(mib...), len(mib), uid, size, nil, 0)
}

// Oracle: RFC 1122, 3.3.4.2, the weak model that NetBSD follows: a socket that is bound to an address of one interface may talk through another.
func TestBoundToOneInterface(t *testing.T) {
	a, b := pair(t)
	for _, c := range []struct {
		to       host
		own, dst string
	}{
		{b, "10.0.0.1", "10.0.0.2"}, {a, "10.0.0.1", "10.0.0.1"}, {a, "10.0.0.1", "127.0.0.1"}, {a, "127.0.0.1", "10.0.0.1"},
		{b, "fd00::1", "fd00::2"}, {a, "fd00::1", "::1"}, {a, "::1", "fd00::1"},
	} {
		t.Run(c.own+" to "+c.dst, func(t *testing.T) {
			server := c.to.listen(port(c.dst, 0), 10)
			defer c.to.Close(server)
			receiver := c.to.socket(int(port(c.dst, 1)[1]), abi.SOCK_DGRAM, 0)
			defer c.to.Close(receiver)
			c.to.bind(receiver, port(c.dst, 7000))
			for range 5 {
				client := a.socket(int(port(c.own, 1)[1]), abi.SOCK_STREAM, 0)
				a.bind(client, port(c.own, 0))
				if errno := a.connect(client, port(c.dst, c.to.local(server).Port())); errno != 0 {
					t.Fatalf("connect: %v", errno)
				}
				conn, peer := c.to.accept(server)
				if peer.Addr().String() != c.own {
					t.Errorf("from %v", peer)
				}
				a.Close(client)
				c.to.Close(conn)
				udp := a.socket(int(port(c.own, 1)[1]), abi.SOCK_DGRAM, 0)
				a.bind(udp, port(c.own, 0))
				a.sendto(udp, "x", port(c.dst, 7000))
				if _, peer, errno := c.to.recv(receiver, 10, 0); errno != 0 || peer.Addr().String() != c.own {
					t.Errorf("UDP from %v, %v", peer, errno)
				}
				a.Close(udp)
			}
		})
	}
}
