package tap

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	netcomponent "github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/rumpdev"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/ifqueue"
)

const testType = 0x88b6

// world is a kernel with a process.
type world struct {
	t        *testing.T
	p        *kerntest.P
	net      *ifnet.Net
	sock     int
	received [][]byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k := kerntest.New(t, rumpvfs.Component(), rumpdev.Component(), rumpnet.Component(), netcomponent.Component(), Component())
	w := &world{t: t, p: kerntest.Proc(t, k), net: ifnet.Of(k)}
	w.sock = int(w.p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW, 0))
	w.net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) {
		w.received = append(w.received, p.Buf.Flatten())
		p.Release()
	})
	return w
}

func ifreq(name string) []byte {
	b := make([]byte, abi.SizeofIfreq)
	copy(b, name)
	return b
}

// flags sets an interface's flags.
func (w *world) flags(name string, flags byte) {
	w.t.Helper()
	req := ifreq(name)
	req[abi.IFNAMSIZ] = flags
	w.p.Must(abi.SYS_ioctl, w.sock, uint64(abi.SIOCSIFFLAGS), req)
}

func (w *world) ioctl(cmd uint32, name string) abi.Errno {
	_, errno := w.p.Call(abi.SYS_ioctl, w.sock, uint64(cmd), ifreq(name))
	return errno
}

func frame(dst []byte, size int) []byte {
	b := bytes.Repeat([]byte{9}, size)
	copy(b, dst)
	copy(b[6:], []byte{2, 0, 0, 0, 0, 1})
	binary.BigEndian.PutUint16(b[12:], testType)
	return b
}

// TestClone: opening /dev/tap makes an interface that goes with the last descriptor: tap(4).
func TestClone(t *testing.T) {
	w := newWorld(t)
	if errno := w.ioctl(abi.SIOCIFCREATE, "tap0"); errno != 0 {
		t.Fatal(errno)
	}
	fd := int(w.p.Must(abi.SYS_open, "/dev/tap", abi.O_RDWR))
	name := ifreq("")
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.TAPGIFNAME), name)
	if got := string(bytes.TrimRight(name, "\x00")); got != "tap1" {
		t.Fatalf("the interface is %q", got)
	}
	ifp := w.net.ByName("tap1")
	if ifp.Flags() != 0x8802 || ifp.MTU() != 1500 || !bytes.Equal(ifp.LinkAddr()[:3], []byte{0xf2, 0x0b, 0xa4}) {
		t.Errorf("flags %#x, MTU %d, address %x", ifp.Flags(), ifp.MTU(), ifp.LinkAddr())
	}
	buf := make([]byte, 2000)
	w.p.Want(abi.EHOSTDOWN, abi.SYS_read, fd, buf, len(buf))
	w.flags("tap1", abi.IFF_UP)
	if ifp.Flags() != 0x8843 {
		t.Errorf("flags %#x when up", ifp.Flags())
	}
	w.p.Want(abi.ENOTTY, abi.SYS_ioctl, fd, uint64(abi.TIOCGETD), make([]byte, 4))
	w.p.Close(fd)
	if w.net.ByName("tap1") != nil || w.net.ByName("tap0") == nil {
		t.Error("tap1 is there still, or tap0 is not")
	}
}

// TestTraffic: reads give what the interface sends, a frame each, and writes are what it receives.
func TestTraffic(t *testing.T) {
	w := newWorld(t)
	w.p.Want(abi.ENXIO, abi.SYS_open, "/dev/tap0", abi.O_RDWR)
	if errno := w.ioctl(abi.SIOCIFCREATE, "tap0"); errno != 0 {
		t.Fatal(errno)
	}
	w.flags("tap0", abi.IFF_UP)
	ifp := w.net.ByName("tap0")
	if err := ifp.Output(ifnet.NewPacket(frame(nil, 60))); err != nil { // to nobody
		t.Error(err)
	}
	fd := int(w.p.Must(abi.SYS_open, "/dev/tap0", abi.O_RDWR))
	w.p.Want(abi.EBUSY, abi.SYS_open, "/dev/tap0", abi.O_RDWR)
	w.p.Must(abi.SYS_fcntl, fd, abi.F_SETFL, abi.O_NONBLOCK)
	buf := make([]byte, 2000)
	w.p.Want(abi.EWOULDBLOCK, abi.SYS_read, fd, buf, len(buf))
	one, two := frame(nil, 60), frame(nil, 1514)
	if err := ifp.Output(ifnet.NewPacket(one), ifnet.NewPacket(two)); err != nil {
		t.Fatal(err)
	}
	if n := w.fionread(fd); n != 60 {
		t.Errorf("FIONREAD %d", n)
	}
	for _, want := range [][]byte{one, two[:100]} {
		if got, errno := w.p.Read(fd, max(len(want), 100)); errno != 0 || got != string(want) {
			t.Errorf("read %d bytes, %v", len(got), errno)
		}
	}
	in := frame(ifp.LinkAddr(), 300)
	w.p.Must(abi.SYS_write, fd, in, len(in))
	w.p.Must(abi.SYS_write, fd, in, 5)
	if len(w.received) != 1 || !bytes.Equal(w.received[0], in) || ifp.Stats.Ierrors.Load() != 1 {
		t.Errorf("received %x", w.received)
	}
	for range ifqueue.Limit + 5 {
		ifp.Output(ifnet.NewPacket(one))
	}
	if n := ifp.Stats.Oerrors.Load(); n != 5 {
		t.Errorf("%d frames had no room", n)
	}
	w.flags("tap0", 0)
	w.flags("tap0", abi.IFF_UP)
	if n := w.fionread(fd); n != 0 {
		t.Errorf("FIONREAD %d after the interface was down", n)
	}
}

