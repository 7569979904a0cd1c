package inpcb_test

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: ip(4), ip6(4), tcp(4), icmp6(4), and netinet/ip_output.c, netinet6/ip6_output.c and netinet/tcp_usrreq.c of 7.99.34 for ranges and sizes: what
// an option is set to, with which error, and what it is then.
func TestOptions(t *testing.T) {
	const ip, ip6, tcp = abi.IPPROTO_IP, abi.IPPROTO_IPV6, abi.IPPROTO_TCP
	h := newHost(t)
	fds := map[string]int{
		"udp": h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0), "udp6": h.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0),
		"tcp": h.socket(abi.AF_INET, abi.SOCK_STREAM, 0), "tcp6": h.socket(abi.AF_INET6, abi.SOCK_STREAM, 0),
		"raw": h.socket(abi.AF_INET, abi.SOCK_RAW, 89), "raw6": h.socket(abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6),
	}
	one, zero := cint(1), cint(0)
	for _, c := range []struct {
		what        string
		fd          string
		level, name int
		val         []byte
		errno       abi.Errno
		now         []byte // nil when it cannot be read
	}{
		{"IP_TTL as it is", "udp", ip, abi.IP_TTL, nil, abi.EINVAL, cint(64)},
		{"IP_TTL", "udp", ip, abi.IP_TTL, cint(7), 0, cint(7)},
		{"IP_TTL of a byte", "udp", ip, abi.IP_TTL, []byte{7}, abi.EINVAL, cint(7)},
		{"IP_TOS", "udp", ip, abi.IP_TOS, cint(0x10), 0, cint(0x10)},
		{"IP_TOS of TCP", "tcp", ip, abi.IP_TOS, cint(0x10), 0, cint(0x10)},
		{"IP_MINTTL", "udp", ip, abi.IP_MINTTL, cint(255), 0, cint(255)},
		{"IP_MINTTL 0", "udp", ip, abi.IP_MINTTL, zero, abi.EINVAL, cint(255)},
		{"IP_RECVDSTADDR", "udp", ip, abi.IP_RECVDSTADDR, cint(5), 0, one},
		{"IP_RECVDSTADDR off", "udp", ip, abi.IP_RECVDSTADDR, zero, 0, zero},
		{"IP_PORTRANGE", "udp", ip, abi.IP_PORTRANGE, cint(abi.IP_PORTRANGE_LOW), 0, cint(abi.IP_PORTRANGE_LOW)},
		{"IP_PORTRANGE 3", "udp", ip, abi.IP_PORTRANGE, cint(3), abi.EINVAL, cint(abi.IP_PORTRANGE_LOW)},
		{"IP_MULTICAST_TTL", "udp", ip, abi.IP_MULTICAST_TTL, []byte{9}, 0, []byte{9}},
		{"IP_MULTICAST_TTL as an int", "udp", ip, abi.IP_MULTICAST_TTL, cint(8), 0, []byte{8}},
		{"IP_MULTICAST_TTL 256", "udp", ip, abi.IP_MULTICAST_TTL, cint(256), abi.EINVAL, []byte{8}},
		{"IP_MULTICAST_LOOP 2", "udp", ip, abi.IP_MULTICAST_LOOP, []byte{2}, abi.EINVAL, []byte{1}},
		{"IP_MULTICAST_IF of nobody", "udp", ip, abi.IP_MULTICAST_IF, []byte{10, 9, 9, 9}, abi.EADDRNOTAVAIL, []byte{0, 0, 0, 0}},
		{"IP_MULTICAST_IF by index", "udp", ip, abi.IP_MULTICAST_IF, []byte{0, 0, 0, 1}, 0, []byte{0, 0, 0, 1}},
		{"IP_ADD_MEMBERSHIP of no group", "udp", ip, abi.IP_ADD_MEMBERSHIP, []byte{10, 0, 0, 1, 0, 0, 0, 0}, abi.EINVAL, nil},
		{"IP_ADD_MEMBERSHIP without a route", "udp", ip, abi.IP_ADD_MEMBERSHIP, []byte{239, 0, 0, 1, 0, 0, 0, 0}, abi.EADDRNOTAVAIL, nil},
		{"IP_HDRINCL of UDP", "udp", ip, abi.IP_HDRINCL, one, abi.ENOPROTOOPT, nil},
		{"IP_HDRINCL", "raw", ip, abi.IP_HDRINCL, one, 0, one},
		{"IP_OPTIONS", "raw", ip, abi.IP_OPTIONS, []byte{1, 1, 1, 0}, 0, []byte{0, 0, 0, 0, 1, 1, 1, 0}},
		{"IP_OPTIONS of three bytes", "raw", ip, abi.IP_OPTIONS, []byte{1, 1, 1}, abi.EINVAL, []byte{0, 0, 0, 0, 1, 1, 1, 0}},
		{"IP_OPTIONS cut off", "raw", ip, abi.IP_OPTIONS, []byte{7, 9, 4, 0}, abi.EINVAL, []byte{0, 0, 0, 0, 1, 1, 1, 0}},
		{"IP_OPTIONS, a source route", "raw", ip, abi.IP_OPTIONS, []byte{131, 7, 4, 10, 0, 0, 1, 0}, abi.EOPNOTSUPP, []byte{0, 0, 0, 0, 1, 1, 1, 0}},
		{"IP_OPTIONS of TCP", "tcp", ip, abi.IP_OPTIONS, []byte{1, 1, 1, 0}, abi.EOPNOTSUPP, []byte{}},
		{"IP_IPSEC_POLICY", "udp", ip, abi.IP_IPSEC_POLICY, make([]byte, 16), abi.ENOPROTOOPT, nil},
		{"IP options of IPv6", "udp6", ip, abi.IP_TTL, one, abi.ENOPROTOOPT, nil},
		{"IPv6 options of IPv4", "udp", ip6, abi.IPV6_UNICAST_HOPS, one, abi.ENOPROTOOPT, nil},
		{"IPV6_UNICAST_HOPS", "udp6", ip6, abi.IPV6_UNICAST_HOPS, cint(9), 0, cint(9)},
		{"IPV6_UNICAST_HOPS -1", "udp6", ip6, abi.IPV6_UNICAST_HOPS, cint(-1), 0, cint(-1)},
		{"IPV6_UNICAST_HOPS 256", "udp6", ip6, abi.IPV6_UNICAST_HOPS, cint(256), abi.EINVAL, cint(-1)},
		{"IPV6_MULTICAST_HOPS", "udp6", ip6, abi.IPV6_MULTICAST_HOPS, cint(9), 0, cint(9)},
		{"IPV6_MULTICAST_IF of nobody", "udp6", ip6, abi.IPV6_MULTICAST_IF, cint(99), abi.ENXIO, zero},
		{"IPV6_MULTICAST_IF", "udp6", ip6, abi.IPV6_MULTICAST_IF, one, 0, one},
		{"IPV6_MULTICAST_LOOP 2", "udp6", ip6, abi.IPV6_MULTICAST_LOOP, cint(2), abi.EINVAL, one},
		{"IPV6_JOIN_GROUP of nobody", "udp6", ip6, abi.IPV6_JOIN_GROUP, append(make([]byte, 16), 1, 0, 0, 0), abi.EINVAL, nil},
		{"IPV6_V6ONLY", "udp6", ip6, abi.IPV6_V6ONLY, zero, 0, zero},
		{"IPV6_TCLASS", "udp6", ip6, abi.IPV6_TCLASS, cint(0x20), 0, cint(0x20)},
		{"IPV6_HOPLIMIT for all", "udp6", ip6, abi.IPV6_HOPLIMIT, one, abi.ENOPROTOOPT, nil},
		{"IPV6_PKTINFO of nobody", "udp6", ip6, abi.IPV6_PKTINFO, append(make([]byte, 16), 99, 0, 0, 0), abi.ENXIO, make([]byte, 20)},
		{"IPV6_PKTINFO", "udp6", ip6, abi.IPV6_PKTINFO, append(make([]byte, 16), 1, 0, 0, 0), 0, append(make([]byte, 16), 1, 0, 0, 0)},
		{"IPV6_USE_MIN_MTU", "udp6", ip6, abi.IPV6_USE_MIN_MTU, one, 0, one},
		{"IPV6_USE_MIN_MTU 2", "udp6", ip6, abi.IPV6_USE_MIN_MTU, cint(2), abi.EINVAL, one},
		{"IPV6_RECVRTHDR", "udp6", ip6, abi.IPV6_RECVRTHDR, one, abi.EOPNOTSUPP, zero},
		{"IPV6_RECVPATHMTU off", "udp6", ip6, abi.IPV6_RECVPATHMTU, zero, 0, zero},
		{"IPV6_PKTINFO of TCP", "tcp6", ip6, abi.IPV6_PKTINFO, make([]byte, 20), abi.EOPNOTSUPP, make([]byte, 20)},
		{"IP_PORTALGO", "udp", ip, abi.IP_PORTALGO, cint(2), abi.EOPNOTSUPP, one},
		{"IP_PORTALGO 6", "udp", ip, abi.IP_PORTALGO, cint(6), abi.EINVAL, one},
		{"IP_MINTTL of TCP", "tcp", ip, abi.IP_MINTTL, one, abi.EOPNOTSUPP, zero},
		{"IPV6_DSTOPTS", "udp6", ip6, abi.IPV6_DSTOPTS, make([]byte, 8), abi.EOPNOTSUPP, []byte{}},
		{"IPV6_RTHDR removed", "udp6", ip6, abi.IPV6_RTHDR, nil, 0, []byte{}},
		{"IPV6_PATHMTU", "udp6", ip6, abi.IPV6_PATHMTU, nil, abi.ENOPROTOOPT, nil},
		{"IPV6_CHECKSUM of ICMPv6", "raw6", ip6, abi.IPV6_CHECKSUM, cint(4), abi.EINVAL, cint(2)},
		{"ICMP6_FILTER, short", "raw6", abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER, make([]byte, 31), abi.EINVAL, bytes.Repeat([]byte{255}, 32)},
		{"ICMP6_FILTER of UDP", "udp6", abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER, make([]byte, 32), abi.ENOPROTOOPT, nil},
		{"TCP_NODELAY", "tcp", tcp, abi.TCP_NODELAY, cint(4), 0, one},
		{"TCP_NODELAY, short", "tcp", tcp, abi.TCP_NODELAY, []byte{1}, abi.EINVAL, one},
		{"TCP_NODELAY of UDP", "udp", tcp, abi.TCP_NODELAY, one, abi.ENOPROTOOPT, nil},
		{"TCP_MAXSEG", "tcp6", tcp, abi.TCP_MAXSEG, cint(500), 0, cint(500)},
		{"TCP_MAXSEG above the default", "tcp", tcp, abi.TCP_MAXSEG, cint(537), abi.EINVAL, cint(536)},
		{"TCP_MAXSEG 0", "tcp", tcp, abi.TCP_MAXSEG, zero, abi.EINVAL, cint(536)},
		{"TCP_KEEPIDLE as it is", "tcp6", tcp, abi.TCP_KEEPIDLE, zero, abi.EINVAL, cint(7200)},
		{"TCP_KEEPIDLE", "tcp", tcp, abi.TCP_KEEPIDLE, cint(20), 0, cint(20)},
		{"TCP_KEEPINTVL as it is", "tcp6", tcp, abi.TCP_KEEPINTVL, zero, abi.EINVAL, cint(75)},
		{"TCP_KEEPCNT", "tcp", tcp, abi.TCP_KEEPCNT, cint(3), 0, cint(3)},
		{"TCP_KEEPINIT as it is", "tcp6", tcp, abi.TCP_KEEPINIT, zero, abi.EINVAL, cint(75)},
		{"TCP_MD5SIG", "tcp", tcp, abi.TCP_MD5SIG, one, abi.ENOPROTOOPT, nil},
		{"TCP_INFO", "tcp", tcp, abi.TCP_INFO, one, abi.ENOPROTOOPT, nil},
		{"TCP_CONGCTL", "tcp", tcp, abi.TCP_CONGCTL, []byte("cubic\x00"), 0, []byte("cubic\x00")},
		{"TCP_CONGCTL of nobody", "tcp", tcp, abi.TCP_CONGCTL, []byte("vegas\x00"), abi.ENOENT, []byte("cubic\x00")},
	} {
		t.Run(c.what, func(t *testing.T) {
			if errno := h.setopt(fds[c.fd], c.level, c.name, c.val); errno != c.errno {
				t.Errorf("setsockopt: %v, want %v", errno, c.errno)
			}
			if c.now == nil {
				return
			}
			if now, errno := h.getopt(fds[c.fd], c.level, c.name); !bytes.Equal(now, c.now) || errno != 0 {
				t.Errorf("getsockopt: % x, %v; want % x", now, errno, c.now)
			}
		})
	}
	h.Call(abi.SYS_bind, fds["udp6"], at("[::]:0"), 28)
	if errno := h.setopt(fds["udp6"], ip6, abi.IPV6_V6ONLY, one); errno != abi.EINVAL {
		t.Errorf("IPV6_V6ONLY of a bound socket: %v", errno)
	}
}

