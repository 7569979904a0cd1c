package rtadvd

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// config is how a router advertises on an interface: RFC 4861, 6.2.1, and the options that go with it. Times are in the units of the wire.
type config struct {
	maxInterval, minInterval int64 // seconds
	hopLimit, flags          uint8
	lifetime                 uint16 // seconds
	reachable, retrans       uint32 // milliseconds
	linkMTU                  uint32 // 0 for no option
	linkAddr                 bool   // the source link-layer address goes with it
	clockSkew                int64  // seconds
	fromInterface            bool   // prefixes are those of the interface's addresses
	prefixes                 []*prefix
	routes                   []routeInfo
	servers                  []resolvers
	domains                  []searchList
}

// prefix is a prefix information option.
type prefix struct {
	netip.Prefix
	flags            uint8 // abi.ND_OPT_PI_FLAG_*
	valid, preferred uint32
	// validUntil and preferredUntil are set where lifetimes decrement in real time.
	validUntil, preferredUntil time.Time
	// gone is when a prefix that the interface has no more is forgotten, the zero time while it has it.
	gone   time.Time
	origin string // "KERNEL", "CONFIG", "DYNAMIC"
}

// routeInfo is a route information option, RFC 4191.
type routeInfo struct {
	netip.Prefix
	preference uint8 // abi.ND_RA_FLAG_RTPREF_*
	lifetime   uint32
}

// resolvers are recursive DNS servers, searchList domains to search, RFC 6106.
type resolvers struct {
	lifetime uint32
	addrs    []netip.Addr
}

type searchList struct {
	lifetime uint32
	names    []string
}

// The protocol's constants, RFC 4861, 6.2.1 and 10.
const (
	leastMaxInterval, mostMaxInterval = 4, 1800
	leastMinInterval                  = 3
	defaultMaxInterval                = 600
	mostLifetime                      = 9000
	mostReachable                     = 3600000
	defaultValid, defaultPreferred    = 2592000, 604800
	// maxServers is how many fit into an option.
	maxServers = 127
	// maxEntries is how many of a kind there may be: prefix0 to prefix99.
	maxEntries = 100
)

// reader reads an interface's capabilities.
type reader struct {
	capabilities
	ifname string
	mtu    uint32
	warn   func(format string, args ...any)
}

// number is one in a range, or def.
func (r *reader) number(name string, def, least, most int64) (int64, error) {
	n, ok, err := r.num(name)
	if err != nil || !ok {
		return def, err
	}
	if n < least || n > most {
		return 0, util.Messagef("%s (%d) on %s is invalid (must be between %d and %d)", name, n, r.ifname, least, most)
	}
	return n, nil
}

