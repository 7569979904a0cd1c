package inpcb_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// echo4 is an ICMP echo request with a checksum.
func echo4(id, seq uint16, size int) []byte {
	b := make([]byte, 8+size)
	b[0] = abi.ICMP_ECHO
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	for i := range size {
		b[8+i] = byte(i)
	}
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		w := uint32(b[i]) << 8
		if i+1 < len(b) {
			w |= uint32(b[i+1])
		}
		sum += w
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum))
	return b
}

// Oracle: wire session ping: the datagram is given with ip_len and ip_off in the machine's byte order, and comes back with ip_len less
// the header's length, in that order too; the request itself is not shown.
func TestRawPing(t *testing.T) {
	a, _ := pair(t)
	for _, dst := range [][4]byte{{127, 0, 0, 1}, {10, 0, 0, 1}, {10, 0, 0, 2}} {
		for _, size := range []int{56, 3000, 60000} {
			fd := a.socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP)
			for _, o := range []int{abi.SO_SNDBUF, abi.SO_RCVBUF} {
				a.setopt(fd, abi.SOL_SOCKET, o, cint(65535))
			}
			a.setopt(fd, abi.IPPROTO_IP, abi.IP_HDRINCL, cint(1))
			icmp := echo4(7, 1, size)
			b := make([]byte, 20, 20+len(icmp))
			b[0], b[8], b[9] = 0x45, 255, abi.IPPROTO_ICMP
			binary.LittleEndian.PutUint16(b[2:], uint16(20+len(icmp)))
			copy(b[16:], dst[:])
			b = append(b, icmp...)
			sa := append([]byte{16, abi.AF_INET, 0, 0}, append(dst[:], make([]byte, 8)...)...)
			if errno := a.sendto(fd, string(b), sa); errno != 0 {
				t.Fatalf("%v, %d bytes: %v", dst, size, errno)
			}
			got, _, errno := a.recv(fd, 65535, 0)
			if errno != 0 || len(got) != len(b) {
				t.Fatalf("%v, %d bytes: received %d, %v", dst, size, len(got), errno)
			}
			r := []byte(got)
			if n := int(binary.LittleEndian.Uint16(r[2:])); n != len(icmp) || binary.LittleEndian.Uint16(r[6:]) != 0 {
				t.Errorf("%v: ip_len %d, ip_off % x; want %d", dst, n, r[6:8], len(icmp))
			}
			if r[20] != abi.ICMP_ECHOREPLY || !bytes.Equal(r[28:], icmp[8:]) {
				t.Errorf("%v, %d bytes: another answer, type %d", dst, size, r[20])
			}
			a.Close(fd)
		}
	}
}

// Oracle: ip(4): without IP_HDRINCL the kernel makes the header; and what is wrong with one that is given.
func TestRawHeader(t *testing.T) {
	a, b := pair(t)
	const ospf = 89
	in := b.socket(abi.AF_INET, abi.SOCK_RAW, ospf)
	all := b.socket(abi.AF_INET, abi.SOCK_RAW, 0)
	b.setopt(in, abi.IPPROTO_IP, abi.IP_RECVTTL, cint(1))
	out := a.socket(abi.AF_INET, abi.SOCK_RAW, ospf)
	if errno := a.sendto(out, "hello", at("10.0.0.2:0")); errno != 0 {
		t.Fatal(errno)
	}
	got, control, _ := b.recvmsg(in, 100)
	if len(got) != 25 || got[20:] != "hello" || got[9] != ospf || got[12:20] != "\x0a\x00\x00\x01\x0a\x00\x00\x02" || got[8] != 255 {
		t.Errorf("received % x", got)
	}
	if ttl := control[[2]int{abi.IPPROTO_IP, abi.IP_RECVTTL}]; !bytes.Equal(ttl, []byte{255}) {
		t.Errorf("IP_RECVTTL % x", ttl)
	}
	if got, _, errno := b.recv(all, 100, 0); errno != 0 || len(got) != 25 {
		t.Errorf("protocol 0: % x, %v", got, errno)
	}
	if errno := a.setopt(out, abi.IPPROTO_IP, abi.IP_OPTIONS, []byte{abi.IPOPT_NOP, abi.IPOPT_NOP, abi.IPOPT_NOP, abi.IPOPT_EOL}); errno != 0 {
		t.Fatal(errno)
	}
	a.sendto(out, "options", at("10.0.0.2:0"))
	if got, _, _ := b.recv(in, 100, 0); len(got) != 31 || got[0] != 0x46 || got[20:24] != "\x01\x01\x01\x00" || got[24:] != "options" {
		t.Errorf("received % x", got)
	}
	a.setopt(out, abi.IPPROTO_IP, abi.IP_HDRINCL, cint(1))
	for _, c := range []struct {
		what string
		data string
	}{
		{"too short", "x"},
		{"another length", "\x45\x00\xff\x00" + string(make([]byte, 16))},
		{"no IPv4", "\x65\x00\x14\x00" + string(make([]byte, 16))},
		{"a longer header", "\x4f\x00\x14\x00" + string(make([]byte, 16))},
	} {
		if errno := a.sendto(out, c.data, at("10.0.0.2:0")); errno != abi.EINVAL {
			t.Errorf("%s: %v", c.what, errno)
		}
	}
	for _, c := range []struct {
		what  string
		errno abi.Errno
		call  int
		args  []any
	}{
		{"listen", abi.EOPNOTSUPP, abi.SYS_listen, []any{out, 1}},
		{"nowhere", abi.EDESTADDRREQ, abi.SYS_sendto, []any{out, []byte("x"), 1, 0, nil, 0}},
		{"bind: not here", abi.EADDRNOTAVAIL, abi.SYS_bind, []any{out, at("10.0.0.9:0"), 16}},
		{"a protocol too many", abi.EPROTONOSUPPORT, abi.SYS___socket30, []any{abi.AF_INET, abi.SOCK_RAW, 256}},
	} {
		if _, errno := a.Call(c.call, c.args...); errno != c.errno {
			t.Errorf("%s: %v, want %v", c.what, errno, c.errno)
		}
	}
}

