package bpf

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// card is an Ethernet interface whose driver keeps what is sent.
type card struct {
	ifp  *ifnet.Interface
	sent chan *ifnet.Packet
}

func (c *card) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		c.sent <- p
	}
	return nil
}

var mac = []byte{2, 0, 0, 0, 0, 1}

func newCard(t testing.TB, k *kern.Kernel, unit int) *card {
	t.Helper()
	c := &card{sent: make(chan *ifnet.Packet, 1000)}
	c.ifp = ifnet.NewEthernet("card", unit, c)
	n := ifnet.Of(k)
	n.Config.Lock()
	defer n.Config.Unlock()
	if err := n.Attach(c.ifp, mac, 1500, abi.IFF_UP|abi.IFF_RUNNING|abi.IFF_BROADCAST); err != nil {
		t.Fatal(err)
	}
	return c
}

// world is a kernel with a process and an Ethernet interface card0.
type world struct {
	t testing.TB
	k *kern.Kernel
	p *kerntest.P
	*card
}

func newWorld(t testing.TB) *world {
	t.Helper()
	k := kerntest.New(t, rumpvfs.Component(), rumpnet.Component(), net.Component(), Component())
	return &world{t: t, k: k, p: kerntest.Proc(t, k), card: newCard(t, k, 0)}
}

// open opens the device and binds it.
func (w *world) open(name string) int {
	w.t.Helper()
	fd := int(w.p.Must(abi.SYS_open, "/dev/bpf", abi.O_RDWR))
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCSETIF), ifreq(name))
	return fd
}

func ifreq(name string) []byte {
	b := make([]byte, abi.SizeofIfreq)
	copy(b, name)
	return b
}

func uint32s(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = le.AppendUint32(b, x)
	}
	return b
}

func (w *world) set(fd int, cmd uint32, v uint32) {
	w.t.Helper()
	w.p.Must(abi.SYS_ioctl, fd, uint64(cmd), uint32s(v))
}

func (w *world) get(fd int, cmd uint32) uint32 {
	w.t.Helper()
	b := uint32s(0)
	w.p.Must(abi.SYS_ioctl, fd, uint64(cmd), b)
	return le.Uint32(b)
}

func (w *world) read(fd int) []record {
	w.t.Helper()
	b := make([]byte, w.get(fd, abi.BIOCGBLEN))
	n := w.p.Must(abi.SYS_read, fd, b, len(b))
	return records(w.t, b[:n])
}

// record is one packet of a buffer.
type record struct {
	abi.BpfHdr
	at   int
	data []byte
}

// records takes a buffer apart as bpf(4) says readers do.
func records(t testing.TB, b []byte) []record {
	t.Helper()
	var list []record
	for at := 0; at < len(b); {
		r := record{at: at}
		if err := r.Decode(b[at:]); err != nil {
			t.Fatal(err)
		}
		begin := at + int(r.Hdrlen)
		r.data = b[begin : begin+int(r.Caplen)]
		list = append(list, r)
		at += (int(r.Hdrlen) + int(r.Caplen) + abi.BPF_ALIGNMENT - 1) &^ (abi.BPF_ALIGNMENT - 1)
	}
	return list
}

func frame(typ uint16, size int, fill byte) []byte {
	b := bytes.Repeat([]byte{fill}, size)
	copy(b, mac)
	copy(b[6:], []byte{2, 0, 0, 0, 0, 2})
	binary.BigEndian.PutUint16(b[12:], typ)
	return b
}

func (w *world) receive(frames ...[]byte) {
	for _, f := range frames {
		w.ifp.Input(ifnet.NewPacket(f))
	}
}

