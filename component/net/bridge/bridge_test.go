package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

const testType = 0x88b6

// card is an Ethernet interface that notes the numbers of the frames that it is given to send, and those that its kernel receives.
type card struct {
	ifp      *ifnet.Interface
	sent     []byte
	received []byte
}

func (c *card) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		c.sent = append(c.sent, p.Buf.Flatten()[14])
		p.Release()
	}
	return nil
}

// world is a kernel with a bridge and interfaces card0, card1, card2 as its members.
type world struct {
	t     testing.TB
	p     *kerntest.P
	fd    int
	net   *ifnet.Net
	cards []*card
}

func newWorld(t testing.TB, cards int) *world {
	t.Helper()
	k := kerntest.New(t, rumpnet.Component(), net.Component(), Component())
	w := &world{t: t, p: kerntest.Proc(t, k), net: ifnet.Of(k)}
	w.fd = int(w.p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW, 0))
	w.net.HandleProtocol(testType, func(ifp *ifnet.Interface, p *ifnet.Packet) {
		c := ifp.Driver.(*card)
		c.received = append(c.received, p.Buf.Flatten()[14])
		p.Release()
	})
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFCREATE), ifreq("bridge0"))
	for i := range cards {
		w.addCard(i)
		w.member(abi.BRDGADD, i, 0, 0)
	}
	up := ifreq("bridge0")
	up[abi.IFNAMSIZ] = abi.IFF_UP
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCSIFFLAGS), up)
	return w
}

func (w *world) addCard(i int) {
	w.t.Helper()
	c := &card{}
	c.ifp = ifnet.NewEthernet("card", i, c)
	w.net.Config.Lock()
	defer w.net.Config.Unlock()
	if err := w.net.Attach(c.ifp, mac(i), 1500, abi.IFF_UP|abi.IFF_RUNNING|abi.IFF_BROADCAST); err != nil {
		w.t.Fatal(err)
	}
	w.cards = append(w.cards, c)
}

// mac is the address of card i; far(i) that of a machine behind it.
func mac(i int) []byte { return []byte{2, 0, 0, 0, 0, byte(i)} }
func far(i int) []byte { return []byte{2, 1, 0, 0, 0, byte(i)} }

var broadcast = bytes.Repeat([]byte{0xff}, 6)

func frame(dst, src []byte, number byte) *ifnet.Packet {
	b := make([]byte, 60)
	copy(b, dst)
	copy(b[6:], src)
	binary.BigEndian.PutUint16(b[12:], testType)
	b[14] = number
	return ifnet.NewPacket(b)
}

func ifreq(name string) []byte {
	b := make([]byte, abi.SizeofIfreq)
	copy(b, name)
	return b
}

// drv calls SIOCSDRVSPEC or SIOCGDRVSPEC as brconfig(8) does, and says what became of the length.
func (w *world) drv(ioctl uint32, cmd uint64, arg []byte) (uint64, abi.Errno) {
	w.t.Helper()
	req := abi.Ifdrv{Cmd: cmd, Len: uint64(len(arg))}
	if len(arg) > 0 {
		req.Data = w.p.Mem.Map(arg)
	}
	copy(req.Name[:], "bridge0")
	data := req.Append(nil)
	_, errno := w.p.Call(abi.SYS_ioctl, w.fd, uint64(ioctl), data)
	if err := req.Decode(data); err != nil {
		w.t.Fatal(err)
	}
	return req.Len, errno
}

// member calls a command about card i.
func (w *world) member(cmd uint64, i int, flags uint32, want abi.Errno) {
	w.t.Helper()
	req := abi.Ifbreq{Ifsflags: flags}
	copy(req.Ifsname[:], fmt.Sprint("card", i))
	if _, errno := w.drv(abi.SIOCSDRVSPEC, cmd, req.Append(nil)); errno != want {
		w.t.Errorf("command %d for card%d: %v, want %v", cmd, i, errno, want)
	}
}

// check compares what each card has sent and its kernel received since the last check.
func (w *world) check(what string, want ...string) {
	w.t.Helper()
	for i, c := range w.cards {
		if got := fmt.Sprint(c.sent, c.received); got != want[i] {
			w.t.Errorf("%s: card%d sent and received %s, want %s", what, i, got, want[i])
		}
		c.sent, c.received = nil, nil
	}
}

