package ifnet_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// stream is payload of a connection in frames of 1000 bytes each, PSH on the last.
func stream(v6 bool, size int) (frames [][]byte) {
	p := pieces(ether(ip(v6, 6, tcp(header.TCPFlagAck|header.TCPFlagPsh, random(size))), v6))
	p.Segment = ifnet.Segment{Size: 1000, HeaderLen: 20, V6: v6}
	for _, s := range ifnet.Segments(p, ifnet.EtherHdrLen) {
		frames = append(frames, s.Buf.Flatten())
	}
	return frames
}

func packets(frames [][]byte) (pkts []*ifnet.Packet) {
	for _, f := range frames {
		pkts = append(pkts, ifnet.NewPacket(f))
	}
	return pkts
}

// cut undoes coalescing: an IPv4 identification that DF makes meaningless is 0 then, in plain frames too.
func cut(pkts []*ifnet.Packet) (frames [][]byte) {
	for _, p := range pkts {
		list := []*ifnet.Packet{p}
		if p.Segment.Size != 0 {
			list = ifnet.Segments(p, ifnet.EtherHdrLen)
		}
		for _, s := range list {
			frames = append(frames, atomicID(s.Buf.Flatten()))
		}
	}
	return frames
}

func atomicID(b []byte) []byte {
	const at = ifnet.EtherHdrLen
	if len(b) >= at+20 && b[12] == 8 && b[13] == 0 && b[at] == 0x45 && b[at+6]&0x40 != 0 {
		sum := checksum.Combine(^binary.BigEndian.Uint16(b[at+10:]), ^binary.BigEndian.Uint16(b[at+4:]))
		b[at+4], b[at+5] = 0, 0
		binary.BigEndian.PutUint16(b[at+10:], ^sum)
	}
	return b
}

// TestCoalesce: what Segments cuts comes together again, is as it was, and can be cut in the same way.
func TestCoalesce(t *testing.T) {
	var c ifnet.Coalescer
	for _, v6 := range []bool{false, true} {
		for _, size := range []int{1, 1000, 1001, 30000, 64000} {
			frames := stream(v6, size)
			pkts := c.Coalesce(packets(frames), ifnet.EtherHdrLen)
			if len(pkts) != 1 {
				t.Fatalf("%d bytes are %d packets", size, len(pkts))
			}
			p := pkts[0]
			whole := ether(ip(v6, 6, tcp(header.TCPFlagAck|header.TCPFlagPsh, random(size))), v6)
			if got := p.Buf.Flatten(); len(frames) > 1 {
				sum := ifnet.EtherHdrLen + 20 + 16
				if v6 {
					sum += 20
				}
				copy(got[sum:], []byte{0, 0})
				if !bytes.Equal(got, whole) || p.Flags != ifnet.ChecksumGood|ifnet.ChecksumMissing || p.Segment.Size != 1000 || p.Segment.V6 != v6 ||
					int(p.Segment.HeaderLen) != sum-ifnet.EtherHdrLen-16 {
					t.Errorf("%d bytes: flags %b, %+v, %x...", size, p.Flags, p.Segment, got[:80])
				}
			} else if p.Flags != 0 || p.Segment.Size != 0 {
				t.Errorf("a single packet was changed: flags %b, %+v", p.Flags, p.Segment)
			}
			if got := cut(pkts); !slices.EqualFunc(got, frames, bytes.Equal) {
				t.Errorf("%d bytes are cut in another way", size)
			}
		}
	}
}

