package tun

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/rumpdev"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// world is a kernel with a process that has /dev/tun0 open.
type world struct {
	t        *testing.T
	k        *kern.Kernel
	p        *kerntest.P
	ifp      *ifnet.Interface
	fd, sock int
	received map[uint16][][]byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k := kerntest.New(t, rumpvfs.Component(), rumpdev.Component(), rumpnet.Component(), net.Component(), Component())
	w := &world{t: t, k: k, p: kerntest.Proc(t, k), received: map[uint16][][]byte{}}
	w.sock = int(w.p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW, 0))
	for _, typ := range []uint16{0x0800, 0x86dd} {
		ifnet.Of(k).HandleProtocol(typ, func(_ *ifnet.Interface, p *ifnet.Packet) {
			w.received[typ] = append(w.received[typ], p.Buf.Flatten())
			p.Release()
		})
	}
	w.fd = int(w.p.Must(abi.SYS_open, "/dev/tun0", abi.O_RDWR))
	w.ifp = ifnet.Of(k).ByName("tun0")
	return w
}

func (w *world) flags(flags byte) {
	w.t.Helper()
	req := make([]byte, abi.SizeofIfreq)
	copy(req, "tun0")
	req[abi.IFNAMSIZ] = flags
	w.p.Must(abi.SYS_ioctl, w.sock, uint64(abi.SIOCSIFFLAGS), req)
}