// Oracle: ip(4), SO_NOHEADER of getsockopt(2): datagrams come without their header. And a bound or connected socket gets its own alone.
func TestRawAddresses(t *testing.T) {
	a, b := pair(t)
	const proto = 200
	plain := b.socket(abi.AF_INET, abi.SOCK_RAW, proto)
	b.setopt(plain, abi.SOL_SOCKET, abi.SO_NOHEADER, cint(1))
	elsewhere := b.socket(abi.AF_INET, abi.SOCK_RAW, proto)
	b.bind(elsewhere, at("127.0.0.1:0"))
	other := b.socket(abi.AF_INET, abi.SOCK_RAW, proto)
	b.connect(other, at("10.0.0.77:0"))
	friend := b.socket(abi.AF_INET, abi.SOCK_RAW, proto)
	b.connect(friend, at("10.0.0.1:0"))
	out := a.socket(abi.AF_INET, abi.SOCK_RAW, proto)
	if errno := a.connect(out, at("10.0.0.2:0")); errno != 0 {
		t.Fatal(errno)
	}
	if _, errno := a.send(out, "bare", 0); errno != 0 {
		t.Fatal(errno)
	}
	b.want(plain, 100, 0, "bare", 0)
	b.poll(friend, abi.POLLIN, -1)
	for _, fd := range []int{elsewhere, other} {
		b.want(fd, 100, abi.MSG_DONTWAIT, "", abi.EWOULDBLOCK)
	}
	if errno := a.sendto(out, "x", at("10.0.0.2:0")); errno != abi.EISCONN {
		t.Errorf("an address on a connected socket: %v", errno)
	}
}

// Oracle: wire session ping6 and icmp6(4): the filter, the hop limit and the interface of the answer, the checksum by the kernel; over the MTU too.
func TestRawPing6(t *testing.T) {
	a, _ := pair(t)
	for _, dst := range []string{"[::1]:0", "[fd00::1]:0", "[fd00::2]:0"} {
		for _, size := range []int{8, 3000} {
			fd := a.socket(abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6)
			for level, list := range map[int][]int{
				abi.IPPROTO_IPV6: {abi.IPV6_RECVPKTINFO, abi.IPV6_RECVHOPLIMIT, abi.IPV6_USE_MIN_MTU},
			} {
				for _, o := range list {
					if errno := a.setopt(fd, level, o, cint(1)); errno != 0 {
						t.Fatal(o, errno)
					}
				}
			}
			var filter abi.Icmp6Filter
			filter.Filt[129>>5] |= 1 << (129 & 31)
			if errno := a.setopt(fd, abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER, filter.Append(nil)); errno != 0 {
				t.Fatal(errno)
			}
			request := append([]byte{128, 0, 0, 0, 0, 7, 0, 1}, bytes.Repeat([]byte("ping"), size/4)...)
			if errno := a.sendto(fd, string(request), at(dst)); errno != 0 {
				t.Fatal(dst, errno)
			}
			// What came before the filter was set may be anything.
			got, control, _ := a.recvmsg(fd, 4000)
			for got[0] != 129 {
				got, control, _ = a.recvmsg(fd, 4000)
			}
			if len(got) != len(request) || got[4:] != string(request[4:]) {
				t.Errorf("%s, %d bytes: % x", dst, size, got)
			}
			hops := control[[2]int{abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT}]
			if !bytes.Equal(hops, cint(64)) || len(control[[2]int{abi.IPPROTO_IPV6, abi.IPV6_PKTINFO}]) != abi.SizeofIn6Pktinfo {
				t.Errorf("%s: control messages %v", dst, control)
			}
			a.Close(fd)
		}
	}
}