// TestCapture reads what an interface receives: whole packets, aligned such that their network headers are, with times and lengths.
func TestCapture(t *testing.T) {
	w := newWorld(t)
	fd := w.open("card") // the first of its kind
	if dlt := w.get(fd, abi.BIOCGDLT); dlt != abi.DLT_EN10MB {
		t.Errorf("DLT %d", dlt)
	}
	w.set(fd, abi.BIOCIMMEDIATE, 1)
	sent := [][]byte{frame(0x800, 60, 1), frame(0x9999, 1514, 2), frame(0x800, 61, 3)}
	w.receive(sent...)
	got := w.read(fd)
	if len(got) != len(sent) {
		t.Fatalf("%d packets", len(got))
	}
	now := w.k.Now().Unix()
	for i, r := range got {
		if !bytes.Equal(r.data, sent[i]) || int(r.Datalen) != len(sent[i]) || (r.at+int(r.Hdrlen)+ifnet.EtherHdrLen)%8 != 0 {
			t.Errorf("packet %d: %+v", i, r.BpfHdr)
		}
		if r.Tstamp.Sec < now-60 || r.Tstamp.Sec > now || r.Tstamp.Usec >= 1e6 {
			t.Errorf("packet %d came at %+v, now it is %d", i, r.Tstamp, now)
		}
	}
	w.receive(sent[0])
	if n := w.get(fd, abi.FIONREAD); n != 34+60 {
		t.Errorf("%d bytes wait", n)
	}
}

// TestLoopback: on lo0 packets have their address family in front (DLT_NULL), and can be sent so.
func TestLoopback(t *testing.T) {
	w := newWorld(t)
	lo := ifnet.Of(w.k).ByName("lo0")
	lo.Net.Config.Lock()
	if err := lo.SetFlags(abi.IFF_UP|abi.IFF_RUNNING, 0); err != nil {
		t.Fatal(err)
	}
	lo.Net.Config.Unlock()
	fd := w.open("lo0")
	if dlt := w.get(fd, abi.BIOCGDLT); dlt != abi.DLT_NULL {
		t.Fatalf("DLT %d", dlt)
	}
	w.set(fd, abi.BIOCIMMEDIATE, 1)
	packet := append(binary.NativeEndian.AppendUint32(nil, abi.AF_INET), bytes.Repeat([]byte{0x45}, 200)...)
	if n, errno := w.p.Write(fd, string(packet)); n != len(packet) || errno != 0 {
		t.Fatalf("write: %d, %v", n, errno)
	}
	got := w.read(fd)
	if len(got) == 0 || !bytes.Equal(got[0].data, packet) || (got[0].Hdrlen+4)%8 != 0 {
		t.Errorf("%d packets, %x", len(got), got)
	}
	binary.NativeEndian.PutUint32(packet, abi.AF_APPLETALK)
	w.p.Want(abi.EAFNOSUPPORT, abi.SYS_write, fd, packet, len(packet))
	w.p.Want(abi.EINVAL, abi.SYS_write, fd, packet[:3], 3)
}

// TestFilter: BIOCSETF takes the program from the caller's memory; what it returns is how much of a packet is kept.
func TestFilter(t *testing.T) {
	w := newWorld(t)
	fd := w.open("card0")
	w.set(fd, abi.BIOCIMMEDIATE, 1)
	list := assemble(t, bpf.LoadAbsolute{Off: 12, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x806, SkipFalse: 1},
		bpf.RetConstant{Val: 20}, bpf.RetConstant{Val: 0})
	setf := func(n int, addr uint64) (int64, abi.Errno) {
		arg := abi.BpfProgram{Len: uint32(n), Insns: addr}
		return w.p.Call(abi.SYS_ioctl, fd, uint64(abi.BIOCSETF), arg.Append(nil))
	}
	addr := w.p.Mem.Map(laidOut(list))
	for name, c := range map[string]struct {
		n    int
		addr uint64
		want abi.Errno
	}{
		"good": {len(list), addr, 0}, "no return": {len(list) - 2, addr, abi.EINVAL}, "empty": {0, addr, abi.EINVAL},
		"elsewhere": {len(list), 1, abi.EFAULT}, "longer than there is": {100, addr, abi.EFAULT}, "too long": {513, addr, abi.EINVAL},
		"of nothing": {1, 0, abi.EINVAL},
	} {
		if _, errno := setf(c.n, c.addr); errno != c.want {
			t.Errorf("%s: %v, want %v", name, errno, c.want)
		}
	}
	w.receive(frame(0x800, 60, 1), frame(0x806, 60, 2), frame(0x806, 18, 3))
	got := w.read(fd)
	if len(got) != 2 || got[0].Caplen != 20 || got[0].Datalen != 60 || got[1].Caplen != 18 {
		t.Errorf("%d packets: %+v", len(got), got)
	}
	if s := w.stats(fd); s.Recv != 3 || s.Capt != 2 || s.Drop != 0 {
		t.Errorf("statistics %+v", s)
	}
	if _, errno := setf(0, 0); errno != 0 { // no filter: everything again
		t.Errorf("without a filter: %v", errno)
	}
	if s := w.stats(fd); s.Recv != 0 {
		t.Errorf("statistics %+v after BIOCSETF", s)
	}
	w.receive(frame(0x800, 60, 1))
	if got := w.read(fd); len(got) != 1 || got[0].Caplen != 60 {
		t.Errorf("without a filter: %+v", got)
	}
}

