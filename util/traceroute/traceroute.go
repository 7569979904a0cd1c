// Package traceroute is traceroute(8) and traceroute6(8): they send probes whose time to live, or hop limit, is too short, and tell who
// answers that it is.
//
// Start reading at trace.run, which both share. What differs is a prober: probe4.go and probe6.go; options.go reads both command lines,
// mpls.go what routers append to their answers, aspath.go asks for the numbers of autonomous systems.
package traceroute

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// prober makes the probes of a protocol and reads what comes back.
type prober interface {
	// open makes the sockets. It returns the one to receive from.
	open() (fd int, err error)
	// heading is the first line.
	heading() string
	// send sends the probe of a number. The notice is to be printed; anew says that the line of the hop begins again after it.
	send(seq, ttl int) (notice string, anew bool)
	// examine says what a packet is about the probe of a number; verbose what to tell of it if it is nothing.
	examine(p *echo.Packet, seq int) (r reply, ok bool)
	verbose(p *echo.Packet) string
	// host words the host that a reply is from, milliseconds a time.
	host(r *reply) string
	milliseconds(d time.Duration) string
}

// reply is an answer to a probe.
type reply struct {
	from []byte // a struct sockaddr
	to   netip.Addr
	size int // of the ICMP message
	at   time.Time
	verdict
	annotation string // after the time
	anew       string // what to tell before the hop is probed again with smaller packets
	labels     string // of MPLS
}

// verdict is what an answer means.
type verdict struct {
	mark        string // "!H"
	arrived     bool
	unreachable bool
}

// text is the verdict as it stands after a time. An arrival at the very end of the answer's time to live is marked, too.
func (v verdict) text(ttl int) string {
	switch {
	case v.mark != "":
		return " " + v.mark
	case v.arrived && ttl <= 1:
		return " !"
	}
	return ""
}

// trace is one run.
type trace struct {
	ctx context.Context
	env *util.Env
	*options
	name    routing.Namer
	as      *asServer
	packets <-chan echo.Packet
	prober  prober
	seq     int
}

// start makes a trace of what the command line says.
func start(ctx context.Context, env *util.Env, o *options) int {
	t := &trace{ctx: ctx, env: env, options: o}
	t.name = routing.Namer{Ctx: ctx, Numeric: true, Interfaces: routing.Interfaces(env.Proc)}
	t.prober = &probe4{trace: t}
	if o.six {
		t.prober = &probe6{trace: t}
	}
	fd, err := t.prober.open()
	if err != nil {
		return env.Errx("%s", util.ErrorText(err))
	}
	if o.has('a') || o.asServer != "" {
		if t.as, err = dialAS(ctx, env, o.asServer); err != nil {
			env.Warnx("%v", err)
			env.Warnx("as_setup failed, AS# lookups disabled")
		} else {
			defer t.as.close()
		}
	}
	fmt.Fprint(env.Stderr, t.prober.heading())
	done := make(chan struct{})
	defer close(done)
	t.packets = echo.Receive(env.Proc.Sys(), fd, packetSize, controlSize, done)
	defer env.Proc.Sys().Shutdown(fd, abi.SHUT_RD) //nolint:errcheck // it only ends the receiver
	return t.run()
}

const (
	// packetSize is how much of an answer is looked at.
	packetSize = 512
	// controlSize is room for the control messages of a packet.
	controlSize = 256
)

// run probes one hop after the other.
func (t *trace) run() int {
	if t.six && t.first > 1 {
		fmt.Fprintf(t.env.Stdout, "Skipping %d intermediate hops\n", t.first-1)
	}
	for ttl := t.first; ttl <= t.max && t.ctx.Err() == nil; ttl++ {
		if t.hop(ttl) {
			break
		}
	}
	return util.ExitOK
}

// hop is what is known of one.
type hop struct {
	last        []byte // the sockaddr that is printed last
	arrived     bool
	unreachable int
}

