// Package ping is ping(8): it sends ICMP echo requests from the kernel and tells of the answers.
//
// Packets are received on a goroutine of their own (package echo); everything else happens in session.run. Start reading there; packet.go
// makes and reads packets, icmp.go words ICMP's other messages.
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
	s.run()
	s.summary()
	if s.received == 0 {
		return exitNothing
	}
	return util.ExitOK
}

// session is one run.
type session struct {
	ctx context.Context
	env *util.Env
	*options
	fd    int
	ident uint16
	to    []byte // the sockaddr to send to
	pkt   packet
	pace  echo.Pace
	begin time.Time // what timestamps in packets count from

	sent, received, repeats int
	seen                    echo.Seen
	times                   echo.Times
	firstTx, lastTx         time.Time
	firstRx, lastRx         time.Time
	caughtUp                bool // the last packet sent has been answered
	lastSeq                 uint16
	route                   string // the last recorded route
	jiggle                  jiggle
}

// newSession opens the socket and sets its options.
func newSession(ctx context.Context, env *util.Env, o *options) (*session, error) {
	s := &session{ctx: ctx, env: env, options: o, pace: echo.Pace{Interval: o.interval}, begin: time.Now(), lastSeq: 0xffff}
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
		return nil, fmt.Errorf("Cannot create socket: %s", util.ErrorText(err)) //nolint:staticcheck // ping's text
	}
	s.jiggle.out = env.Stdout
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

// run sends and receives until it is enough.
func (s *session) run() {
	done := make(chan struct{})
	packets := echo.Receive(s.env.Proc.Sys(), s.fd, s.size+maxHeaders, 0, done)
	defer func() {
		close(done)
		s.env.Proc.Sys().Shutdown(s.fd, abi.SHUT_RD) //nolint:errcheck // it only ends the receiver
	}()
	for range s.preload {
		s.send()
	}
	for !s.enough() {
		wait, stop := s.sendDue()
		if stop || s.env.Flush() != nil {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case p, ok := <-packets:
			if !ok {
				return
			}
			s.take(&p)
		case <-timer.C:
		case <-s.ctx.Done():
			return
		}
		timer.Stop()
	}
}

// enough says whether all answers that were asked for have come.
func (s *session) enough() bool {
	return s.count > 0 && s.received >= s.count || s.received > 0 && s.has('o')
}

// sendDue sends the packet that is due, and says how long to wait for the next, or for the last answers: twice as long as the slowest
// took, at least ten intervals.
func (s *session) sendDue() (wait time.Duration, stop bool) {
	left := time.Duration(1<<63 - 1)
	if s.maxwait > 0 {
		left = s.maxwait - time.Since(s.begin)
	}
	if left <= 0 {
		return 0, true
	}
	if s.count == 0 || s.sent < s.count {
		if s.pace.Due(time.Now()) || s.caughtUp && s.has('f') {
			s.send()
		}
		return min(max(time.Until(s.pace.Next()), 0), left), false
	}
	wait = max(2*s.times.Most(), 10*s.interval) - time.Since(s.lastTx)
	return min(wait, left), wait <= 0
}

// send sends one packet.
func (s *session) send() {
	now := time.Now()
	seq := uint16(s.sent)
	s.seen.Clear(seq)
	b := s.pkt.build(seq, now.Sub(s.begin))
	n, err := s.env.Proc.Sys().Sendto(s.fd, b, 0, s.to)
	if err != nil || n != len(b) {
		s.jiggle.flush(true)
		if err != nil {
			s.env.Warn(err, "sendto")
		} else {
			s.env.Warnx("wrote %s %d chars, ret=%d", s.host, len(b), n)
		}
	}
	s.caughtUp = false
	s.sent++
	s.lastTx = now
	if s.firstTx.IsZero() {
		s.firstTx = now
	}
	s.pace.Sent(now)
	if s.has('f') {
		s.jiggleBy(1)
	}
}

// take takes a packet that was received.
func (s *session) take(p *echo.Packet) {
	if p.Err != nil {
		s.jiggle.flush(true)
		s.env.Warn(p.Err, "recvfrom")
		return
	}
	from, _, _, _ := sockaddr.ParseInet(p.From)
	m, ok := parseMessage(p.Data)
	if !ok {
		if s.has('v') {
			s.jiggle.flush(true)
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
	s.caughtUp = s.caughtUp || m.seq == uint16(s.sent-1)
	s.lastRx = at
	if s.firstRx.IsZero() {
		s.firstRx = at
	}
	trip, timed := s.pkt.trip(m.data, at.Sub(s.begin))
	if timed {
		s.times.Add(trip)
	}
	dup := s.seen.Mark(m.seq)
	if dup {
		s.repeats++
	} else {
		s.received++
		s.gap(m.seq)
	}
	if s.has('q') {
		return
	}
	faults := s.faults(m)
	if s.has('f') && faults == "" {
		s.jiggleBy(-1)
		return
	}
	s.jiggle.flush(true)
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
	s.jiggle.flush(true)
	out := s.env.Stdout
	fmt.Fprintf(out, "\n----%s PING Statistics----\n", s.host)
	fmt.Fprintf(out, "%d packets transmitted, %d packets received, ", s.sent, s.received)
	if s.repeats > 0 {
		fmt.Fprintf(out, "+%d duplicates, ", s.repeats)
	}
	switch {
	case s.sent == 0:
	case s.received > s.sent:
		fmt.Fprint(out, "-- somebody's duplicating packets!")
	default:
		fmt.Fprintf(out, "%.1f%% packet loss", float64(s.sent-s.received)*100/float64(s.sent))
	}
	fmt.Fprintln(out)
	if s.received == 0 || s.pkt.stamp == 0 {
		return
	}
	prec := s.pkt.precision()
	least, average, most, deviation := s.times.Summary()
	fmt.Fprintf(out, "round-trip min/avg/max/stddev = %.*f/%.*f/%.*f/%.*f ms\n", prec, least, prec, average, prec, most, prec, deviation)
	if s.has('f') {
		fmt.Fprintf(out, "  %.1f packets/sec sent,  %.1f packets/sec received\n",
			rate(s.sent, s.lastTx.Sub(s.firstTx)), rate(s.received, s.lastRx.Sub(s.firstRx)))
	}
}

func rate(n int, d time.Duration) float64 { return float64(n) / max(d.Seconds(), 0.0001) }