// readConfig reads the configuration of an interface. Whether the kernel forwards packets decides about the lifetime.
func (r *reader) readConfig(forwarding bool, now time.Time) (*config, error) {
	c := &config{linkAddr: !r.flag("nolladdr")}
	for _, part := range []func(*config) error{
		r.readIntervals,
		r.readHeader,
		func(c *config) error { return r.checkLifetime(c, forwarding) },
		func(c *config) error { return r.readPrefixes(c, now) },
		r.readMTU,
		r.readRoutes,
		r.readDNS,
	} {
		if err := part(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (r *reader) readIntervals(c *config) (err error) {
	if c.maxInterval, err = r.number("maxinterval", defaultMaxInterval, leastMaxInterval, mostMaxInterval); err != nil {
		return err
	}
	c.minInterval, err = r.number("mininterval", max(c.maxInterval/3, leastMinInterval), leastMinInterval, c.maxInterval*3/4)
	return err
}

// readHeader reads what is in the advertisement's header.
func (r *reader) readHeader(c *config) error {
	hops, err := r.number("chlim", abi.IPV6_DEFHLIM, 0, 255)
	if err != nil {
		return err
	}
	flags, err := r.flags("raflags", 0, map[rune]int64{'m': abi.ND_RA_FLAG_MANAGED, 'o': abi.ND_RA_FLAG_OTHER})
	if err != nil {
		return err
	}
	reachable, err := r.number("rtime", 0, 0, mostReachable)
	if err != nil {
		return err
	}
	retrans, err := r.number("retrans", 0, 0, math.MaxUint32)
	if err != nil {
		return err
	}
	if c.clockSkew, err = r.number("clockskew", 0, 0, math.MaxInt32); err != nil {
		return err
	}
	for _, name := range []string{"hapref", "hatime"} {
		if _, ok, _ := r.num(name); ok {
			return util.Messagef("mobile-ip6 configuration not supported")
		}
	}
	c.hopLimit, c.flags, c.reachable, c.retrans = uint8(hops), flags, uint32(reachable), uint32(retrans)
	return nil
}

// flags is a field of bits as a number or as letters, of which h and l are a router's preference.
func (r *reader) flags(name string, def int64, letters map[rune]int64) (uint8, error) {
	v, err := r.number(name, def, 0, 255)
	if err != nil {
		return 0, err
	}
	if s, ok := r.str(name); ok {
		v = 0
		if strings.Contains(s, "h") && strings.Contains(s, "l") && letters['l'] == 0 {
			return 0, util.Messagef("the 'h' and 'l' router flags are exclusive")
		}
		for _, c := range s {
			v |= letters[c]
			switch {
			case letters['l'] != 0:
			case c == 'h':
				v |= abi.ND_RA_FLAG_RTPREF_HIGH
			case c == 'l':
				v |= abi.ND_RA_FLAG_RTPREF_LOW
			}
		}
	}
	if letters['l'] == 0 && v&abi.ND_RA_FLAG_RTPREF_MASK == abi.ND_RA_FLAG_RTPREF_RSV {
		return 0, util.Messagef("invalid router preference (%02x) on %s", abi.ND_RA_FLAG_RTPREF_RSV, r.ifname)
	}
	return uint8(v), nil
}

// checkLifetime reads the router's lifetime. A host that forwards nothing is no router, RFC 4861, 6.2.3.
func (r *reader) checkLifetime(c *config, forwarding bool) error {
	n, ok, err := r.num("rltime")
	if err != nil {
		return err
	}
	if !ok {
		n = c.maxInterval * 3
	}
	switch {
	case n != 0 && (n < c.maxInterval || n > mostLifetime):
		return util.Messagef("router lifetime (%d) on %s is invalid (must be 0 or between %d and %d)", n, r.ifname, c.maxInterval, mostLifetime)
	case n != 0 && !forwarding:
		return util.Messagef("non zero router lifetime is specified for %s, which must not be allowed for hosts.  "+
			"you must change router lifetime or enable IPv6 forwarding.", r.ifname)
	}
	c.lifetime = uint16(n)
	return nil
}

// entries are the suffixes of a keyword that may stand more than once: none, 0, 1, ...
func entries(yield func(suffix string) bool) {
	for i := -1; i < maxEntries; i++ {
		suffix := ""
		if i >= 0 {
			suffix = fmt.Sprint(i)
		}
		if !yield(suffix) {
			return
		}
	}
}

func (r *reader) readPrefixes(c *config, now time.Time) error {
	for suffix := range entries {
		if text, ok := r.str("addr" + suffix); ok {
			p, err := r.readPrefix(text, suffix, now)
			if err != nil {
				return err
			}
			c.prefixes = append(c.prefixes, p)
		}
	}
	c.fromInterface = len(c.prefixes) == 0 && !r.flag("noifprefix")
	return nil
}

func (r *reader) readPrefix(text, suffix string, now time.Time) (*prefix, error) {
	network, err := r.network("prefixlen"+suffix, text)
	if err != nil {
		return nil, err
	}
	if network.Addr().IsMulticast() {
		return nil, util.Messagef("multicast prefix (%s) must not be advertised on %s", text, r.ifname)
	}
	if network.Addr().IsLinkLocalUnicast() {
		r.warn("link-local prefix (%s) will be advertised on %s", text, r.ifname)
	}
	p := &prefix{Prefix: network, origin: "CONFIG"}
	const both = abi.ND_OPT_PI_FLAG_ONLINK | abi.ND_OPT_PI_FLAG_AUTO
	if p.flags, err = r.flags("pinfoflags"+suffix, both, map[rune]int64{'l': abi.ND_OPT_PI_FLAG_ONLINK, 'a': abi.ND_OPT_PI_FLAG_AUTO}); err != nil {
		return nil, err
	}
	p.flags &= both
	for _, l := range []struct {
		name  string
		def   int64
		time  *uint32
		until *time.Time
	}{{"vltime", defaultValid, &p.valid, &p.validUntil}, {"pltime", defaultPreferred, &p.preferred, &p.preferredUntil}} {
		n, err := r.number(l.name+suffix, l.def, 0, math.MaxUint32)
		if err != nil {
			return nil, err
		}
		*l.time = uint32(n)
		if r.flag(l.name+"decr"+suffix) || r.flag(l.name+suffix+"decr") {
			*l.until = now.Add(time.Duration(n) * time.Second)
		}
	}
	return p, nil
}

// network is a prefix of a length that a keyword has, 64 without.
func (r *reader) network(keyword, text string) (netip.Prefix, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return netip.Prefix{}, util.Messagef("inet_pton failed for %s", text)
	}
	n, err := r.number(keyword, 64, 0, 128)
	return netip.PrefixFrom(a, int(n)).Masked(), err
}

func (r *reader) readMTU(c *config) error {
	if s, ok := r.str("mtu"); ok && s == "auto" {
		c.linkMTU = r.mtu
		return nil
	}
	n, ok, err := r.num("mtu")
	if err != nil {
		return err
	}
	if ok && n != 0 && (n < abi.IPV6_MMTU || n > int64(r.mtu)) {
		return util.Messagef("advertised link mtu (%d) on %s is invalid (must be between least MTU (%d) and physical link MTU (%d)",
			n, r.ifname, abi.IPV6_MMTU, r.mtu)
	}
	c.linkMTU = uint32(n)
	return nil
}

// renamed gives the keywords that begin with rtr the names that they have now.
func (r *reader) renamed(suffix string) {
	for _, name := range []string{"prefix", "plen", "flags", "ltime"} {
		old, now := "rtr"+name+suffix, "rt"+name+suffix
		if _, ok := r.find(now); ok {
			continue
		}
		if rest, ok := r.find(old); ok {
			r.warn("%s was obsoleted.  Use %s.", old, now)
			r.capabilities = append(r.capabilities, now+rest)
		}
	}
}

func (r *reader) readRoutes(c *config) error {
	for suffix := range entries {
		r.renamed(suffix)
		text, ok := r.str("rtprefix" + suffix)
		if !ok {
			continue
		}
		network, err := r.network("rtplen"+suffix, text)
		if err != nil {
			return err
		}
		flags, err := r.flags("rtflags"+suffix, 0, nil)
		if err != nil {
			return err
		}
		if _, ok := r.find("rtltime" + suffix); !ok {
			r.warn("rtltime%s should be specified for interface %s.", suffix, r.ifname)
		}
		lifetime, err := r.number("rtltime"+suffix, int64(c.lifetime), 0, math.MaxUint32)
		if err != nil {
			return err
		}
		c.routes = append(c.routes, routeInfo{network, flags & abi.ND_RA_FLAG_RTPREF_MASK, uint32(lifetime)})
	}
	return nil
}

// readDNS reads servers and domains.
func (r *reader) readDNS(c *config) error {
	for suffix := range entries {
		if err := r.readServers(c, suffix); err != nil {
			return err
		}
		if err := r.readDomains(c, suffix); err != nil {
			return err
		}
	}
	return nil
}

// dnsLifetime is the lifetime of servers or domains, from one to two intervals: RFC 6106, 5.1.
func (r *reader) dnsLifetime(c *config, name string) (uint32, error) {
	n, err := r.number(name, c.maxInterval*3/2, c.maxInterval, c.maxInterval*2)
	return uint32(n), err
}

// readServers reads a list of addresses with commas.
func (r *reader) readServers(c *config, suffix string) (err error) {
	text, ok := r.str("rdnss" + suffix)
	if !ok {
		return nil
	}
	var s resolvers
	for _, word := range strings.Split(text, ",") {
		a, err := netip.ParseAddr(strings.TrimSpace(word))
		if err != nil || !a.Is6() || a.Zone() != "" {
			return util.Messagef("inet_pton failed for %s", text)
		}
		s.addrs = append(s.addrs, a)
	}
	if len(s.addrs) > maxServers {
		return util.Messagef("rdnss%s on %s has more than %d servers", suffix, r.ifname, maxServers)
	}
	s.lifetime, err = r.dnsLifetime(c, "rdnssltime"+suffix)
	c.servers = append(c.servers, s)
	return err
}

// readDomains reads a list of names with commas.
func (r *reader) readDomains(c *config, suffix string) (err error) {
	text, ok := r.str("dnssl" + suffix)
	if !ok {
		return nil
	}
	s := searchList{names: strings.Split(text, ",")}
	if _, ok := s.append(nil); !ok {
		return util.Messagef("dnssl%s on %s is invalid: %s", suffix, r.ifname, text)
	}
	s.lifetime, err = r.dnsLifetime(c, "dnsslltime"+suffix)
	c.domains = append(c.domains, s)
	return err
}
