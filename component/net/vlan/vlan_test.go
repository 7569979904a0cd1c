package vlan

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

const testType = 0x88b6

// card is an Ethernet interface that keeps what it is given to send.
type card struct {
	ifp  *ifnet.Interface
	sent [][]byte
}

func (c *card) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		c.sent = append(c.sent, p.Buf.Flatten())
		p.Release()
	}
	return nil
}

// world is a kernel with an interface card0, and vlan0 and vlan1.
type world struct {
	t        testing.TB
	p        *kerntest.P
	fd       int
	net      *ifnet.Net
	card     *card
	received map[string][][]byte
}

var mac = []byte{2, 0, 0, 0, 0, 1}

func newWorld(t testing.TB) *world {
	t.Helper()
	k := kerntest.New(t, rumpnet.Component(), net.Component(), Component())
	w := &world{t: t, p: kerntest.Proc(t, k), net: ifnet.Of(k), card: &card{}, received: map[string][][]byte{}}
	w.fd = int(w.p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW, 0))
	w.net.HandleProtocol(testType, func(ifp *ifnet.Interface, p *ifnet.Packet) {
		w.received[ifp.Name] = append(w.received[ifp.Name], p.Buf.Flatten())
		p.Release()
	})
	w.card.ifp = ifnet.NewEthernet("card", 0, w.card)
	w.net.Config.Lock()
	err := w.net.Attach(w.card.ifp, mac, 1500, abi.IFF_UP|abi.IFF_RUNNING|abi.IFF_BROADCAST)
	w.net.Config.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vlan0", "vlan1"} {
		w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFCREATE), ifreq(name))
	}
	return w
}

func ifreq(name string) []byte {
	b := make([]byte, abi.SizeofIfreq)
	copy(b, name)
	return b
}

// set is what ifconfig's vlan and vlanif do.
func (w *world) set(name, parent string, tag uint16) abi.Errno {
	w.t.Helper()
	req := abi.Vlanreq{Tag: tag}
	copy(req.Parent[:], parent)
	arg := ifreq(name)
	binary.LittleEndian.PutUint64(arg[abi.IFNAMSIZ:], w.p.Mem.Map(req.Append(nil)))
	_, errno := w.p.Call(abi.SYS_ioctl, w.fd, uint64(abi.SIOCSETVLAN), arg)
	return errno
}

func (w *world) get(name string) (parent string, tag uint16) {
	w.t.Helper()
	raw, arg := make([]byte, abi.SizeofVlanreq), ifreq(name)
	binary.LittleEndian.PutUint64(arg[abi.IFNAMSIZ:], w.p.Mem.Map(raw))
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCGETVLAN), arg)
	var req abi.Vlanreq
	if err := req.Decode(raw); err != nil {
		w.t.Fatal(err)
	}
	return string(bytes.TrimRight(req.Parent[:], "\x00")), req.Tag
}

func (w *world) up(name string) {
	w.t.Helper()
	arg := ifreq(name)
	arg[abi.IFNAMSIZ] = abi.IFF_UP
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCSIFFLAGS), arg)
}

// untagged is a frame to mac; tagged the same with a tag (and priority 5).
func untagged(size int) []byte {
	b := bytes.Repeat([]byte{7}, size)
	copy(b, mac)
	copy(b[6:], []byte{2, 0, 0, 0, 0, 9})
	binary.BigEndian.PutUint16(b[12:], testType)
	return b
}

func tagged(frame []byte, tag uint16) []byte {
	b := append([]byte(nil), frame[:12]...)
	b = binary.BigEndian.AppendUint16(b, 0x8100)
	return append(binary.BigEndian.AppendUint16(b, tag), frame[12:]...)
}

// TestTraffic: frames go out with the tag of IEEE 802.1Q, and come in to the interface of theirs.
func TestTraffic(t *testing.T) {
	w := newWorld(t)
	if errno := w.set("vlan0", "card0", 5); errno != 0 {
		t.Fatal(errno)
	}
	if errno := w.set("vlan1", "card0", 4094); errno != 0 {
		t.Fatal(errno)
	}
	w.up("vlan0")
	w.up("vlan1")
	f := untagged(60)
	v0 := w.net.ByName("vlan0")
	if v0.Flags() != 0x8843 || v0.MTU() != 1496 || !bytes.Equal(v0.LinkAddr(), mac) {
		t.Errorf("vlan0: flags %#x, MTU %d, address %x", v0.Flags(), v0.MTU(), v0.LinkAddr())
	}
	if err := v0.Output(ifnet.NewPacket(f)); err != nil || len(w.card.sent) != 1 || !bytes.Equal(w.card.sent[0], tagged(f, 5)) {
		t.Errorf("sent %x, %v", w.card.sent, err)
	}
	for _, tag := range []uint16{5, 5<<13 | 5, 4094, 6, 0} {
		w.card.ifp.Input(ifnet.NewPacket(tagged(f, tag)))
	}
	w.card.ifp.Input(ifnet.NewPacket(f))
	// A tag of 0 is a priority alone, and the frame is card0's.
	for name, n := range map[string]int{"vlan0": 2, "vlan1": 1, "card0": 2} {
		if len(w.received[name]) != n {
			t.Errorf("%s received %d frames, want %d", name, len(w.received[name]), n)
		}
		for _, got := range w.received[name] {
			if !bytes.Equal(got, f) {
				t.Errorf("%s received %x", name, got)
			}
		}
	}
	if n := w.card.ifp.Stats.Noproto.Load(); n != 1 {
		t.Errorf("%d frames of other VLANs", n)
	}
}