// Oracle: sysctl(7): the sizes of buffers of new sockets, and that a change of them is seen.
func TestBufferSizes(t *testing.T) {
	h := newHost(t)
	sizes := func(family, typ int) [2]int32 {
		fd := h.socket(family, typ, 0)
		defer h.Close(fd)
		snd, _ := h.getopt(fd, abi.SOL_SOCKET, abi.SO_SNDBUF)
		rcv, _ := h.getopt(fd, abi.SOL_SOCKET, abi.SO_RCVBUF)
		return [2]int32{kerntest.Int(snd), kerntest.Int(rcv)}
	}
	for _, c := range []struct {
		family, typ int
		want        [2]int32
	}{
		{abi.AF_INET, abi.SOCK_STREAM, [2]int32{32768, 32768}},
		{abi.AF_INET, abi.SOCK_DGRAM, [2]int32{9216, 41600}},
		{abi.AF_INET6, abi.SOCK_DGRAM, [2]int32{9216, 42080}},
		{abi.AF_INET, abi.SOCK_RAW, [2]int32{8192, 8192}},
	} {
		if got := sizes(c.family, c.typ); got != c.want {
			t.Errorf("family %d, type %d: %v, want %v", c.family, c.typ, got, c.want)
		}
	}
	if errno := h.SetSysctl("net.inet.tcp.sendspace", cint(50000)); errno != 0 {
		t.Fatal(errno)
	}
	if got := sizes(abi.AF_INET, abi.SOCK_STREAM); got[0] != 50000 {
		t.Errorf("after sendspace was set: %v", got)
	}
}

