package route_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/loop"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// world is a kernel with lo0 and an Ethernet shmif0, whose addresses and routes a test gives them as package inet would.
type world struct {
	tb    testing.TB
	k     *kern.Kernel
	p     *kerntest.P
	net   *ifnet.Net
	table *route.Table
	lo    *ifnet.Interface
	shm   *ifnet.Interface
}

// sink is a driver that drops what it is given.
type sink struct{}

func (sink) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		p.Release()
	}
	return nil
}

// components are rumpnet and rumpnet_net, as package component has them.
func components() []*kern.Component {
	return []*kern.Component{
		{Name: "rumpnet", Syscalls: socket.Syscalls(), Attach: socket.Attach},
		{Name: "rumpnet_net", Needs: []string{"rumpnet"}, Attach: func(k *kern.Kernel) error {
			n, err := ifnet.Attach(k)
			if err != nil {
				return err
			}
			if _, err := route.Attach(k); err != nil {
				return err
			}
			return loop.Attach(n)
		}},
	}
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, k: kerntest.New(tb, components()...)}
	w.p = kerntest.Proc(tb, w.k)
	w.net, w.table = ifnet.Of(w.k), route.Of(w.k)
	w.lo = w.net.ByName("lo0")
	w.shm = w.attach("shmif", 0, []byte{0xb2, 0xa0, 0xb0, 0x63, 0x9d, 0x77})
	w.config(func() {
		w.lo.SetFlags(abi.IFF_UP, 0)
		w.shm.SetFlags(abi.IFF_UP|abi.IFF_RUNNING, 0)
	})
	return w
}

// config runs f with the configuration's lock.
func (w *world) config(f func()) {
	w.net.Config.Lock()
	defer w.net.Config.Unlock()
	f()
}

func (w *world) attach(prefix string, unit int, mac []byte) *ifnet.Interface {
	w.tb.Helper()
	ifp := ifnet.NewEthernet(prefix, unit, sink{})
	w.config(func() {
		if err := w.net.Attach(ifp, mac, 1500, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST); err != nil {
			w.tb.Fatal(err)
		}
	})
	return ifp
}

// addr gives an interface an address: prefix is the address with its length.
func (w *world) addr(ifp *ifnet.Interface, prefix string, flags uint32) *ifnet.Addr {
	w.tb.Helper()
	p := netip.MustParsePrefix(prefix)
	a := &ifnet.Addr{Flags: flags, Addr: route.Sockaddr(p.Addr(), 0)}
	a.Family = int(a.Addr[1])
	if p.Addr().Is4() {
		a.Mask = mask4(p.Bits())
		if ifp.Flags()&abi.IFF_BROADCAST != 0 {
			a.Dst = bytes.Clone(a.Addr)
			for i := p.Bits(); i < 32; i++ {
				a.Dst[4+i/8] |= 0x80 >> (i % 8)
			}
		}
	} else {
		if p.Addr().IsLinkLocalUnicast() {
			a.Addr = route.Sockaddr(p.Addr(), ifp.Index)
		}
		a.Mask = mask6(p.Bits())
	}
	w.config(func() { ifp.AddAddr(a) })
	return a
}

// mask4 is a netmask as in_control of NetBSD keeps it: cut off after its last byte.
func mask4(bits int) []byte {
	sa := make([]byte, 4+(bits+7)/8)
	sa[0], sa[1] = byte(len(sa)), abi.AF_INET
	for i := range bits {
		sa[4+i/8] |= 0x80 >> (i % 8)
	}
	return sa
}

func mask6(bits int) []byte {
	sa := make([]byte, abi.SizeofSockaddrIn6)
	sa[0], sa[1] = byte(len(sa)), abi.AF_INET6
	for i := range bits {
		sa[8+i/8] |= 0x80 >> (i % 8)
	}
	return sa
}

// add adds a route as the kernel does by itself.
func (w *world) add(e *route.Entry) *route.Entry {
	w.tb.Helper()
	w.config(func() {
		if err := w.table.Add(e); err != nil {
			w.tb.Fatalf("%v: %v", e.Dst, err)
		}
	})
	return e
}

// lan gives shmif0 the address 10.1.1.1/24 and its routes, as ifconfig does in transcript net-04-route, and lo0 127.0.0.1.
func (w *world) lan() {
	w.tb.Helper()
	a := w.addr(w.shm, "10.1.1.1/24", abi.RTF_UP)
	w.add(&route.Entry{Dst: netip.MustParsePrefix("10.1.1.0/24"), Flags: abi.RTF_UP | abi.RTF_CONNECTED, If: w.shm, Addr: a})
	w.add(&route.Entry{Dst: netip.MustParsePrefix("10.1.1.1/32"), Flags: abi.RTF_UP | abi.RTF_HOST | abi.RTF_LOCAL, If: w.lo, Addr: a})
	l := w.addr(w.lo, "127.0.0.1/8", 0)
	e := &route.Entry{Dst: netip.MustParsePrefix("127.0.0.1/32"), Flags: abi.RTF_UP | abi.RTF_HOST | abi.RTF_LOCAL, If: w.lo, Addr: l}
	e.Metrics.Mtu = 33624
	w.add(e)
}

// lines reads a file of testdata with hexadecimal lines: see testdata/README.md.
func lines(tb testing.TB, name string) (list [][]byte) {
	tb.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	for _, l := range strings.Fields(string(raw)) {
		b, err := hex.DecodeString(l)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}