// TestNotCoalesced: RFC 9293 and RFC 791: what is no continuation, or not whole, stays as it is and where it is.
func TestNotCoalesced(t *testing.T) {
	const ipAt, tcpAt = ifnet.EtherHdrLen, ifnet.EtherHdrLen + 20
	set := func(at int, v ...byte) func(b []byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	for _, c := range []struct {
		what   string
		change func(b []byte) []byte // of the second of three frames
		broken bool                  // its checksums are not computed again
		want   int                   // packets
	}{
		{"nothing", set(0), false, 1},
		{"another sender's address", set(6, 9), false, 3},
		{"a VLAN", func(b []byte) []byte { return slices.Concat(b[:12], []byte{0x81, 0, 0, 1}, b[12:]) }, false, 3},
		{"another protocol of the link", set(12, 0x88, 0xb5), false, 3},
		{"another type of service", set(ipAt+1, 3), false, 3},
		{"another time to live", set(ipAt+8, 63), false, 3},
		{"the identification of another", set(ipAt+4, 9, 9), false, 3},
		{"another host", set(ipAt+15, 9), false, 3},
		{"a fragment", set(ipAt+6, 0x20), false, 3},
		{"UDP", set(ipAt+9, 17), false, 3},
		{"a bad sum of the header", set(ipAt+10, 1, 2), true, 3},
		{"a bad sum", set(tcpAt+16, 1, 2), true, 3},
		{"damaged data", set(tcpAt+32+500, 1, 2), true, 3},
		{"another port", set(tcpAt+3, 9), false, 3},
		{"a gap", set(tcpAt+7, 9), false, 3},
		{"another acknowledgement", set(tcpAt+11, 8), false, 3},
		{"another window", set(tcpAt+14, 9), false, 3},
		{"another timestamp", set(tcpAt+20, 9), false, 3},
		{"SYN", set(tcpAt+13, 0x12), false, 3},
		{"FIN", set(tcpAt+13, 0x11), false, 3},
		{"URG", set(tcpAt+13, 0x30), false, 3},
		{"PSH", set(tcpAt+13, 0x18), false, 2},
		{"padding", func(b []byte) []byte { return append(b, 0) }, false, 3},
		{"no data", func(b []byte) []byte { return set(ipAt+2, 0, 52)(b)[:tcpAt+32] }, false, 3},
		{"less data", func(b []byte) []byte { return set(ipAt+2, 0, 152)(b)[:tcpAt+132] }, false, 2},
		{"cut off", func(b []byte) []byte { return b[:len(b)-1] }, false, 3},
		{"shorter than a header", func(b []byte) []byte { return b[:20] }, true, 3},
		{"options longer than it", set(tcpAt+12, 0xf0), true, 3},
	} {
		var co ifnet.Coalescer
		frames := stream(false, 2900)
		frames[1] = c.change(frames[1])
		if !c.broken {
			resum(frames[1][:min(len(frames[1]), 1066)])
		}
		want := make([][]byte, 3)
		for i := range frames {
			want[i] = bytes.Clone(frames[i])
		}
		pkts := co.Coalesce(packets(frames), ifnet.EtherHdrLen)
		if len(pkts) != c.want {
			t.Errorf("%s: %d packets, want %d", c.what, len(pkts), c.want)
		}
		if got := cut(pkts); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s: what came out is not what went in", c.what)
		}
	}
}

// TestCoalesceLarger: a segment that is larger than the first begins another packet, or the two would be cut elsewhere.
func TestCoalesceLarger(t *testing.T) {
	const ipAt, tcpAt, dataAt, less = ifnet.EtherHdrLen, ifnet.EtherHdrLen + 20, ifnet.EtherHdrLen + 52, 400
	frames := stream(false, 2900)
	frames[0] = slices.Delete(frames[0], dataAt, dataAt+less)
	binary.BigEndian.PutUint16(frames[0][ipAt+2:], uint16(len(frames[0])-ipAt))
	binary.BigEndian.PutUint32(frames[0][tcpAt+4:], binary.BigEndian.Uint32(frames[0][tcpAt+4:])+less)
	resum(frames[0])
	var c ifnet.Coalescer
	pkts := c.Coalesce(packets(frames), ifnet.EtherHdrLen)
	if len(pkts) != 2 || pkts[0].Len() != len(frames[0]) {
		t.Errorf("%d packets, the first of %d bytes", len(pkts), pkts[0].Len())
	}
	if got := cut(pkts); !slices.EqualFunc(got, frames, bytes.Equal) {
		t.Error("what came out is not what went in")
	}
}

