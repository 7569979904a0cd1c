//go:build unix

package shmif

import (
	"bytes"
	"net/netip"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/netinet"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

// host4 is a kernel with TCP/IP on a bus, as 10.0.0.N.
type host4 struct {
	*kerntest.P
	k   *kern.Kernel
	ifp *ifnet.Interface
}

func newHost4(t *testing.T, buses *membus.Buses, linkstr string, n byte) *host4 {
	t.Helper()
	k := kerntest.New(t, rumpnet.Component(), net.Component(), netinet.Component(), Component(), buses.Component())
	p := kerntest.Proc(t, k)
	if errno := p.SetSysctl("net.inet.ip.dad_count", make([]byte, 4)); errno != 0 {
		t.Fatal(errno)
	}
	fd := int(p.Must(abi.SYS___socket30, abi.AF_INET, abi.SOCK_DGRAM, 0))
	defer p.Close(fd)
	name := make([]byte, abi.SizeofIfreq)
	copy(name, "shmif0")
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCIFCREATE), name)
	bus := abi.Ifdrv{Len: uint64(len(linkstr) + 1), Data: p.Mem.Map(append([]byte(linkstr), 0))}
	copy(bus.Name[:], "shmif0")
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCSLINKSTR), bus.Append(nil))
	addr := make([]byte, abi.SizeofInAliasreq)
	copy(addr, "shmif0")
	copy(addr[16:], sockaddr.Inet(address(n), 0, 0))
	copy(addr[48:], sockaddr.Mask(abi.AF_INET, 24))
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCAIFADDR), addr)
	return &host4{p, k, ifnet.Of(k).ByName("shmif0")}
}

func address(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }

// TestTCP sends a stream between kernels on a bus in a file and on one in memory. Where the bus has large frames TCP's segments
// are cut by nobody: there are far fewer frames than the MTU of 1500 would make. Plain, the sender cuts them, as C kernels do, and all are counted.
func TestTCP(t *testing.T) {
	for name, linkstr := range map[string]string{"file": filepath.Join(t.TempDir(), "bus"), "plain": filepath.Join(t.TempDir(), "bus"), "memory": "mem:lan"} {
		t.Run(name, func(t *testing.T) {
			var buses membus.Buses
			a, b := newHost4(t, &buses, linkstr, 1), newHost4(t, &buses, linkstr, 2)
			const size = 4 << 20
			if name == "plain" {
				a.ifp.SetCaps(0)
			}
			got := b.receiveStream(size)
			a.sendStream(size)
			if n := <-got; n != size {
				t.Errorf("%d of %d bytes arrived whole", n, size)
			}
			frames := a.ifp.Stats.Opackets.Load()
			if n := b.ifp.Stats.Ipackets.Load(); name == "plain" && n < size/1460 {
				t.Errorf("%d bytes of %d frames were counted as %d", size, frames, n)
			}
			if a.ifp.Caps()&ifnet.CapSegment != 0 && frames > size/1448/2 {
				t.Errorf("%d bytes took %d frames", size, frames)
			}
		})
	}
}

func pattern(off, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((off + i) * 7 >> 3)
	}
	return b
}

const chunk = 32 << 10

// receiveStream listens, and says later how many bytes came that were right.
func (h *host4) receiveStream(size int) <-chan int {
	fd := int(h.Must(abi.SYS___socket30, abi.AF_INET, abi.SOCK_STREAM, 0))
	sa := sockaddr.Inet(address(2), 80, 0)
	h.Must(abi.SYS_bind, fd, sa, len(sa))
	h.Must(abi.SYS_listen, fd, 1)
	done := make(chan int, 1)
	go func() {
		n := 0
		defer func() { done <- n }()
		conn, errno := h.Call(abi.SYS_accept, fd, nil, nil)
		if errno != 0 {
			return
		}
		buf := make([]byte, chunk)
		for n < size {
			m, errno := h.Call(abi.SYS_read, int(conn), buf, len(buf))
			if errno != 0 || m == 0 || !bytes.Equal(buf[:m], pattern(n, int(m))) {
				return
			}
			n += int(m)
		}
	}()
	return done
}

func (h *host4) sendStream(size int) {
	fd := int(h.Must(abi.SYS___socket30, abi.AF_INET, abi.SOCK_STREAM, 0))
	sa := sockaddr.Inet(address(2), 80, 0)
	h.Must(abi.SYS_connect, fd, sa, len(sa))
	for n := 0; n < size; {
		b := pattern(n, min(chunk, size-n))
		n += int(h.Must(abi.SYS_write, fd, b, len(b)))
	}
	h.Close(fd)
}

// TestHalt: a kernel that halts leaves its bus: the file is closed, which the lock of its slot shows.
func TestHalt(t *testing.T) {
	var buses membus.Buses
	path := filepath.Join(t.TempDir(), "bus")
	h := newHost4(t, &buses, path, 1)
	if h.ifp.Caps() == 0 {
		t.Skip("no large frames here")
	}
	s, err := host.OpenShared(path+format.LargeSuffix, format.LargeFileSize)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	locked := func() bool {
		is, err := s.ByteLocked(format.SlotOffset(0))
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if !locked() {
		t.Error("the slot of a living member is not locked")
	}
	h.k.Halt()
	for locked() { // until the goroutine that receives has noticed
		runtime.Gosched()
	}
}
