package agr

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
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

func (c *card) Start(ifp *ifnet.Interface) error { ifp.SetRunning(true); return nil }
func (c *card) Stop(*ifnet.Interface)            {}

// world is a kernel with agr0, static, and interfaces card0, card1 and card2.
type world struct {
	t        testing.TB
	p        *kerntest.P
	fd       int
	net      *ifnet.Net
	agr      *ifnet.Interface
	cards    []*card
	received []string
}

func mac(i int) []byte { return []byte{2, 0, 0, 0, 0, byte(i)} }

func newWorld(t testing.TB) *world {
	t.Helper()
	k := kerntest.New(t, rumpnet.Component(), net.Component(), Component())
	w := &world{t: t, p: kerntest.Proc(t, k), net: ifnet.Of(k)}
	w.fd = int(w.p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW, 0))
	w.net.HandleProtocol(testType, func(ifp *ifnet.Interface, p *ifnet.Packet) {
		w.received = append(w.received, ifp.Name)
		p.Release()
	})
	w.net.Config.Lock()
	for i := range 3 {
		c := &card{}
		c.ifp = ifnet.NewEthernet("card", i, c)
		if err := w.net.Attach(c.ifp, mac(i), 1500, abi.IFF_BROADCAST); err != nil {
			t.Fatal(err)
		}
		w.cards = append(w.cards, c)
	}
	w.net.Config.Unlock()
	w.create("agr0")
	w.agr = w.net.ByName("agr0")
	for _, c := range w.cards {
		w.flags(c.ifp.Name, abi.IFF_UP, 0)
	}
	w.flags("agr0", abi.IFF_UP|abi.IFF_LINK1, 0)
	return w
}

func ifreq(name string) []byte {
	b := make([]byte, abi.SizeofIfreq)
	copy(b, name)
	return b
}

func (w *world) create(name string) {
	w.t.Helper()
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFCREATE), ifreq(name))
}

func (w *world) flags(name string, flags uint16, want abi.Errno) {
	w.t.Helper()
	req := ifreq(name)
	binary.LittleEndian.PutUint16(req[abi.IFNAMSIZ:], flags)
	w.p.Want(want, abi.SYS_ioctl, w.fd, uint64(abi.SIOCSIFFLAGS), req)
}

// agrreq calls SIOCSETAGR or SIOCGETAGR with a struct agrreq, which it updates.
func (w *world) agrreq(name string, cmd uint32, req *abi.Agrreq) abi.Errno {
	w.t.Helper()
	raw, arg := req.Append(nil), ifreq(name)
	binary.LittleEndian.PutUint64(arg[abi.IFNAMSIZ:], w.p.Mem.Map(raw))
	_, errno := w.p.Call(abi.SYS_ioctl, w.fd, uint64(cmd), arg)
	if err := req.Decode(raw); err != nil {
		w.t.Fatal(err)
	}
	return errno
}

// port adds or removes a port of agr0.
func (w *world) port(cmd int32, name string, want abi.Errno) {
	w.t.Helper()
	w.portOf("agr0", cmd, name, want)
}

func (w *world) portOf(agr string, cmd int32, name string, want abi.Errno) {
	w.t.Helper()
	req := abi.Agrreq{Version: abi.AGRREQ_VERSION, Cmd: cmd, Buf: w.p.Mem.Map([]byte(name)), Buflen: uint64(len(name))}
	if errno := w.agrreq(agr, abi.SIOCSIFGENERIC, &req); errno != want {
		w.t.Errorf("%s: command %d for %s: %v, want %v", agr, cmd, name, errno, want)
	}
}

// frame4 and frame6 are IP packets between two hosts, as far as their headers are looked at.
func frame4(src, dst byte) []byte {
	b := make([]byte, 60)
	copy(b, mac(77))
	b[12], b[13], b[14] = 0x08, 0x00, 0x45
	b[14+15], b[14+19] = src, dst
	return b
}

func frame6(src, dst byte) []byte {
	b := make([]byte, 80)
	b[12], b[13], b[14] = 0x86, 0xdd, 0x60
	b[14+8+15], b[14+24+15] = src, dst
	return b
}

func (w *world) send(b []byte) {
	w.t.Helper()
	if err := w.agr.Output(ifnet.NewPacket(b)); err != nil {
		w.t.Fatal(err)
	}
}

