package ifconfig

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
)

// addressChange is what the words say of an address.
type addressChange struct {
	addr  netip.Addr // the zero Addr if none was given
	scope uint32
	bits  int    // of its netmask: -1 if nothing was said
	link  []byte // a link-level address

	second    string // the word after the address: the destination or the netmask, which depends on the interface
	mask      []byte // a sockaddr
	broadcast netip.Addr

	alias      int // +1 add, -1 remove, 0 replace
	active     bool
	preference *int16

	flagsSet, flagsClear int32
	pltime, vltime       *uint32
	eui64                bool
}

// given says whether there is an address.
func (a *addressChange) given() bool { return a.addr.IsValid() || a.link != nil }

// readAddress reads a word that must be an address: the first, or the one after it. Anything else makes no command line.
func (c *config) readAddress(s string) error {
	a := &c.address
	if a.given() {
		if a.second != "" {
			return errUsage
		}
		a.second = s
		return nil
	}
	if c.family == abi.AF_LINK {
		link, ok := parseLink(s)
		if !ok {
			return errUsage
		}
		a.link = link
		return nil
	}
	text, bits, slash := strings.Cut(s, "/")
	addr, scope, err := c.lookup(text, c.family)
	if err != nil {
		return err
	}
	a.addr, a.scope, a.bits = addr, scope, -1
	c.family = familyOf(addr)
	if slash {
		n, err := integer(bits, 0, int64(addr.BitLen()))
		if err != nil {
			return err
		}
		a.bits = int(n)
	}
	return nil
}

// lookup finds a host's address, and the scope that its zone names. A name that is none makes no command line.
func (c *config) lookup(s string, family int) (netip.Addr, uint32, error) {
	addr, err := hostaddr.Lookup(c.ctx, s, family)
	var not *hostaddr.NotFoundError
	if errors.As(err, &not) {
		return addr, 0, errUsage
	}
	if err != nil {
		return addr, 0, err
	}
	zone := addr.Zone()
	if zone == "" {
		return addr, 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 16); err == nil {
		return addr.WithZone(""), uint32(n), nil
	}
	ifp, err := c.env.Proc.InterfaceByName(zone)
	if err != nil {
		return addr, 0, failed(err, "%s", zone)
	}
	return addr.WithZone(""), uint32(ifp.Index), nil
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return abi.AF_INET
	}
	return abi.AF_INET6
}

// familyName is how a family is called on the command line.
func familyName(family int) string {
	for _, f := range families {
		if f.family == family {
			return f.name
		}
	}
	return "???"
}

// parseLink reads a link-level address: bytes in hexadecimal, separated by colons.
func parseLink(s string) ([]byte, bool) {
	var b []byte
	for part := range strings.SplitSeq(s, ":") {
		if len(part) == 1 {
			part = "0" + part
		}
		x, err := hex.DecodeString(part)
		if err != nil || len(x) != 1 {
			return nil, false
		}
		b = append(b, x[0])
	}
	return b, len(b) > 1
}

func setAlias(to int) func(*config, []string) (action, error) {
	return func(c *config, _ []string) (action, error) {
		c.address.alias = to
		return nil, nil
	}
}

// inetFamily is the family that a netmask or prefix length is of.
func (c *config) inetFamily() int {
	if c.family == abi.AF_INET6 {
		return abi.AF_INET6
	}
	return abi.AF_INET
}

func readNetmask(c *config, args []string) (action, error) {
	a, _, err := c.lookup(args[0], c.inetFamily())
	if err != nil {
		return nil, err
	}
	c.address.mask = sockaddr.Inet(a, 0, 0)
	return nil, nil
}

func readPrefixlen(c *config, args []string) (action, error) {
	most := map[int]int64{abi.AF_INET: 32, abi.AF_INET6: 128}[c.inetFamily()]
	n, err := integer(args[0], 0, most)
	if err != nil {
		return nil, err
	}
	c.address.mask = sockaddr.Mask(c.inetFamily(), int(n))
	return nil, nil
}

func readBroadcast(c *config, args []string) (action, error) {
	a, _, err := c.lookup(args[0], abi.AF_INET)
	if err != nil {
		return nil, err
	}
	c.address.broadcast = a
	return func() error {
		v, err := c.ifflags()
		if err == nil && v&abi.IFF_BROADCAST == 0 {
			err = errors.New("not a broadcast interface")
		}
		return err
	}, nil
}

func readPreference(c *config, args []string) (action, error) {
	n, err := integer(args[0], -1<<15, 1<<15-1)
	p := int16(n)
	c.address.preference = &p
	return nil, err
}

