package inpcb_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: udp(4), ip(4), connect(2), send(2): errors of calls on UDP sockets.
func TestUDPErrors(t *testing.T) {
	a, _ := pair(t)
	udp := func() int { return a.socket(abi.AF_INET, abi.SOCK_DGRAM, 0) }
	up := udp()
	if errno := a.connect(up, at("127.0.0.1:7000")); errno != 0 {
		t.Fatal(errno)
	}
	to := func(fd int, sa []byte, n int) []any { return []any{fd, []byte("x"), 1, 0, sa, n} }
	for _, c := range []struct {
		what  string
		errno abi.Errno
		call  int
		args  []any
	}{
		{"send: nowhere", abi.EDESTADDRREQ, abi.SYS_sendto, to(udp(), nil, 0)},
		{"send: connected and an address", abi.EISCONN, abi.SYS_sendto, to(up, at("127.0.0.1:7000"), 16)},
		{"send: port 0", abi.EADDRNOTAVAIL, abi.SYS_sendto, to(udp(), at("127.0.0.1:0"), 16)},
		{"send: too short", abi.EINVAL, abi.SYS_sendto, to(udp(), at("127.0.0.1:7000"), 8)},
		{"send: other family", abi.EAFNOSUPPORT, abi.SYS_sendto, to(udp(), append([]byte{16, abi.AF_LOCAL}, make([]byte, 14)...), 16)},
		{"send: broadcast", abi.EACCES, abi.SYS_sendto, to(udp(), at("10.0.0.255:7000"), 16)},
		{"send: longer than the buffer", abi.EMSGSIZE, abi.SYS_sendto, []any{udp(), make([]byte, 9217), 9217, 0, at("127.0.0.1:7000"), 16}},
		{"send: no route", abi.EHOSTUNREACH, abi.SYS_sendto, to(udp(), at("192.0.2.1:7000"), 16)},
		{"send: MSG_OOB", abi.EOPNOTSUPP, abi.SYS_sendto, []any{up, []byte("x"), 1, abi.MSG_OOB, nil, 0}},
		{"recv: nothing", abi.EWOULDBLOCK, abi.SYS_recvfrom, []any{up, make([]byte, 1), 1, abi.MSG_DONTWAIT, nil, nil}},
		{"listen", abi.EOPNOTSUPP, abi.SYS_listen, []any{udp(), 1}},
		{"accept", abi.EOPNOTSUPP, abi.SYS_accept, []any{udp(), nil, nil}},
		{"getpeername", abi.ENOTCONN, abi.SYS_getpeername, []any{udp(), make([]byte, 16), cint(16)}},
		{"bind: connected", abi.EINVAL, abi.SYS_bind, []any{up, at("127.0.0.1:7001"), 16}},
		{"bind: broadcast", 0, abi.SYS_bind, []any{udp(), at("10.0.0.255:7002"), 16}},
		{"bind: group", 0, abi.SYS_bind, []any{udp(), at("224.0.0.9:7002"), 16}},
	} {
		t.Run(c.what, func(t *testing.T) {
			if _, errno := a.Call(c.call, c.args...); errno != c.errno {
				t.Errorf("%v, want %v", errno, c.errno)
			}
		})
	}
}

// Oracle: recv(2): datagrams keep their boundaries and senders, MSG_PEEK leaves them, MSG_TRUNC tells of a cut; over fragments too.
func TestUDPTransfer(t *testing.T) {
	a, b := pair(t)
	for _, l := range []struct {
		from, to host
		dst, any string
	}{{a, a, "127.0.0.1", "0.0.0.0"}, {a, a, "::1", "::"}, {a, b, "10.0.0.2", "0.0.0.0"}, {a, b, "fd00::2", "::"}} {
		t.Run(l.dst, func(t *testing.T) {
			family := int(port(l.dst, 1)[1])
			server := l.to.socket(family, abi.SOCK_DGRAM, 0)
			l.to.bind(server, port(l.any, 7000))
			defer l.to.Close(server)
			client := l.from.socket(family, abi.SOCK_DGRAM, 0)
			defer l.from.Close(client)
			for _, s := range []string{"one", "", "three", strings.Repeat("x", 5000)} {
				if errno := l.from.sendto(client, s, port(l.dst, 7000)); errno != 0 {
					t.Fatal(errno)
				}
				l.to.want(server, 6000, abi.MSG_PEEK, s, 0)
				got, peer, errno := l.to.recv(server, 6000, 0)
				if got != s || errno != 0 || peer.Port() != l.from.local(client).Port() {
					t.Errorf("%d bytes, %v from %v; want %d", len(got), errno, peer, len(s))
				}
				if errno := l.to.sendto(server, "answer", port(peer.Addr().String(), peer.Port())); errno != 0 {
					t.Fatal(errno)
				}
				l.from.want(client, 100, 0, "answer", 0)
			}
		})
	}
}

