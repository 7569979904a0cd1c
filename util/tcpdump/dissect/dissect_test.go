package dissect

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/tcpdump/frametest"
)

// TestNull: a packet of DLT_NULL begins with an address family in the byte order of who captured it.
func TestNull(t *testing.T) {
	ip6 := frametest.IP6{Next: 17}.Packet(frametest.UDP(1, 2, nil))
	for _, c := range []struct {
		order  binary.ByteOrder
		family uint32
		link   bool
		want   string
	}{
		{binary.LittleEndian, 24, false, "IP6 fe80::1.1 > 2001:db8::2.2: UDP, length 0"},
		{binary.BigEndian, 28, false, "IP6 fe80::1.1 > 2001:db8::2.2: UDP, length 0"},
		{binary.BigEndian, 30, true, "AF IPv6 (30), length 52: fe80::1.1 > 2001:db8::2.2: UDP, length 0"},
		{binary.LittleEndian, 99, false, "AF 99, length 52"},
	} {
		var head [4]byte
		c.order.PutUint32(head[:], c.family)
		data := append(head[:], ip6...)
		p := newPrinter(func(o *Options) { o.Link = c.link })
		p.Order = c.order
		if text, payload := p.Packet(LinkNull, data, len(data)); string(text) != c.want || payload != 4 {
			t.Errorf("%q, %d, want %q", text, payload, c.want)
		}
	}
}

// TestCutOff: of a packet whose end was cut off there is told as much as there is, and that something is missing.
func TestCutOff(t *testing.T) {
	syn := frametest.IP4{Proto: 6}.Frame(frametest.TCP{Sport: 1, Dport: 2, Flags: 2, Options: []byte{2, 4, 5, 0xb4}}.Segment(nil))
	for keep, want := range map[int]string{
		5:  " [|ether]",
		20: "IP  [|ip]",
		35: "IP 10.1.1.1 > 10.1.1.2:  [|tcp]",
		40: "IP 10.1.1.1.1 > 10.1.1.2.2:  [|tcp]",
		54: "IP 10.1.1.1.1 > 10.1.1.2.2: Flags [S], seq 0, win 0, options [ [|tcp]",
		58: "IP 10.1.1.1.1 > 10.1.1.2.2: Flags [S], seq 0, win 0, options [mss 1460], length 0",
	} {
		p := newPrinter(func(*Options) {})
		if text, _ := p.Packet(LinkEthernet, syn[:keep], len(syn)); string(text) != want {
			t.Errorf("%d bytes: %q, want %q", keep, text, want)
		}
	}
}

// TestConnections: the memory of connections is bounded, and a segment to oneself is one connection.
func TestConnections(t *testing.T) {
	var c connections
	a := netip.AddrPortFrom(frametest.A1, 1)
	for i := range uint32(3 * maxConnections) {
		e := ends{a, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 2)}
		c.relative(e, tcpACK, i, i)
	}
	if len(c) > maxConnections {
		t.Errorf("%d connections", len(c))
	}
	self := ends{a, a}
	c.relative(self, tcpACK, 100, 200)
	if seq, ack, _ := c.relative(self, tcpACK, 101, 201); seq != 1 || ack != 2 {
		t.Errorf("seq %d, ack %d", seq, ack)
	}
}

// TestNesting: packets within packets end somewhere.
func TestNesting(t *testing.T) {
	packet := frametest.UDP(1, 2, nil)
	proto := byte(17)
	for range 50 {
		packet, proto = frametest.IP4{Proto: proto}.Packet(packet), 4
	}
	p := newPrinter(func(*Options) {})
	data := frametest.Ether(frametest.MAC1, frametest.MAC2, typeIPv4, packet, false)
	if text, _ := p.Packet(LinkEthernet, data, len(data)); !strings.HasSuffix(string(text), "[nested too deeply]") {
		t.Errorf("%s", text)
	}
}

// FuzzPacket: whatever a packet is, there is a text, and it has no control characters.
func FuzzPacket(f *testing.F) {
	for _, frame := range frametest.Corpus() {
		f.Add(frame.Data, len(frame.Data), byte(0))
		f.Add(frame.Data[:len(frame.Data)*2/3], len(frame.Data), byte(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, length int, mode byte) {
		if length < 0 || length > 1<<20 {
			return
		}
		m := modes[int(mode)%len(modes)]
		for _, link := range []int{LinkEthernet, LinkNull, 99} {
			p := newPrinter(m.with)
			p.Order = binary.LittleEndian
			for range 2 {
				text, payload := p.Packet(link, data, length)
				if payload < 0 || payload > len(data) && len(data) >= etherHeaderLen {
					t.Fatalf("the payload begins at %d of %d", payload, len(data))
				}
				for _, c := range text {
					if c < ' ' && c != '\n' && c != '\t' {
						t.Fatalf("%q", text)
					}
				}
			}
		}
	})
}
