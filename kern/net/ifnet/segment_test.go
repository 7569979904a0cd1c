package ifnet_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

var (
	src4, dst4 = tcpip.AddrFrom4([4]byte{10, 0, 0, 1}), tcpip.AddrFrom4([4]byte{10, 0, 0, 2})
	src6, dst6 = tcpip.AddrFrom16([16]byte{0xfe, 0x80, 15: 1}), tcpip.AddrFrom16([16]byte{0xfe, 0x80, 15: 2})
)

// ip is an IP packet of a transport protocol.
func ip(v6 bool, proto uint8, transport []byte) []byte {
	if v6 {
		b := make([]byte, header.IPv6MinimumSize)
		header.IPv6(b).Encode(&header.IPv6Fields{PayloadLength: uint16(len(transport)), TransportProtocol: tcpip.TransportProtocolNumber(proto), HopLimit: 64, SrcAddr: src6, DstAddr: dst6})
		return append(b, transport...)
	}
	b := make([]byte, header.IPv4MinimumSize)
	h := header.IPv4(b)
	h.Encode(&header.IPv4Fields{TotalLength: uint16(len(b) + len(transport)), ID: 7, TTL: 64, Protocol: proto, SrcAddr: src4, DstAddr: dst4})
	h.SetChecksum(^h.CalculateChecksum())
	return append(b, transport...)
}

// tcp is a TCP header of 12 bytes of options, and a payload.
func tcp(flags header.TCPFlags, payload []byte) []byte {
	b := make([]byte, header.TCPMinimumSize+12)
	header.TCP(b).Encode(&header.TCPFields{SrcPort: 1, DstPort: 2, SeqNum: 0xfffffff0, AckNum: 9, DataOffset: uint8(len(b)), Flags: flags, WindowSize: 1000})
	return append(b, payload...)
}

