package inet_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/netinet"
	"github.com/rumpctrl/rumpctrl/component/net/netinet6"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// victim is a kernel on a wire with a peer who means harm: 10.1.0.254/16 and 2001:db8:1::ff/64, its gateways 10.1.0.1 and fe80::99 (where a router
// is taken at its word), a server at TCP port 80.
type victim struct {
	*host
	ifp *ifnet.Interface
	w   *wire

	relisten func(backlog int) // changes how many connections may wait at the server
	marks    uint32            // how often it has settled, and has been found alive
}

func newVictim(t testing.TB) *victim {
	t.Helper()
	k, err := kern.New(kern.Config{Components: []*kern.Component{rumpnet.Component(), net.Component(), netinet.Component(), netinet6.Component()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	v := &victim{host: &host{t: t, k: k, in: inet.Of(k), n: ifnet.Of(k)}, w: newWire(true)}
	v.sysctl("net.inet.ip.dad_count", 0)
	v.sysctl("net.inet6.ip6.dad_count", 0)
	v.sysctl("net.inet6.ip6.accept_rtadv", 1)
	v.ifp = v.attach(v.w, "shm0", 2)
	v.add4(v.ifp, "10.1.0.254/16")
	v.add6(v.ifp, "2001:db8:1::ff/64")
	v.gateway("0.0.0.0/0", "10.1.0.1")
	p := kerntest.Proc(t, k)
	fd := p.Must(abi.SYS___socket30, abi.AF_INET, abi.SOCK_STREAM, 0)
	sa := sockaddr.Inet(netip.IPv4Unspecified(), 80, 0)
	p.Must(abi.SYS_bind, fd, sa, len(sa))
	p.Must(abi.SYS_listen, fd, 5)
	v.relisten = func(backlog int) { p.Must(abi.SYS_listen, fd, backlog) }
	return v
}

// frame is a datagram for the victim, with good checksums of the header.
func frame(dgram []byte) []byte {
	typ := []byte{8, 0}
	if dgram[0]>>4 == 6 {
		typ = []byte{0x86, 0xdd}
	} else {
		dgram[10], dgram[11] = 0, 0
		binary.BigEndian.PutUint16(dgram[10:], sum(dgram[:20]))
	}
	return append(append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0x55}, typ...), dgram...)
}

// hit sends the victim a frame; it has acted on it, but for what needs the configuration, when hit returns.
func (v *victim) hit(frame []byte) { v.ifp.Input(ifnet.NewPacket(frame)) }

// addr4 is the nth address in 10.1.0.0/16, addr6 the nth at hand on the link.
func addr4(n int) string { return fmt.Sprintf("10.1.%d.%d", n>>8&255, n&255) }
func addr6(n int) string { return fmt.Sprintf("2001:db8:1::%x:%x", n>>16+1, n&0xffff) }
func far4(n int) string  { return fmt.Sprintf("172.16.%d.%d", n>>8&255, n&255) }
func far6(n int) string  { return fmt.Sprintf("2001:db8:f::%x:%x", n>>16, n&0xffff) }

// redirect4 is an ICMP redirect of the gateway: to gw for dst.
func redirect4(dst, gw string) []byte {
	b := make([]byte, 8)
	b[0], b[1] = abi.ICMP_REDIRECT, abi.ICMP_REDIRECT_HOST
	copy(b[4:], netip.MustParseAddr(gw).AsSlice())
	b = append(b, ip4("10.1.0.254", dst, abi.IPPROTO_UDP, 9, make([]byte, 8))...)
	binary.BigEndian.PutUint16(b[2:], sum(b))
	return frame(ip4("10.1.0.1", "10.1.0.254", abi.IPPROTO_ICMP, 64, b))
}

// redirect6 is likewise of neighbour discovery.
func redirect6(dst, target string) []byte {
	b := make([]byte, 8, 40)
	b[0] = abi.ND_REDIRECT
	b = append(append(b, netip.MustParseAddr(target).AsSlice()...), netip.MustParseAddr(dst).AsSlice()...)
	const me = "2001:db8:1::ff"
	return frame(ip6("fe80::99", me, abi.IPPROTO_ICMPV6, 255, sum6("fe80::99", me, b)))
}

// tooBig6 says that the victim's packets to dst were too big.
func tooBig6(dst string) []byte {
	const me = "2001:db8:1::ff"
	b := append([]byte{abi.ICMP6_PACKET_TOO_BIG, 0, 0, 0, 0, 0, 0x05, 0x14}, ip6(me, dst, abi.IPPROTO_UDP, 64, make([]byte, 8))...)
	return frame(ip6(addr6(7), me, abi.IPPROTO_ICMPV6, 64, sum6(addr6(7), me, b)))
}

// solicit6 is a neighbour's solicitation, with its link-level address.
func solicit6(src string) []byte {
	const me = "2001:db8:1::ff"
	b := append(make([]byte, 8), netip.MustParseAddr(me).AsSlice()...)
	b[0] = abi.ND_NEIGHBOR_SOLICIT
	b = append(b, abi.ND_OPT_SOURCE_LINKADDR, 1, 2, 0, 0, 0, 0, 0x55)
	return frame(ip6(src, me, abi.IPPROTO_ICMPV6, 255, sum6(src, me, b)))
}

// routes is how many a family has.
func (v *victim) routes(family int) int { return len(v.in.Table.Entries(family)) }

// addrs6 is how many IPv6 addresses the interface has.
func (v *victim) addrs6() (n int) {
	for _, a := range v.ifp.Addrs() {
		if a.Family == abi.AF_INET6 {
			n++
		}
	}
	return n
}

// TestFloodedTables: what peers can have a kernel remember is bounded: by limits of its own for ARP, redirects, and by the net.inet6 limits of sysctl(7). Each table fills
// up to its limit, and the flood goes on.
func TestFloodedTables(t *testing.T) {
	const arpLimit, neighborLimit, redirectLimit, dynLimit, raLimit = 4096, 2048, 4096, 500, 16
	v := newVictim(t)
	v.sysctl("net.inet6.ip6.maxdynroutes", dynLimit)
	v.hit(advert("fe80::99", 1800, "2001:db8:a::/64", 7300, 7300))
	until(t, "route of the advertisement", func() bool { return v.in.Table.Lookup(netip.MustParseAddr(far6(1)), 0) != nil })
	v.settle() // the address of the advertisement comes after its route
	base4, base6, addrs := v.routes(abi.AF_INET), v.routes(abi.AF_INET6), v.addrs6()
	for _, f := range []struct {
		what  string
		send  func(i int)
		count func() int
		limit int
	}{
		{"ARP entries", func(i int) { v.hit(arpFrame(everybody, 1, stranger, addr4(i%60000+300), "10.1.0.254")) },
			func() int { return len(v.neighbors(abi.AF_INET)) - 1 }, arpLimit},
		{"neighbours", func(i int) { v.hit(solicit6(addr6(i))) },
			func() int { return len(v.neighbors(abi.AF_INET6)) - addrs }, neighborLimit},
		{"redirects of IPv4", func(i int) { v.hit(redirect4(far4(i), "10.1.0.9")) },
			func() int { return v.routes(abi.AF_INET) - base4 }, redirectLimit},
		{"redirects of IPv6", func(i int) { v.hit(redirect6(far6(i), "fe80::77")) },
			func() int { return v.routes(abi.AF_INET6) - base6 }, dynLimit},
		{"neighbours by redirects", func(i int) { v.hit(redirect6(far6(i+1e6), far6(i+1e6))) },
			func() int { return v.routes(abi.AF_INET6) - base6 }, dynLimit},
		{"paths", func(i int) { v.hit(tooBig6(far6(i + 2e6))) },
			func() int { return v.routes(abi.AF_INET6) - base6 }, dynLimit},
		{"addresses", func(i int) {
			p := fmt.Sprintf("2001:db8:%x::/64", 0x100+i)
			v.hit(advert("fe80::99", 1800, p, 7300, 7300))
			v.hit(advert("fe80::99", 1800, p, 0, 0))
		}, func() int { return v.addrs6() - addrs + 1 }, raLimit},
		{"routers", func(i int) {
			v.hit(advert(fmt.Sprintf("fe80::1:%x", i+1), 1800, fmt.Sprintf("2001:db9:%x::/64", i), 7300, 7300))
		},
			func() int { return v.routes(abi.AF_INET6) - base6 - dynLimit - 2*v.addrs6() }, raLimit},
	} {
		i := 0
		if f.what != "routers" { // whose routes are fewer than the limit
			until(t, f.what+" at their limit", func() bool {
				for range 256 {
					f.send(i)
					i++
				}
				return f.count() >= f.limit
			})
		}
		for range 1000 {
			f.send(i)
			i++
		}
		v.settle()
		if n := f.count(); n > f.limit {
			t.Errorf("%d %s; the limit is %d", n, f.what, f.limit)
		}
	}
	v.alive()
}

// settle waits until the kernel has acted on what it was sent, that for which configuration is needed too: on an advertisement behind all that, of a
// reachable time that no other had.
func (v *victim) settle() {
	v.t.Helper()
	v.marks++
	b := make([]byte, 16)
	b[0] = abi.ND_ROUTER_ADVERT
	binary.BigEndian.PutUint32(b[8:], 10000+v.marks)
	last := frame(ip6("fe80::98", "2001:db8:1::ff", abi.IPPROTO_ICMPV6, 255, sum6("fe80::98", "2001:db8:1::ff", b)))
	until(v.t, "end of the flood", func() bool {
		v.hit(last)
		r := abi.In6Ndireq{}
		copy(r.Ifname[:], v.ifp.Name)
		info := r.Append(nil)
		v.ioctl(abi.AF_INET6, abi.SIOCGIFINFO_IN6, info)
		return r.Decode(info) == nil && r.Ndi.Basereachable == 10000+v.marks
	})
}

// alive has the victim answer a stranger's echo request and take a connection's SYN.
func (v *victim) alive() {
	v.t.Helper()
	const peer = "10.1.0.77"
	v.w.forget()
	v.hit(arpFrame(everybody, 1, stranger, peer, "10.1.0.254"))
	v.hit(frame(ip4(peer, "10.1.0.254", abi.IPPROTO_ICMP, 64, echo(1, 40))))
	v.w.wait(v.t, "echo reply", func(b []byte) bool {
		return len(b) > 34 && b[12] == 8 && b[13] == 0 && b[23] == abi.IPPROTO_ICMP && b[34] == abi.ICMP_ECHOREPLY
	})
	v.marks++
	port := uint16(0x7000 + v.marks)
	until(v.t, "SYN|ACK", func() bool { // a queue that the flood has filled drops the first
		v.hit(syn(peer, port, 80))
		return v.w.saw(func(b []byte) bool {
			return len(b) > 47 && b[12] == 8 && b[13] == 0 && b[23] == abi.IPPROTO_TCP && binary.BigEndian.Uint16(b[36:]) == port && b[47] == 0x12
		})
	})
}

// saw says whether there was a frame that matches.
func (w *wire) saw(match func(frame []byte) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.seen, match)
}

