package traceroute

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// fake4 is a prober without a kernel.
func fake4(letters string) *probe4 {
	o := &options{first: 1, max: 30, probes: 3, port: defaultPort, target: netip.MustParseAddr("10.9.8.7"), host: "10.9.8.7"}
	for _, c := range letters + "n" {
		o.on[c] = true
	}
	if err := o.setSize(nil); err != nil {
		panic(err)
	}
	env := &util.Env{Args: []string{"traceroute"}, Stdout: io.Discard, Stderr: io.Discard}
	k := &probe4{trace: &trace{ctx: context.Background(), env: env, options: o}, ident: 0x8765, source: netip.MustParseAddr("10.1.1.2")}
	k.build()
	return k
}

// answer4 is an ICMP error about a packet, from 10.1.1.1.
func answer4(typ, code byte, rest uint16, about []byte) *echo.Packet {
	b := make([]byte, 28, 28+len(about))
	b[0], b[8], b[9] = 0x45, 255, abi.IPPROTO_ICMP
	copy(b[12:], []byte{10, 1, 1, 1, 10, 1, 1, 2})
	b[20], b[21] = typ, code
	binary.BigEndian.PutUint16(b[26:], rest)
	return &echo.Packet{Data: append(b, about...), From: sockaddr.Inet(netip.MustParseAddr("10.1.1.1"), 0, 0)}
}

// Oracle: traceroute(8)'s marks, for the codes of RFC 792 and RFC 1812.
func TestMarks(t *testing.T) {
	for _, c := range []struct {
		typ, code byte
		rest      uint16
		want      string
		arrived   bool
	}{
		{abi.ICMP_TIMXCEED, 0, 0, "", false}, {abi.ICMP_UNREACH, 3, 0, "", true}, {abi.ICMP_UNREACH, 2, 0, " !P", true},
		{abi.ICMP_UNREACH, 0, 0, " !N", false}, {abi.ICMP_UNREACH, 1, 0, " !H", false}, {abi.ICMP_UNREACH, 4, 576, " !F-576", false},
		{abi.ICMP_UNREACH, 5, 0, " !S", false}, {abi.ICMP_UNREACH, 13, 0, " !X", false}, {abi.ICMP_UNREACH, 9, 0, " !<9>", false},
	} {
		for _, letters := range []string{"", "I"} {
			k := fake4(letters)
			k.finish(7, 3, time.Unix(1, 2000))
			r, ok := k.examine(answer4(c.typ, c.code, c.rest, k.pkt), 7)
			if !ok || r.annotation != c.want || r.arrived != c.arrived {
				t.Errorf("-%s %d/%d: %q, arrived %v, %v", letters, c.typ, c.code, r.annotation, r.arrived, ok)
			}
			if _, ok := k.examine(answer4(c.typ, c.code, c.rest, k.pkt), 8); ok {
				t.Errorf("-%s %d/%d: taken for the next probe's answer", letters, c.typ, c.code)
			}
		}
	}
}

// Oracle: traceroute(8): "!" is an answer whose time to live has just sufficed.
func TestBarely(t *testing.T) {
	k := fake4("")
	k.finish(1, 1, time.Now())
	p := answer4(abi.ICMP_UNREACH, abi.ICMP_UNREACH_PORT, 0, k.pkt)
	p.Data[8] = 1
	if r, ok := k.examine(p, 1); !ok || r.annotation != " !" {
		t.Errorf("%q, %v", r.annotation, ok)
	}
}