func random(n int) []byte {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// ether puts an Ethernet header before a packet.
func ether(b []byte, v6 bool) []byte {
	typ := []byte{8, 0}
	if v6 {
		typ = []byte{0x86, 0xdd}
	}
	return slices.Concat(mac(1), mac(0), typ, b)
}

// pieces is a packet whose bytes lie in several views.
func pieces(b []byte) *ifnet.Packet {
	var buf buffer.Buffer
	for len(b) > 0 {
		n := min(len(b), 57)
		if err := buf.Append(buffer.NewViewWithData(b[:n])); err != nil {
			panic(err)
		}
		b = b[n:]
	}
	return &ifnet.Packet{Buf: buf}
}

// checkTCP takes a frame apart and checks its checksums with gVisor's functions.
func checkTCP(t *testing.T, b []byte, v6 bool) header.TCP {
	t.Helper()
	src, dst := src4, dst4
	var seg header.TCP
	if v6 {
		src, dst = src6, dst6
		seg = header.TCP(header.IPv6(b).Payload())
	} else {
		h := header.IPv4(b)
		if !h.IsChecksumValid() || int(h.TotalLength()) != len(b) {
			t.Fatalf("IPv4 header %x of %d bytes", b[:20], len(b))
		}
		seg = header.TCP(h.Payload())
	}
	payload := seg.Payload()
	if !seg.IsChecksumValid(src, dst, checksum.Checksum(payload, 0), uint16(len(payload))) {
		t.Fatalf("bad TCP checksum in %x", b)
	}
	return seg
}

// TestSegments cuts large segments for an interface that cannot take them, RFC 9293: the payload in order, the flags where they belong.
func TestSegments(t *testing.T) {
	w := newWorld(t)
	ifp, d := w.create("ether0")
	for _, v6 := range []bool{false, true} {
		for _, size := range []int{1, 1447, 1448, 1449, 30001, 65000} {
			payload := random(size)
			p := pieces(ether(ip(v6, 6, tcp(header.TCPFlagAck|header.TCPFlagPsh|header.TCPFlagFin|header.TCPFlagCwr, payload)), v6))
			p.Segment = ifnet.Segment{Size: 1448, HeaderLen: 20, V6: v6}
			p.Flags = ifnet.ChecksumMissing
			d.sent = nil
			if err := ifp.Output(p); err != nil {
				t.Fatal(err)
			}
			var got []byte
			for i, s := range d.sent {
				seg := checkTCP(t, s.Buf.Flatten()[14:], v6)
				last := i == len(d.sent)-1
				if seg.SequenceNumber() != uint32(0xfffffff0+len(got)) || len(seg.Payload()) > 1448 {
					t.Errorf("segment %d: %d bytes at %#x", i, len(seg.Payload()), seg.SequenceNumber())
				}
				if f := seg.Flags(); f.Contains(header.TCPFlagFin|header.TCPFlagPsh) != last || f.Contains(header.TCPFlagCwr) != (i == 0) || !f.Contains(header.TCPFlagAck) {
					t.Errorf("segment %d of %d: flags %v", i, len(d.sent), f)
				}
				got = append(got, seg.Payload()...)
			}
			if !bytes.Equal(got, payload) {
				t.Errorf("%d bytes arrived as %d others", len(payload), len(got))
			}
		}
	}
}

// TestFinishChecksum fills in missing checksums where an interface cannot, leaves clones of the packet alone, and nothing missing where
// it can.
func TestFinishChecksum(t *testing.T) {
	w := newWorld(t)
	ifp, d := w.create("ether0")
	for _, v6 := range []bool{false, true} {
		p := pieces(append(ether(ip(v6, 6, tcp(header.TCPFlagAck, random(777))), v6), 0, 0, 0)) // and padding
		p.Flags = ifnet.ChecksumMissing
		clone := p.Clone()
		before := clone.Buf.Flatten()
		d.sent = nil
		ifp.Output(p)
		b := d.sent[0].Buf.Flatten()
		checkTCP(t, b[14:len(b)-3], v6)
		if !bytes.Equal(clone.Buf.Flatten(), before) {
			t.Error("the packet's clone has changed")
		}
		ifp.SetCaps(ifnet.CapChecksum)
		ifp.Output(clone)
		if !bytes.Equal(d.sent[1].Buf.Flatten(), before) || d.sent[1].Flags&ifnet.ChecksumMissing == 0 {
			t.Error("a checksum that need not be there has been filled in")
		}
		ifp.SetCaps(0)
	}
}

// TestFinishUDP has a sum of 0 sent as 0xffff, RFC 768, and fragments left alone.
func TestFinishUDP(t *testing.T) {
	udp := make([]byte, 8)
	header.UDP(udp).Encode(&header.UDPFields{SrcPort: 1, DstPort: 2, Length: 8})
	for port := range 65536 {
		header.UDP(udp).SetSourcePort(uint16(port))
		p := ifnet.NewPacket(ip(false, 17, udp))
		ifnet.FinishChecksum(p, 0)
		got := header.UDP(header.IPv4(p.Buf.Flatten()).Payload())
		if got.Checksum() == 0 || !got.IsChecksumValid(src4, dst4, 0) {
			t.Fatalf("port %d: checksum %#x", port, got.Checksum())
		}
	}
	b := ip(false, 17, udp)
	header.IPv4(b).SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, 0)
	p := ifnet.NewPacket(b)
	if ifnet.FinishChecksum(p, 0); !bytes.Equal(p.Buf.Flatten(), b) {
		t.Error("a fragment has changed")
	}
}

// FuzzSegments has what is no segment come back whole.
func FuzzSegments(f *testing.F) {
	f.Add(ip(false, 6, tcp(0, random(100))), 14, uint16(10))
	f.Add(ip(true, 6, tcp(0, random(100))), 0, uint16(50))
	f.Add(ip(true, 0, append([]byte{6, 0, 0, 0, 0, 0, 0, 0}, tcp(0, random(9))...)), 0, uint16(4))
	f.Fuzz(func(t *testing.T, b []byte, linkLen int, size uint16) {
		if linkLen < 0 || linkLen > 64 {
			return
		}
		p := pieces(b)
		p.Segment.Size = size
		p.Flags = ifnet.ChecksumMissing
		total := 0
		out := ifnet.Segments(p, linkLen)
		for _, s := range out {
			if s.Flags&ifnet.ChecksumMissing != 0 || s.Segment.Size != 0 {
				t.Error("unfinished")
			}
			total += s.Len()
			s.Release()
		}
		if total == 0 && len(b) > 0 || len(out) > len(b)+1 || len(out) == 1 && total > len(b) {
			t.Errorf("%d bytes in %d packets of %d bytes", total, len(out), len(b))
		}
	})
}

