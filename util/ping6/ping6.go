// Package ping6 is ping6(8): it sends ICMPv6 echo requests, or queries of node information (RFC 4620), from the kernel and tells of the
// answers.
//
// Package echo has the pace, and calls session.send and session.take: start reading there. socket.go sets up the socket, packet.go makes and
// reads packets, nodeinfo.go is about queries, icmp6.go and exthdr.go word other messages and extension headers.
package ping6

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

func run(ctx context.Context, env *util.Env) int {
	o, status := parse(ctx, env)
	if o == nil {
		return status
	}
	s, err := newSession(ctx, env, o)
	if err != nil {
		return env.Errx("%s", util.ErrorText(err))
	}
	n := len(s.pkt.buf)
	fmt.Fprintf(env.Stdout, "PING6(%d=40+8+%d bytes) %s --> %s\n", 40+n, n-8, s.name.Host(s.from), s.name.Host(s.to))
	s.Run(ctx, env.Proc.Sys(), s.fd)
	s.summary()
	if s.Received == 0 || s.count > 0 && !o.has('o') && s.Received != s.count {
		return util.ExitFailure
	}
	return util.ExitOK
}

// session is one run.
type session struct {
	env *util.Env
	*options
	echo.Exchange
	name    routing.Namer
	fd      int
	from    []byte // the sockaddr that packets have as their source
	to      []byte // the sockaddr to send to
	control []byte // what is sent with each packet
	pkt     packet
	begin   time.Time // what timestamps in packets count from
	jiggle  echo.Jiggle
}

// newSession opens the socket and sets its options.
func newSession(ctx context.Context, env *util.Env, o *options) (*session, error) {
	s := &session{env: env, options: o, begin: time.Now(), name: routing.Namer{Ctx: ctx, Numeric: !o.has('H')}}
	s.jiggle.Out = env.Stdout
	var random [10]byte
	rand.Read(random[:]) //nolint:errcheck // never fails
	if err := s.address(); err != nil {
		return nil, err
	}
	s.pkt.init(o, binary.BigEndian.Uint16(random[:]), [8]byte(random[2:]))
	size := o.size + icmpHeader
	if o.has('v') || o.query != queryNone {
		size = max(size, 2048+icmpHeader)
	}
	s.Exchange = echo.Exchange{
		Count: o.count, Preload: o.preload, Interval: o.interval, Deadline: o.deadline, Patience: o.maxwait,
		Flood: o.has('f'), Once: o.has('o'), Size: size, Control: controlSize, Send: s.send, Take: s.take, Flush: env.Flush,
	}
	return s, s.open(ctx)
}

// controlSize is room for the control messages of a packet.
const controlSize = 1024

// send sends one packet.
func (s *session) send(seq uint16, now time.Time) {
	b := s.pkt.build(seq, now.Sub(s.begin))
	n, err := s.env.Proc.Sys().Sendmsg(s.fd, &client.Message{Addr: s.to, Bufs: [][]byte{b}, Control: s.control}, 0)
	if err != nil {
		n = -1
	}
	if n != len(b) {
		s.jiggle.Flush(true)
		if err != nil {
			s.env.Warn(err, "sendmsg")
		}
		fmt.Fprintf(s.env.Stdout, "ping6: wrote %s %d chars, ret=%d\n", s.host, len(b), n)
	}
	if s.has('f') && !s.has('q') {
		s.jiggle.Add(1, now)
	}
}

// arrival is a packet that was received, with its control messages.
type arrival struct {
	*echo.Packet
	hops int    // the hop limit
	dst  []byte // the sockaddr that it was sent to
}

// take takes a packet that was received.
func (s *session) take(p *echo.Packet) {
	if p.Err != nil {
		s.jiggle.Flush(true)
		s.env.Warn(p.Err, "recvmsg")
		return
	}
	if len(p.Data) == 0 {
		s.pathMTU(p.Control)
		return
	}
	if sockaddr.Family(p.From) != abi.AF_INET6 {
		s.verbosely("invalid peername")
		return
	}
	if len(p.Data) < icmpHeader {
		s.verbosely("packet too short (%d bytes) from %s", len(p.Data), s.name.Host(p.From))
		return
	}
	hops, ok := cmsg.Find(p.Control, abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, 4)
	if !ok {
		s.lacks(p, "hop limit")
		return
	}
	info, ok := cmsg.Find(p.Control, abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, abi.SizeofIn6Pktinfo)
	if !ok {
		s.lacks(p, "packet information")
		return
	}
	s.message(&arrival{p, int(int32(binary.LittleEndian.Uint32(hops))), sockaddrOf(info)})
}