// TestDistribution: frames of a connection take one port, those of many all; link0 takes turns; a port that is down gets none: agr(4).
func TestDistribution(t *testing.T) {
	w := newWorld(t)
	w.port(abi.AGRCMD_ADDPORT, "card0", 0)
	w.port(abi.AGRCMD_ADDPORT, "card1", 0)
	counts := func() []int {
		var n []int
		for _, c := range w.cards {
			n = append(n, len(c.sent))
			c.sent = nil
		}
		return n
	}
	for _, f := range [][]byte{frame4(1, 2), frame6(1, 2), make([]byte, 20)} {
		for range 10 {
			w.send(f)
		}
		if n := counts(); !slices.Contains(n, 10) {
			t.Errorf("the frames of a connection went to %v", n)
		}
	}
	for i := range 200 {
		w.send(frame4(1, byte(i)))
		w.send(frame6(byte(i), 1))
	}
	if n := counts(); n[0] < 100 || n[1] < 100 || n[2] != 0 {
		t.Errorf("the frames of many connections went to %v", n)
	}
	w.flags("agr0", abi.IFF_UP|abi.IFF_LINK1|abi.IFF_LINK0, 0)
	for range 10 {
		w.send(frame4(1, 2))
	}
	if n := counts(); n[0] != 5 || n[1] != 5 {
		t.Errorf("in turn frames went to %v", n)
	}
	w.flags("card0", 0, 0)
	for i := range 10 {
		w.send(frame4(1, byte(i)))
	}
	if n := counts(); n[0] != 0 || n[1] != 10 {
		t.Errorf("with card0 down frames went to %v", n)
	}
	w.flags("card1", 0, 0)
	if err := w.agr.Output(ifnet.NewPacket(frame4(1, 2))); err != abi.ENETDOWN || w.agr.Stats.Oerrors.Load() != 1 {
		t.Errorf("with all ports down: %v", err)
	}
}

// TestFlow: the hash takes IP addresses, behind an 802.1Q tag too, and no ports.
func TestFlow(t *testing.T) {
	tagged := append(append(bytes.Clone(frame4(1, 2)[:12]), 0x81, 0, 0, 5), frame4(1, 2)[12:]...)
	for name, c := range map[string]struct{ frame, want []byte }{
		"IPv4": {frame4(1, 2), []byte{0, 0, 0, 1, 0, 0, 0, 2}}, "tagged": {tagged, []byte{0, 0, 0, 1, 0, 0, 0, 2}},
		"IPv6": {frame6(1, 2), frame6(1, 2)[22:54]}, "cut short": {frame4(1, 2)[:30], frame4(1, 2)[:12]}, "tiny": {[]byte{1}, []byte{1}},
	} {
		if got := flow(c.frame); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %x, want %x", name, got, c.want)
		}
	}
}

// TestInput: what ports receive is the aggregate's, at its address, which they share.
func TestInput(t *testing.T) {
	w := newWorld(t)
	w.port(abi.AGRCMD_ADDPORT, "card1", 0)
	w.port(abi.AGRCMD_ADDPORT, "card2", 0)
	if !bytes.Equal(w.agr.LinkAddr(), mac(1)) || !bytes.Equal(w.cards[2].ifp.LinkAddr(), mac(1)) || w.agr.Flags()&abi.IFF_RUNNING == 0 {
		t.Errorf("addresses %x, %x; flags %#x", w.agr.LinkAddr(), w.cards[2].ifp.LinkAddr(), w.agr.Flags())
	}
	in := func(c *card, dst []byte) {
		b := make([]byte, 60)
		copy(b, dst)
		binary.BigEndian.PutUint16(b[12:], testType)
		c.ifp.Input(ifnet.NewPacket(b))
	}
	in(w.cards[1], mac(1))
	in(w.cards[2], mac(1))
	in(w.cards[2], mac(2))
	in(w.cards[0], mac(0))
	if want := []string{"agr0", "agr0", "card0"}; !slices.Equal(w.received, want) {
		t.Errorf("received by %v, want %v", w.received, want)
	}
	w.net.Config.Lock()
	w.agr.SetLinkAddr(mac(55))
	w.agr.SetPromiscuous(1)
	w.net.Config.Unlock()
	if !bytes.Equal(w.cards[1].ifp.LinkAddr(), mac(55)) || w.cards[1].ifp.Flags()&abi.IFF_PROMISC == 0 {
		t.Error("the ports do not follow")
	}
	w.port(abi.AGRCMD_REMPORT, "card2", 0)
	if c := w.cards[2].ifp; !bytes.Equal(c.LinkAddr(), mac(2)) || c.Flags()&abi.IFF_PROMISC != 0 || c.Port() != nil {
		t.Errorf("who was a port has address %x, flags %#x", c.LinkAddr(), c.Flags())
	}
	w.net.Config.Lock()
	w.net.Detach(w.cards[1].ifp)
	w.net.Config.Unlock()
	if n := len(w.ports()); n != 0 || w.agr.Flags()&abi.IFF_RUNNING != 0 {
		t.Errorf("%d ports, flags %#x", n, w.agr.Flags())
	}
}