// TestForward: a bridge learns where addresses are and forwards accordingly: bridge(4), IEEE 802.1D without the spanning tree.
func TestForward(t *testing.T) {
	w := newWorld(t, 3)
	c := w.cards
	c[0].ifp.Input(frame(far(1), far(0), 1))
	w.check("to an unknown address", "[] []", "[1] []", "[1] []")
	c[1].ifp.Input(frame(far(0), far(1), 2))
	w.check("to a known one", "[2] []", "[] []", "[] []")
	c[0].ifp.Input(frame(far(1), far(0), 3))
	w.check("to what answered", "[] []", "[3] []", "[] []")
	c[1].ifp.Input(frame(far(1), []byte{2, 1, 0, 0, 0, 77}, 4))
	w.check("to the same side", "[] []", "[] []", "[] []")
	c[2].ifp.Input(frame(broadcast, far(2), 5))
	w.check("to all", "[5] []", "[5] []", "[] [5]")
	c[2].ifp.Input(frame(mac(2), far(2), 6))
	w.check("to the member", "[] []", "[] []", "[] [6]")
	c[2].ifp.Input(frame(mac(0), far(2), 7))
	w.check("to another member's address", "[] [7]", "[] []", "[] []")
	if c[0].ifp.Output(frame(far(1), mac(0), 8)) != nil {
		t.Error("not sent")
	}
	w.check("from this kernel to a known address", "[] []", "[8] []", "[] []")
	c[0].ifp.Output(frame(broadcast, mac(0), 9))
	w.check("from this kernel to all", "[9] []", "[9] []", "[9] []")
	c[1].ifp.Input(frame(far(2), mac(0), 10))
	w.check("its own frame come back", "[] []", "[] []", "[] []")
	c[1].ifp.Input(frame(far(0), far(2), 11))
	c[0].ifp.Input(frame(far(2), far(0), 12))
	w.check("to one who has moved", "[11] []", "[12] []", "[] []")
	if b := w.net.ByName("bridge0"); b.Stats.Ipackets.Load() == 0 || b.Stats.Opackets.Load() == 0 || b.Flags()&abi.IFF_RUNNING == 0 {
		t.Errorf("bridge0 counted %d and %d packets", b.Stats.Ipackets.Load(), b.Stats.Opackets.Load())
	}
}

// TestDown: the members of a bridge that is down are interfaces like others.
func TestDown(t *testing.T) {
	w := newWorld(t, 2)
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCSIFFLAGS), ifreq("bridge0"))
	w.cards[0].ifp.Input(frame(broadcast, far(0), 1))
	w.cards[0].ifp.Output(frame(far(1), mac(0), 2))
	w.check("down", "[2] [1]", "[] []")
}

// TestMembers: BRDGADD, BRDGDEL, BRDGGIFFLGS, BRDGSIFFLGS, BRDGGIFS and their errors.
func TestMembers(t *testing.T) {
	w := newWorld(t, 2)
	w.addCard(2)
	w.member(abi.BRDGADD, 0, 0, abi.EEXIST)
	w.member(abi.BRDGADD, 9, 0, abi.ENOENT)
	w.member(abi.BRDGDEL, 2, 0, abi.ENOENT)
	w.member(abi.BRDGSIFFLGS, 2, 0, abi.ENOENT)
	w.member(abi.BRDGSIFFLGS, 0, abi.IFBIF_LEARNING|abi.IFBIF_STP, abi.EOPNOTSUPP)
	w.member(abi.BRDGSIFFLGS, 0, 0x80, abi.EINVAL)
	w.member(abi.BRDGSIFFLGS, 1, abi.IFBIF_LEARNING, 0)
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFCREATE), ifreq("bridge1"))
	other := abi.Ifbreq{}
	copy(other.Ifsname[:], "bridge1")
	if _, errno := w.drv(abi.SIOCSDRVSPEC, abi.BRDGADD, other.Append(nil)); errno != abi.EINVAL {
		t.Errorf("a bridge as a member: %v", errno)
	}
	if w.cards[0].ifp.Flags()&abi.IFF_PROMISC == 0 || w.cards[2].ifp.Flags()&abi.IFF_PROMISC != 0 {
		t.Error("members are promiscuous, others not")
	}
	w.cards[0].ifp.Input(frame(far(1), far(0), 1))
	w.check("to a member that does not discover", "[] []", "[] []", "[] []")
	list := w.list(abi.BRDGGIFS, abi.SizeofIfbreq)
	var first, second abi.Ifbreq
	if len(list) != 2 || first.Decode(list[0]) != nil || second.Decode(list[1]) != nil {
		t.Fatalf("%d members", len(list))
	}
	if text(first.Ifsname[:]) != "card0" || first.Ifsflags != 3 || first.Priority != 128 || first.PathCost != 55 || second.Ifsflags != 1 {
		t.Errorf("members %+v, %+v", first, second)
	}
	if _, errno := w.drv(abi.SIOCGDRVSPEC, abi.BRDGGIFFLGS, list[1]); errno != 0 {
		t.Errorf("BRDGGIFFLGS: %v", errno)
	}
	w.member(abi.BRDGDEL, 0, 0, 0)
	if w.cards[0].ifp.Flags()&abi.IFF_PROMISC != 0 || w.cards[0].ifp.Port() != nil {
		t.Error("who was a member still is")
	}
	w.net.Config.Lock()
	w.net.Detach(w.cards[1].ifp)
	w.net.Config.Unlock()
	if list := w.list(abi.BRDGGIFS, abi.SizeofIfbreq); len(list) != 0 {
		t.Errorf("%d members after they have gone", len(list))
	}
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(abi.SIOCIFDESTROY), ifreq("bridge0"))
}

