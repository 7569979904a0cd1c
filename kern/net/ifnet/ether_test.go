package ifnet_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// frame is an Ethernet frame of a type with an empty payload, from 2:0:0:0:0:77.
func frame(dst []byte, typ uint16) *ifnet.Packet {
	b := append(slices.Clone(dst), mac(77)...)
	b = append(b, byte(typ>>8), byte(typ))
	return ifnet.NewPacket(append(b, make([]byte, 46)...))
}

// tagged is a frame to 2:0:0:0:0:0 with an 802.1Q tag.
func tagged(tag, typ uint16) *ifnet.Packet {
	b := slices.Concat(mac(0), mac(77), []byte{0x81, 0, byte(tag >> 8), byte(tag), byte(typ >> 8), byte(typ)})
	return ifnet.NewPacket(append(b, make([]byte, 46)...))
}

var (
	broadcast = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	group     = []byte{1, 0, 0x5e, 0, 0, 5}
)

// watcher writes down what it sees, as tap, port and protocol.
type watcher struct {
	log  []string
	take bool
}

func (w *watcher) Tap(_ *ifnet.Interface, p *ifnet.Packet, out bool) {
	w.log = append(w.log, fmt.Sprintf("tap %v %d", out, p.Flags))
}

func (w *watcher) InputPacket(_ *ifnet.Interface, p *ifnet.Packet) bool {
	w.log = append(w.log, "port in")
	return w.take
}

func (w *watcher) OutputPacket(_ *ifnet.Interface, p *ifnet.Packet) bool {
	w.log = append(w.log, "port out")
	return w.take
}

func (w *watcher) protocol(name string) func(*ifnet.Interface, *ifnet.Packet) {
	return func(ifp *ifnet.Interface, p *ifnet.Packet) {
		w.log = append(w.log, fmt.Sprintf("%s %s %d bytes %d", ifp.Name, name, p.Len(), p.Flags))
		p.Release()
	}
}

func (w *watcher) take1() (log []string) {
	log, w.log = w.log, nil
	return log
}

