package rtadvd

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// dumpFile is where SIGUSR1 writes the state, in the kernel's file system.
const dumpFile = "/var/run/rtadvd.dump"

// dump writes the state to dumpFile.
func (d *daemon) dump(now time.Time) {
	var text strings.Builder
	for _, r := range d.routers {
		text.WriteString(r.describe(now))
	}
	if err := d.proc.WriteFile(dumpFile, []byte(text.String()), 0o644); err != nil {
		d.log(levelError, "open a dump file(%s): %s", dumpFile, util.ErrorText(err))
	}
}

var preferences = map[uint8]string{
	abi.ND_RA_FLAG_RTPREF_MEDIUM: "medium", abi.ND_RA_FLAG_RTPREF_HIGH: "high",
	abi.ND_RA_FLAG_RTPREF_RSV: "rsv", abi.ND_RA_FLAG_RTPREF_LOW: "low",
}

// describe is all that is known of an interface.
func (r *router) describe(now time.Time) string {
	var b strings.Builder
	c := r.conf
	status := "DOWN"
	if r.up() {
		status = "UP"
	}
	fmt.Fprintf(&b, "%s:\n  Status: %s\n", r.ifp.Name, status)
	if !r.lastSent.IsZero() {
		fmt.Fprintf(&b, "  Last RA sent: %s\n", r.lastSent.Format(time.ANSIC))
	}
	if r.up() {
		fmt.Fprintf(&b, "  Next RA will be sent: %s\n", r.next.Format(time.ANSIC))
	} else {
		b.WriteString("  RA timer is stopped\n")
	}
	fmt.Fprintf(&b, "  waits: %d, initcount: %d\n", r.waiting, r.initial)
	fmt.Fprintf(&b, "  statistics: RA(out/in/inconsistent): %d/%d/%d, RS(input): %d\n", r.sent, r.received, r.inconsistent, r.solicited)
	if c.linkAddr {
		link := "NONE"
		if len(r.ifp.LinkAddr) > 0 {
			link = r.ifp.LinkAddr.String()
		}
		fmt.Fprintf(&b, "  Link-layer address: %s\n", link)
	}
	fmt.Fprintf(&b, "  MTU: %d\n", r.ifp.Data.Mtu)
	fmt.Fprintf(&b, "  DefaultLifetime: %d, MaxAdvInterval: %d, MinAdvInterval: %d\n", c.lifetime, c.maxInterval, c.minInterval)
	fmt.Fprintf(&b, "  Flags: %s, Preference: %s, MTU: %d\n", letters(c.flags, "MO"), preferences[c.flags&abi.ND_RA_FLAG_RTPREF_MASK], c.linkMTU)
	fmt.Fprintf(&b, "  ReachableTime: %d, RetransTimer: %d, CurHopLimit: %d\n", c.reachable, c.retrans, c.hopLimit)
	if c.clockSkew != 0 {
		fmt.Fprintf(&b, "  Clock skew: %dsec\n", c.clockSkew)
	}
	return b.String() + c.describePrefixes(now) + c.describeRest()
}

// letters are those of the highest bits of flags that are set.
func letters(flags uint8, names string) string {
	text := ""
	for i, c := range names {
		if flags&(0x80>>i) != 0 {
			text += string(c)
		}
	}
	return text
}

func lifetime(v uint32) string {
	if v == abi.ND6_INFINITE_LIFETIME {
		return "infinity"
	}
	return fmt.Sprint(v)
}

func (c *config) describePrefixes(now time.Time) string {
	var b strings.Builder
	for i, p := range c.prefixes {
		if i == 0 {
			b.WriteString("  Prefixes:\n")
		}
		fmt.Fprintf(&b, "    %s(%s, ", p.Prefix, p.origin)
		for _, l := range []struct {
			name  string
			v     uint32
			until time.Time
		}{{"vltime", p.valid, p.validUntil}, {"pltime", p.preferred, p.preferredUntil}} {
			fmt.Fprintf(&b, "%s: %s", l.name, lifetime(l.v))
			if !l.until.IsZero() {
				fmt.Fprintf(&b, "(decr,expire %d)", left(l.v, l.until, now))
			}
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "flags: %s", letters(p.flags, "LA"))
		if !p.gone.IsZero() {
			fmt.Fprintf(&b, ", expire in: %d", (keepGone-now.Sub(p.gone))/time.Second)
		}
		b.WriteString(")\n")
	}
	return b.String()
}

// describeRest are routes, DNS servers and domains.
func (c *config) describeRest() string {
	var b strings.Builder
	for i, r := range c.routes {
		if i == 0 {
			b.WriteString("  Route Information:\n")
		}
		fmt.Fprintf(&b, "    %s (preference: %s, lifetime: %s)\n", r.Prefix, preferences[r.preference], lifetime(r.lifetime))
	}
	for _, s := range c.servers {
		fmt.Fprintf(&b, "  Recursive DNS Servers:\n    lifetime: %s\n%s", lifetime(s.lifetime), lines(s.addrs))
	}
	for _, s := range c.domains {
		fmt.Fprintf(&b, "  DNS Search List:\n    lifetime: %s\n", lifetime(s.lifetime))
		for _, name := range s.names {
			fmt.Fprintf(&b, "    %s\n", name)
		}
	}
	return b.String()
}

func lines(addrs []netip.Addr) string {
	text := ""
	for _, a := range addrs {
		text += fmt.Sprintf("    %s\n", a)
	}
	return text
}
