package ping6

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// fake is a session without a kernel, which prints into out.
func fake(o *options, out *bytes.Buffer) *session {
	o.target, o.host = netip.MustParseAddr("2001:db8::1"), "2001:db8::1"
	s := &session{
		env: &util.Env{Args: []string{"ping6"}, Stdout: out, Stderr: io.Discard}, options: o, begin: time.Now(),
		name: routing.Namer{Ctx: context.Background(), Numeric: true, Interfaces: map[int]string{1: "shmif0"}},
	}
	s.jiggle.Out = out
	s.to = sockaddr.Inet(o.target, 0, 0)
	s.pkt.init(o, 0x1234, [8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	return s
}

// received is a packet with the control messages that the socket gives, from fe80::1 on interface 1.
func received(s *session, b []byte) *echo.Packet {
	hops := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_HOPLIMIT, Data: cint(64)}
	a := netip.MustParseAddr("fe80::2").As16()
	info := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_PKTINFO, Data: append(a[:], 1, 0, 0, 0)}
	return &echo.Packet{
		Data: b, From: sockaddr.Inet(netip.MustParseAddr("fe80::1"), 0, 1),
		Control: hops.Append(info.Append(nil)), At: s.begin.Add(time.Millisecond),
	}
}

func flags(letters string) *options {
	o := &options{size: defaultData, hops: -1}
	for _, c := range letters {
		o.on[c] = true
	}
	return o
}

// Oracle: wire session ping6: the message that the C ping6 sends, up to number and time.
func TestPacket(t *testing.T) {
	s := fake(flags(""), new(bytes.Buffer))
	want, err := hex.DecodeString("80000000123400010000000100000002")
	if err != nil {
		t.Fatal(err)
	}
	if b := s.pkt.build(1, time.Second+2*time.Microsecond); !bytes.Equal(b, want) {
		t.Errorf("% x\nwant % x", b, want)
	}
}