// Oracle: RFC 791, loose source routing: the header's destination is the first gateway, the list ends with the target; the checksum of
// RFC 768 is that with the target.
func TestSourceRoute(t *testing.T) {
	k := fake4("")
	k.gateways = []netip.Addr{netip.MustParseAddr("10.1.1.1"), netip.MustParseAddr("10.2.2.1")}
	if err := k.setSize(nil); err != nil {
		t.Fatal(err)
	}
	k.build()
	k.finish(1, 5, time.Now())
	want := []byte{10, 1, 1, 1, 1, 0x83, 11, 4, 10, 2, 2, 1, 10, 9, 8, 7}
	if k.pkt[0] != 0x48 || !bytes.Equal(k.pkt[16:32], want) || len(k.pkt) != 52 {
		t.Errorf("% x", k.pkt)
	}
	pseudo := append([]byte{10, 1, 1, 2, 10, 9, 8, 7, 0, abi.IPPROTO_UDP, 0, 20}, k.pkt[32:]...)
	if echo.Checksum(pseudo) != 0 {
		t.Error("the checksum is wrong")
	}
}

// Oracle: RFC 1191: where a router does not say the MTU of its link, the next of the usual ones is tried.
func TestPlateaus(t *testing.T) {
	k := fake4("P")
	for _, c := range []struct {
		mtu  uint16
		size int
		text string
	}{
		{0, 8166, "\nfragmentation required and DF set. Trying new MTU = 8166\n"},
		{1400, 1400, "\nfragmentation required and DF set, next hop MTU = 1400\n"},
		{1500, 1280, "\nfragmentation required and DF set. \nBogus next hop MTU = 1500 > last MTU = 1400. Trying new MTU = 1280\n"},
		{68, 68, "\nfragmentation required and DF set, next hop MTU = 68\n"},
		{68, 68, ""},
	} {
		k.finish(1, 1, time.Now())
		r, ok := k.examine(answer4(abi.ICMP_UNREACH, abi.ICMP_UNREACH_NEEDFRAG, c.mtu, k.pkt[:28]), 1)
		if !ok || r.anew != c.text || len(k.pkt) != c.size || (r.mark == "") != (c.text != "") {
			t.Errorf("MTU %d: %q, %d, %q", c.mtu, r.anew, len(k.pkt), r.mark)
		}
	}
}

// Oracle: RFC 4884 and RFC 4950: a label stack after 128 bytes of the packet.
func TestLabels(t *testing.T) {
	icmp := make([]byte, extensionsAt)
	icmp = append(icmp, 0x20, 0, 0, 0, 0, 12, 1, 1, 0x00, 0x06, 0x4a, 0x01, 0x00, 0x0c, 0x81, 0x01)
	want := " [MPLS: Label 100 Exp 5] [MPLS: Label 200 Exp 0]"
	if got := labels(icmp); got != want {
		t.Errorf("%q", got)
	}
	binary.BigEndian.PutUint16(icmp[extensionsAt+2:], echo.Checksum(icmp[extensionsAt:]))
	if got := labels(icmp); got != want {
		t.Errorf("with a checksum: %q", got)
	}
	icmp[extensionsAt+9] ^= 1
	if got := labels(icmp); got != "" {
		t.Errorf("with a wrong checksum: %q", got)
	}
}

// Oracle: traceroute(8): -v tells of other packets.
func TestVerbose(t *testing.T) {
	k := fake4("")
	if got := k.verbose(answer4(abi.ICMP_ECHO, 0, 5, []byte{1, 2, 3, 4})); got != "\n12 bytes from 10.1.1.1 to 10.1.1.2: icmp type 8 (Echo) code 0\n 4: x01020304\n" {
		t.Errorf("%q", got)
	}
	if got := k.verbose(&echo.Packet{Data: []byte{0x45}, From: sockaddr.Inet(k.target, 0, 0)}); got != "packet too short (1 bytes) from 10.9.8.7\n" {
		t.Errorf("%q", got)
	}
	if got := words([]byte{1, 2, 3}); got != "[ 3 bytes\n\t 0102 03]\n" {
		t.Errorf("%q", got)
	}
}

// fake6 is a prober without a kernel.
func fake6(letters string) *probe6 {
	o := &options{six: true, port: defaultPort, target: netip.MustParseAddr("2001:db8::1")}
	for _, c := range letters {
		o.on[c] = true
	}
	k := &probe6{trace: &trace{ctx: context.Background(), options: o}, ident: 0x8765}
	k.on['n'], k.name.Numeric = true, true
	return k
}

