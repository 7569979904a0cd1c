package inet_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// seeds are frames of each protocol, for the mutations to begin with.
func seeds() [][]byte {
	ether := func(typ byte, lo byte, b []byte) []byte {
		return append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0x55, typ, lo}, b...)
	}
	with := func(b []byte) []byte {
		s := sum(b[:20])
		b[10], b[11] = byte(s>>8), byte(s)
		return b
	}
	udp := []byte{0x12, 0x34, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4}
	tcp := append([]byte{0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0}, udp...)
	frag := ip4("10.1.1.55", "10.2.2.2", abi.IPPROTO_UDP, 9, append(udp, udp...))
	frag[6] = 0x20
	with(frag)
	opts := append([]byte{0x46, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0, 10, 1, 1, 55, 10, 2, 2, 2, abi.IPOPT_RR, 3, 4, 0}, udp...)
	s := sum(opts[:24])
	opts[10], opts[11] = byte(s>>8), byte(s)
	ns := make([]byte, 32)
	ns[0], ns[24], ns[25] = abi.ND_NEIGHBOR_SOLICIT, 1, 1
	copy(ns[8:], netip.MustParseAddr("2001:db8:1::ff").AsSlice())
	hop := append([]byte{abi.IPPROTO_FRAGMENT, 0, 5, 2, 0, 0, 1, 0, 17, 0, 0, 1, 0, 0, 0, 9}, udp...)
	return [][]byte{
		ether(8, 0, with(ip4("10.1.1.55", "10.2.2.2", abi.IPPROTO_UDP, 64, udp))),
		ether(8, 0, with(ip4("10.1.1.55", "10.2.2.2", abi.IPPROTO_TCP, 64, tcp))),
		ether(8, 0, with(ip4("10.1.1.55", "10.1.1.254", abi.IPPROTO_TCP, 64, tcp))),
		ether(8, 0, with(ip4("10.1.1.55", "10.1.1.254", abi.IPPROTO_ICMP, 64, echo(1, 40)))),
		ether(8, 0, with(ip4("10.1.1.55", "10.2.2.2", abi.IPPROTO_ICMP, 1, echo(1, 40)))),
		ether(8, 0, with(ip4("10.1.1.55", "224.0.0.1", abi.IPPROTO_IGMP, 1, []byte{0x11, 10, 0xee, 0xf5, 0, 0, 0, 0}))),
		ether(8, 0, frag), ether(8, 0, opts),
		arpFrame(everybody, 1, stranger, "10.1.1.55", "10.1.1.254"),
		ether(0x86, 0xdd, ip6("2001:db8:1::55", "2001:db8:2::2", abi.IPPROTO_UDP, 64, udp)),
		ether(0x86, 0xdd, ip6("2001:db8:1::55", "2001:db8:2::2", abi.IPPROTO_HOPOPTS, 64, hop)),
		ether(0x86, 0xdd, ip6("2001:db8:1::55", "2001:db8:1::ff", abi.IPPROTO_HOPOPTS, 64, hop)),
		ether(0x86, 0xdd, ip6("2001:db8:1::55", "2001:db8:1::ff", abi.IPPROTO_ICMPV6, 255, sum6("2001:db8:1::55", "2001:db8:1::ff", ns))),
		advert("fe80::99", 1800, "2001:db8:7::/64", 3600, 1800),
	}
}

