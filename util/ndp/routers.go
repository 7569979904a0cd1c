package ndp

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// preferences are the names of a router's preference, by its two bits (RFC 4191).
var preferences = [4]string{"medium", "high", "rsv", "low"}

// showRouters prints the default routers.
func (c *command) showRouters() int {
	b, err := c.env.Proc.Sysctl().Get([]int32{abi.CTL_NET, abi.PF_INET6, abi.IPPROTO_ICMPV6, abi.ICMPV6CTL_ND6_DRLIST})
	if err != nil {
		return c.env.Err(err, "sysctl(ICMPV6CTL_ND6_DRLIST)")
	}
	c.printRouters(b, time.Now().Unix())
	return util.ExitOK
}

// printRouters prints a list of struct in6_defrouter at Unix time now.
func (c *command) printRouters(b []byte, now int64) {
	var r abi.In6Defrouter
	for ; r.Decode(b) == nil; b = b[abi.SizeofIn6Defrouter:] {
		flags := ""
		if r.Flags&abi.ND_RA_FLAG_MANAGED != 0 {
			flags = "M"
		}
		if r.Flags&abi.ND_RA_FLAG_OTHER != 0 {
			flags += "O"
		}
		expire := "Never"
		if r.Expire != 0 {
			expire = duration(int64(r.Expire) - now)
		}
		fmt.Fprintf(c.env.Stdout, "%s if=%s, flags=%s, pref=%s, expire=%s\n", c.namer.Host(r.Rtaddr.Append(nil)), c.ifname(int(r.IfIndex)), flags,
			preferences[r.Flags&abi.ND_RA_FLAG_RTPREF_MASK>>3], expire)
	}
}

// showPrefixes prints the prefixes that routers have advertised.
func (c *command) showPrefixes() int {
	b, err := c.env.Proc.Sysctl().Get([]int32{abi.CTL_NET, abi.PF_INET6, abi.IPPROTO_ICMPV6, abi.ICMPV6CTL_ND6_PRLIST})
	if err != nil {
		return c.env.Err(err, "sysctl(ICMPV6CTL_ND6_PRLIST)")
	}
	c.printPrefixes(b, time.Now().Unix())
	return util.ExitOK
}

// printPrefixes prints a list of struct in6_prefix, each with the struct sockaddr_in6 of its routers, at Unix time now.
func (c *command) printPrefixes(b []byte, now int64) {
	var p abi.In6Prefix
	for p.Decode(b) == nil {
		b = b[abi.SizeofIn6Prefix:]
		c.printPrefix(&p, now)
		if p.Advrtrs == 0 {
			fmt.Fprintln(c.env.Stdout, "  No advertising router")
			continue
		}
		fmt.Fprintln(c.env.Stdout, "  advertised by")
		var sa abi.SockaddrIn6
		for n := p.Advrtrs; n > 0 && sa.Decode(b) == nil; n-- {
			b = b[abi.SizeofSockaddrIn6:]
			c.printAdvertiser(sa.Append(nil), p.IfIndex)
		}
	}
}

// The bits of struct in6_prefix's raflags.
const (
	raOnLink = 1
	raAuto   = 2
)

// prefixFlags are the letters of a prefix's flags: what its routers say, and what the kernel has made of that.
func prefixFlags(p *abi.In6Prefix) string {
	var b []byte
	for _, f := range []struct {
		on     bool
		letter byte
	}{
		{p.Raflags.Bits0&raOnLink != 0, 'L'}, {p.Raflags.Bits0&raAuto != 0, 'A'}, {p.Flags&abi.NDPRF_ONLINK != 0, 'O'},
		{p.Flags&abi.NDPRF_DETACHED != 0, 'D'}, {p.Flags&abi.NDPRF_HOME != 0, 'H'},
	} {
		if f.on {
			b = append(b, f.letter)
		}
	}
	return string(b)
}

func (c *command) printPrefix(p *abi.In6Prefix, now int64) {
	lifetime := func(v uint32) string {
		if v == abi.ND6_INFINITE_LIFETIME {
			return "infinity"
		}
		return strconv.FormatUint(uint64(v), 10)
	}
	expire := "expired"
	switch {
	case p.Expire == 0:
		expire = "expire=Never"
	case p.Expire >= now:
		expire = "expire=" + duration(p.Expire-now)
	}
	numeric := routing.Namer{Ctx: c.ctx, Numeric: true, Interfaces: c.namer.Interfaces}
	fmt.Fprintf(c.env.Stdout, "%s/%d if=%s\nflags=%s vltime=%s, pltime=%s, %s, ref=%d\n", numeric.Host(p.Prefix.Append(nil)), p.Prefixlen,
		c.ifname(int(p.IfIndex)), prefixFlags(p), lifetime(p.Vltime), lifetime(p.Pltime), expire, p.Refcnt)
}

// printAdvertiser prints a router of a prefix, and whether it can be reached.
func (c *command) printAdvertiser(sa []byte, index uint16) {
	n := routing.Neighbor{Link: sockaddr.Link{Index: index}}
	reach := " (no neighbor state)"
	var ok bool
	if n.Addr, _, n.Scope, ok = sockaddr.ParseInet(sa); ok {
		if nbi, err := c.info(&n); err == nil {
			switch nbi.State {
			case abi.ND6_LLINFO_REACHABLE, abi.ND6_LLINFO_STALE, abi.ND6_LLINFO_DELAY, abi.ND6_LLINFO_PROBE:
				reach = " (reachable)"
			default:
				reach = " (unreachable)"
			}
		}
	}
	fmt.Fprintf(c.env.Stdout, "    %s%s\n", c.namer.Host(sa), reach)
}
