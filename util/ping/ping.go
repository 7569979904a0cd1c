// Package ping is ping(8): it sends ICMP echo requests from the kernel and tells of the answers.
//
// Package echo has the pace, and calls session.send and session.take: start reading there. packet.go makes and reads packets, icmp.go
// words ICMP's other messages.
package ping

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// exitNothing is the status when there was no answer.
const exitNothing = 2

func run(ctx context.Context, env *util.Env) int {
	o, status := parse(ctx, env)
	if o == nil {
		return status
	}
	s, err := newSession(ctx, env, o)
	if err != nil {
		return env.Errx("%v", err)
	}
	fmt.Fprintf(env.Stdout, "PING %s (%s): %d data bytes\n", o.host, o.target, o.size)
	s.Run(ctx, env.Proc.Sys(), s.fd)
	s.summary()
	if s.Received == 0 {
		return exitNothing
	}
	return util.ExitOK
}

// session is one run.
type session struct {
	ctx context.Context
	env *util.Env
	*options
	echo.Exchange
	fd      int
	ident   uint16
	to      []byte // the sockaddr to send to
	pkt     packet
	begin   time.Time // what timestamps in packets count from
	lastSeq uint16
	route   string // the last recorded route
	jiggle  echo.Jiggle
}

// newSession opens the socket and sets its options.
func newSession(ctx context.Context, env *util.Env, o *options) (*session, error) {
	s := &session{ctx: ctx, env: env, options: o, begin: time.Now(), lastSeq: 0xffff}
	s.Exchange = echo.Exchange{
		Count: o.count, Preload: o.preload, Interval: o.interval, Deadline: o.maxwait, Flood: o.has('f'), Once: o.has('o'),
		Size: o.size + maxHeaders, Send: s.send, Take: s.take, Flush: env.Flush,
	}
	var id [2]byte
	rand.Read(id[:]) //nolint:errcheck // never fails
	s.ident = binary.BigEndian.Uint16(id[:])
	via := o.target
	if o.gateway.IsValid() {
		via = o.gateway
	}
	s.to = sockaddr.Inet(via, 0, 0)
	var err error
	if s.fd, err = env.Proc.Sys().Socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP); err != nil {
		return nil, util.Messagef("Cannot create socket: %s", util.ErrorText(err))
	}
	s.jiggle.Out = env.Stdout
	if o.has('a') && o.has('f') {
		env.Warnx("Sorry, no audible output for flood pings")
	}
	s.pkt.init(o, s.ident)
	return s, s.setOptions()
}

// bufferSize is at least what is asked for to receive with: room for the answers to a broadcast.
const bufferSize = 48 << 10

// setOptions sets the socket's options.
func (s *session) setOptions() error {
	sys := s.env.Proc.Sys()
	set := func(level, name, v int) func() error {
		return func() error { return sys.SetsockoptInt(s.fd, level, name, v) }
	}
	one := func(name, v int) func() error {
		return func() error { return sys.Setsockopt(s.fd, abi.IPPROTO_IP, name, []byte{byte(v)}) }
	}
	multicast := s.target.IsMulticast()
	for _, opt := range []struct {
		on   bool
		set  func() error
		what string
	}{
		{true, set(abi.IPPROTO_IP, abi.IP_HDRINCL, 1), "Can't set special IP header"},
		{s.has('d'), set(abi.SOL_SOCKET, abi.SO_DEBUG, 1), "Can't turn on socket debugging"},
		{s.has('r'), set(abi.SOL_SOCKET, abi.SO_DONTROUTE, 1), "SO_DONTROUTE"},
		{multicast && s.has('L'), one(abi.IP_MULTICAST_LOOP, 0), "Can't disable multicast loopback"},
		{multicast && s.ttl != 0, one(abi.IP_MULTICAST_TTL, s.ttl), "Can't set multicast time-to-live"},
		{s.source.IsValid(), func() error {
			return sys.Setsockopt(s.fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, s.source.AsSlice())
		}, "Can't set source interface/address"},
		{true, set(abi.SOL_SOCKET, abi.SO_RCVBUF, max(bufferSize, 2*(s.size+maxHeaders))), "Cannot set the receive buffer size"},
		{s.size > 8<<10, set(abi.SOL_SOCKET, abi.SO_SNDBUF, 2*maxData), "Cannot set the send buffer size"},
	} {
		if !opt.on {
			continue
		}
		if err := opt.set(); err != nil {
			return fmt.Errorf("%s: %s", opt.what, util.ErrorText(err))
		}
	}
	return nil
}