func readLifetime(set func(*addressChange, uint32)) func(*config, []string) (action, error) {
	return func(c *config, args []string) (action, error) {
		n, err := integer(args[0], 0, 1<<32-1)
		if err != nil {
			return nil, err
		}
		set(&c.address, uint32(n))
		return nil, nil
	}
}

func setAddrFlag(bit int32, on bool) func(*config, []string) (action, error) {
	return func(c *config, _ []string) (action, error) {
		if on {
			c.address.flagsSet |= bit
		} else {
			c.address.flagsClear |= bit
		}
		return nil, nil
	}
}

// commitAddress sets or removes the address that the words are about, if they are about one.
func (c *config) commitAddress() error {
	a := &c.address
	if !a.given() {
		if a.alias < 0 && c.family != abi.AF_LINK {
			return c.removeFirst()
		}
		return nil
	}
	if c.family != abi.AF_INET6 && (a.eui64 || a.pltime != nil || a.vltime != nil || a.flagsSet|a.flagsClear != 0) {
		return fmt.Errorf("anycast, deprecated, pltime, vltime and eui64 are for inet6 addresses")
	}
	flags, err := c.ifflags()
	if err != nil {
		return err
	}
	var peer []byte
	if peer, err = c.readSecond(flags); err != nil {
		return err
	}
	switch c.family {
	case abi.AF_LINK:
		err = c.commitLink()
	case abi.AF_INET6:
		err = c.commitInet6(peer)
	default:
		err = c.commitInet(peer)
	}
	if err != nil || a.preference == nil {
		return err
	}
	return c.setPreference()
}

// readSecond reads the word after the address: the netmask on an interface that broadcasts, else the peer, which is returned.
func (c *config) readSecond(flags int) (peer []byte, err error) {
	a := &c.address
	if a.broadcast.IsValid() && flags&abi.IFF_POINTOPOINT != 0 {
		return nil, fmt.Errorf("%s is not a broadcast interface", c.name)
	}
	if a.bits >= 0 && a.mask == nil {
		a.mask = sockaddr.Mask(c.family, a.bits)
	}
	if a.second == "" || c.family == abi.AF_LINK {
		return nil, nil
	}
	second, scope, err := c.lookup(a.second, c.family)
	if err != nil {
		return nil, err
	}
	sa := sockaddr.Inet(second, 0, scope)
	if flags&abi.IFF_BROADCAST != 0 {
		a.mask = sa
		return nil, nil
	}
	return sa, nil
}

// removeFirst removes the interface's first address of the family: "ifconfig if -alias".
func (c *config) removeFirst() error {
	if c.family == abi.AF_INET6 {
		return errors.New("an inet6 address is removed by naming it")
	}
	ifr := make([]byte, abi.SizeofIfreq)
	if err := c.ioctl(abi.AF_INET, abi.SIOCGIFADDR, ifr); err != nil {
		return failed(err, "SIOCGIFADDR")
	}
	return failed(c.ioctl(abi.AF_INET, abi.SIOCDIFADDR, ifr), "SIOCDIFADDR")
}

// commitInet removes the address, or sets it: in place of the first one, unless it is an alias.
func (c *config) commitInet(peer []byte) error {
	a := &c.address
	ifr := make([]byte, abi.SizeofIfreq)
	switch {
	case a.alias < 0:
		copy(ifr[abi.IFNAMSIZ:], sockaddr.Inet(a.addr, 0, 0))
		return failed(c.ioctl(abi.AF_INET, abi.SIOCDIFADDR, ifr), "SIOCDIFADDR")
	case a.alias == 0:
		err := c.ioctl(abi.AF_INET, abi.SIOCGIFADDR, ifr)
		if err == nil {
			if err := c.ioctl(abi.AF_INET, abi.SIOCDIFADDR, ifr); err != nil {
				return failed(err, "SIOCDIFADDR")
			}
		} else if err != abi.EADDRNOTAVAIL {
			return failed(err, "SIOCGIFADDR")
		}
	}
	req := make([]byte, abi.SizeofInAliasreq)
	at := req[abi.IFNAMSIZ:]
	copy(at, sockaddr.Inet(a.addr, 0, 0))
	if a.broadcast.IsValid() {
		peer = sockaddr.Inet(a.broadcast, 0, 0)
	}
	copy(at[abi.SizeofSockaddrIn:], peer)
	copy(at[2*abi.SizeofSockaddrIn:], a.mask)
	return failed(c.ioctl(abi.AF_INET, abi.SIOCAIFADDR, req), "SIOCAIFADDR")
}