func (w *world) fionread(fd int) int {
	w.t.Helper()
	b := make([]byte, 4)
	w.p.Must(abi.SYS_ioctl, fd, uint64(abi.FIONREAD), b)
	return int(binary.LittleEndian.Uint32(b))
}

// TestReadiness: poll and kqueue announce frames, and the interface's end.
func TestReadiness(t *testing.T) {
	w := newWorld(t)
	fd := int(w.p.Must(abi.SYS_open, "/dev/tap", abi.O_RDWR))
	w.flags("tap0", abi.IFF_UP)
	ifp := w.net.ByName("tap0")
	kq := int(w.p.Must(abi.SYS_kqueue))
	ev := abi.Kevent{Ident: uint64(fd), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}
	w.p.Must(abi.SYS___kevent50, kq, ev.Append(nil), 1, nil, 0, nil)
	poll := func(timeout int) int {
		pfd := abi.Pollfd{Fd: int32(fd), Events: abi.POLLIN | abi.POLLHUP}
		b := pfd.Append(nil)
		w.p.Must(abi.SYS_poll, b, 1, timeout)
		if err := pfd.Decode(b); err != nil {
			t.Fatal(err)
		}
		return int(pfd.Revents)
	}
	if n := poll(0); n != 0 {
		t.Errorf("poll: %#x", n)
	}
	ifp.Output(ifnet.NewPacket(frame(nil, 77)))
	if n := poll(-1); n != abi.POLLIN {
		t.Errorf("poll: %#x", n)
	}
	out := make([]byte, abi.SizeofKevent)
	w.p.Must(abi.SYS___kevent50, kq, nil, 0, out, 1, nil)
	if err := ev.Decode(out); err != nil || ev.Data != 77 {
		t.Errorf("kevent %+v", ev)
	}
	if errno := w.ioctl(abi.SIOCIFDESTROY, "tap0"); errno != 0 {
		t.Fatal(errno)
	}
	if n := poll(-1); n != abi.POLLHUP {
		t.Errorf("poll when the interface has gone: %#x", n)
	}
	w.p.Close(fd)
}

// TestSysctl: net.link.tap.tapN is the interface's address, and changes it.
func TestSysctl(t *testing.T) {
	w := newWorld(t)
	w.ioctl(abi.SIOCIFCREATE, "tap3")
	ifp := w.net.ByName("tap3")
	if b, errno := w.p.Sysctl("net.link.tap.tap3"); errno != 0 || string(b) != net.HardwareAddr(ifp.LinkAddr()).String()+"\x00" {
		t.Errorf("the address is %q, %v", b, errno)
	}
	if errno := w.p.SetSysctl("net.link.tap.tap3", []byte("02:00:00:00:00:77\x00")); errno != 0 || ifp.LinkAddr()[5] != 0x77 {
		t.Errorf("%v, address %x", errno, ifp.LinkAddr())
	}
	for _, bad := range []string{"nonsense\x00", "02:00:00:00:00\x00"} {
		if errno := w.p.SetSysctl("net.link.tap.tap3", []byte(bad)); errno != abi.EINVAL {
			t.Errorf("%q: %v", bad, errno)
		}
	}
	w.ioctl(abi.SIOCIFDESTROY, "tap3")
	if _, errno := w.p.Sysctl("net.link.tap.tap3"); errno == 0 {
		t.Error("the node is there still")
	}
	if errno := w.ioctl(abi.SIOCIFCREATE, "tap3"); errno != 0 {
		t.Error(errno)
	}
}

// TestNodes: the device numbers of the original's listing of /dev.
func TestNodes(t *testing.T) {
	w := newWorld(t)
	for name, minor := range map[string]uint64{"tap": 1048575, "tap0": 0, "tap3": 3} {
		var st abi.Stat
		b := make([]byte, abi.SizeofStat)
		w.p.Must(abi.SYS___lstat50, "/dev/"+name, b)
		want := minor&^0xff<<12 | 169<<8 | minor&0xff
		if err := st.Decode(b); err != nil || st.Rdev != want || st.Mode != abi.S_IFCHR|0o644 {
			t.Errorf("/dev/%s is %#x, mode %o; want %#x", name, st.Rdev, st.Mode, want)
		}
	}
}
