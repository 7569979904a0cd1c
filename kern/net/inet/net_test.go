package inet_test

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"

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

// wire is an Ethernet in memory: what a port sends all others receive, each in a goroutine of its own.
type wire struct {
	mu    sync.Mutex
	ports []*port
	seen  [][]byte // all frames, when they are kept
	keep  bool
	loud  *sync.Cond // a frame has been sent
}

// port is an interface on a wire: an ifnet.Driver.
type port struct {
	w   *wire
	ifp *ifnet.Interface

	mu   sync.Mutex
	q    []*ifnet.Packet
	busy bool
	off  bool
	idle sync.Cond
}

func newWire(keep bool) *wire {
	w := &wire{keep: keep}
	w.loud = sync.NewCond(&w.mu)
	return w
}

// Transmit gives the packets to all others on the wire.
func (p *port) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	p.w.mu.Lock()
	ports := p.w.ports
	for _, pkt := range pkts {
		if p.w.keep {
			b := make([]byte, pkt.Len())
			pkt.Header(b)
			p.w.seen = append(p.w.seen, b)
		}
	}
	p.w.loud.Broadcast()
	p.w.mu.Unlock()
	for _, pkt := range pkts {
		for _, o := range ports {
			if o != p {
				o.push(pkt.Clone())
			}
		}
		pkt.Release()
	}
	return nil
}

func (p *port) push(pkt *ifnet.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off || len(p.q) > 4096 {
		pkt.Release()
		return
	}
	pkt.Flags &= ifnet.ChecksumGood | ifnet.ChecksumMissing
	p.q = append(p.q, pkt)
	if !p.busy {
		p.busy = true
		go p.run()
	}
}

func (p *port) run() {
	p.mu.Lock()
	for len(p.q) > 0 {
		q := p.q
		p.q = nil
		p.mu.Unlock()
		p.ifp.Input(q...)
		p.mu.Lock()
	}
	p.busy = false
	p.idle.Broadcast()
	p.mu.Unlock()
}

// Start sets the interface running.
func (p *port) Start(ifp *ifnet.Interface) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = false
	ifp.SetRunning(true)
	return nil
}

// Stop waits until no packet comes in any more.
func (p *port) Stop(*ifnet.Interface) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = true
	for p.busy {
		p.idle.Wait()
	}
}

// inject sends a frame to all on the wire.
func (w *wire) inject(frame []byte) {
	w.mu.Lock()
	ports := w.ports
	w.mu.Unlock()
	for _, p := range ports {
		p.push(ifnet.NewPacket(frame))
	}
}

// wait waits for a frame, sent already or yet to come.
func (w *wire) wait(t testing.TB, what string, match func(frame []byte) bool) []byte {
	t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); w.loud.Broadcast() })
	defer timer.Stop()
	deadline := time.Now().Add(10 * time.Second)
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 0; ; {
		for ; i < len(w.seen); i++ {
			if match(w.seen[i]) {
				return w.seen[i]
			}
		}
		if !time.Now().Before(deadline) {
			t.Fatalf("no %s on the wire", what)
		}
		w.loud.Wait()
	}
}

// host is a kernel with the internet protocols.
type host struct {
	t  testing.TB
	k  *kern.Kernel
	in *inet.Inet
	n  *ifnet.Net
}

func newHost(t testing.TB) *host {
	t.Helper()
	k := kerntest.New(t, rumpnet.Component(), net.Component(), netinet.Component(), netinet6.Component())
	return &host{t: t, k: k, in: inet.Of(k), n: ifnet.Of(k)}
}

// attach gives the kernel an interface on a wire.
func (h *host) attach(w *wire, name string, mac byte) *ifnet.Interface {
	h.t.Helper()
	p := &port{w: w}
	p.idle.L = &p.mu
	ifp := &ifnet.Interface{Name: name, Prefix: name[:len(name)-1], Type: abi.IFT_ETHER, HdrLen: ifnet.EtherHdrLen, DLT: abi.DLT_EN10MB, Driver: p}
	p.ifp = ifp
	h.n.Config.Lock()
	defer h.n.Config.Unlock()
	if err := h.n.Attach(ifp, []byte{2, 0, 0, 0, 0, mac}, 1500, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST); err != nil {
		h.t.Fatal(err)
	}
	w.mu.Lock()
	w.ports = append(w.ports, p)
	w.mu.Unlock()
	return ifp
}

func (h *host) ioctl(family int, cmd uint32, data []byte) {
	h.t.Helper()
	if err := h.in.Ioctl(h.k.KernelThread(), family, cmd, data); err != nil {
		h.t.Fatalf("ioctl %#x: %v", cmd, err)
	}
}

// add4 adds an IPv4 address, "10.1.1.1/24".
func (h *host) add4(ifp *ifnet.Interface, addr string) {
	h.t.Helper()
	p := netip.MustParsePrefix(addr)
	var r abi.InAliasreq
	copy(r.Name[:], ifp.Name)
	r.Addr.Decode(sockaddr.Inet(p.Addr(), 0, 0))
	r.Mask.Decode(sockaddr.Mask(abi.AF_INET, p.Bits()))
	r.Mask.Len = abi.SizeofSockaddrIn
	h.ioctl(abi.AF_INET, abi.SIOCAIFADDR, r.Append(nil))
}

// del4 takes an IPv4 address away.
func (h *host) del4(ifp *ifnet.Interface, addr string) {
	h.t.Helper()
	var r abi.Ifreq
	copy(r.Name[:], ifp.Name)
	copy(r.Ifru[:], sockaddr.Inet(netip.MustParseAddr(addr), 0, 0))
	h.ioctl(abi.AF_INET, abi.SIOCDIFADDR, r.Append(nil))
}

