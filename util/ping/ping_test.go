package ping

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// reply makes of a packet that was sent the one that answers it.
func reply(sent []byte, typ byte) []byte {
	b := bytes.Clone(sent)
	icmp := b[int(b[0]&0xf)*4:]
	icmp[0] = typ
	icmp[2], icmp[3] = 0, 0
	binary.BigEndian.PutUint16(icmp[2:], echo.Checksum(icmp))
	return b
}

// fake is a session without a kernel, which prints into out.
func fake(o *options, out *bytes.Buffer) *session {
	env := &util.Env{Args: []string{"ping"}, Stdout: out, Stderr: io.Discard}
	if !o.target.IsValid() {
		o.target = netip.MustParseAddr("10.1.1.1")
	}
	o.host = o.target.String()
	s := &session{ctx: context.Background(), env: env, options: o, begin: time.Now(), lastSeq: 0xffff, ident: 0x1234}
	s.jiggle.Out = out
	s.pkt.init(o, s.ident)
	return s
}

// Oracle: wire session ping: the packet that the C ping sends with -c 1 to 127.0.0.1, up to identification, checksum and time.
func TestPacket(t *testing.T) {
	o := &options{size: defaultData, target: netip.MustParseAddr("127.0.0.1")}
	var k packet
	k.init(o, 0x861d)
	b := k.build(0, 0)
	want := []byte{0x45, 0, 0x54, 0, 0, 0, 0, 0, 0xff, 1, 0, 0, 0, 0, 0, 0, 0x7f, 0, 0, 1, 8, 0}
	if !bytes.Equal(b[:len(want)], want) || len(b) != 84 {
		t.Errorf("% x\nwant % x", b[:len(want)], want)
	}
	if echo.Checksum(b[20:]) != 0 {
		t.Error("the checksum is wrong")
	}
	if b[20+8+16] != 0x10 || b[83] != 55 {
		t.Errorf("data % x", b[28:])
	}
}

// Oracle: ping(8): -g makes room for one hop, -R for as many as fit, nine or seven with -g.
func TestIPOptions(t *testing.T) {
	gw := netip.MustParseAddr("10.1.1.254")
	for _, c := range []struct {
		o    options
		want []byte
		len  int
	}{
		{options{gateway: gw}, []byte{0x83, 7, 4, 10, 9, 8, 7, 1}, 8},
		{options{}, nil, 0},
	} {
		c.o.target = netip.MustParseAddr("10.9.8.7")
		if got := ipOptions(&c.o); !bytes.Equal(got, c.want) {
			t.Errorf("% x, want % x", got, c.want)
		}
	}
	o := options{gateway: gw, target: gw}
	o.on['R'] = true
	if got := ipOptions(&o); len(got) != maxOptions || got[8] != abi.IPOPT_RR || got[9] != 31 {
		t.Errorf("% x", got)
	}
}

// Oracle: the text of ping(8) and of the transcripts.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		flags  string
		change func([]byte) []byte
		want   string
	}{
		{"good", "", nil, "64 bytes from 10.1.1.1: icmp_seq=0 ttl=255 time=1.000000 ms\n"},
		{"quiet", "q", nil, ""},
		{"data", "", func(b []byte) []byte { b[28+20] = 0xee; return b }, "wrong data byte #4 should have been 0x14 but was 0xee"},
		{"short", "", func(b []byte) []byte { return b[:60] }, "wrong total length 60 instead of 84"},
		{"other", "", func(b []byte) []byte { b[24] ^= 1; return b }, ""},
	} {
		var out bytes.Buffer
		o := &options{size: defaultData}
		for _, f := range c.flags {
			o.on[f] = true
		}
		s := fake(o, &out)
		s.Sent = 1
		b := reply(s.pkt.build(0, 0), abi.ICMP_ECHOREPLY)
		if c.change != nil {
			b = c.change(b)
		}
		from := []byte{16, 2, 0, 0, 10, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}
		s.take(&echo.Packet{Data: b, From: from, At: s.begin.Add(time.Millisecond)})
		if got := out.String(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Oracle: ping(8): a second answer to the same request is a duplicate, and counts neither as received nor as lost.
func TestDuplicates(t *testing.T) {
	var out bytes.Buffer
	s := fake(&options{size: defaultData}, &out)
	s.Sent = 1
	b := reply(s.pkt.build(0, 0), abi.ICMP_ECHOREPLY)
	for range 2 {
		s.take(&echo.Packet{Data: b, From: make([]byte, 16), At: s.begin})
	}
	s.summary()
	for _, want := range []string{" DUP! ttl=", "1 packets transmitted, 1 packets received, +1 duplicates, 0.0% packet loss\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}

// Oracle: RFC 792: an error quotes the packet that it is about; those about others' are told with -v alone.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		flags string
		mine  bool
		want  string
	}{
		{"", true, "92 bytes from 0.0.0.0: Destination Host Unreachable\n"},
		{"", false, ""},
		{"Q", true, ""},
		{"v", false, "Destination Host Unreachable"},
	} {
		var out bytes.Buffer
		o := &options{size: defaultData}
		o.on['n'] = true
		for _, f := range c.flags {
			o.on[f] = true
		}
		s := fake(o, &out)
		quoted := bytes.Clone(s.pkt.build(0, 0))
		if !c.mine {
			quoted[24] ^= 1
		}
		b := append(append(bytes.Clone(quoted[:20]), abi.ICMP_UNREACH, abi.ICMP_UNREACH_HOST, 0, 0, 0, 0, 0, 0), quoted...)
		s.take(&echo.Packet{Data: b, From: []byte{16, 2, 0, 0, 0, 0, 0, 0}, At: s.begin})
		if got := out.String(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("-%s, mine %v: %q, want %q", c.flags, c.mine, got, c.want)
		}
	}
}

// FuzzTake: whatever arrives is told or passed over.
func FuzzTake(f *testing.F) {
	o := &options{size: defaultData}
	s := fake(o, new(bytes.Buffer))
	f.Add(reply(s.pkt.build(0, 0), abi.ICMP_ECHOREPLY))
	f.Add([]byte{0x4f, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) {
		o := &options{size: defaultData}
		o.on['v'], o.on['n'] = true, true
		s := fake(o, new(bytes.Buffer))
		s.take(&echo.Packet{Data: b, From: make([]byte, 16), At: s.begin})
		s.summary()
	})
}