// Oracle: udp(4): a connected socket learns from ICMP that nobody receives, another does not; and it receives from its peer alone.
func TestUDPConnected(t *testing.T) {
	a, b := pair(t)
	for _, l := range []struct{ own, dst string }{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}, {"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}} {
		t.Run(l.dst, func(t *testing.T) {
			family := int(port(l.dst, 1)[1])
			fd := a.socket(family, abi.SOCK_DGRAM, 0)
			defer a.Close(fd)
			if errno := a.connect(fd, port(l.dst, nowhere)); errno != 0 {
				t.Fatal(errno)
			}
			if own := a.local(fd); own.Addr() != netip.MustParseAddr(l.own) {
				t.Errorf("the own address is %v", own)
			}
			a.send(fd, "x", 0)
			a.poll(fd, abi.POLLIN, -1)
			a.want(fd, 10, 0, "", abi.ECONNREFUSED)
			other := b
			if l.own == l.dst {
				other = a
			}
			stranger := other.socket(family, abi.SOCK_DGRAM, 0)
			defer other.Close(stranger)
			other.sendto(stranger, "from a stranger", port(l.own, a.local(fd).Port()))
			friend := other.socket(family, abi.SOCK_DGRAM, 0)
			defer other.Close(friend)
			if errno := other.bind(friend, port(l.dst, nowhere)); errno != 0 {
				t.Fatal(errno)
			}
			other.sendto(friend, "from the peer", port(l.own, a.local(fd).Port()))
			a.want(fd, 100, 0, "from the peer", 0)
			null := make([]byte, len(port(l.dst, 1)))
			if errno := a.connect(fd, null); errno != abi.EAFNOSUPPORT {
				t.Errorf("connect to nothing: %v", errno)
			}
			if _, errno := a.name(abi.SYS_getpeername, fd); errno != abi.ENOTCONN {
				t.Errorf("then getpeername: %v", errno)
			}
		})
	}
}

// recvmsg receives with control messages, as level, type and data of each.
func (h host) recvmsg(fd, size int) (string, map[[2]int][]byte, int) {
	h.t.Helper()
	b, control := make([]byte, size), make([]byte, 512)
	iov := abi.Iovec{Base: h.Mem.Map(b), Len: uint64(size)}
	msg := abi.Msghdr{Iov: h.Mem.Map(iov.Append(nil)), Iovlen: 1, Control: h.Mem.Map(control), Controllen: uint32(len(control))}
	raw := msg.Append(nil)
	n := h.Must(abi.SYS_recvmsg, fd, raw, 0)
	must(h.t, msg.Decode(raw))
	return string(b[:n]), parseControl(control[:msg.Controllen]), int(msg.Flags)
}

// parseControl reads control messages: CMSG_FIRSTHDR and the following.
func parseControl(b []byte) map[[2]int][]byte {
	m := map[[2]int][]byte{}
	for len(b) >= abi.SizeofCmsghdr {
		n := binary.LittleEndian.Uint32(b)
		level, typ := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
		m[[2]int{int(level), int(typ)}] = bytes.Clone(b[16:n])
		b = b[min(int(n+7)&^7, len(b)):]
	}
	return m
}

// Oracle: ip(4) and ip6(4), and netinet/ip_input.c's order of what is asked for: the bytes of each control message.
func TestUDPControl(t *testing.T) {
	a, b := pair(t)
	fd := b.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	b.bind(fd, at("0.0.0.0:7000"))
	for _, o := range []int{abi.IP_RECVDSTADDR, abi.IP_RECVIF, abi.IP_RECVTTL, abi.IP_RECVPKTINFO, abi.IP_PKTINFO} {
		if errno := b.setopt(fd, abi.IPPROTO_IP, o, cint(1)); errno != 0 {
			t.Fatal(o, errno)
		}
	}
	b.setopt(fd, abi.SOL_SOCKET, abi.SO_TIMESTAMP, cint(1))
	from := a.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	a.setopt(from, abi.IPPROTO_IP, abi.IP_TTL, cint(7))
	a.sendto(from, "x", at("10.0.0.2:7000"))
	_, got, _ := b.recvmsg(fd, 10)
	ip := abi.IPPROTO_IP
	for _, c := range []struct {
		typ  int
		want []byte
	}{
		{abi.IP_RECVDSTADDR, []byte{10, 0, 0, 2}},
		{abi.IP_RECVTTL, []byte{7}},
		{abi.IP_RECVIF, []byte{8, abi.AF_LINK, 2, 0, 0, 0, 0, 0}},
		{abi.IP_PKTINFO, []byte{10, 0, 0, 2, 2, 0, 0, 0}},
		{abi.IP_RECVPKTINFO, []byte{10, 0, 0, 1, 2, 0, 0, 0}},
	} {
		if !bytes.Equal(got[[2]int{ip, c.typ}], c.want) {
			t.Errorf("type %d: % x, want % x", c.typ, got[[2]int{ip, c.typ}], c.want)
		}
	}
	if len(got[[2]int{abi.SOL_SOCKET, abi.SCM_TIMESTAMP}]) != abi.SizeofTimeval {
		t.Error("no time")
	}
}

