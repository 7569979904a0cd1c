package ping

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

const (
	ipHeader   = 20
	icmpHeader = 8
	maxOptions = 40
	// maxHeaders is room for the headers of an answer, and of the packet that an error message quotes.
	maxHeaders = 60 + 76
)

// packet makes the packets that are sent, IP header included: the kernel fills in their lengths in its own byte order, as IP_HDRINCL
// has it, identification and checksum.
type packet struct {
	buf    []byte
	icmp   []byte // the part of buf from the ICMP header on
	stamp  int    // bytes of the timestamp in the data: 16, 8 or none
	random bool
}

func (k *packet) init(o *options, ident uint16) {
	opts := ipOptions(o)
	k.buf = make([]byte, ipHeader+len(opts)+icmpHeader+o.size)
	ip := k.buf
	ip[0] = 4<<4 | byte((ipHeader+len(opts))/4)
	ip[1] = byte(o.tos)
	binary.LittleEndian.PutUint16(ip[2:], uint16(len(k.buf)))
	if o.has('D') {
		binary.LittleEndian.PutUint16(ip[6:], abi.IP_DF)
	}
	ip[8], ip[9] = abi.MAXTTL, abi.IPPROTO_ICMP
	if o.ttl != 0 {
		ip[8] = byte(o.ttl)
	}
	if o.source.IsValid() {
		copy(ip[12:], o.source.AsSlice())
	}
	dst := o.target
	if o.gateway.IsValid() {
		dst = o.gateway
	}
	copy(ip[16:], dst.AsSlice())
	copy(ip[ipHeader:], opts)
	k.icmp = k.buf[ipHeader+len(opts):]
	k.icmp[0] = abi.ICMP_ECHO
	binary.BigEndian.PutUint16(k.icmp[4:], ident)
	switch {
	case !o.has('C') && o.size >= 16:
		k.stamp = 16
	case o.size >= 8:
		k.stamp = 8
	}
	k.random = o.has('P')
	data := k.icmp[icmpHeader:]
	for i := range data {
		data[i] = byte(i)
		if o.pattern != nil && i >= k.stamp {
			data[i] = o.pattern[(i-k.stamp)%len(o.pattern)]
		}
	}
}

// ipOptions are loose source routing by a gateway and recording of the route.
func ipOptions(o *options) []byte {
	var b []byte
	if o.gateway.IsValid() {
		b = append([]byte{abi.IPOPT_LSRR, 7, abi.IPOPT_MINOFF}, o.target.AsSlice()...)
		b = append(b, abi.IPOPT_NOP)
	}
	if o.has('R') {
		rest := maxOptions - len(b)
		rr := make([]byte, rest)
		rr[0], rr[1], rr[2] = abi.IPOPT_RR, byte(rest-1), abi.IPOPT_MINOFF
		b = append(b, rr...)
	}
	return b
}

// build makes the packet of a number, with the time that has passed. It is valid until the next.
func (k *packet) build(seq uint16, passed time.Duration) []byte {
	binary.BigEndian.PutUint16(k.icmp[6:], seq)
	data := k.icmp[icmpHeader:]
	if k.random {
		rand.Read(data[k.stamp:]) //nolint:errcheck // never fails
	}
	switch k.stamp {
	case 16:
		binary.LittleEndian.PutUint64(data, uint64(passed/time.Second))
		binary.LittleEndian.PutUint64(data[8:], uint64(passed%time.Second))
	case 8:
		binary.BigEndian.PutUint32(data, uint32(passed/time.Second))
		binary.BigEndian.PutUint32(data[4:], uint32(passed%time.Second/time.Microsecond))
	}
	k.icmp[2], k.icmp[3] = 0, 0
	binary.BigEndian.PutUint16(k.icmp[2:], echo.Checksum(k.icmp))
	return k.buf
}

// precision is how many digits of milliseconds a timestamp carries.
func (k *packet) precision() int {
	if k.stamp == 16 {
		return 6
	}
	return 3
}

// trip is how long an answer took, by the timestamp in it.
func (k *packet) trip(data []byte, passed time.Duration) (time.Duration, bool) {
	if k.stamp == 0 || len(data) < k.stamp {
		return 0, false
	}
	var sent time.Duration
	if k.stamp == 16 {
		sent = time.Duration(binary.LittleEndian.Uint64(data))*time.Second + time.Duration(binary.LittleEndian.Uint64(data[8:]))
	} else {
		sent = time.Duration(binary.BigEndian.Uint32(data))*time.Second +
			time.Duration(binary.BigEndian.Uint32(data[4:]))*time.Microsecond
	}
	return max(passed-sent, 0), true
}