// Oracle: tcp(4), SO_KEEPALIVE, TCP_INFO; accept(2): what a new connection takes over from the socket that listens.
func TestInheritedOptions(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 1)
	h.setopt(server, abi.SOL_SOCKET, abi.SO_KEEPALIVE, cint(1))
	h.setopt(server, abi.SOL_SOCKET, abi.SO_RCVBUF, cint(20000))
	h.setopt(server, abi.IPPROTO_TCP, abi.TCP_NODELAY, cint(1))
	h.setopt(server, abi.IPPROTO_TCP, abi.TCP_KEEPIDLE, cint(30))
	h.setopt(server, abi.IPPROTO_IP, abi.IP_TTL, cint(9))
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	conn, _ := h.accept(server)
	for _, c := range []struct{ level, name, want int }{
		{abi.SOL_SOCKET, abi.SO_KEEPALIVE, 1}, {abi.SOL_SOCKET, abi.SO_RCVBUF, 20000}, {abi.SOL_SOCKET, abi.SO_ACCEPTCONN, 0},
		{abi.IPPROTO_TCP, abi.TCP_NODELAY, 1}, {abi.IPPROTO_TCP, abi.TCP_KEEPIDLE, 30}, {abi.IPPROTO_IP, abi.IP_TTL, 9},
	} {
		if v, errno := h.getopt(conn, c.level, c.name); errno != 0 || int(kerntest.Int(v)) != c.want {
			t.Errorf("option %d of level %d: % x, %v; want %d", c.name, c.level, v, errno, c.want)
		}
	}
	raw, errno := h.getopt(conn, abi.IPPROTO_TCP, abi.TCP_INFO)
	var info abi.TcpInfo
	if errno != 0 || info.Decode(raw) != nil {
		t.Fatalf("TCP_INFO: %v, %d bytes", errno, len(raw))
	}
	if info.State != abi.TCPS_ESTABLISHED || info.SndMss < 1000 || info.Rto == 0 || info.RcvSpace != 20000 {
		t.Errorf("TCP_INFO %+v", info)
	}
}