func (w *world) stats(fd int) (s abi.BpfStat) {
	w.t.Helper()
	b := make([]byte, abi.SizeofBpfStat)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCGSTATS), b)
	if err := s.Decode(b); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// TestBuffers: a full buffer goes to the reader while the other fills; what has no room in either is dropped and counted.
func TestBuffers(t *testing.T) {
	w := newWorld(t)
	fd := int(w.p.Must(abi.SYS_open, "/dev/bpf", abi.O_RDWR))
	for want, ask := range map[uint32]uint32{32: 1, 1048576: 1 << 30, 4096: 4096} {
		b := uint32s(ask)
		w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCSBLEN), b)
		if le.Uint32(b) != want || w.get(fd, abi.BIOCGBLEN) != want {
			t.Errorf("asked for %d bytes, got %d", ask, le.Uint32(b))
		}
	}
	w.set(fd, abi.BIOCSBLEN, 4096)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCSETIF), ifreq("card0"))
	w.p.Want(abi.EINVAL, abi.SYS_ioctl, fd, uint64(abi.BIOCSBLEN), uint32s(8192))
	w.p.Want(abi.EINVAL, abi.SYS_read, fd, make([]byte, 100), 100)
	for i := range 20 { // of 1034 bytes each: three a buffer
		w.receive(frame(0x800, 1000, byte(i)))
	}
	if s := w.stats(fd); s.Recv != 20 || s.Drop != 14 {
		t.Errorf("statistics %+v", s)
	}
	for i, want := range []byte{0, 3} {
		if i == 1 { // the second buffer goes to the reader when it is needed
			w.receive(frame(0x800, 1000, 99))
		}
		got := w.read(fd)
		if len(got) != 3 || got[0].data[20] != want {
			t.Fatalf("buffer %d: %d packets, the first is %d", i, len(got), got[0].data[20])
		}
	}
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCFLUSH), nil)
	if n, s := w.get(fd, abi.FIONREAD), w.stats(fd); n != 0 || s.Recv != 0 {
		t.Errorf("after BIOCFLUSH %d bytes wait, %+v", n, s)
	}
}

// TestTimeout: BIOCSRTIMEOUT ends a read, with what there is or with 0 bytes.
func TestTimeout(t *testing.T) {
	w := newWorld(t)
	fd := w.open("card0")
	tv := abi.Timeval{Usec: 1000}
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCSRTIMEOUT), tv.Append(nil))
	b := make([]byte, abi.SizeofTimeval)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCGRTIMEOUT), b)
	var got abi.Timeval
	if err := got.Decode(b); err != nil || got != tv {
		t.Errorf("the timeout is %+v", got)
	}
	if r := w.read(fd); len(r) != 0 {
		t.Errorf("read %d packets", len(r))
	}
	w.receive(frame(0x800, 60, 1))
	if r := w.read(fd); len(r) != 1 {
		t.Errorf("read %d packets", len(r))
	}
	w.receive(frame(0x800, 60, 1))
	if n := w.poll(fd, -1); n&abi.POLLIN == 0 { // the timeout is that of polling too
		t.Errorf("poll: %#x", n)
	}
	if r := w.read(fd); len(r) != 1 {
		t.Errorf("read %d packets after poll", len(r))
	}
	tv.Usec = 1e6
	w.p.Want(abi.EINVAL, abi.SYS_ioctl, fd, uint64(abi.BIOCSRTIMEOUT), tv.Append(nil))
}

func (w *world) poll(fd int, timeout int) int {
	w.t.Helper()
	pfd := abi.Pollfd{Fd: int32(fd), Events: abi.POLLIN}
	b := pfd.Append(nil)
	w.p.Must(abi.SYS_poll, b, 1, timeout)
	if err := pfd.Decode(b); err != nil {
		w.t.Fatal(err)
	}
	return int(pfd.Revents)
}