// TestConfigure: SIOCSETVLAN and SIOCGETVLAN by vlan(4), and what becomes of a VLAN when its parent goes.
func TestConfigure(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, parent string
		tag          uint16
		want         abi.Errno
	}{
		{"vlan0", "card0", 0, abi.EINVAL},
		{"vlan0", "card0", 4095, abi.EINVAL},
		{"vlan0", "card9", 5, abi.ENOENT},
		{"vlan0", "vlan1", 5, abi.EPROTONOSUPPORT},
		{"vlan0", "lo0", 5, abi.EPROTONOSUPPORT},
		{"vlan0", "", 0, 0},
		{"vlan0", "card0", 5, 0},
		{"vlan0", "card0", 6, abi.EBUSY},
		{"vlan1", "card0", 5, abi.EADDRINUSE},
		{"vlan0", "", 0, 0},
		{"vlan1", "card0", 5, 0},
	} {
		if errno := w.set(c.name, c.parent, c.tag); errno != c.want {
			t.Errorf("%s on %q, tag %d: %v, want %v", c.name, c.parent, c.tag, errno, c.want)
		}
	}
	if parent, tag := w.get("vlan1"); parent != "card0" || tag != 5 {
		t.Errorf("vlan1 is %q, %d", parent, tag)
	}
	if parent, tag := w.get("vlan0"); parent != "" || tag != 0 {
		t.Errorf("vlan0 is %q, %d", parent, tag)
	}
	mtu := func(name string, v int32) abi.Errno {
		var req abi.Ifreq
		copy(req.Name[:], name)
		req.SetMtu(v)
		_, errno := w.p.Call(abi.SYS_ioctl, w.fd, uint64(abi.SIOCSIFMTU), req.Append(nil))
		return errno
	}
	if mtu("vlan1", 1497) != abi.EINVAL || mtu("vlan1", 1400) != 0 || mtu("vlan0", 1000) != abi.EINVAL {
		t.Error("an MTU beyond the parent's was taken, or one within it not")
	}
	w.up("vlan0")
	if f := w.net.ByName("vlan0").Flags(); f&abi.IFF_RUNNING != 0 {
		t.Errorf("flags %#x without a parent", f)
	}
	if err := w.net.ByName("vlan0").Output(ifnet.NewPacket(untagged(60))); err != abi.ENETDOWN {
		t.Errorf("sending without a parent: %v", err)
	}
	w.up("vlan1")
	w.net.Config.Lock()
	w.card.ifp.SetLinkAddr([]byte{2, 0, 0, 0, 0, 3})
	follows := bytes.Equal(w.net.ByName("vlan1").LinkAddr(), w.card.ifp.LinkAddr())
	w.net.Detach(w.card.ifp)
	w.net.Config.Unlock()
	if parent, _ := w.get("vlan1"); parent != "" || w.net.ByName("vlan1").Flags()&(abi.IFF_UP|abi.IFF_RUNNING) != 0 || !follows {
		t.Errorf("vlan1 is on %q, flags %#x; its address followed: %v", parent, w.net.ByName("vlan1").Flags(), follows)
	}
}

// TestDestroy gives the tag back.
func TestDestroy(t *testing.T) {
	w := newWorld(t)
	w.set("vlan0", "card0", 5)
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFDESTROY), ifreq("vlan0"))
	if errno := w.set("vlan1", "card0", 5); errno != 0 {
		t.Error(errno)
	}
}

// TestPromiscuous: a VLAN in promiscuous mode gets the frames for others that have its tag, through a parent that is promiscuous for that long.
func TestPromiscuous(t *testing.T) {
	w := newWorld(t)
	w.set("vlan0", "card0", 5)
	w.up("vlan0")
	v0 := w.net.ByName("vlan0")
	var seen tap
	v0.AddTap(&seen)
	foreign := untagged(60)
	foreign[5] = 99
	input := func() { w.card.ifp.Input(ifnet.NewPacket(tagged(foreign, 5)), ifnet.NewPacket(tagged(foreign, 0))) }
	promiscuous := func(by int) {
		w.net.Config.Lock()
		defer w.net.Config.Unlock()
		v0.SetPromiscuous(by)
	}
	input()
	promiscuous(1)
	input()
	if w.set("vlan0", "", 0) != 0 || w.card.ifp.Flags()&abi.IFF_PROMISC != 0 || w.set("vlan0", "card0", 5) != 0 {
		t.Error("the parent is promiscuous without its VLAN")
	}
	w.up("vlan0")
	input()
	promiscuous(-1)
	input()
	if seen != 2 || len(w.received["vlan0"])+len(w.received["card0"]) != 0 || w.card.ifp.Flags()&abi.IFF_PROMISC != 0 {
		t.Errorf("%d frames seen, received %v", seen, w.received)
	}
}

// tap counts packets.
type tap int

func (n *tap) Tap(*ifnet.Interface, *ifnet.Packet, bool) { *n++ }