// resum computes the checksums of a frame of IPv4 and TCP.
func resum(b []byte) {
	h := header.IPv4(b[ifnet.EtherHdrLen:])
	h.SetChecksum(0)
	h.SetChecksum(^h.CalculateChecksum())
	if int(h.TotalLength()) > len(h) {
		return
	}
	seg := header.TCP(h[20:h.TotalLength()])
	seg.SetChecksum(0)
	seg.SetChecksum(^checksum.Checksum(seg, header.PseudoHeaderChecksum(header.TCPProtocolNumber, h.SourceAddress(), h.DestinationAddress(), uint16(len(seg)))))
}

// TestCoalesceLimit: no packet is larger than IP's, and with DF the identification does not matter.
func TestCoalesceLimit(t *testing.T) {
	var c ifnet.Coalescer
	var frames [][]byte
	for i, f := range slices.Concat(stream(false, 64000), stream(false, 64000)) {
		f[ifnet.EtherHdrLen+6] = 0x40
		binary.BigEndian.PutUint16(f[ifnet.EtherHdrLen+4:], uint16(i*i))
		f[ifnet.EtherHdrLen+20+13] = 0x10
		binary.BigEndian.PutUint32(f[ifnet.EtherHdrLen+20+4:], uint32(1000*i))
		resum(f)
		frames = append(frames, f)
	}
	pkts := c.Coalesce(packets(frames), ifnet.EtherHdrLen)
	if len(pkts) != 2 || pkts[0].Len() > 65535+ifnet.EtherHdrLen || pkts[0].Len() < 65000 {
		t.Errorf("%d packets, the first of %d bytes", len(pkts), pkts[0].Len())
	}
	for i, f := range cut(pkts) {
		if !bytes.Equal(f, atomicID(frames[i])) {
			t.Fatalf("frame %d is another", i)
		}
	}
}

// FuzzCoalesce: whatever comes, cutting what was coalesced gives it back.
func FuzzCoalesce(f *testing.F) {
	f.Add(uint16(0), byte(0), uint16(1100), byte(1), false, true)
	f.Add(uint16(33), byte(0x40), uint16(1087), byte(0x18), true, true)
	f.Fuzz(func(t *testing.T, at1 uint16, v1 byte, at2 uint16, v2 byte, v6, sum bool) {
		frames := stream(v6, 4500)
		for at, v := range map[uint16]byte{at1: v1, at2: v2} {
			if f := frames[int(at)/1100%len(frames)]; int(at)%1100 < len(f) {
				f[at%1100] = v
				if sum && !v6 && f[ifnet.EtherHdrLen] == 0x45 && int(binary.BigEndian.Uint16(f[ifnet.EtherHdrLen+2:])) >= 40 {
					resum(f)
				}
			}
		}
		want := make([][]byte, len(frames))
		for i := range frames {
			want[i] = atomicID(bytes.Clone(frames[i]))
		}
		var c ifnet.Coalescer
		if got := cut(c.Coalesce(packets(frames), ifnet.EtherHdrLen)); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%d frames are %d others", len(want), len(got))
		}
	})
}

// BenchmarkCoalesce is for 45 segments of 1448 bytes.
func BenchmarkCoalesce(b *testing.B) {
	p := pieces(ether(ip(false, 6, tcp(header.TCPFlagAck, random(45*1448))), false))
	p.Segment = ifnet.Segment{Size: 1448, HeaderLen: 20}
	var frames [][]byte
	for _, s := range ifnet.Segments(p, ifnet.EtherHdrLen) {
		frames = append(frames, s.Buf.Flatten())
	}
	var c ifnet.Coalescer
	b.SetBytes(45 * 1448)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		pkts := packets(frames)
		b.StartTimer()
		for _, p := range c.Coalesce(pkts, ifnet.EtherHdrLen) {
			p.Release()
		}
	}
}