// forwarders are two kernels in a row that forward, from the wire of first to out.
func forwarders(f testing.TB) (first *ifnet.Interface, out *wire, r1, r2 *host) {
	f.Helper()
	in, mid := newWire(false), newWire(false)
	out = newWire(true)
	r1, r2 = newHost(f), newHost(f)
	prepare := func(h *host, ifp *ifnet.Interface, a4, a6 string) {
		h.fast(ifp, 1)
		h.add4(ifp, a4)
		h.add6(ifp, a6)
	}
	first = r1.attach(in, "shm0", 2)
	prepare(r1, first, "10.1.1.254/24", "2001:db8:1::ff/64")
	prepare(r1, r1.attach(mid, "shm1", 3), "10.3.3.1/24", "2001:db8:3::1/64")
	prepare(r2, r2.attach(mid, "shm0", 4), "10.3.3.2/24", "2001:db8:3::2/64")
	last := r2.attach(out, "shm1", 5)
	prepare(r2, last, "10.2.2.254/24", "2001:db8:2::ff/64")
	for h, gw := range map[*host][2]string{r1: {"10.3.3.2", "2001:db8:3::2"}, r2: {"10.3.3.1", "2001:db8:3::1"}} {
		h.gateway("0.0.0.0/0", gw[0])
		h.gateway("::/0", gw[1])
		h.sysctl("net.inet6.ip6.forwarding", 1)
		for _, ifp := range h.n.Interfaces()[1:] {
			for _, a := range ifp.Addrs()[1:] {
				if a.Family == abi.AF_INET6 {
					ip, _, _ := route.ParseSockaddr(a.Addr)
					h.ready(ifp, ip.String())
				}
			}
		}
	}
	r2.n.Config.Lock()
	for _, a := range []string{"10.2.2.2", "2001:db8:2::2"} {
		addr := netip.MustParseAddr(a)
		family := abi.AF_INET
		if addr.Is6() {
			family = abi.AF_INET6
		}
		if err := r2.in.LLTable(family).AddNeighbor(route.Neighbor{If: last, Addr: addr, LinkAddr: []byte{2, 0, 0, 0, 0, 0x66}}); err != nil {
			f.Fatal(err)
		}
	}
	r2.n.Config.Unlock()
	return first, out, r1, r2
}

// TestForwardedFrames: the frames that fuzzing begins with do get through, those that may.
func TestForwardedFrames(t *testing.T) {
	first, out, _, _ := forwarders(t)
	for _, s := range seeds() {
		copy(s, []byte{2, 0, 0, 0, 0, 2})
		first.Input(ifnet.NewPacket(s))
	}
	for what, match := range map[string]func(b []byte) bool{
		"UDP": func(b []byte) bool {
			return b[23] == abi.IPPROTO_UDP && b[12] == 8 && b[14] == 0x45 && b[22] == 62 && b[20] == 0
		},
		"TCP":                 func(b []byte) bool { return b[23] == abi.IPPROTO_TCP && b[12] == 8 },
		"a fragment":          func(b []byte) bool { return b[12] == 8 && b[20] == 0x20 && b[22] == 7 },
		"options":             func(b []byte) bool { return b[14] == 0x46 },
		"UDP over IPv6":       func(b []byte) bool { return b[12] == 0x86 && b[20] == abi.IPPROTO_UDP && b[21] == 62 },
		"an extension header": func(b []byte) bool { return b[12] == 0x86 && b[20] == abi.IPPROTO_HOPOPTS },
	} {
		checkFrame(t, out.wait(t, what, match))
	}
}

// FuzzForwarding feeds mutated frames through two kernels that forward: neither may panic, what comes out must be well-formed, and both must answer
// afterwards. netstack.md of the plan asks for it: the stack's own forwarding does not survive it.
func FuzzForwarding(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, uint8(0), true)
		f.Add(s, uint8(17), false)
	}
	first, out, r1, r2 := forwarders(f)
	f.Fuzz(func(t *testing.T, frame []byte, at uint8, good bool) {
		frame = bytes.Clone(frame)
		if len(frame) < 60 || len(frame) > 9000 {
			return
		}
		if good && frame[12] == 8 && frame[13] == 0 && frame[14]>>4 == 4 {
			frame[24], frame[25] = 0, 0
			if n := int(frame[14]&15) * 4; n >= 20 && 14+n <= len(frame) {
				s := sum(frame[14 : 14+n])
				frame[24], frame[25] = byte(s>>8), byte(s)
			}
		}
		copy(frame, []byte{2, 0, 0, 0, 0, 2})
		first.Input(ifnet.NewPacket(frame))
		out.mu.Lock()
		seen := out.seen
		out.seen = nil
		out.mu.Unlock()
		for _, b := range seen {
			checkFrame(t, b)
		}
	})
	r1.ping4("10.1.1.254", "10.3.3.2", 8)
	r2.ping4("10.2.2.254", "10.3.3.1", 8)
}