// Oracle: the text of ping6(8) and of the transcripts.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, flags string
		change      func([]byte) []byte
		want        string
	}{
		{"good", "", nil, "32 bytes from fe80::1%shmif0, icmp_seq=0 hlim=64 time=1.000 ms\n"},
		{"verbose", "v", nil, "32 bytes from fe80::1%shmif0, icmp_seq=0 hlim=64 dst=fe80::2%shmif0 time=1.000 ms\n"},
		{"quiet", "q", nil, ""},
		{"data", "", func(b []byte) []byte { b[20] = 0xee; return b }, "wrong data byte #12 should be 0xc but was 0xee\n"},
		{"short", "", func(b []byte) []byte { return b[:16] }, "16 bytes from fe80::1%shmif0, icmp_seq=0 hlim=64 time=1.000 ms\n"},
		{"other's", "", func(b []byte) []byte { b[4] ^= 1; return b }, ""},
		{"cut", "", func(b []byte) []byte { return b[:7] }, ""},
	} {
		var out bytes.Buffer
		o := flags(c.flags)
		o.size = 24
		s := fake(o, &out)
		s.Sent = 1
		b := bytes.Clone(s.pkt.build(0, 0))
		b[0] = abi.ICMP6_ECHO_REPLY
		if c.change != nil {
			b = c.change(b)
		}
		s.take(received(s, b))
		if got := out.String(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Oracle: ping6(8): a second answer is a duplicate; -x lets answers that take too long not count.
func TestCounts(t *testing.T) {
	var out bytes.Buffer
	s := fake(flags(""), &out)
	s.Sent = 1
	b := bytes.Clone(s.pkt.build(0, 0))
	b[0] = abi.ICMP6_ECHO_REPLY
	s.take(received(s, b))
	s.take(received(s, b))
	s.maxwait = time.Microsecond
	s.take(received(s, b))
	s.summary()
	for _, want := range []string{"ms(DUP!)\n", "\n--- 2001:db8::1 ping6 statistics ---\n1 packets transmitted, 1 packets received, +1 duplicates, 0.0% packet loss\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Oracle: RFC 4620, sections 4 to 6, and the text of ping6(8).
func TestNodeInfo(t *testing.T) {
	const nonce = "0000 030405060708"
	for _, c := range []struct {
		name    string
		query   query
		verbose bool
		packet  string
		want    string
	}{
		{"refused", queryName, false, "8c010000 0002 0000" + nonce, "refused, type 0x8c\n"},
		{"unknown", queryTypes, false, "8c020000 0001 0000" + nonce, "unknown, type 0x8c\n"},
		{"code 9", queryTypes, false, "8c090000 0001 0000" + nonce, "unknown code 0x9, type 0x8c\n"},
		{"noop", queryTypes, false, "8c000000 0000 0000" + nonce, "NodeInfo NOOP\n"},
		{"types", queryTypes, true, "8c000000 0001 0000" + nonce + "8000001d 00000001", "NodeInfo Supported Qtypes, raw bitmap 0 2-4 31-32\n"},
		{"types, compressed", queryTypes, true, "8c000000 0001 0001" + nonce + "00010001 00000003 00010000 00000001",
			"NodeInfo Supported Qtypes, compressed bitmap 0-1 64\n"},
		{"types, cut", queryTypes, false, "8c000000 0001 0001" + nonce + "00050001 0000", "NodeInfo Supported Qtypes\n"},
		{"types, none", queryTypes, false, "8c000000 0001 0000" + nonce, "NodeInfo Supported Qtypes???\n"},
		{"name", queryName, false, "8c000000 0002 0000" + nonce + "00000000 03666f6f 03626172 00", "foo.bar.\n"},
		{"a label", queryName, true, "8c000000 0002 0001" + nonce + "0000000a 03666f6f 0000", "foo (TTL=10)\n"},
		{"names", queryName, false, "8c000000 0002 0000" + nonce + "00000000 0161 00 0162 c004", "a.,b.a.\n"},
		{"a loop", queryName, false, "8c000000 0002 0000" + nonce + "00000000 c004", "???\n"},
		{"old name", queryOldName, true, "8c000000 0002 0000" + nonce + "00000000 03666f1b", "fo\\033 (TTL=0:meaningless,03 draft)\n"},
		{"no name", queryName, true, "8c000000 0002 0001" + nonce + "ffffffff", " (TTL=-1:invalid,no name)\n"},
		{"address", queryAddrs, false, "8c000000 0003 0000" + nonce + "ffffffff 20010db8000000000000000000000007", "\n  2001:db8::7(TTL=infty)\n\n"},
		{"address without TTL", queryAddrs, true, "8c000000 0003 0001" + nonce + "20010db8000000000000000000000007", " truncated\n  2001:db8::7\n\n"},
		{"no address", queryAddrs, false, "8c000000 0003 0000" + nonce, "\n  no address\n\n"},
	} {
		var out bytes.Buffer
		o := flags("")
		o.query, o.on['v'] = c.query, c.verbose
		s := fake(o, &out)
		s.Sent = 1
		b := unhex(t, c.packet)
		s.take(received(s, b))
		_, got, _ := strings.Cut(out.String(), "%shmif0: ")
		if got != c.want || s.Received != 1 {
			t.Errorf("%s: %q, received %d; want %q", c.name, got, s.Received, c.want)
		}
	}
}

// Oracle: RFC 4620, section 4: queries have the subject's address, but for that of supported types, whose subject is an empty name.
func TestQueries(t *testing.T) {
	for q, want := range map[query]string{
		queryName:    "8b000000 00020000 0007030405060708 20010db8000000000000000000000001",
		queryOldName: "8b000000 00020000 0007030405060708",
		queryTypes:   "8b010000 00010001 0007030405060708",
		queryAddrs:   "8b000000 0003002a 0007030405060708 20010db8000000000000000000000001",
	} {
		o := flags("")
		o.query = q
		o.naFlags = abi.NI_NODEADDR_FLAG_ALL | abi.NI_NODEADDR_FLAG_LINKLOCAL | abi.NI_NODEADDR_FLAG_GLOBAL
		s := fake(o, new(bytes.Buffer))
		if got := s.pkt.build(7, 0); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("query %d: % x, want %s", q, got, want)
		}
	}
}

// Oracle: RFC 4443, RFC 8200 and the text of ping6(8): with -v other messages are told.
func TestOthers(t *testing.T) {
	const header = "60012345 0010 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
	words := "Vr TC  Flow Plen Nxt Hlim\n 6 00 12345 0010  11   40\n2001:db8::1->2001:db8::2\n"
	for _, c := range []struct{ packet, want string }{
		{"01040000 00000000" + header + "0035 1234 0010 0000", "Destination Port Unreachable\n" + words + "UDP: from port 53, to port 4660 (decimal)\n"},
		{"02000000 00000500 6000", "Packet too big mtu = 1280\nIP6...\n"},
		{"03000000 00000000" + strings.Replace(header, "0010 11", "0010 00", 1) + "2c00000000000000 3a000000000000ff 8000000000000000",
			"Time to live exceeded\n" + strings.Replace(words, "0010  11", "0010  00", 1) + "HBH FRAG ICMP6: type = 128, code = 0\n"},
		{"04010000 00000028" + header, "Parameter problem: Unknown Nextheader pointer = 0x28\n" + words + "...\n"},
		{"01090000 00000000", "Destination Unreachable, Bad Code: 9\nIP6...\n"},
		{"86000000 00000000", "Router Advertisement\n"},
		{"8b000000 00020000 0007030405060708 20010db8000000000000000000000001", "Node Information Query, DNS name, subject=IPv6 address(2001:db8::1)\n"},
		{"8c020000 00630000 0007030405060708", "Node Information Reply, unknown qtype, Unknown\n"},
		{"ff000000 00000000", "Bad ICMP type: 255\n"},
	} {
		var out bytes.Buffer
		s := fake(flags("v"), &out)
		s.take(received(s, unhex(t, c.packet)))
		if _, got, _ := strings.Cut(out.String(), "%shmif0: "); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Oracle: RFC 8200, section 4, RFC 2711 and RFC 2460, section 4.4: extension headers' contents.
func TestExtensions(t *testing.T) {
	var control []byte
	for _, c := range []struct {
		typ  int
		data string
	}{
		{abi.IPV6_HOPOPTS, "3a00 05020001 0100"},
		{abi.IPV6_DSTOPTS, "3a00 1e010700 0000"},
		{abi.IPV6_RTHDR, "3a020001 00000000 20010db8000000000000000000000001"},
	} {
		m := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: c.typ, Data: unhex(t, c.data)}
		control = m.Append(control)
	}
	want := "  HbH Options: nxt 58, len 0 (8 bytes)\n    Router Alert Opt: Type 1\n  Dst Options: nxt 58, len 0 (8 bytes)\n    Received Opt 30 len 1\n" +
		"  Routing: nxt 58, len 2 (24 bytes), type 0, 1 segments, 1 left\n   [0]2001:db8::1\n"
	if got := extensions(control); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// Oracle: NetBSD's in6_nigroup: ff02::2 and the first 32 bits of the MD5 of the length and the first label; md5(1) gives that of "\x04host".
func TestNodeGroup(t *testing.T) {
	for in, want := range map[string]string{
		"host": "ff02::2:1838:803c", "HOST.example.org": "ff02::2:1838:803c", "": "", strings.Repeat("a", 64): "",
	} {
		a, ok := nodeGroup(in)
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q: %v, %v, want %q", in, a, ok, want)
		}
	}
}

// FuzzTake: whatever arrives is told or passed over.
func FuzzTake(f *testing.F) {
	f.Add([]byte{0x81, 0, 0, 0, 0x12, 0x34, 0, 0}, []byte{}, 0)
	f.Add(append([]byte{0x8c, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}, "\x03foo\xc0\x04"...), []byte{}, 2)
	f.Add(append([]byte{0x8c, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, 0, 1, 0, 0, 1, 2, 3, 4), []byte{}, 1)
	hop := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_HOPOPTS, Data: []byte{58, 0, 5, 2, 0, 0, 1, 0}}
	f.Add([]byte{3, 0, 0, 0, 0, 0, 0, 0, 0x60}, hop.Append(nil), 0)
	f.Fuzz(func(_ *testing.T, b, control []byte, q int) {
		o := flags("v")
		o.query = query(q & 3)
		s := fake(o, new(bytes.Buffer))
		p := received(s, b)
		p.Control = append(p.Control, control...)
		s.take(p)
		s.summary()
	})
}

// A packet that came between socket(2) and setsockopt(2) has no control messages. It is no answer to anything that was sent later, and told
// with -v alone; an answer without them is told always.
func TestUncontrolled(t *testing.T) {
	for _, c := range []struct {
		flags string
		typ   byte
		warns bool
	}{
		{"", abi.ND_NEIGHBOR_SOLICIT, false},
		{"v", abi.ND_NEIGHBOR_SOLICIT, true},
		{"", abi.ICMP6_ECHO_REPLY, true},
	} {
		var out, warned bytes.Buffer
		s := fake(flags(c.flags), &out)
		s.env.Stderr = &warned
		p := received(s, s.pkt.build(0, 0))
		p.Data[0], p.Control = c.typ, nil
		s.take(p)
		if warns := warned.String() == "ping6: failed to get receiving hop limit\n"; warns != c.warns || out.Len() > 0 || !warns && warned.Len() > 0 {
			t.Errorf("%q, type %d: stdout %q, stderr %q", c.flags, c.typ, out.String(), warned.String())
		}
	}
}