// TestReadiness: O_NONBLOCK, poll and kqueue.
func TestReadiness(t *testing.T) {
	w := newWorld(t)
	fd := w.open("card0")
	w.p.Must(abi.SYS_fcntl, fd, abi.F_SETFL, abi.O_NONBLOCK)
	buf := make([]byte, defaultSize)
	w.p.Want(abi.EWOULDBLOCK, abi.SYS_read, fd, buf, len(buf))
	kq := int(w.p.Must(abi.SYS_kqueue))
	ev := abi.Kevent{Ident: uint64(fd), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}
	w.p.Must(abi.SYS___kevent50, kq, ev.Append(nil), 1, nil, 0, nil)
	w.receive(frame(0x800, 60, 1))
	if n := w.poll(fd, 0); n != 0 {
		t.Errorf("ready for reading a buffer that is not full: %#x", n)
	}
	w.set(fd, abi.BIOCIMMEDIATE, 1)
	w.receive(frame(0x800, 60, 1))
	if n := w.poll(fd, -1); n != abi.POLLIN {
		t.Errorf("poll: %#x", n)
	}
	out := make([]byte, abi.SizeofKevent)
	w.p.Must(abi.SYS___kevent50, kq, nil, 0, out, 1, nil)
	if err := ev.Decode(out); err != nil || ev.Data != 96+94 {
		t.Errorf("kevent: %+v", ev)
	}
	if r := w.read(fd); len(r) != 2 {
		t.Errorf("read %d packets", len(r))
	}
}

// TestWrite sends frames: with the interface's source address unless they are complete; BIOCSSEESENT has the tap see them, and BIOCSFEEDBACK
// the interface receive them.
func TestWrite(t *testing.T) {
	w := newWorld(t)
	fd := w.open("card0")
	w.set(fd, abi.BIOCIMMEDIATE, 1)
	f := frame(0x88b6, 100, 7)
	w.p.Must(abi.SYS_write, fd, f, len(f))
	want := bytes.Clone(f)
	copy(want[6:], mac)
	if got := (<-w.sent).Buf.Flatten(); !bytes.Equal(got, want) {
		t.Errorf("sent %x", got)
	}
	if r := w.read(fd); len(r) != 1 || !bytes.Equal(r[0].data, want) {
		t.Errorf("what was sent was seen as %+v", r)
	}
	w.set(fd, abi.BIOCSHDRCMPLT, 1)
	w.set(fd, abi.BIOCSSEESENT, 0)
	w.p.Must(abi.SYS_write, fd, f, len(f))
	if got := (<-w.sent).Buf.Flatten(); !bytes.Equal(got, f) {
		t.Errorf("sent %x", got)
	}
	if n := w.get(fd, abi.FIONREAD); n != 0 {
		t.Errorf("%d bytes of what was sent were seen", n)
	}
	w.set(fd, abi.BIOCSFEEDBACK, 1)
	in := w.ifp.Stats.Ipackets.Load()
	w.p.Must(abi.SYS_write, fd, f, len(f))
	if w.ifp.Stats.Ipackets.Load() != in+1 || w.get(fd, abi.FIONREAD) == 0 {
		t.Error("the interface did not receive what was fed back")
	}
	for cmd, v := range map[uint32]uint32{abi.BIOCGHDRCMPLT: 1, abi.BIOCGSEESENT: 0, abi.BIOCGFEEDBACK: 1} {
		if got := w.get(fd, cmd); got != v {
			t.Errorf("%s is %d", abi.IoctlName(cmd), got)
		}
	}
	long := frame(0x88b6, 1515, 7)
	w.p.Want(abi.EMSGSIZE, abi.SYS_write, fd, long, len(long))
	w.p.Want(abi.EINVAL, abi.SYS_write, fd, f[:13], 13)
	w.p.Must(abi.SYS_write, fd, f, 0)
	down(t, w.ifp)
	w.p.Want(abi.ENETDOWN, abi.SYS_write, fd, f, len(f))
}