// TestEtherInput has which frames arrive where, ether_input of sys/net/if_ethersubr.c of NetBSD.
func TestEtherInput(t *testing.T) {
	w := newWorld(t)
	ifp, _ := w.create("ether0")
	v := &watcher{}
	w.net.HandleProtocol(0x0800, v.protocol("IPv4"))
	w.net.HandleProtocol(0x0806, v.protocol("ARP"))
	ifp.AddTap(v)
	for _, c := range []struct {
		name    string
		packet  *ifnet.Packet
		promisc bool
		want    []string
	}{
		{"own", frame(mac(0), 0x0800), false, []string{"tap false 0", "ether0 IPv4 60 bytes 0"}},
		{"all", frame(broadcast, 0x0806), false, []string{"tap false 1", "ether0 ARP 60 bytes 1"}},
		{"group", frame(group, 0x0800), false, []string{"tap false 2", "ether0 IPv4 60 bytes 2"}},
		{"others", frame(mac(5), 0x0800), false, nil},
		{"others, promiscuous", frame(mac(5), 0x0800), true, []string{"tap false 4"}},
		{"own, promiscuous", frame(mac(0), 0x0800), true, []string{"tap false 0", "ether0 IPv4 60 bytes 0"}},
		{"unknown protocol", frame(mac(0), 0x9999), false, []string{"tap false 0"}},
		{"802.3", frame(mac(0), 46), false, []string{"tap false 0"}},
		{"tag that nobody has", tagged(7, 0x0800), false, []string{"tap false 0"}},
		{"priority alone", tagged(0xe000, 0x0800), false, []string{"tap false 0", "ether0 IPv4 60 bytes 0"}},
		{"half a tag", ifnet.NewPacket(slices.Concat(mac(0), mac(77), []byte{0x81, 0, 0})), false, []string{"tap false 0"}},
		{"short", ifnet.NewPacket(make([]byte, 13)), false, nil},
		{"empty", ifnet.NewPacket(nil), false, nil},
	} {
		if c.promisc {
			w.config(func() { ifp.SetPromiscuous(1) })
		}
		ifp.Input(c.packet)
		if got := v.take1(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.promisc {
			w.config(func() { ifp.SetPromiscuous(-1) })
		}
	}
	s := &ifp.Stats
	if s.Ipackets.Load() != 10 || s.Ibytes.Load() != 7*60+2*64+15 || s.Imcasts.Load() != 2 || s.Noproto.Load() != 4 || s.Ierrors.Load() != 2 {
		t.Errorf("counters %+v", ifp.Data())
	}
	w.config(func() { ifp.SetFlags(0, abi.IFF_SIMPLEX) })
	ifp.Input(ifnet.NewPacket(slices.Concat(broadcast, mac(0), []byte{8, 0})))
	if got := v.take1(); got != nil {
		t.Errorf("own broadcast: %q", got)
	}
	w.config(func() { ifp.SetFlags(0, abi.IFF_UP) })
	ifp.Input(frame(mac(0), 0x0800))
	if got := v.take1(); got != nil {
		t.Errorf("down: %q", got)
	}
}

// TestPort has a port take packets in both directions, and Enqueue and Deliver pass it by.
func TestPort(t *testing.T) {
	w := newWorld(t)
	ifp, d := w.create("ether0")
	v := &watcher{}
	w.net.HandleProtocol(0x0800, v.protocol("IPv4"))
	if err := ifp.SetPort(v); err != nil {
		t.Fatal(err)
	}
	if err := ifp.SetPort(v); err != abi.EBUSY {
		t.Errorf("a second port: %v", err)
	}
	ifp.AddTap(v)
	for _, v.take = range []bool{false, true} {
		ifp.Input(frame(mac(0), 0x0800))
		ifp.Output(frame(mac(1), 0x0800))
	}
	ifp.Enqueue(frame(mac(1), 0x0800))
	ifp.Deliver(frame(mac(0), 0x0800))
	ifp.Deliver(ifnet.NewPacket([]byte{1}))
	ifp.RemoveTap(v)
	ifp.SetPort(nil)
	ifp.Output(frame(group, 0x0800))
	want := []string{"tap false 0", "port in", "ether0 IPv4 60 bytes 0", "port out", "tap true 0", "tap false 0", "port in", "port out", "tap true 0", "ether0 IPv4 60 bytes 0"}
	if got := v.take1(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if len(d.sent) != 3 || ifp.Stats.Opackets.Load() != 3 || ifp.Stats.Omcasts.Load() != 1 || ifp.Stats.Obytes.Load() != 180 {
		t.Errorf("%d sent, counters %+v", len(d.sent), ifp.Data())
	}
}

// TestVLAN has a tagged frame arrive at the interface of its tag without the tag, IEEE 802.1Q, priority bits and all.
func TestVLAN(t *testing.T) {
	w := newWorld(t)
	parent, _ := w.create("ether0")
	child, _ := w.create("other0")
	w.config(func() { child.SetLinkAddr(mac(0)) })
	if err := parent.SetVLAN(42, child); err != nil {
		t.Fatal(err)
	}
	if err := parent.SetVLAN(42, parent); err != abi.EADDRINUSE {
		t.Errorf("the same tag again: %v", err)
	}
	var got []byte
	w.net.HandleProtocol(0x0800, func(ifp *ifnet.Interface, p *ifnet.Packet) {
		if ifp != child {
			t.Errorf("arrived at %s", ifp.Name)
		}
		got = p.Buf.Flatten()
		p.Release()
	})
	withTag := slices.Concat(broadcast, mac(77), []byte{0x81, 0, 0xa0, 42, 8, 0}, []byte("payload"))
	original := ifnet.NewPacket(withTag)
	parent.Input(original.Clone())
	if want := slices.Concat(broadcast, mac(77), []byte{8, 0}, []byte("payload")); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	if b := original.Buf.Flatten(); !bytes.Equal(b, withTag) {
		t.Errorf("the original is now %x", b)
	}
	parent.SetVLAN(42, nil)
	got = nil
	parent.Input(original)
	if got != nil || parent.Stats.Noproto.Load() != 1 {
		t.Errorf("arrived without a VLAN: %x", got)
	}
}

// TestPromiscuous counts who wants all frames: IFF_PROMISC stays while one does.
func TestPromiscuous(t *testing.T) {
	w := newWorld(t)
	ifp, _ := w.create("ether0")
	w.config(func() {
		for i, want := range []struct {
			by int
			on bool
		}{{1, true}, {1, true}, {-1, true}, {-1, false}, {-1, false}, {1, true}} {
			ifp.SetPromiscuous(want.by)
			if on := ifp.Flags()&abi.IFF_PROMISC != 0; on != want.on {
				t.Errorf("step %d: %v", i, on)
			}
		}
	})
}

// TestLinkLevel has link-level addresses added, used and removed, sys/net/link_proto.c of NetBSD; wire session net-ifconfig-a has lo0's
// answer to SIOCGLIFADDR.
func TestLinkLevel(t *testing.T) {
	w := newWorld(t)
	ifp, _ := w.create("ether0")
	request := func(flags uint32, lladdr []byte) []byte {
		b := make([]byte, abi.SizeofIfLaddrreq-abi.IFNAMSIZ)
		le.PutUint32(b, flags)
		le.PutUint32(b[4:], uint32(8*len(lladdr)))
		copy(b[8:], ifnet.SockaddrDl(0, 0, "", lladdr))
		return b
	}
	const get, add, del, active, prefix = abi.SIOCGLIFADDR, abi.SIOCALIFADDR, abi.SIOCDLIFADDR, abi.IFLR_ACTIVE, abi.IFLR_PREFIX
	for i, step := range []struct {
		cmd    uint32
		flags  uint32
		lladdr []byte
		errno  abi.Errno
		active []byte
		kinds  []ifnet.EventKind
	}{
		{add, 0, mac(9), 0, mac(0), []ifnet.EventKind{ifnet.AddrAdded}},
		{get, prefix, mac(9), 0, mac(0), nil},
		{get, prefix, mac(8), abi.EADDRNOTAVAIL, mac(0), nil},
		{add, active, mac(9), 0, mac(9), []ifnet.EventKind{ifnet.LinkAddrChanged}},
		{del, 0, mac(9), abi.EBUSY, mac(9), nil},
		{add, active, mac(7), 0, mac(7), []ifnet.EventKind{ifnet.AddrAdded, ifnet.LinkAddrChanged}},
		{del, 0, mac(9), 0, mac(7), []ifnet.EventKind{ifnet.AddrDeleted}},
		{del, 0, mac(9), abi.EADDRNOTAVAIL, mac(7), nil},
		{add, active, group, abi.EINVAL, mac(7), nil},
		{add, active, make([]byte, 6), abi.EINVAL, mac(7), nil},
		{add, active, make([]byte, 5), abi.EINVAL, mac(7), nil},
	} {
		if _, errno := w.ioctl(step.cmd, "ether0", request(step.flags, step.lladdr)); errno != step.errno {
			t.Errorf("step %d: %v, want %v", i, errno, step.errno)
		}
		if got := ifp.LinkAddr(); !bytes.Equal(got, step.active) {
			t.Errorf("step %d: %x is in use, want %x", i, got, step.active)
		}
		if got := w.kinds(); !slices.Equal(got, step.kinds) {
			t.Errorf("step %d: events %v, want %v", i, got, step.kinds)
		}
	}
	out, errno := w.ioctl(get, "ether0", request(0, mac(7)))
	if errno != 0 || le.Uint32(out) != 0 || !bytes.HasSuffix(bytes.TrimRight(out, "\x00"), []byte{2}) {
		t.Errorf("SIOCGLIFADDR: %x, %v: want the first address, which is not in use", out, errno)
	}
	w.config(func() {
		ifp.SetLinkAddr(mac(3))
		if err := ifp.SetLinkAddr(make([]byte, 17)); err != abi.EINVAL {
			t.Errorf("17 bytes: %v", err)
		}
	})
	if len(ifp.Addrs()) != 2 || !bytes.Equal(ifp.LinkAddr(), mac(3)) {
		t.Errorf("addresses %v", ifp.Addrs())
	}
	if _, errno := w.p.Call(abi.SYS___socket30, abi.AF_LINK, abi.SOCK_STREAM, 0); errno != abi.EPROTOTYPE {
		t.Errorf("SOCK_STREAM: %v", errno)
	}
	if _, errno := w.p.Call(abi.SYS___socket30, abi.AF_LINK, abi.SOCK_DGRAM, 7); errno != abi.EPROTONOSUPPORT {
		t.Errorf("protocol 7: %v", errno)
	}
}

// TestConcurrent has packets pass while the interface is configured, for the race detector; none is lost or arrives twice.
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	ifp, d := w.create("ether0")
	var got atomic.Int64
	w.net.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) {
		got.Add(1)
		p.Release()
	})
	const rounds = 500
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range rounds {
				ifp.Input(frame(mac(0), 0x0800))
				ifp.Output(frame(mac(1), 0x0800))
			}
		})
	}
	wg.Go(func() {
		for i := range rounds {
			v := &counter{}
			ifp.AddTap(v)
			w.config(func() {
				ifp.SetPromiscuous(1 - i%2*2)
				ifp.JoinGroup([6]byte{1, 0, 0, 0, 0, byte(i)})
				a := &ifnet.Addr{Family: abi.AF_INET, Addr: []byte{16, 2, 0, 0, 10, 0, 0, 1, 15: 0}}
				ifp.AddAddr(a)
				ifp.SetMTU(uint32(1000 + i))
				ifp.SetCaps(ifnet.Capabilities(i % 4))
				ifp.RemoveAddr(a)
			})
			ifp.SetVLAN(uint16(i), ifp)
			ifp.RemoveTap(v)
		}
	})
	wg.Go(func() {
		for i := range rounds {
			name := "other" + strconv.Itoa(i)
			w.net.Create(nil, name)
			w.ioctl(abi.SIOCGIFDATA, "ether0", nil)
			w.net.Destroy(name)
		}
	})
	wg.Wait()
	if got.Load() != 2*rounds || len(d.sent) != 2*rounds {
		t.Errorf("%d arrived and %d went, want %d", got.Load(), len(d.sent), 2*rounds)
	}
}

// counter is a tap that counts.
type counter struct{ n atomic.Int64 }

func (c *counter) Tap(*ifnet.Interface, *ifnet.Packet, bool) { c.n.Add(1) }
