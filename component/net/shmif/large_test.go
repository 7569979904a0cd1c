//go:build linux

package shmif

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

// TestLargeFrames: members of ours pass frames of up to 64 KiB, in order with small ones; a C member sees frames that point to them, of the
// smallest size and of a type that is nobody's (docs/shmif.md).
func TestLargeFrames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	them := newPlain(t, path)
	a, b := on(t, path), on(t, path)
	if a.ifp.Caps() != ifnet.CapChecksum|ifnet.CapSegment {
		t.Errorf("capabilities %b", a.ifp.Caps())
	}
	src, dst := a.ifp.LinkAddr(), b.ifp.LinkAddr()
	for i := range 300 {
		large := 1515 + i*997%(format.MaxLargeFrame-1515+1)
		a.send(dst, i, large)
		b.want(src, dst, i, large)
		pointer := them.next()
		if p, ok := format.ParsePointer(pointer); !ok || int(p.Len) != large || !bytes.Equal(pointer[:12], append(bytes.Clone(dst), src...)) {
			t.Fatalf("frame %d: the other sees %x", i, pointer)
		}
		a.send(dst, i, 100)
		b.want(src, dst, i, 100)
		them.next()
	}
	a.send(broadcast, 1, 9014)
	b.want(src, broadcast, 1, 9014)
}

// TestLargeToPlain: what is too large for a C member never reaches it: it is dropped and counted, or, a TCP segment, cut.
func TestLargeToPlain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	them := newPlain(t, path)
	a := on(t, path)
	if err := a.ifp.Output(ifnet.NewPacket(frame(plainMAC, a.ifp.LinkAddr(), 1, 9014))); err != abi.ENOBUFS {
		t.Errorf("a large frame to a C member: %v", err)
	}
	if n := a.ifp.Stats.Oerrors.Load(); n != 1 {
		t.Errorf("%d errors counted", n)
	}
	if err := a.ifp.Output(segment(plainMAC, a.ifp.LinkAddr(), 4000, 1000)); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		f := them.next()
		seq := binary.BigEndian.Uint32(f[14+20+4:])
		if len(f) != 14+20+20+1000 || seq != uint32(1000*i) {
			t.Errorf("part %d has %d bytes and sequence number %d", i, len(f), seq)
		}
	}
}

// segment is a TCP segment with payload bytes of data, to be cut into parts of size.
func segment(dst, src []byte, payload, size int) *ifnet.Packet {
	b := make([]byte, 14+20+20+payload)
	copy(b, dst)
	copy(b[6:], src)
	binary.BigEndian.PutUint16(b[12:], 0x0800)
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	copy(ip[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	ip[20+12] = 5 << 4
	p := ifnet.NewPacket(b)
	p.Flags = ifnet.ChecksumMissing
	p.Segment = ifnet.Segment{Size: uint16(size), HeaderLen: 20}
	return p
}

// TestSegmentToOurs: a member of ours gets a large TCP segment whole, with what it needs to forward it.
func TestSegmentToOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := on(t, path), on(t, path)
	got := make(chan *ifnet.Packet, 1)
	b.net.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) { got <- p })
	if err := a.ifp.Output(segment(b.ifp.LinkAddr(), a.ifp.LinkAddr(), 60000, 1448)); err != nil {
		t.Fatal(err)
	}
	p := <-got
	if p.Len() != 60054 || p.Segment != (ifnet.Segment{Size: 1448, HeaderLen: 20}) || p.Flags != ifnet.ChecksumGood|ifnet.ChecksumMissing {
		t.Errorf("%d bytes, %+v, flags %b", p.Len(), p.Segment, p.Flags)
	}
}

// TestDeadMember: a member that died is sent no large frames, though its entry is there.
func TestDeadMember(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a := on(t, path)
	s, err := host.OpenShared(path+format.LargeSuffix, format.LargeFileSize)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := format.NewLarge(s)
	if err != nil {
		t.Fatal(err)
	}
	l.SetMember(format.Slots-1, [6]byte(plainMAC)) // without the lock that a living one has
	if err := a.ifp.Output(ifnet.NewPacket(frame(plainMAC, a.ifp.LinkAddr(), 1, 9014))); err != abi.ENOBUFS {
		t.Errorf("a large frame to the dead: %v", err)
	}
}