func down(t *testing.T, ifp *ifnet.Interface) {
	t.Helper()
	ifp.Net.Config.Lock()
	defer ifp.Net.Config.Unlock()
	if err := ifp.SetFlags(0, abi.IFF_UP); err != nil {
		t.Error(err)
	}
}

// TestUnbound: what needs an interface, and errors of binding; the descriptors of an interface that goes end.
func TestUnbound(t *testing.T) {
	w := newWorld(t)
	fd := int(w.p.Must(abi.SYS_open, "/dev/bpf", abi.O_RDWR))
	buf := make([]byte, defaultSize)
	list := abi.BpfDltlist{}
	for cmd, arg := range map[uint32][]byte{
		abi.BIOCGETIF: ifreq(""), abi.BIOCPROMISC: nil, abi.BIOCGDLT: uint32s(0), abi.BIOCSDLT: uint32s(1),
		abi.BIOCGDLTLIST: list.Append(nil), abi.TIOCGETD: uint32s(0),
	} {
		w.p.Want(abi.EINVAL, abi.SYS_ioctl, fd, uint64(cmd), arg)
	}
	w.p.Want(abi.ENXIO, abi.SYS_read, fd, buf, len(buf))
	w.p.Want(abi.ENXIO, abi.SYS_write, fd, buf, 100)
	w.p.Want(abi.ENXIO, abi.SYS_ioctl, fd, uint64(abi.BIOCSETIF), ifreq("nosuch0"))
	other := newCard(t, w.k, 7)
	fd = w.open("card7")
	name := ifreq("")
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCGETIF), name)
	if string(bytes.TrimRight(name, "\x00")) != "card7" {
		t.Errorf("bound to %q", name)
	}
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCPROMISC), nil)
	if other.ifp.Flags()&abi.IFF_PROMISC == 0 {
		t.Error("the interface is not promiscuous")
	}
	detach(other.ifp)
	if n := w.poll(fd, -1); n != abi.POLLIN {
		t.Errorf("poll when the interface has gone: %#x", n)
	}
	w.p.Want(abi.ENXIO, abi.SYS_read, fd, buf, len(buf))
}

func detach(ifp *ifnet.Interface) {
	ifp.Net.Config.Lock()
	defer ifp.Net.Config.Unlock()
	ifp.Net.Detach(ifp)
}

// TestPromisc: BIOCPROMISC shows frames for others too, until the descriptor is closed.
func TestPromisc(t *testing.T) {
	w := newWorld(t)
	before := w.k.Mem.Used()
	fd := w.open("card0")
	w.set(fd, abi.BIOCIMMEDIATE, 1)
	foreign := frame(0x800, 60, 1)
	foreign[5] = 99
	w.receive(foreign)
	if n := w.get(fd, abi.FIONREAD); n != 0 {
		t.Errorf("%d bytes of a frame for somebody else", n)
	}
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCPROMISC), nil)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCPROMISC), nil)
	w.receive(foreign)
	if r := w.read(fd); len(r) != 1 {
		t.Errorf("promiscuous: %d packets", len(r))
	}
	w.p.Close(fd)
	if w.ifp.Flags()&abi.IFF_PROMISC != 0 {
		t.Error("the interface is promiscuous still")
	}
	if used := w.k.Mem.Used(); used != before {
		t.Errorf("%d bytes of buffers are left", used-before)
	}
}