// FuzzInput has an interface take anything for a frame.
func FuzzInput(f *testing.F) {
	f.Add(ether(ip(false, 6, tcp(0, nil)), false))
	f.Add(slices.Concat(broadcast, mac(77), []byte{0x81, 0, 0, 42, 0x81, 0, 0, 42, 8, 0}))
	w := newWorld(f)
	ifp, _ := w.create("ether0")
	child, _ := w.create("ether1")
	ifp.SetVLAN(42, child)
	w.net.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) { p.Release() })
	f.Fuzz(func(t *testing.T, b []byte) {
		before := ifp.Stats.Ipackets.Load() + ifp.Stats.Ierrors.Load()
		ifp.Input(pieces(b))
		if n := ifp.Stats.Ipackets.Load() + ifp.Stats.Ierrors.Load() - before; n > 1 {
			t.Errorf("counted %d times", n)
		}
	})
}

// FuzzLinkSockaddr takes link-level addresses apart.
func FuzzLinkSockaddr(f *testing.F) {
	f.Add(ifnet.SockaddrDl(2, 6, "shmif0", mac(1)))
	f.Fuzz(func(t *testing.T, sa []byte) {
		index, name, lladdr, err := ifnet.LinkSockaddr(sa)
		if err != nil {
			if err != abi.EINVAL {
				t.Error(err)
			}
			return
		}
		i, n, l, err := ifnet.LinkSockaddr(ifnet.SockaddrDl(index, 0, name, lladdr))
		if err != nil || i != index || n != name || !bytes.Equal(l, lladdr) {
			t.Errorf("%x: %d %q %x, then %d %q %x, %v", sa, index, name, lladdr, i, n, l, err)
		}
	})
}

// drop is a driver that sends nothing.
type drop struct{}

func (drop) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		p.Release()
	}
	return nil
}

func benchInterface(b *testing.B) *ifnet.Interface {
	n := ifnet.New(nil, nil)
	n.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) { p.Release() })
	ifp := ifnet.NewEthernet("ether", 0, drop{})
	n.Config.Lock()
	defer n.Config.Unlock()
	if err := n.Attach(ifp, mac(0), 1500, abi.IFF_UP|abi.IFF_RUNNING); err != nil {
		b.Fatal(err)
	}
	return ifp
}

// benchPackets gives f clones of a packet, in time of their own.
func benchPackets(b *testing.B, frame []byte, mark func(*ifnet.Packet), f func(*ifnet.Packet)) {
	p := ifnet.NewPacket(frame)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for range b.N {
		c := p.Clone()
		mark(c)
		f(c)
	}
}

func BenchmarkInput(b *testing.B) {
	ifp := benchInterface(b)
	benchPackets(b, ether(ip(false, 6, tcp(0, random(1448))), false), func(*ifnet.Packet) {}, func(p *ifnet.Packet) { ifp.Input(p) })
}

func BenchmarkOutput(b *testing.B) {
	ifp := benchInterface(b)
	benchPackets(b, ether(ip(false, 6, tcp(0, random(1448))), false), func(*ifnet.Packet) {}, func(p *ifnet.Packet) { ifp.Output(p) })
}

func BenchmarkOutputChecksum(b *testing.B) {
	ifp := benchInterface(b)
	mark := func(p *ifnet.Packet) { p.Flags = ifnet.ChecksumMissing }
	benchPackets(b, ether(ip(false, 6, tcp(0, random(1448))), false), mark, func(p *ifnet.Packet) { ifp.Output(p) })
}

func BenchmarkOutputSegments(b *testing.B) {
	ifp := benchInterface(b)
	mark := func(p *ifnet.Packet) { p.Segment.Size = 1448 }
	benchPackets(b, ether(ip(false, 6, tcp(0, random(64000))), false), mark, func(p *ifnet.Packet) { ifp.Output(p) })
}