// TestWaking: members of ours are not woken while they look at the bus by themselves, and never sleep through a frame, nor does one that wants
// those to others.
func TestWaking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b, snoop := on(t, path), on(t, path), on(t, path)
	var seen tap
	snoop.ifp.AddTap(&seen)
	snoop.net.Config.Lock()
	snoop.ifp.SetPromiscuous(1)
	snoop.net.Config.Unlock()
	for i := range 2000 {
		for start := time.Now(); time.Since(start) < time.Duration(i%12)*10*time.Microsecond; { // until it looks no more, is about to sleep, sleeps
			runtime.Gosched()
		}
		large := 60 + i%7*8000
		a.send(b.ifp.LinkAddr(), i, large)
		b.want(a.ifp.LinkAddr(), b.ifp.LinkAddr(), i, large)
		if i%5 == 0 {
			b.send(a.ifp.LinkAddr(), i, 100)
			a.want(b.ifp.LinkAddr(), a.ifp.LinkAddr(), i, 100)
		}
	}
	for start := time.Now(); len(seen.numbers())+int(snoop.ifp.Stats.Iqdrops.Load()) < 2000+400; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("who wants all saw %d frames, and %d were overwritten", len(seen.numbers()), snoop.ifp.Stats.Iqdrops.Load())
		}
	}
}

// TestWantsAll: what a slot says of an interface in promiscuous mode, docs/shmif.md.
func TestWantsAll(t *testing.T) {
	c := newCard(t)
	if err := c.linkstr(0, filepath.Join(t.TempDir(), "bus")); err != nil {
		t.Fatal(err)
	}
	large := c.driver().medium.Load().medium.(*fileBus).large
	says := func(what string, want bool) {
		t.Helper()
		c.net.Config.Lock()
		defer c.net.Config.Unlock()
		const stateAt = 8
		if state := large.shared.Word(int(format.SlotOffset(large.slot)) + stateAt).Load(); (state&format.MemberAll != 0) != want {
			t.Errorf("%s: %b", what, state)
		}
	}
	promiscuous := func(by int) {
		c.net.Config.Lock()
		defer c.net.Config.Unlock()
		c.ifp.SetPromiscuous(by)
	}
	promiscuous(1)
	c.up()
	says("up", true)
	promiscuous(1)
	promiscuous(-1)
	says("one of two ended", true)
	promiscuous(-1)
	says("both ended", false)
	promiscuous(1)
	says("again", true)
	if err := c.setFlags(0, abi.IFF_UP); err != nil {
		t.Fatal(err)
	}
	says("down", false)
}

// TestNewAddress: large frames go to a member's new address after SIOCALIFADDR has changed it.
func TestNewAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := on(t, path), on(t, path)
	next := []byte{2, 0, 0, 0, 0, 7}
	b.net.Config.Lock()
	b.ifp.SetLinkAddr(next)
	b.net.Config.Unlock()
	a.send(next, 1, 9014)
	b.want(a.ifp.LinkAddr(), next, 1, 9014)
}

// TestMTU: SIOCSIFMTU takes more than Ethernet's on a bus with large frames alone; net-01 has 9000000 as EINVAL.
func TestMTU(t *testing.T) {
	c := newCard(t)
	set := func(mtu int32) error {
		var req abi.Ifreq
		req.SetMtu(mtu)
		_, err := c.ioctl(new(kerntest.Memory), abi.SIOCSIFMTU, &req)
		return err
	}
	if err := set(9000); err != abi.EINVAL {
		t.Errorf("9000 on no bus: %v", err)
	}
	if err := c.linkstr(0, filepath.Join(t.TempDir(), "bus")); err != nil {
		t.Fatal(err)
	}
	for mtu, want := range map[int32]error{1400: abi.ENOTTY, 65535: abi.ENOTTY, 65536: abi.EINVAL, 9000000: abi.EINVAL, -1: abi.EINVAL} {
		if err := set(mtu); err != want {
			t.Errorf("MTU %d: %v, want %v (ENOTTY has the generic code go on)", mtu, err, want)
		}
	}
}

// BenchmarkRoundTrip sends a frame to another member, which answers.
func BenchmarkRoundTrip(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bus")
	x, y := on(b, path), on(b, path)
	y.net.HandleProtocol(testType, func(ifp *ifnet.Interface, p *ifnet.Packet) {
		p.Release()
		y.send(x.ifp.LinkAddr(), 0, 98)
	})
	for b.Loop() {
		x.send(y.ifp.LinkAddr(), 0, 98)
		(<-x.frames).Release()
	}
}

// BenchmarkThroughput sends frames of a size to another member, a window at a time.
func BenchmarkThroughput(b *testing.B) {
	for _, size := range []int{1514, 65226} {
		b.Run(map[bool]string{true: "large", false: "1514"}[size > 1514], func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bus")
			x, y := on(b, path), on(b, path)
			const window = 16
			credit := make(chan int, window)
			y.net.HandleProtocol(testType, func(ifp *ifnet.Interface, p *ifnet.Packet) {
				p.Release()
				credit <- 1
			})
			for range window {
				credit <- 1
			}
			data := frame(y.ifp.LinkAddr(), x.ifp.LinkAddr(), 1, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				<-credit
				x.ifp.Output(ifnet.NewPacket(data))
			}
		})
	}
}