// checkFrame sees to it that a frame that was sent on is well-formed: its length, its checksum, its time to live.
func checkFrame(t *testing.T, b []byte) {
	switch {
	case len(b) < 34:
		t.Fatalf("a frame of %d bytes", len(b))
	case b[12] == 8 && b[13] == 0:
		n := int(b[14]&15) * 4
		if b[14]>>4 != 4 || n < 20 || 14+n > len(b) || sum(b[14:14+n]) != 0 || b[22] == 0 || int(b[16])<<8|int(b[17]) != len(b)-14 {
			t.Fatalf("bad IPv4 header: % x", b)
		}
	case b[12] == 0x86 && b[13] == 0xdd:
		if b[14]>>4 != 6 || b[21] == 0 && b[20] != 0 || int(b[18])<<8|int(b[19]) != len(b)-54 {
			t.Fatalf("bad IPv6 header: % x", b)
		}
	}
}

// FuzzInput feeds mutated frames to a kernel with everything on: raw sockets, groups, autoconfiguration.
func FuzzInput(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	h := newHost(f)
	ifp := h.attach(newWire(false), "shm0", 2)
	h.add4(ifp, "10.1.1.254/24")
	h.add6(ifp, "2001:db8:1::ff/64")
	h.sysctl("net.inet6.ip6.accept_rtadv", 1)
	h.catch(abi.AF_INET)
	h.catch(abi.AF_INET6)
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > 9000 {
			return
		}
		b := bytes.Clone(frame)
		if len(b) >= 6 && b[0]&1 == 0 {
			copy(b, []byte{2, 0, 0, 0, 0, 2})
		}
		ifp.Input(ifnet.NewPacket(b))
	})
}

// FuzzWrite gives a kernel mutated datagrams to send, as a raw socket with IP_HDRINCL does.
func FuzzWrite(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s[14:])
	}
	h := newHost(f)
	ifp := h.attach(newWire(false), "shm0", 2)
	h.add4(ifp, "10.1.1.254/24")
	h.add6(ifp, "2001:db8:1::ff/64")
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		h.in.WriteIP4(b, inet.RawOptions{Broadcast: true})
		h.in.WriteIP6(b, inet.RawOptions{If: ifp})
	})
}

// FuzzIoctl gives the ioctls of addresses arguments that are none.
func FuzzIoctl(f *testing.F) {
	f.Add(uint8(0), true, make([]byte, 300))
	h := newHost(f)
	cmds := []uint32{
		abi.SIOCGIFADDR, abi.SIOCGIFNETMASK, abi.SIOCGIFBRDADDR, abi.SIOCGIFDSTADDR, abi.SIOCGIFAFLAG_IN, abi.SIOCGIFALIAS, abi.SIOCSIFADDR, abi.SIOCSIFNETMASK,
		abi.SIOCSIFBRDADDR, abi.SIOCAIFADDR, abi.SIOCDIFADDR, abi.SIOCGIFADDR_IN6, abi.SIOCGIFAFLAG_IN6, abi.SIOCAIFADDR_IN6, abi.SIOCDIFADDR_IN6,
		abi.SIOCGIFALIFETIME_IN6, abi.SIOCGIFINFO_IN6, abi.SIOCGNBRINFO_IN6, abi.SIOCGDRLST_IN6, abi.SIOCGIFSTAT_IN6,
		abi.SIOCGLIFADDR, abi.SIOCALIFADDR, abi.SIOCDLIFADDR,
	}
	h.attach(newWire(false), "shm0", 2)
	f.Fuzz(func(t *testing.T, cmd uint8, v6 bool, data []byte) {
		family := abi.AF_INET
		if v6 {
			family = abi.AF_INET6
		}
		data = bytes.Clone(data)
		if len(data) >= 16 {
			copy(data, "shm0\x00")
		}
		h.in.Ioctl(h.k.KernelThread(), family, cmds[int(cmd)%len(cmds)], data)
	})
}