// lacks complains of an answer without a control message. Other packets lack them where they came before the options of the socket were set.
func (s *session) lacks(p *echo.Packet, what string) {
	switch b := p.Data; {
	case b[0] == abi.ICMP6_ECHO_REPLY && s.pkt.echoed(b), b[0] == abi.ICMP6_NI_REPLY && s.pkt.replied(b):
		s.env.Warnx("failed to get receiving %s", what)
	default:
		s.verbosely("failed to get receiving %s", what)
	}
}

// verbosely complains with -v.
func (s *session) verbosely(format string, args ...any) {
	if s.has('v') {
		s.env.Warnx(format, args...)
	}
}

// sockaddrOf is the address of a struct in6_pktinfo.
func sockaddrOf(info []byte) []byte {
	sa := make([]byte, abi.SizeofSockaddrIn6)
	sa[0], sa[1] = abi.SizeofSockaddrIn6, abi.AF_INET6
	copy(sa[8:24], info[:16])
	copy(sa[24:], info[16:20])
	return sa
}

// message takes an ICMPv6 message: an answer, or another.
func (s *session) message(p *arrival) {
	var text string
	switch {
	case p.Data[0] == abi.ICMP6_ECHO_REPLY && s.pkt.echoed(p.Data):
		text = s.answer(p)
	case p.Data[0] == abi.ICMP6_NI_REPLY && s.pkt.replied(p.Data):
		text = s.nodeAnswer(p)
	case s.has('v'):
		text = fmt.Sprintf("%d bytes from %s: %s", len(p.Data), s.name.Host(p.From), describe(p.Data))
	}
	if text == "" {
		return
	}
	s.jiggle.Flush(true)
	fmt.Fprintln(s.env.Stdout, text)
	if s.has('v') {
		fmt.Fprint(s.env.Stdout, extensions(p.Control))
	}
}

// answer takes the answer to an echo of ours. The text is empty where nothing is to be told.
func (s *session) answer(p *arrival) string {
	seq := binary.BigEndian.Uint16(p.Data[6:])
	trip, timed := s.pkt.trip(p.Data, p.At.Sub(s.begin))
	if timed {
		if s.maxwait > 0 && trip > s.maxwait {
			return ""
		}
		s.Times.Add(trip)
	}
	dup := s.Answered(seq, p.At)
	fault := s.pkt.fault(p.Data)
	switch {
	case s.has('q'):
		return ""
	case s.has('f') && fault == "":
		s.jiggle.Add(-1, p.At)
		return ""
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d bytes from %s, icmp_seq=%d hlim=%d", len(p.Data), s.name.Host(p.From), seq, p.hops)
	if s.has('v') {
		fmt.Fprintf(&text, " dst=%s", s.name.Host(p.dst))
	}
	if timed {
		fmt.Fprintf(&text, " time=%.3f ms", echo.Milliseconds(trip))
	}
	if dup {
		text.WriteString("(DUP!)")
	}
	return text.String() + fault
}

// nodeAnswer takes the answer to a query of ours.
func (s *session) nodeAnswer(p *arrival) string {
	s.Answered(binary.BigEndian.Uint16(p.Data[8:]), p.At)
	if s.has('q') {
		return ""
	}
	return fmt.Sprintf("%d bytes from %s: %s", len(p.Data), s.name.Host(p.From), nodeInfo(p.Data, s.has('v')))
}

// pathMTU tells with -v of a path MTU that the kernel has learnt.
func (s *session) pathMTU(control []byte) {
	data, ok := cmsg.Find(control, abi.IPPROTO_IPV6, abi.IPV6_PATHMTU, abi.SizeofIp6Mtuinfo)
	var info abi.Ip6Mtuinfo
	if !ok || info.Decode(data) != nil || !s.has('v') {
		return
	}
	sa := info.Addr.Append(nil)
	a, _, scope, _ := sockaddr.ParseInet(sa)
	_, _, own, _ := sockaddr.ParseInet(s.to)
	if a != s.target.WithZone("") || scope != 0 && own != 0 && scope != own {
		fmt.Fprintf(s.env.Stdout, "path MTU for %s is notified. (ignored)\n", s.name.Host(sa))
	} else if info.Mtu >= abi.IPV6_MMTU {
		fmt.Fprintf(s.env.Stdout, "new path MTU (%d) is notified\n", info.Mtu)
	}
}

// summary prints the statistics.
func (s *session) summary() {
	s.jiggle.Flush(true)
	out := s.env.Stdout
	fmt.Fprintf(out, "\n--- %s ping6 statistics ---\n%s", s.host, s.Counts())
	if s.Received == 0 || !s.pkt.timed {
		return
	}
	least, average, most, deviation := s.Times.Summary()
	fmt.Fprintf(out, "round-trip min/avg/max/std-dev = %.3f/%.3f/%.3f/%.3f ms\n", least, average, most, deviation)
}