// Oracle: ip6(4), RFC 3542, wire session ping6 for the layout.
func TestUDPControl6(t *testing.T) {
	a, b := pair(t)
	fd := b.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	b.bind(fd, at("[::]:7000"))
	for _, o := range []int{abi.IPV6_RECVPKTINFO, abi.IPV6_RECVHOPLIMIT, abi.IPV6_RECVTCLASS} {
		if errno := b.setopt(fd, abi.IPPROTO_IPV6, o, cint(1)); errno != 0 {
			t.Fatal(o, errno)
		}
	}
	from := a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	info := abi.In6Pktinfo{Ifindex: 2, Addr: abi.In6Addr{Addr: netip.MustParseAddr("fd00::1").As16()}}
	a.sendmsg(t, from, "x", at("[fd00::2]:7000"), 0,
		cmsg(abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, info.Append(nil)),
		cmsg(abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, cint(9)),
		cmsg(abi.IPPROTO_IPV6, abi.IPV6_TCLASS, cint(0x20)))
	_, got, _ := b.recvmsg(fd, 10)
	dst := netip.MustParseAddr("fd00::2").As16()
	for typ, want := range map[int][]byte{
		abi.IPV6_PKTINFO:  append(dst[:], 2, 0, 0, 0),
		abi.IPV6_HOPLIMIT: cint(9),
		abi.IPV6_TCLASS:   cint(0x20),
	} {
		if !bytes.Equal(got[[2]int{abi.IPPROTO_IPV6, typ}], want) {
			t.Errorf("type %d: % x, want % x", typ, got[[2]int{abi.IPPROTO_IPV6, typ}], want)
		}
	}
	info.Addr.Addr = netip.MustParseAddr("fd00::99").As16()
	a.sendmsg(t, from, "x", at("[fd00::2]:7000"), abi.EADDRNOTAVAIL, cmsg(abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, info.Append(nil)))
	a.sendmsg(t, from, "x", at("[fd00::2]:7000"), abi.EOPNOTSUPP, cmsg(abi.IPPROTO_IPV6, abi.IPV6_DSTOPTS, make([]byte, 8)))
	a.sendmsg(t, from, "x", at("[fd00::2]:7000"), abi.EINVAL, cmsg(abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, cint(256)))
	four := a.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	a.sendmsg(t, four, "x", at("10.0.0.2:7000"), abi.EINVAL, cmsg(abi.IPPROTO_IP, abi.IP_TTL, cint(1)))
}

// cmsg is a control message, padded.
func cmsg(level, typ int, data []byte) []byte {
	c := abi.Cmsghdr{Len: uint32(16 + len(data)), Level: int32(level), Type: int32(typ)}
	b := append(append(c.Append(nil), make([]byte, 16-abi.SizeofCmsghdr)...), data...)
	return append(b, make([]byte, -len(data)&7)...)
}

// sendmsg sends with control messages.
func (h host) sendmsg(t *testing.T, fd int, s string, sa []byte, want abi.Errno, control ...[]byte) {
	t.Helper()
	c := bytes.Join(control, nil)
	iov := abi.Iovec{Base: h.Mem.Map([]byte(s)), Len: uint64(len(s))}
	msg := abi.Msghdr{
		Name: h.Mem.Map(sa), Namelen: uint32(len(sa)), Iov: h.Mem.Map(iov.Append(nil)), Iovlen: 1,
		Control: h.Mem.Map(c), Controllen: uint32(len(c)),
	}
	if _, errno := h.Call(abi.SYS_sendmsg, fd, msg.Append(nil), 0); errno != want {
		t.Errorf("sendmsg: %v, want %v", errno, want)
	}
}