// Oracle: RFC 8200, section 4: an error quotes a packet with its extension headers.
func TestQuoted6(t *testing.T) {
	header := make([]byte, 40)
	udp := []byte{0x87, 0x65, 0x82, 0x9b, 0, 20, 0, 0}
	for _, c := range []struct {
		name string
		next byte
		rest []byte
		ok   bool
	}{
		{"UDP", abi.IPPROTO_UDP, udp, true},
		{"options", abi.IPPROTO_HOPOPTS, append([]byte{abi.IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0}, udp...), true},
		{"fragment, routing", abi.IPPROTO_FRAGMENT, append(append([]byte{abi.IPPROTO_ROUTING, 9, 0, 1, 0, 0, 0, 0},
			abi.IPPROTO_UDP, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), udp...), true},
		{"TCP", abi.IPPROTO_TCP, udp, false},
		{"cut", abi.IPPROTO_UDP, udp[:7], false},
		{"cut header", abi.IPPROTO_HOPOPTS, append([]byte{abi.IPPROTO_UDP, 1, 1, 4, 0, 0, 0, 0}, udp...), false},
	} {
		header[6] = c.next
		if got := fake6("").quotes(append(bytes.Clone(header), c.rest...), 1); got != c.ok {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Oracle: traceroute6(8).
func TestVerbose6(t *testing.T) {
	p := &echo.Packet{Data: []byte{128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, From: sockaddr.Inet(netip.MustParseAddr("::1"), 0, 0)}
	if got := fake6("").verbose(p); got != "\n13 bytes from ::1 to ?: icmp type 128 (Echo Request) code 0\n0000: 0708090a 0b\n" {
		t.Errorf("%q", got)
	}
}

// Oracle: as.c's protocol, that of IRRd: "A" and a length, objects, "C"; "D" for what is not there.
func TestASLookup(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	questions := make(chan string, 8)
	go func() {
		r := bufio.NewReader(server)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				close(questions)
				return
			}
			questions <- line
			switch {
			case strings.HasPrefix(line, "!r10."):
				text := "route:      10.0.0.0/8\norigin:     AS64512\norigin: AS1\n"
				fmt.Fprintf(server, "A%d\n%sC\n", len(text), text)
			case strings.HasPrefix(line, "!r"):
				io.WriteString(server, "D\n") //nolint:errcheck // a pipe
			}
		}
	}()
	s, err := newASServer(client)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]uint32{"10.1.1.1": 64512, "2001:db8::1": 0, "10.2.2.2": 64512} {
		if got := s.lookup(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is in AS%d, want %d", addr, got, want)
		}
	}
	s.close()
	if got := <-questions; got != "!!\n" {
		t.Errorf("the first question is %q", got)
	}
	for q := range questions {
		if q != "!r10.1.1.1/32,l\n" && q != "!r10.2.2.2/32,l\n" && q != "!r2001:db8::1/128,l\n" && q != "!q\n" {
			t.Errorf("question %q", q)
		}
	}
}

// FuzzExamine: whatever arrives is an answer, told or passed over.
func FuzzExamine(f *testing.F) {
	k := fake4("")
	k.finish(1, 1, time.Now())
	f.Add(answer4(abi.ICMP_TIMXCEED, 0, 0, k.pkt).Data, []byte{})
	hops := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_HOPLIMIT, Data: []byte{1, 0, 0, 0}}
	f.Add(append([]byte{3, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 40)...), hops.Append(nil))
	f.Fuzz(func(_ *testing.T, b, control []byte) {
		for _, k := range []prober{fake4("P"), fake4("Il"), fake6(""), fake6("I")} {
			p := &echo.Packet{Data: b, Control: control, From: sockaddr.Inet(netip.MustParseAddr("10.1.1.1"), 0, 0)}
			if r, ok := k.examine(p, 1); ok {
				k.host(&r)
			}
			k.verbose(p)
		}
		labels(b)
	})
}