// commitInet6 removes the address or adds it; there is no first one to replace.
func (c *config) commitInet6(peer []byte) error {
	a := &c.address
	if a.alias < 0 {
		ifr := make([]byte, abi.SizeofIn6Ifreq)
		copy(ifr[abi.IFNAMSIZ:], c.scoped(sockaddr.Inet(a.addr, 0, a.scope)))
		return failed(c.ioctl(abi.AF_INET6, abi.SIOCDIFADDR_IN6, ifr), "SIOCDIFADDR_IN6")
	}
	if a.eui64 {
		if err := c.fillEUI64(); err != nil {
			return err
		}
	}
	if a.mask == nil {
		a.mask = sockaddr.Mask(abi.AF_INET6, 128)
	}
	var req abi.In6Aliasreq
	for _, part := range []struct {
		to   *abi.SockaddrIn6
		from []byte
	}{{&req.Addr, c.scoped(sockaddr.Inet(a.addr, 0, a.scope))}, {&req.Dstaddr, c.scoped(peer)}, {&req.Prefixmask, a.mask}} {
		if part.from != nil {
			if err := part.to.Decode(part.from); err != nil {
				return errUsage
			}
		}
	}
	req.Flags = a.flagsSet &^ a.flagsClear
	now := time.Now().Unix()
	lifetime := func(secs *uint32, expire *int64, left *uint32) {
		*left = abi.ND6_INFINITE_LIFETIME
		if secs != nil {
			*expire, *left = now+int64(*secs), *secs
		}
	}
	lifetime(a.pltime, &req.Lifetime.Preferred, &req.Lifetime.Pltime)
	lifetime(a.vltime, &req.Lifetime.Expire, &req.Lifetime.Vltime)
	return failed(c.ioctl(abi.AF_INET6, abi.SIOCAIFADDR_IN6, req.Append(nil)), "SIOCAIFADDR_IN6")
}

// scoped gives a link-local address without a scope that of the interface.
func (c *config) scoped(sa []byte) []byte {
	a, port, scope, ok := sockaddr.ParseInet(sa)
	if !ok || scope != 0 || !sockaddr.Scoped(a) {
		return sa
	}
	ifp, err := c.env.Proc.InterfaceByName(c.name)
	if err != nil {
		return sa
	}
	return sockaddr.Inet(a, port, uint32(ifp.Index))
}

// fillEUI64 fills the lower half of the address from the interface's link-local one.
func (c *config) fillEUI64() error {
	b := c.address.addr.As16()
	if [8]byte(b[8:]) != [8]byte{} {
		return fmt.Errorf("interface index is already filled, %s", c.address.addr)
	}
	ifp, err := c.env.Proc.InterfaceByName(c.name)
	if err != nil {
		return failed(err, "%s", c.name)
	}
	for _, own := range ifp.Addrs {
		if a := own.Prefix.Addr(); a.Is6() && a.IsLinkLocalUnicast() {
			own16 := a.As16()
			copy(b[8:], own16[8:])
			c.address.addr = netip.AddrFrom16(b)
			return nil
		}
	}
	return errors.New("could not determine link local address")
}

// commitLink adds or removes a link-level address, or makes one the active one.
func (c *config) commitLink() error {
	req, what := uint32(abi.SIOCALIFADDR), "SIOCALIFADDR"
	r := c.laddrreq((&sockaddr.Link{Addr: c.address.link}).Append(nil))
	if c.address.active {
		r.Flags |= abi.IFLR_ACTIVE
	}
	if c.address.alias < 0 {
		req, what = abi.SIOCDLIFADDR, "SIOCDLIFADDR"
	}
	return failed(c.ioctl(abi.AF_LINK, req, r.Append(nil)), "%s", what)
}

// laddrreq is a request about an address.
func (c *config) laddrreq(sa []byte) abi.IfLaddrreq {
	var r abi.IfLaddrreq
	storage(&r.Addr, sa)
	return r
}

// storage puts a sockaddr into a sockaddr_storage.
func storage(to *abi.SockaddrStorage, sa []byte) {
	var raw [abi.SizeofSockaddrStorage]byte
	copy(raw[:], sa)
	to.Decode(raw[:]) //nolint:errcheck // it is long enough
}

func (c *config) setPreference() error {
	r := abi.IfAddrprefreq{Preference: *c.address.preference}
	storage(&r.Addr, c.scoped(sockaddr.Inet(c.address.addr, 0, c.address.scope)))
	if err := c.ioctl(c.family, abi.SIOCSIFADDRPREF, r.Append(nil)); err != nil {
		c.env.Warn(err, "SIOCSIFADDRPREF")
	}
	return nil
}