// TestFacts: the rest of bpf(4).
func TestFacts(t *testing.T) {
	w := newWorld(t)
	fd := w.open("card0")
	room := make([]byte, 4)
	for _, c := range []struct {
		len  uint32
		addr uint64
		want abi.Errno
	}{{0, 0, 0}, {1, w.p.Mem.Map(room), 0}, {0, w.p.Mem.Map(room), abi.ENOMEM}, {1, 1, abi.EFAULT}} {
		list := abi.BpfDltlist{Len: c.len, List: c.addr}
		arg := list.Append(nil)
		_, errno := w.p.Call(abi.SYS_ioctl, fd, uint64(abi.BIOCGDLTLIST), arg)
		if errno != c.want || errno == 0 && le.Uint32(arg) != 1 {
			t.Errorf("BIOCGDLTLIST with room for %d: %v", c.len, errno)
		}
	}
	if le.Uint32(room) != abi.DLT_EN10MB {
		t.Errorf("the DLT is %d", le.Uint32(room))
	}
	w.set(fd, abi.BIOCSDLT, abi.DLT_EN10MB)
	w.p.Want(abi.EINVAL, abi.SYS_ioctl, fd, uint64(abi.BIOCSDLT), uint32s(abi.DLT_NULL))
	if v := w.get(fd, abi.BIOCVERSION); v != 1<<16|1 {
		t.Errorf("version %#x", v)
	}
	w.receive(frame(0x800, 60, 1))
	old := make([]byte, abi.SizeofBpfStatOld)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCGSTATSOLD), old)
	if !bytes.Equal(old, uint32s(1, 0)) {
		t.Errorf("old statistics %x", old)
	}
	w.p.Must(abi.SYS___mknod50, "/other", abi.S_IFCHR|0o644, int64(kern.Makedev(major, 1)))
	w.p.Want(abi.ENXIO, abi.SYS_open, "/other", abi.O_RDONLY)
	var st abi.Stat
	b := make([]byte, abi.SizeofStat)
	w.p.Must(abi.SYS___lstat50, "/dev/bpf", b)
	if err := st.Decode(b); err != nil || st.Rdev != 23<<8 || st.Mode != abi.S_IFCHR|0o644 {
		t.Errorf("/dev/bpf is %#x, mode %o", st.Rdev, st.Mode)
	}
}

// TestSysctl: the recorded kernel's net.bpf (sysctl -A of all components), and the list that netstat -B reads.
func TestSysctl(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]uint32{"net.bpf.jit": 0, "net.bpf.maxbufsize": 1048576} {
		if b, errno := w.p.Sysctl(name); errno != 0 || !bytes.Equal(b, uint32s(want)) {
			t.Errorf("%s is %x, %v", name, b, errno)
		}
	}
	if errno := w.p.SetSysctl("net.bpf.jit", uint32s(1)); errno != abi.EOPNOTSUPP {
		t.Errorf("jit: %v", errno)
	}
	if errno := w.p.SetSysctl("net.bpf.maxbufsize", uint32s(65536)); errno != 0 {
		t.Error(errno)
	}
	fd := int(w.p.Must(abi.SYS_open, "/dev/bpf", abi.O_RDWR))
	w.set(fd, abi.BIOCSBLEN, 1<<20)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCSETIF), ifreq("card0"))
	w.receive(frame(0x800, 60, 1), frame(0x800, 60, 2))
	mib, err := w.k.Sysctl().MIB("net.bpf.peers")
	if err != nil {
		t.Fatal(err)
	}
	b, errno := w.p.SysctlMIB(append(mib, abi.SizeofBpfDExt, 1<<30)...)
	var e abi.BpfDExt
	if errno != 0 || len(b) != abi.SizeofBpfDExt || e.Decode(b) != nil {
		t.Fatalf("peers: %d bytes, %v", len(b), errno)
	}
	if e.Bufsize != 65536 || e.Seesent != 1 || e.Rcount != 2 || e.Ccount != 2 || string(bytes.TrimRight(e.Ifname[:], "\x00")) != "card0" || e.Pid <= 0 {
		t.Errorf("peer %+v", e)
	}
	if _, errno := w.p.SysctlMIB(mib...); errno != abi.EINVAL {
		t.Errorf("peers without a size: %v", errno)
	}
	var s abi.BpfStat
	if b, errno := w.p.Sysctl("net.bpf.stats"); errno != 0 || s.Decode(b) != nil || s.Recv != 2 || s.Capt != 2 {
		t.Errorf("stats %+v, %v", s, errno)
	}
}

func BenchmarkTap(b *testing.B) {
	w := newWorld(b)
	fd := w.open("card0")
	arg := abi.BpfProgram{}
	list := assemble(b, bpf.LoadAbsolute{Off: 12, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x806, SkipTrue: 1},
		bpf.RetConstant{Val: 0}, bpf.RetConstant{Val: 96})
	arg.Len, arg.Insns = uint32(len(list)), w.p.Mem.Map(laidOut(list))
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.BIOCSETF), arg.Append(nil))
	p := ifnet.NewPacket(frame(0x800, 1514, 1))
	d := w.ifp
	b.ReportAllocs()
	for b.Loop() {
		d.Input(p.Clone())
	}
}