// forget has the wire keep none of what it has seen.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = nil
}

// syn opens a TCP connection to the victim.
func syn(src string, sport, dport uint16) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	b[7], b[12], b[13], b[14] = 1, 0x50, 2, 0xff
	pseudo := append(netip.MustParseAddr(src).AsSlice(), 10, 1, 0, 254, 0, abi.IPPROTO_TCP, 0, 20)
	binary.BigEndian.PutUint16(b[16:], sum(append(pseudo, b...)))
	return frame(ip4(src, "10.1.0.254", abi.IPPROTO_TCP, 64, b))
}

// fragment is a fragment of a UDP datagram, with so many bytes behind the datagram in its frame.
func fragment(id uint16, off int, more bool, payload, trailer int) []byte {
	b := ip4("10.1.0.55", "10.1.0.254", abi.IPPROTO_UDP, 64, make([]byte, payload))
	binary.BigEndian.PutUint16(b[4:], id)
	word := uint16(off / 8)
	if more {
		word |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], word)
	return append(frame(b), make([]byte, trailer)...)
}

// heap is how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first leaves what pools keep
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFloodedMemory: what packets can have a kernel keep is bounded in bytes, it answers afterwards, and all is free when it has halted.
func TestFloodedMemory(t *testing.T) {
	before, goroutines := heap(), len(ours())
	v := newVictim(t)
	v.sysctl("net.inet.ip.forwarding", 1)
	const bound = 48 << 20
	for _, f := range []struct {
		what string
		n    int
		send func(i int)
	}{
		{"tiny fragments in large frames", 40000, func(i int) { v.hit(fragment(uint16(i/200), i%200*16, true, 8, 8800)) }},
		{"datagrams without an end", 20000, func(i int) { v.hit(fragment(uint16(i), 8, true, 1480, 0)) }},
		{"overlapping fragments", 5000, func(i int) { v.hit(fragment(9, i*8%4000, true, 1480, 0)) }},
		{"fragments beyond the end", 2000, func(i int) { v.hit(fragment(uint16(i), 65528, i&1 == 0, 1480, 0)) }},
		{"datagrams on their way to nobody", 40000, func(i int) {
			v.hit(frame(ip4("10.1.0.55", addr4(i%3000+300), abi.IPPROTO_UDP, 64, make([]byte, 1400))))
		}},
		{"SYNs", 20000, func(i int) { v.hit(syn(addr4(i+300), uint16(i), 80)) }},
		{"SYNs to nobody", 5000, func(i int) { v.hit(syn(addr4(i+300), uint16(i), 81)) }},
		{"datagrams to nobody", 20000, func(i int) {
			v.hit(frame(ip4(addr4(i+300), "10.1.0.254", abi.IPPROTO_UDP, 64, []byte{0x12, 0x34, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4})))
		}},
		{"echo requests from nobody", 20000, func(i int) {
			v.hit(frame(ip4(addr4(i+300), "10.1.0.254", abi.IPPROTO_ICMP, 64, echo(1, 8000))))
		}},
		{"oversized frames", 200, func(i int) {
			v.hit(append(arpFrame(everybody, 1, stranger, addr4(i), "10.1.0.254"), make([]byte, 1<<20)...))
		}},
	} {
		for i := range f.n {
			f.send(i)
			if i%1024 == 0 { // the wire keeps what it sees
				v.w.forget()
			}
		}
		v.w.forget()
		if n := heap(); n > before+bound {
			t.Errorf("%s: %d MB in use", f.what, (n-before)>>20)
		}

		v.alive()
	}
	if n := len(ours()) - goroutines; n > 2*runtime.GOMAXPROCS(0)+8 {
		t.Errorf("%d goroutines", n)
	}
	v.k.Halt()
	until(t, "end of the goroutines", func() bool { return len(ours()) <= goroutines })
}