// Oracle: ip(4), SO_BROADCAST: a broadcast is received by all sockets of the port, marked with MSG_BCAST.
func TestUDPBroadcast(t *testing.T) {
	a, b := pair(t)
	var fds []int
	for range 2 {
		fd := b.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
		b.setopt(fd, abi.SOL_SOCKET, abi.SO_REUSEPORT, cint(1))
		if errno := b.bind(fd, at("0.0.0.0:7000")); errno != 0 {
			t.Fatal(errno)
		}
		fds = append(fds, fd)
	}
	from := a.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	a.setopt(from, abi.SOL_SOCKET, abi.SO_BROADCAST, cint(1))
	for _, dst := range []string{"10.0.0.255:7000", "255.255.255.255:7000"} {
		if errno := a.sendto(from, dst, at(dst)); errno != 0 {
			t.Fatal(dst, errno)
		}
		for _, fd := range fds {
			if got, _, flags := b.recvmsg(fd, 100); got != dst || flags&abi.MSG_BCAST == 0 {
				t.Errorf("%q, flags %#x", got, flags)
			}
		}
	}
}

// Oracle: ip(4) and ip6(4), multicast: members receive, marked with MSG_MCAST, the sender too unless IP_MULTICAST_LOOP is off, others not.
func TestUDPMulticast(t *testing.T) {
	a, b := pair(t)
	mreq := abi.IpMreq{Multiaddr: abi.InAddrFrom4([4]byte{239, 1, 2, 3}), Interface: abi.InAddrFrom4([4]byte{10, 0, 0, 2})}
	fd := b.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	b.bind(fd, at("0.0.0.0:7000"))
	if errno := b.setopt(fd, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreq.Append(nil)); errno != 0 {
		t.Fatal(errno)
	}
	if errno := b.setopt(fd, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreq.Append(nil)); errno != abi.EADDRINUSE {
		t.Errorf("again: %v", errno)
	}
	from := a.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	own := []byte{10, 0, 0, 1}
	if errno := a.setopt(from, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, own); errno != 0 {
		t.Fatal(errno)
	}
	if got, _ := a.getopt(from, abi.IPPROTO_IP, abi.IP_MULTICAST_IF); !bytes.Equal(got, own) {
		t.Errorf("IP_MULTICAST_IF is % x", got)
	}
	if errno := a.sendto(from, "group", at("239.1.2.3:7000")); errno != 0 {
		t.Fatal(errno)
	}
	if got, _, flags := b.recvmsg(fd, 100); got != "group" || flags&abi.MSG_MCAST == 0 {
		t.Errorf("%q, flags %#x", got, flags)
	}
	if errno := b.setopt(fd, abi.IPPROTO_IP, abi.IP_DROP_MEMBERSHIP, mreq.Append(nil)); errno != 0 {
		t.Error(errno)
	}
	if errno := b.setopt(fd, abi.IPPROTO_IP, abi.IP_DROP_MEMBERSHIP, mreq.Append(nil)); errno != abi.EADDRNOTAVAIL {
		t.Errorf("dropped again: %v", errno)
	}
	group6 := netip.MustParseAddr("ff02::1:3")
	mreq6 := abi.Ipv6Mreq{Multiaddr: abi.In6Addr{Addr: group6.As16()}, Interface: 2}
	fd6 := b.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	b.bind(fd6, at("[::]:7000"))
	if errno := b.setopt(fd6, abi.IPPROTO_IPV6, abi.IPV6_JOIN_GROUP, mreq6.Append(nil)); errno != 0 {
		t.Fatal(errno)
	}
	from6 := a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	a.setopt(from6, abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_IF, kerntest.Ints(2))
	if errno := a.sendto(from6, "group 6", at("[ff02::1:3]:7000")); errno != 0 {
		t.Fatal(errno)
	}
	if got, _, flags := b.recvmsg(fd6, 100); got != "group 6" || flags&abi.MSG_MCAST == 0 {
		t.Errorf("%q, flags %#x", got, flags)
	}
}

// Oracle: ip6(4), IPV6_V6ONLY: off, the socket serves IPv4 by mapped addresses; on, as sysctl has it by default, it does not.
func TestDualStack(t *testing.T) {
	h := newHost(t)
	dual := h.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	h.setopt(dual, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY, cint(0))
	h.bind(dual, at("[::]:7000"))
	client := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	h.sendto(client, "four", at("127.0.0.1:7000"))
	got, peer, errno := h.recv(dual, 10, 0)
	if got != "four" || peer.Addr() != netip.MustParseAddr("::ffff:127.0.0.1") {
		t.Errorf("%q from %v, %v", got, peer, errno)
	}
	if errno := h.sendto(dual, "back", port("::ffff:127.0.0.1", peer.Port())); errno != 0 {
		t.Errorf("back: %v", errno)
	}
	h.want(client, 10, 0, "back", 0)
	only := h.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	h.bind(only, at("[::]:7001"))
	h.connect(client, at("127.0.0.1:7001"))
	h.send(client, "refused", 0)
	h.want(client, 10, 0, "", abi.ECONNREFUSED)
	if errno := h.sendto(only, "mapped", at("[::ffff:127.0.0.1]:7000")); errno != abi.EINVAL {
		t.Errorf("to a mapped address: %v", errno)
	}
}