// ports reads the list of ports as ifconfig(8) does, asking for its length first.
func (w *world) ports() []string {
	w.t.Helper()
	req := abi.Agrreq{Version: abi.AGRREQ_VERSION, Cmd: abi.AGRCMD_PORTLIST}
	if errno := w.agrreq("agr0", abi.SIOCGIFGENERIC, &req); errno != 0 {
		w.t.Fatal(errno)
	}
	b := make([]byte, req.Buflen)
	req.Buf = w.p.Mem.Map(b)
	if errno := w.agrreq("agr0", abi.SIOCGIFGENERIC, &req); errno != 0 {
		w.t.Fatal(errno)
	}
	var list []string
	for c := range slices.Chunk(b[4:], abi.SizeofAgrportinfo) {
		var info abi.Agrportinfo
		if err := info.Decode(c); err != nil {
			w.t.Fatal(err)
		}
		list = append(list, fmt.Sprint(string(bytes.TrimRight(info.Ifname[:], "\x00")), " ", info.Flags))
	}
	if int(binary.LittleEndian.Uint32(b)) != len(list) {
		w.t.Errorf("%d ports are told of, %d listed", binary.LittleEndian.Uint32(b), len(list))
	}
	return list
}

// TestConfigure: SIOCSETAGR and SIOCGETAGR and their errors.
func TestConfigure(t *testing.T) {
	w := newWorld(t)
	w.create("agr1")
	w.portOf("agr1", abi.AGRCMD_ADDPORT, "card0", abi.EOPNOTSUPP) // that would be LACP
	w.flags("agr1", abi.IFF_LINK1, 0)
	w.port(abi.AGRCMD_ADDPORT, "card9", abi.ENOENT)
	w.port(abi.AGRCMD_ADDPORT, "agr1", abi.EINVAL)
	w.port(abi.AGRCMD_ADDPORT, "lo0", abi.EPROTONOSUPPORT)
	w.port(abi.AGRCMD_REMPORT, "card0", abi.ENOENT)
	w.port(9, "card0", abi.EINVAL)
	w.port(abi.AGRCMD_ADDPORT, "card0", 0)
	w.port(abi.AGRCMD_ADDPORT, "card0", abi.EBUSY)
	w.port(abi.AGRCMD_ADDPORT, "card1", 0)
	w.portOf("agr1", abi.AGRCMD_ADDPORT, "card0", abi.EBUSY)
	w.portOf("agr1", abi.AGRCMD_REMPORT, "card0", abi.EINVAL)
	w.net.Config.Lock()
	w.cards[2].ifp.AddAddr(&ifnet.Addr{Family: abi.AF_INET, Addr: []byte{16, abi.AF_INET}})
	w.net.Config.Unlock()
	w.port(abi.AGRCMD_ADDPORT, "card2", abi.EBUSY)
	w.flags("card1", 0, 0)
	if got, want := w.ports(), []string{"card0 3", "card1 0"}; !slices.Equal(got, want) {
		t.Errorf("ports %q, want %q", got, want)
	}
	for _, c := range []struct {
		cmd  uint32
		req  abi.Agrreq
		want abi.Errno
	}{
		{abi.SIOCGIFGENERIC, abi.Agrreq{Version: 1, Cmd: abi.AGRCMD_PORTLIST}, abi.EINVAL},
		{abi.SIOCGIFGENERIC, abi.Agrreq{Version: 2, Cmd: 9}, abi.EINVAL},
		{abi.SIOCGIFGENERIC, abi.Agrreq{Version: 2, Cmd: abi.AGRCMD_PORTLIST, Buf: 1, Buflen: 10}, abi.E2BIG},
		{abi.SIOCGIFGENERIC, abi.Agrreq{Version: 2, Cmd: abi.AGRCMD_PORTLIST, Buf: 1, Buflen: 100}, abi.EFAULT},
		{abi.SIOCSIFGENERIC, abi.Agrreq{Version: 2, Cmd: abi.AGRCMD_ADDPORT, Buf: 1, Buflen: 5}, abi.EFAULT},
	} {
		if errno := w.agrreq("agr0", c.cmd, &c.req); errno != c.want {
			t.Errorf("%+v: %v, want %v", c.req, errno, c.want)
		}
	}
	w.flags("agr0", abi.IFF_UP, abi.EOPNOTSUPP)
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFDESTROY), ifreq("agr0"))
	if w.cards[0].ifp.Port() != nil || !bytes.Equal(w.cards[1].ifp.LinkAddr(), mac(1)) {
		t.Error("the ports of an aggregate that is gone are ports still")
	}
}