func text(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }

// list reads a list as brconfig(8) does, asking for its length first, and checks that the old command gives the same.
func (w *world) list(cmd uint64, size int) [][]byte {
	w.t.Helper()
	n, errno := w.drv(abi.SIOCGDRVSPEC, cmd, nil)
	if errno != 0 {
		w.t.Fatalf("command %d: %v", cmd, errno)
	}
	b := make([]byte, n+7)
	if n, errno = w.drv(abi.SIOCGDRVSPEC, cmd, b); errno != 0 {
		w.t.Fatalf("command %d: %v", cmd, errno)
	}
	b = b[:n]
	old := make([]byte, n)
	conf := abi.Ifbifconf{Len: uint32(n)}
	if n > 0 {
		conf.Ifbicu = w.p.Mem.Map(old)
	}
	oldCmd := map[uint64]uint64{abi.BRDGGIFS: abi.OBRDGGIFS, abi.BRDGRTS: abi.OBRDGRTS}[cmd]
	if _, errno := w.drv(abi.SIOCGDRVSPEC, oldCmd, conf.Append(nil)); errno != 0 || !bytes.Equal(old, b) {
		w.t.Errorf("command %d differs: %x, %v; %x", oldCmd, old, errno, b)
	}
	return slices.Collect(slices.Chunk(b, size))
}

// TestAddresses: BRDGRTS, BRDGSADDR, BRDGDADDR, BRDGFLUSH, the limit of BRDGSCACHE.
func TestAddresses(t *testing.T) {
	w := newWorld(t, 2)
	address := func(cmd uint64, card int, dst []byte, flags uint8) abi.Errno {
		req := abi.Ifbareq{Dst: [6]byte(dst), Flags: flags}
		copy(req.Ifsname[:], fmt.Sprint("card", card))
		_, errno := w.drv(abi.SIOCSDRVSPEC, cmd, req.Append(nil))
		return errno
	}
	w.cards[0].ifp.Input(frame(broadcast, far(0), 1))
	for _, c := range []struct {
		cmd   uint64
		card  int
		dst   []byte
		flags uint8
		want  abi.Errno
	}{
		{abi.BRDGSADDR, 1, far(1), abi.IFBAF_STATIC, 0},
		{abi.BRDGSADDR, 1, far(5), abi.IFBAF_DYNAMIC, 0},
		{abi.BRDGSADDR, 7, far(1), abi.IFBAF_STATIC, abi.ENOENT},
		{abi.BRDGSADDR, 1, broadcast, abi.IFBAF_STATIC, abi.EINVAL},
		{abi.BRDGDADDR, 0, far(6), 0, abi.ENOENT},
		{abi.BRDGDADDR, 0, far(5), 0, 0},
	} {
		if errno := address(c.cmd, c.card, c.dst, c.flags); errno != c.want {
			t.Errorf("%+v: %v", c, errno)
		}
	}
	w.cards[0].ifp.Input(frame(far(0), far(1), 2))          // what is static does not move
	w.cards[0].ifp.Input(frame(far(0), make([]byte, 6), 3)) // nobody's address, as if_bridge.c has it
	var got []string
	for _, raw := range w.list(abi.BRDGRTS, abi.SizeofIfbareq) {
		var a abi.Ifbareq
		if err := a.Decode(raw); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%x %s %d %v", a.Dst, text(a.Ifsname[:]), a.Flags, a.Expire > 1000))
	}
	if want := []string{"020100000000 card0 0 true", "020100000001 card1 1 false"}; !slices.Equal(got, want) {
		t.Errorf("addresses %q, want %q", got, want)
	}
	w.member(abi.BRDGFLUSH, 0, abi.IFBF_FLUSHDYN, 0)
	if n := len(w.list(abi.BRDGRTS, abi.SizeofIfbareq)); n != 1 {
		t.Errorf("%d addresses after a flush", n)
	}
	w.member(abi.BRDGFLUSH, 0, abi.IFBF_FLUSHALL, 0)
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGSCACHE, 5, 0)
	for i := range 20 {
		w.cards[0].ifp.Input(frame(broadcast, far(100+i), 1))
	}
	if n := len(w.list(abi.BRDGRTS, abi.SizeofIfbareq)); n != 5 {
		t.Errorf("%d addresses in a table of 5", n)
	}
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGSCACHE, 2, 0)
	if n := len(w.list(abi.BRDGRTS, abi.SizeofIfbareq)); n != 2 {
		t.Errorf("%d addresses in a table of 2", n)
	}
}