func uint32s(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func (w *world) set(cmd uint32, v uint32, want abi.Errno) {
	w.t.Helper()
	w.p.Want(want, abi.SYS_ioctl, w.fd, uint64(cmd), uint32s(v))
}

func (w *world) get(cmd uint32) uint32 {
	w.t.Helper()
	b := uint32s(99)
	w.p.Must(abi.SYS_ioctl, w.fd, uint64(cmd), b)
	return binary.LittleEndian.Uint32(b)
}

// packet4 and packet6 are IP packets to 10.0.0.2 and fe80::2, as far as their headers are looked at.
func packet4(size int) []byte {
	b := make([]byte, size)
	b[0] = 0x45
	copy(b[16:], []byte{10, 0, 0, 2})
	return b
}

func packet6(size int) []byte {
	b := make([]byte, size)
	b[0], b[24], b[25], b[39] = 0x60, 0xfe, 0x80, 2
	return b
}

func (w *world) output(p []byte, family uint8) error {
	pkt := ifnet.NewPacket(p)
	pkt.Family = family
	return w.ifp.Output(pkt)
}

// TestModes: what goes in front of packets by tun(4): nothing, the address family, or the destination.
func TestModes(t *testing.T) {
	w := newWorld(t)
	w.flags(abi.IFF_UP)
	sin4 := append([]byte{16, abi.AF_INET, 0, 0, 10, 0, 0, 2}, make([]byte, 8)...)
	sin6 := append([]byte{28, abi.AF_INET6, 0, 0, 0, 0, 0, 0}, packet6(40)[24:40]...)
	sin6 = append(sin6, 0, 0, 0, 0)
	for _, c := range []struct {
		name         string
		set          uint32
		head4, head6 []byte
		ifhead       uint32
	}{
		{"plain", 0, nil, nil, 0},
		{"TUNSIFHEAD", abi.TUNSIFHEAD, []byte{0, 0, 0, abi.AF_INET}, []byte{0, 0, 0, abi.AF_INET6}, 1},
		{"TUNSLMODE", abi.TUNSLMODE, sin4, sin6, 0},
	} {
		if c.set != 0 {
			w.set(c.set, 1, 0)
		}
		if got := w.get(abi.TUNGIFHEAD); got != c.ifhead {
			t.Errorf("%s: TUNGIFHEAD %d", c.name, got)
		}
		clear(w.received)
		for _, p := range []struct {
			family    uint8
			ethertype uint16
			head, ip  []byte
		}{{abi.AF_INET, 0x0800, c.head4, packet4(100)}, {abi.AF_INET6, 0x86dd, c.head6, packet6(120)}} {
			if err := w.output(p.ip, p.family); err != nil {
				t.Fatal(err)
			}
			want := append(bytes.Clone(p.head), p.ip...)
			if got, errno := w.p.Read(w.fd, 2000); errno != 0 || got != string(want) {
				t.Errorf("%s: read %x, %v; want %x", c.name, got, errno, want)
			}
			w.p.Must(abi.SYS_write, w.fd, want, len(want))
			if got := w.received[p.ethertype]; len(got) != 1 || !bytes.Equal(got[0], p.ip) {
				t.Errorf("%s: received %x", c.name, got)
			}
		}
	}
	w.set(abi.TUNSIFHEAD, 0, 0) // turns off what is not on
	if err := w.output(packet4(20), abi.AF_INET); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.p.Read(w.fd, 2000); len(got) != 16+20 {
		t.Errorf("read %d bytes", len(got))
	}
	w.set(abi.TUNSLMODE, 0, 0)
	short := make([]byte, 1501)
	short[0] = 0x45
	w.p.Want(abi.EIO, abi.SYS_write, w.fd, short, len(short))
	w.set(abi.TUNSIFHEAD, 1, 0)
	w.p.Want(abi.EIO, abi.SYS_write, w.fd, short, 4)
	w.p.Want(abi.EAFNOSUPPORT, abi.SYS_write, w.fd, []byte{0, 0, 0, 99, 1}, 5)
}

// TestLifetime: the interface is there from the first open on, its packets while the device is open and it is up.
func TestLifetime(t *testing.T) {
	w := newWorld(t)
	if w.ifp.Flags() != abi.IFF_POINTOPOINT || w.ifp.MTU() != 1500 || w.ifp.Type != abi.IFT_TUNNEL {
		t.Errorf("flags %#x, MTU %d, type %d", w.ifp.Flags(), w.ifp.MTU(), w.ifp.Type)
	}
	w.p.Want(abi.EBUSY, abi.SYS_open, "/dev/tun0", abi.O_RDWR)
	buf := make([]byte, 100)
	w.p.Want(abi.EHOSTDOWN, abi.SYS_read, w.fd, buf, len(buf))
	w.p.Want(abi.EHOSTDOWN, abi.SYS_write, w.fd, packet4(20), 20)
	if err := w.output(packet4(20), abi.AF_INET); err != abi.ENETDOWN {
		t.Errorf("sending when down: %v", err)
	}
	w.flags(abi.IFF_UP)
	w.p.Must(abi.SYS_fcntl, w.fd, abi.F_SETFL, abi.O_NONBLOCK)
	w.p.Want(abi.EWOULDBLOCK, abi.SYS_read, w.fd, buf, len(buf))
	if err := w.output(packet4(33), abi.AF_INET); err != nil || w.get(abi.FIONREAD) != 33 {
		t.Errorf("%v, FIONREAD %d", err, w.get(abi.FIONREAD))
	}
	w.p.Close(w.fd)
	if w.ifp.Flags()&(abi.IFF_UP|abi.IFF_RUNNING) != 0 {
		t.Errorf("flags %#x when nobody has the device open", w.ifp.Flags())
	}
	w.flags(abi.IFF_UP)
	if err := w.output(packet4(20), abi.AF_INET); err != abi.ENETDOWN {
		t.Errorf("sending to nobody: %v", err)
	}
	w.fd = int(w.p.Must(abi.SYS_open, "/dev/tun0", abi.O_RDWR))
	if err := w.output(packet4(44), abi.AF_INET); err != nil || w.get(abi.FIONREAD) != 44 {
		t.Errorf("%v, FIONREAD %d", err, w.get(abi.FIONREAD))
	}
}

// TestInterfaceMode: TUNSIFMODE while the interface is down.
func TestInterfaceMode(t *testing.T) {
	w := newWorld(t)
	for mode, want := range map[uint32]abi.Errno{abi.IFF_BROADCAST | abi.IFF_POINTOPOINT: abi.EINVAL, abi.IFF_MULTICAST: abi.EINVAL, abi.IFF_UP: abi.EINVAL} {
		w.set(abi.TUNSIFMODE, mode, want)
	}
	w.set(abi.TUNSIFMODE, abi.IFF_BROADCAST|abi.IFF_MULTICAST, 0)
	if f := w.ifp.Flags(); f != abi.IFF_BROADCAST|abi.IFF_MULTICAST {
		t.Errorf("flags %#x", f)
	}
	w.set(abi.TUNSIFMODE, abi.IFF_POINTOPOINT, 0)
	if f := w.ifp.Flags(); f != abi.IFF_POINTOPOINT {
		t.Errorf("flags %#x", f)
	}
	w.flags(abi.IFF_UP)
	w.set(abi.TUNSIFMODE, abi.IFF_BROADCAST, abi.EBUSY)
	w.set(abi.TIOCSETD, 0, abi.ENOTTY)
}

// TestDebug: TUNSDEBUG has what is dropped logged.
func TestDebug(t *testing.T) {
	w := newWorld(t)
	w.flags(abi.IFF_UP)
	w.set(abi.TUNSDEBUG, 1, 0)
	if w.get(abi.TUNGDEBUG) != 1 {
		t.Error("TUNGDEBUG")
	}
	big := packet4(1501)
	w.p.Want(abi.EIO, abi.SYS_write, w.fd, big, len(big))
	if log := string(w.k.Msgbuf.Bytes()); !strings.Contains(log, "tun0: packet received and dropped: ") {
		t.Errorf("the log has %q", log)
	}
}