// message is an ICMP message that was received.
type message struct {
	ttl        byte
	options    []byte // of the IP header
	typ, code  byte
	ident, seq uint16 // of an echo
	rest       []byte // 4 bytes after the checksum
	data       []byte // after the ICMP header
	length     int    // of the message
	total      int    // with the IP header
}

// parseMessage reads an IP packet with an ICMP message in it.
func parseMessage(b []byte) (m message, ok bool) {
	if len(b) < ipHeader {
		return m, false
	}
	hlen := int(b[0]&0xf) * 4
	if hlen < ipHeader || len(b) < hlen+icmpHeader {
		return m, false
	}
	icmp := b[hlen:]
	return message{
		ttl: b[8], options: b[ipHeader:hlen],
		typ: icmp[0], code: icmp[1],
		ident: binary.BigEndian.Uint16(icmp[4:]), seq: binary.BigEndian.Uint16(icmp[6:]),
		rest: icmp[4:8], data: icmp[icmpHeader:],
		length: len(icmp), total: len(b),
	}, true
}

// faults says what is wrong with an answer: its length, or its data.
func (s *session) faults(m *message) string {
	var text strings.Builder
	if m.total != len(s.pkt.buf) {
		switch missing := len(s.pkt.buf) - m.total; {
		case missing == maxOptions && s.has('R'):
			text.WriteString("\nremote host does not support record route")
		case missing == 8 && s.gateway.IsValid():
			text.WriteString("\nremote host does not support source route")
		default:
			fmt.Fprintf(&text, "\nwrong total length %d instead of %d", m.total, len(s.pkt.buf))
		}
	}
	want := s.pkt.icmp[icmpHeader:]
	if s.has('P') || len(m.data) < len(want) || bytes.Equal(m.data[s.pkt.stamp:len(want)], want[s.pkt.stamp:]) {
		return text.String()
	}
	at := s.pkt.stamp
	for m.data[at] == want[at] {
		at++
	}
	fmt.Fprintf(&text, "\nwrong data byte #%d should have been %#x but was %#x", at-s.pkt.stamp, want[at], m.data[at])
	for i := s.pkt.stamp; i < len(want); i++ {
		if i%16 == 0 {
			text.WriteString("\n\t")
		}
		fmt.Fprintf(&text, "%2x ", m.data[i])
	}
	return text.String()
}

// optionsText is what the IP options of a packet say: the route that was recorded or taken.
func (s *session) optionsText(m *message) string {
	var text strings.Builder
	for o := m.options; len(o) > 0; {
		switch o[0] {
		case abi.IPOPT_EOL:
			return text.String()
		case abi.IPOPT_NOP:
			o = o[1:]
			continue
		}
		if len(o) < 3 || int(o[1]) < 3 || int(o[1]) > len(o) {
			fmt.Fprintf(&text, "\nunknown option %#x", o[0])
			return text.String()
		}
		body := o[:o[1]]
		o = o[o[1]:]
		switch body[0] {
		case abi.IPOPT_RR:
			text.WriteString(s.recorded(body))
		case abi.IPOPT_LSRR, abi.IPOPT_SSRR:
		default:
			fmt.Fprintf(&text, "\nunknown option %#x", body[0])
		}
	}
	return text.String()
}

// recorded is a recorded route, or that it is the same as the last one.
func (s *session) recorded(option []byte) string {
	n := min(int(option[2])-1, len(option))
	var hops []string
	for i := 3; i+4 <= n; i += 4 {
		hops = append(hops, s.name(netip.AddrFrom4([4]byte(option[i:i+4]))))
	}
	if len(hops) == 0 {
		return ""
	}
	text := "\nRR: " + strings.Join(hops, "\n")
	if text == s.route {
		return "\t(same route)"
	}
	s.route = text
	return text
}

// name is a host's name and number, or the number alone with -n or for want of a name.
func (s *session) name(a netip.Addr) string {
	name := hostaddr.Name(s.ctx, a, s.has('n'))
	if name == a.String() {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, a)
}