// parameter calls a command with a struct ifbrparam and returns what it then has.
func (w *world) parameter(ioctl uint32, cmd uint64, v uint32, want abi.Errno) uint32 {
	w.t.Helper()
	arg := le.AppendUint32(nil, v)
	if _, errno := w.drv(ioctl, cmd, arg); errno != want {
		w.t.Errorf("command %d with %d: %v, want %v", cmd, v, errno, want)
	}
	return le.Uint32(arg)
}

// TestParameters: the defaults of bridge(4); what only the spanning tree protocol would read cannot be changed.
func TestParameters(t *testing.T) {
	w := newWorld(t, 1)
	for cmd, want := range map[uint64]uint32{abi.BRDGGCACHE: 100, abi.BRDGGTO: 1200, abi.BRDGGPRI: 32768, abi.BRDGGHT: 2, abi.BRDGGFD: 15,
		abi.BRDGGMA: 20, abi.BRDGGFILT: 0} {
		if got := w.parameter(abi.SIOCGDRVSPEC, cmd, 9, 0); got != want {
			t.Errorf("command %d answers %d, want %d", cmd, got, want)
		}
	}
	for _, cmd := range []uint64{abi.BRDGSPRI, abi.BRDGSHT, abi.BRDGSFD, abi.BRDGSMA, abi.BRDGSFILT} {
		w.parameter(abi.SIOCSDRVSPEC, cmd, 1, abi.EOPNOTSUPP)
	}
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGSHT, 2, 0)
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGSCACHE, 1<<20, abi.EINVAL)
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGSTO, 7, 0)
	if got := w.parameter(abi.SIOCGDRVSPEC, abi.BRDGGTO, 0, 0); got != 7 {
		t.Errorf("the timeout is %d", got)
	}
	prio := abi.Ifbreq{Priority: 3, PathCost: 3}
	copy(prio.Ifsname[:], "card0")
	for _, cmd := range []uint64{abi.BRDGSIFPRIO, abi.BRDGSIFCOST} {
		if _, errno := w.drv(abi.SIOCSDRVSPEC, cmd, prio.Append(nil)); errno != abi.EOPNOTSUPP {
			t.Errorf("command %d: %v", cmd, errno)
		}
	}
	w.parameter(abi.SIOCGDRVSPEC, abi.BRDGSCACHE, 1, abi.EINVAL) // the wrong direction
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGGCACHE, 1, abi.EINVAL)
	w.parameter(abi.SIOCGDRVSPEC, 99, 1, abi.EINVAL)
	if _, errno := w.drv(abi.SIOCGDRVSPEC, abi.BRDGGCACHE, make([]byte, 5)); errno != abi.EINVAL {
		t.Errorf("a structure of another size: %v", errno)
	}
	req := abi.Ifdrv{Cmd: abi.BRDGGCACHE, Len: abi.SizeofIfbrparam, Data: 1}
	copy(req.Name[:], "bridge0")
	w.p.Want(abi.EFAULT, abi.SYS_ioctl, w.fd, uint64(abi.SIOCGDRVSPEC), req.Append(nil))
}

// TestAging: what was learnt is believed until its time is over, and then makes room.
func TestAging(t *testing.T) {
	tb := table{limit: 2, timeout: time.Minute}
	m, now := &member{}, time.Unix(1000, 0)
	a, b, c := [6]byte{2, 1}, [6]byte{2, 2}, [6]byte{2, 3}
	tb.learn(m, a, now)
	tb.setStatic(m, b)
	tb.learn(m, c, now.Add(time.Minute))
	if tb.lookup(a, now.Add(time.Minute)) != m || tb.lookup(c, now) != nil {
		t.Error("a full table learnt, or forgot")
	}
	later := now.Add(time.Minute + 1)
	if tb.lookup(a, later) != nil || tb.lookup(b, later) != m {
		t.Error("what is learnt does not age, or what is static does")
	}
	if tb.learn(m, c, later); tb.lookup(c, later) != m || len(tb.entries) != 2 {
		t.Error("what has expired makes no room")
	}
	tb.setTimeout(0)
	if tb.learn(m, c, later); tb.lookup(c, later.Add(1000*time.Hour)) != m {
		t.Error("without a timeout entries age")
	}
}