// flags4 are the IN_IFF_* flags of an address.
func (h *host) flags4(ifp *ifnet.Interface, addr string) int32 {
	h.t.Helper()
	var r abi.Ifreq
	copy(r.Name[:], ifp.Name)
	copy(r.Ifru[:], sockaddr.Inet(netip.MustParseAddr(addr), 0, 0))
	b := r.Append(nil)
	h.ioctl(abi.AF_INET, abi.SIOCGIFAFLAG_IN, b)
	r.Decode(b)
	return r.Addrflags()
}

// add6 adds an IPv6 address that lasts for ever.
func (h *host) add6(ifp *ifnet.Interface, addr string) {
	h.t.Helper()
	p := netip.MustParsePrefix(addr)
	r := abi.In6Aliasreq{Lifetime: abi.In6Addrlifetime{Vltime: abi.ND6_INFINITE_LIFETIME, Pltime: abi.ND6_INFINITE_LIFETIME}}
	copy(r.Name[:], ifp.Name)
	r.Addr.Decode(sockaddr.Inet(p.Addr(), 0, 0))
	r.Prefixmask.Decode(sockaddr.Mask(abi.AF_INET6, p.Bits()))
	r.Prefixmask.Len = abi.SizeofSockaddrIn6
	h.ioctl(abi.AF_INET6, abi.SIOCAIFADDR_IN6, r.Append(nil))
}

// flags6 are the IN6_IFF_* flags of an address.
func (h *host) flags6(ifp *ifnet.Interface, addr string) (int32, error) {
	var r abi.In6Ifreq
	copy(r.Name[:], ifp.Name)
	copy(r.Ifru[:], sockaddr.Inet(netip.MustParseAddr(addr), 0, 0))
	b := r.Append(nil)
	err := h.in.Ioctl(h.k.KernelThread(), abi.AF_INET6, abi.SIOCGIFAFLAG_IN6, b)
	r.Decode(b)
	return r.Flags6(), err
}

// gateway adds a route.
func (h *host) gateway(dst, gw string) {
	h.t.Helper()
	h.n.Config.Lock()
	defer h.n.Config.Unlock()
	g := netip.MustParseAddr(gw)
	e := h.in.Table.Lookup(g, 0)
	if e == nil {
		h.t.Fatalf("no route to %s", gw)
	}
	err := h.in.Table.Add(&route.Entry{
		Dst: netip.MustParsePrefix(dst), Flags: abi.RTF_UP | abi.RTF_GATEWAY | abi.RTF_STATIC, Gateway: g, If: e.If, Addr: e.Addr,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// sysctl sets an int.
func (h *host) sysctl(name string, v int32) {
	h.t.Helper()
	if errno := kerntest.Proc(h.t, h.k).SetSysctl(name, kerntest.Ints(v)); errno != 0 {
		h.t.Fatalf("sysctl %s: %v", name, errno)
	}
}

// catch has a channel receive the raw datagrams of a family.
func (h *host) catch(family int) <-chan []byte {
	c := make(chan []byte, 64)
	h.in.HandleRaw(family, inet.AnyProtocol, func(d *inet.RawDatagram) bool {
		b := make([]byte, d.Packet.Len())
		d.Packet.Header(b)
		select {
		case c <- b:
		default:
		}
		return false
	})
	return c
}

// receive takes the next datagram that matches from a channel.
func receive(t testing.TB, c <-chan []byte, what string, match func(b []byte) bool) []byte {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case b := <-c:
			if match(b) {
				return b
			}
		case <-timeout:
			t.Fatalf("no %s came", what)
		}
	}
}

// sum is the internet checksum of RFC 1071, computed here anew.
func sum(b []byte) uint16 {
	var s uint32
	for i := 0; i < len(b); i += 2 {
		if i+1 < len(b) {
			s += uint32(b[i])<<8 | uint32(b[i+1])
		} else {
			s += uint32(b[i]) << 8
		}
	}
	for s > 0xffff {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

// ip4 is an IPv4 datagram, its header without a checksum.
func ip4(src, dst string, proto, ttl byte, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0], b[8], b[9] = 0x45, ttl, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	if src != "" {
		a := netip.MustParseAddr(src).As4()
		copy(b[12:], a[:])
	}
	a := netip.MustParseAddr(dst).As4()
	copy(b[16:], a[:])
	return append(b, payload...)
}

// echo is an ICMP echo request with n bytes of data.
func echo(seq uint16, n int) []byte {
	b := make([]byte, 8+n)
	b[0] = abi.ICMP_ECHO
	binary.BigEndian.PutUint16(b[4:], 0x4711)
	binary.BigEndian.PutUint16(b[6:], seq)
	for i := range n {
		b[8+i] = byte(i)
	}
	binary.BigEndian.PutUint16(b[2:], sum(b))
	return b
}

// ip6 is an IPv6 datagram.
func ip6(src, dst string, proto, hlim byte, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[6], b[7] = 0x60, proto, hlim
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	if src != "" {
		a := netip.MustParseAddr(src).As16()
		copy(b[8:], a[:])
	}
	a := netip.MustParseAddr(dst).As16()
	copy(b[24:], a[:])
	return append(b, payload...)
}

// sum6 fills in the checksum of an ICMPv6 message.
func sum6(src, dst string, b []byte) []byte {
	b = append([]byte(nil), b...)
	b[2], b[3] = 0, 0
	pseudo := append(netip.MustParseAddr(src).AsSlice(), netip.MustParseAddr(dst).AsSlice()...)
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(b)))
	pseudo = append(pseudo, 0, 0, 0, 58)
	binary.BigEndian.PutUint16(b[2:], sum(append(pseudo, b...)))
	return b
}

// until waits for a condition.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come about", what)
		}
		time.Sleep(time.Millisecond)
	}
}