// send sends one packet.
func (s *session) send(seq uint16, now time.Time) {
	b := s.pkt.build(seq, now.Sub(s.begin))
	n, err := s.env.Proc.Sys().Sendto(s.fd, b, 0, s.to)
	if err != nil || n != len(b) {
		s.jiggle.Flush(true)
		if err != nil {
			s.env.Warn(err, "sendto")
		} else {
			s.env.Warnx("wrote %s %d chars, ret=%d", s.host, len(b), n)
		}
	}
	if s.has('f') && !s.has('q') {
		s.jiggle.Add(1, now)
	}
}

// take takes a packet that was received.
func (s *session) take(p *echo.Packet) {
	if p.Err != nil {
		s.jiggle.Flush(true)
		s.env.Warn(p.Err, "recvfrom")
		return
	}
	from, _, _, _ := sockaddr.ParseInet(p.From)
	m, ok := parseMessage(p.Data)
	if !ok {
		if s.has('v') {
			s.jiggle.Flush(true)
			fmt.Fprintf(s.env.Stdout, "packet too short (%d bytes) from %s\n", len(p.Data), from)
		}
		return
	}
	if m.typ == abi.ICMP_ECHOREPLY && m.ident == s.ident {
		s.answer(&m, from, p.At)
		return
	}
	s.other(&m, from)
}

// answer takes an answer to one of ours.
func (s *session) answer(m *message, from netip.Addr, at time.Time) {
	trip, timed := s.pkt.trip(m.data, at.Sub(s.begin))
	if timed {
		s.Times.Add(trip)
	}
	dup := s.Answered(m.seq, at)
	if !dup {
		s.gap(m.seq)
	}
	if s.has('q') {
		return
	}
	faults := s.faults(m)
	if s.has('f') && faults == "" {
		s.jiggle.Add(-1, at)
		return
	}
	s.jiggle.Flush(true)
	out := s.env.Stdout
	fmt.Fprintf(out, "%d bytes from %s: icmp_seq=%d", m.length, from, m.seq)
	if dup {
		fmt.Fprint(out, " DUP!")
	}
	fmt.Fprintf(out, " ttl=%d", m.ttl)
	if timed {
		fmt.Fprintf(out, " time=%.*f ms", s.pkt.precision(), echo.Milliseconds(trip))
	}
	fmt.Fprintf(out, "%s%s\n", faults, s.optionsText(m))
	if s.has('a') && !dup && !s.has('f') {
		fmt.Fprint(s.env.Stderr, "\a")
	}
}

// gap tells with -v of packets that were passed over.
func (s *session) gap(seq uint16) {
	gap := seq - (s.lastSeq + 1)
	if gap > 0 && gap < 0x8000 && s.has('v') {
		fmt.Fprintf(s.env.Stdout, "[*** sequence gap of %d packets from %d ... %d ***]\n", gap, s.lastSeq+1, seq-1)
	}
	if gap < 0x8000 {
		s.lastSeq = seq
	}
}

// summary prints the statistics.
func (s *session) summary() {
	s.jiggle.Flush(true)
	out := s.env.Stdout
	fmt.Fprintf(out, "\n----%s PING Statistics----\n", s.host)
	fmt.Fprint(out, s.Counts())
	if s.Received == 0 || s.pkt.stamp == 0 {
		return
	}
	prec := s.pkt.precision()
	least, average, most, deviation := s.Times.Summary()
	fmt.Fprintf(out, "round-trip min/avg/max/stddev = %.*f/%.*f/%.*f/%.*f ms\n", prec, least, prec, average, prec, most, prec, deviation)
	if s.has('f') {
		sent, received := s.Rates()
		fmt.Fprintf(out, "  %.1f packets/sec sent,  %.1f packets/sec received\n", sent, received)
	}
}