// hop probes one. done says that there are no more.
func (t *trace) hop(ttl int) (done bool) {
	var h hop
	begun := false
	for probe := 0; probe < t.probes; probe++ {
		if probe > 0 && !t.sleep(t.pause) {
			break
		}
		t.number()
		notice, anew := t.prober.send(t.seq, ttl)
		sent := time.Now()
		fmt.Fprint(t.env.Stdout, notice)
		if !begun || anew {
			fmt.Fprintf(t.env.Stdout, "%2d ", ttl)
			begun = true
		}
		r, ok := t.wait(sent.Add(t.waittime))
		if t.ctx.Err() != nil {
			break
		}
		if !ok {
			fmt.Fprint(t.env.Stdout, " *")
			continue
		}
		t.report(&h, &r, sent)
		if r.anew != "" {
			fmt.Fprint(t.env.Stdout, r.anew)
			begun, probe = false, -1
		} else if t.has('M') && probe == t.probes-1 {
			fmt.Fprint(t.env.Stdout, r.labels)
		}
	}
	fmt.Fprintln(t.env.Stdout)
	return h.arrived || h.unreachable > 0 && h.unreachable >= (t.probes+1)/2
}

// sleep waits; it says whether the trace goes on.
func (t *trace) sleep(d time.Duration) bool {
	if d > 0 {
		select {
		case <-time.After(d):
		case <-t.ctx.Done():
		}
	}
	return t.ctx.Err() == nil
}

// number gives the next probe its number. No probe goes to port 0.
func (t *trace) number() {
	t.seq++
	if !t.has('I') && uint16(t.port+t.seq) == 0 {
		t.seq++
	}
}

// wait waits for the answer to the last probe.
func (t *trace) wait(until time.Time) (r reply, ok bool) {
	if t.env.Flush() != nil {
		return r, false
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		select {
		case p, open := <-t.packets:
			if !open {
				t.packets = nil // nothing more comes
				continue
			}
			if p.Err != nil {
				continue
			}
			if r, ok := t.prober.examine(&p, t.seq); ok {
				return r, true
			}
			if t.verbosity > 0 {
				fmt.Fprint(t.env.Stdout, t.prober.verbose(&p))
			}
		case <-timer.C:
			return r, false
		case <-t.ctx.Done():
			return r, false
		}
	}
}

// report prints an answer.
func (t *trace) report(h *hop, r *reply, sent time.Time) {
	if !bytes.Equal(r.from, h.last) {
		if h.last != nil && !t.six {
			fmt.Fprint(t.env.Stdout, "\n   ")
		}
		h.last = r.from
		fmt.Fprint(t.env.Stdout, t.asText(r)+t.prober.host(r))
	}
	fmt.Fprintf(t.env.Stdout, "  %s ms%s", t.prober.milliseconds(max(r.at.Sub(sent), 0)), r.annotation)
	h.arrived = h.arrived || r.arrived
	if r.unreachable {
		h.unreachable++
	}
}

// asText is the number of the autonomous system of the host that a reply is from.
func (t *trace) asText(r *reply) string {
	a, _, _, _ := sockaddr.ParseInet(r.from)
	if t.as == nil {
		return ""
	}
	return fmt.Sprintf(" [AS%d]", t.as.lookup(a))
}

// hostname is a host's name or, for want of one, its number with its zone.
func (t *trace) hostname(sa []byte) string {
	a, _, _, _ := sockaddr.ParseInet(sa)
	if name := hostaddr.Name(t.ctx, a, t.has('n')); name != a.String() {
		return name
	}
	return t.name.Host(sa)
}

// setSocketOptions sets what -d and -r ask for.
func (t *trace) setSocketOptions(fd int) error {
	for letter, name := range map[byte]int{'d': abi.SO_DEBUG, 'r': abi.SO_DONTROUTE} {
		if !t.has(letter) {
			continue
		}
		if err := t.env.Proc.Sys().SetsockoptInt(fd, abi.SOL_SOCKET, name, 1); err != nil {
			return util.Messagef("setsockopt %s: %s", map[byte]string{'d': "debug", 'r': "dontroute"}[letter], err)
		}
	}
	return nil
}

// sourceOf asks the kernel which address packets to a host will come from: it connects a socket that nothing is sent by.
func sourceOf(sys *client.Sys, family int, to []byte) ([]byte, error) {
	fd, err := sys.Socket(family, abi.SOCK_DGRAM, 0)
	if err != nil {
		return nil, util.Messagef("socket: %s", err)
	}
	defer sys.Close(fd) //nolint:errcheck // nothing was written
	if err := sys.Connect(fd, to); err != nil {
		return nil, util.Messagef("connect: %s", err)
	}
	from, err := sys.Getsockname(fd)
	if err != nil {
		return nil, util.Messagef("getsockname: %s", err)
	}
	return from, nil
}