// Oracle: ip6(4), IPV6_CHECKSUM: computed and checked where it is said to be.
func TestRawChecksum6(t *testing.T) {
	a, b := pair(t)
	const proto = 200
	in := b.socket(abi.AF_INET6, abi.SOCK_RAW, proto)
	checked := b.socket(abi.AF_INET6, abi.SOCK_RAW, proto)
	b.setopt(checked, abi.IPPROTO_IPV6, abi.IPV6_CHECKSUM, cint(4))
	out := a.socket(abi.AF_INET6, abi.SOCK_RAW, proto)
	a.sendto(out, "no sum", at("[fd00::2]:0"))
	a.setopt(out, abi.IPPROTO_IPV6, abi.IPV6_CHECKSUM, cint(4))
	a.sendto(out, "sum:xxabcd", at("[fd00::2]:0"))
	b.want(in, 100, 0, "no sum", 0)
	got, _, _ := b.recv(in, 100, 0)
	if len(got) != 10 || got[:4] != "sum:" || got[4:6] == "xx" || got[6:] != "abcd" {
		t.Errorf("received %q", got)
	}
	b.want(checked, 100, 0, got, 0)
	if errno := a.sendto(out, "short", at("[fd00::2]:0")); errno != abi.EINVAL {
		t.Errorf("no room for the sum: %v", errno)
	}
	for _, v := range []int{3, -2} {
		if errno := a.setopt(out, abi.IPPROTO_IPV6, abi.IPV6_CHECKSUM, cint(v)); errno != abi.EINVAL {
			t.Errorf("IPV6_CHECKSUM %d: %v", v, errno)
		}
	}
}

// Oracle: netinet/ip_output.c and udp_usrreq.c: which of the counters that netstat -s shows a send is counted by.
func TestCounters(t *testing.T) {
	h := newHost(t)
	counter := func(name string, i int) uint64 {
		b, errno := h.Sysctl(name)
		if errno != 0 {
			t.Fatal(name, errno)
		}
		return binary.LittleEndian.Uint64(b[8*i:])
	}
	now := func() [3]uint64 {
		return [3]uint64{counter("net.inet.ip.stats", abi.IP_STAT_LOCALOUT), counter("net.inet.ip.stats", abi.IP_STAT_RAWOUT),
			counter("net.inet.udp.stats", abi.UDP_STAT_OPACKETS)}
	}
	udp, raw := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0), h.socket(abi.AF_INET, abi.SOCK_RAW, 200)
	// A datagram that somebody receives is answered by no ICMP error, which would be counted too.
	for _, typ := range []int{abi.SOCK_DGRAM, abi.SOCK_RAW} {
		fd := h.socket(abi.AF_INET, typ, map[int]int{abi.SOCK_RAW: 200}[typ])
		h.bind(fd, at("127.0.0.1:7000"))
	}
	whole := "\x45\x00\x14\x00\x00\x00\x00\x00\x40\xc8\x00\x00\x7f\x00\x00\x01\x7f\x00\x00\x01"
	for _, c := range []struct {
		what string
		send func() abi.Errno
		want [3]uint64
	}{
		{"UDP", func() abi.Errno { return h.sendto(udp, "x", at("127.0.0.1:7000")) }, [3]uint64{1, 0, 1}},
		{"raw", func() abi.Errno { return h.sendto(raw, "x", at("127.0.0.1:0")) }, [3]uint64{1, 0, 0}},
		{"IP_HDRINCL", func() abi.Errno {
			h.setopt(raw, abi.IPPROTO_IP, abi.IP_HDRINCL, cint(1))
			return h.sendto(raw, whole, at("127.0.0.1:0"))
		}, [3]uint64{0, 1, 0}},
	} {
		before := now()
		if errno := c.send(); errno != 0 {
			t.Fatal(c.what, errno)
		}
		after := now()
		for i := range after {
			after[i] -= before[i]
		}
		if after != c.want {
			t.Errorf("%s: %v, want %v", c.what, after, c.want)
		}
	}
}