// TestShorterQueue: what half-open connections a server keeps is bounded after listen(2) with a shorter queue too, while handshakes are under way: others are answered by
// cookies (RFC 4987, 3.6).
func TestShorterQueue(t *testing.T) {
	v := newVictim(t)
	st := v.in.Stack.Stats().TCP
	v.relisten(100)
	const before, after = 50, 200
	for i := range before + after {
		if i == before {
			v.relisten(5)
		}
		v.hit(syn(addr4(i+300), uint16(i), 80))
		until(t, "look at the SYN", func() bool { return st.ValidSegmentsReceived.Value() > uint64(i) })
	}
	until(t, "cookies", func() bool { return st.ListenOverflowSynCookieSent.Value() >= before+after-101 })
}

// TestOperatorsRoute: an operator's route to a host is changed by a redirect (RTF_MODIFIED, route(4)), and is back when its time is over.
func TestOperatorsRoute(t *testing.T) {
	v := newVictim(t)
	v.sysctl("net.inet.icmp.redirtimeout", 1)
	host := netip.MustParsePrefix(far4(1) + "/32")
	v.n.Config.Lock()
	way := v.in.Table.Lookup(host.Addr(), 0)
	err := v.in.Table.Add(&route.Entry{
		Dst: host, Flags: abi.RTF_UP | abi.RTF_GATEWAY | abi.RTF_HOST | abi.RTF_STATIC, Gateway: way.Gateway, If: way.If, Addr: way.Addr,
	})
	own := v.in.Table.Exact(host, 0)
	v.n.Config.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	v.hit(redirect4(far4(1), "10.1.0.9"))
	until(t, "other gateway", func() bool { return v.in.Table.Exact(host, 0) != own })
	e := v.in.Table.Exact(host, 0)
	if want := uint32(abi.RTF_UP | abi.RTF_GATEWAY | abi.RTF_HOST | abi.RTF_STATIC | abi.RTF_MODIFIED); e.Flags != want || e.Gateway.String() != "10.1.0.9" {
		t.Errorf("flags %#x, want %#x; gateway %s", e.Flags, want, e.Gateway)
	}
	until(t, "own route", func() bool { return v.in.Table.Exact(host, 0) == own })
}

// TestMutatedFlood: frames with bytes changed at random, a great many and fast, from several goroutines at once; the generator begins with a number that a failure tells.
func TestMutatedFlood(t *testing.T) {
	v := newVictim(t)
	seed := rand.Uint64()
	frames := append(seeds(), redirect4(far4(1), "10.1.0.9"), redirect6(far6(1), "fe80::77"), tooBig6(far6(1)), solicit6(addr6(1)), syn(addr4(400), 1, 80), fragment(1, 8, true, 64, 0))
	done := make(chan any)
	for g := range uint64(4) {
		go func() {
			defer func() { done <- recover() }()
			r := rand.New(rand.NewPCG(seed, g))
			for range 20000 {
				b := bytes.Clone(frames[r.IntN(len(frames))])
				for range r.IntN(4) {
					b[12+r.IntN(len(b)-12)] = byte(r.Uint32())
				}
				if r.IntN(8) == 0 {
					b = b[:14+r.IntN(len(b)-13)]
				}
				v.hit(b)
			}
		}()
	}
	for range 4 {
		if p := <-done; p != nil {
			t.Fatalf("seed %d: %v", seed, p)
		}
	}
	v.alive()
}
