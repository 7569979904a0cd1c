package ifconfig

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// ifFlags are the names of IFF_*.
var ifFlags = []bitName{
	{abi.IFF_UP, "UP"}, {abi.IFF_BROADCAST, "BROADCAST"}, {abi.IFF_DEBUG, "DEBUG"}, {abi.IFF_LOOPBACK, "LOOPBACK"},
	{abi.IFF_POINTOPOINT, "POINTOPOINT"}, {abi.IFF_NOTRAILERS, "NOTRAILERS"}, {abi.IFF_RUNNING, "RUNNING"},
	{abi.IFF_NOARP, "NOARP"}, {abi.IFF_PROMISC, "PROMISC"}, {abi.IFF_ALLMULTI, "ALLMULTI"}, {abi.IFF_OACTIVE, "OACTIVE"},
	{abi.IFF_SIMPLEX, "SIMPLEX"}, {abi.IFF_LINK0, "LINK0"}, {abi.IFF_LINK1, "LINK1"}, {abi.IFF_LINK2, "LINK2"},
	{abi.IFF_MULTICAST, "MULTICAST"},
}

// ifCaps are the names of IFCAP_*.
var ifCaps = []bitName{
	{abi.IFCAP_TSOv4, "TSO4"}, {abi.IFCAP_CSUM_IPv4_Rx, "IP4CSUM_Rx"}, {abi.IFCAP_CSUM_IPv4_Tx, "IP4CSUM_Tx"},
	{abi.IFCAP_CSUM_TCPv4_Rx, "TCP4CSUM_Rx"}, {abi.IFCAP_CSUM_TCPv4_Tx, "TCP4CSUM_Tx"},
	{abi.IFCAP_CSUM_UDPv4_Rx, "UDP4CSUM_Rx"}, {abi.IFCAP_CSUM_UDPv4_Tx, "UDP4CSUM_Tx"},
	{abi.IFCAP_CSUM_TCPv6_Rx, "TCP6CSUM_Rx"}, {abi.IFCAP_CSUM_TCPv6_Tx, "TCP6CSUM_Tx"},
	{abi.IFCAP_CSUM_UDPv6_Rx, "UDP6CSUM_Rx"}, {abi.IFCAP_CSUM_UDPv6_Tx, "UDP6CSUM_Tx"},
	{abi.IFCAP_TSOv6, "TSO6"}, {abi.IFCAP_LRO, "LRO"},
}

// etherCaps are the names of ETHERCAP_*.
var etherCaps = []bitName{
	{abi.ETHERCAP_VLAN_MTU, "VLAN_MTU"}, {abi.ETHERCAP_VLAN_HWTAGGING, "VLAN_HWTAGGING"}, {abi.ETHERCAP_JUMBO_MTU, "JUMBO_MTU"},
}

// wanted says whether the options that limit -a and -l let an interface through.
func (c *config) wanted(ifp *client.Interface) bool {
	up := ifp.Flags&abi.IFF_UP != 0
	switch {
	case c.flags.has("b") && ifp.Flags&abi.IFF_BROADCAST == 0,
		c.flags.has("d") && up,
		c.flags.has("u") && !up:
		return false
	}
	c.name = ifp.Name
	return !c.flags.has("s") || c.connected()
}

// listNames is -l.
func (c *config) listNames() error {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return failed(err, "getifaddrs")
	}
	var names []string
	for i := range list {
		if c.wanted(&list[i]) {
			names = append(names, list[i].Name)
		}
	}
	fmt.Fprintln(c.env.Stdout, strings.Join(names, " "))
	return nil
}

// listCloners is -C.
func (c *config) listCloners() error {
	fd, err := c.sock(abi.AF_INET)
	if err != nil {
		return err
	}
	var r abi.IfClonereq
	raw := r.Append(nil)
	if err := c.sys.Ioctl(fd, abi.SIOCIFGCLONERS, raw); err != nil {
		return failed(err, "SIOCIFGCLONERS for count")
	}
	if err := r.Decode(raw); err != nil {
		return err
	}
	names := make([]byte, abi.IFNAMSIZ*min(max(int(r.Total), 0), 1024))
	err = c.sys.IoctlFunc(fd, abi.SIOCIFGCLONERS, func(l client.Lender) []byte {
		r.Count, r.Buffer = int32(len(names)/abi.IFNAMSIZ), l.Out(names)
		raw = r.Append(nil)
		return raw
	})
	if err != nil {
		return failed(err, "SIOCIFGCLONERS for names")
	}
	if err := r.Decode(raw); err != nil {
		return err
	}
	var list []string
	for i := range min(int(r.Count), int(r.Total), len(names)/abi.IFNAMSIZ) {
		list = append(list, abi.CString(names[i*abi.IFNAMSIZ:][:abi.IFNAMSIZ]))
	}
	fmt.Fprintln(c.env.Stdout, strings.Join(list, " "))
	return nil
}

// showAll is -a.
func (c *config) showAll() error {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return failed(err, "getifaddrs")
	}
	for i := range list {
		if !c.wanted(&list[i]) {
			continue
		}
		if err := c.show(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

// showOne shows the named interface.
func (c *config) showOne() error {
	if _, err := c.ifflags(); err != nil {
		return err
	}
	ifp, err := c.env.Proc.InterfaceByName(c.name)
	if err != nil {
		return failed(err, "%s", c.name)
	}
	return c.show(ifp)
}

// show prints an interface; with a family, of the addresses only those of the family.
func (c *config) show(ifp *client.Interface) error {
	out := c.env.Stdout
	fmt.Fprintf(out, "%s: flags=0x%s", ifp.Name, snprintb(uint64(ifp.Flags&0xffff), ifFlags))
	if ifp.Data.Metric != 0 {
		fmt.Fprintf(out, " metric %d", ifp.Data.Metric)
	}
	if ifp.Data.Mtu != 0 {
		fmt.Fprintf(out, " mtu %d", ifp.Data.Mtu)
	}
	fmt.Fprintln(out)
	if err := c.showCaps(); err != nil {
		return err
	}
	if err := c.showAgr(); err != nil {
		return err
	}
	c.showVlan()
	c.showTunnel()
	if err := c.showLink(ifp, true); err != nil {
		return err
	}
	text, has, err := c.queryLinkstr()
	if err != nil {
		return err
	}
	if has {
		fmt.Fprintf(out, "\tlinkstr: %s\n", text)
	}
	c.showMedia()
	if c.flags.has("vz") {
		if err := c.showStatistics(); err != nil {
			return err
		}
	}
	for _, f := range families {
		if c.family != abi.AF_UNSPEC && c.family != f.family {
			continue
		}
		if err := c.showFamily(ifp, f.family); err != nil {
			return err
		}
	}
	return nil
}

// showCaps prints what the hardware can, and how much of it is switched on.
func (c *config) showCaps() error {
	q := make([]byte, abi.SizeofIfcapreq)
	if c.ioctl(abi.AF_UNSPEC, abi.SIOCGIFCAP, q) == nil {
		var r abi.Ifcapreq
		if err := r.Decode(q); err != nil {
			return err
		}
		c.printCaps("", r.Capabilities, r.Capenable, ifCaps)
	}
	q = make([]byte, abi.SizeofEccapreq)
	if c.ioctl(abi.AF_UNSPEC, abi.SIOCGETHERCAP, q) == nil {
		var r abi.Eccapreq
		if err := r.Decode(q); err != nil {
			return err
		}
		c.printCaps("ec_", uint64(uint32(r.Capabilities)), uint64(uint32(r.Capenable)), etherCaps)
	}
	return nil
}

// printCaps prints two sets of bits, if there are any capabilities.
func (c *config) printCaps(prefix string, has, enabled uint64, names []bitName) {
	if has == 0 {
		return
	}
	fmt.Fprintf(c.env.Stdout, "\t%scapabilities=%s\n", prefix, snprintb(has, names))
	fmt.Fprintf(c.env.Stdout, "\t%senabled=%s\n", prefix, snprintb(enabled, names))
}

// showLink prints the active link-level address, or the others.
func (c *config) showLink(ifp *client.Interface, active bool) error {
	if len(ifp.LinkAddr) == 0 {
		return nil
	}
	if active {
		fmt.Fprintf(c.env.Stdout, "\taddress: %s\n", ifp.LinkAddr)
		return nil
	}
	others, err := c.otherLinks(ifp)
	for _, a := range others {
		fmt.Fprintf(c.env.Stdout, "\tlink %s\n", a)
	}
	return err
}

// otherLinks are the link-level addresses that are not the active one. Only the list of all addresses has them.
func (c *config) otherLinks(ifp *client.Interface) ([]net.HardwareAddr, error) {
	if len(ifp.LinkAddrs) < 2 {
		return nil, nil
	}
	var list []net.HardwareAddr
	for _, a := range ifp.LinkAddrs {
		q := c.laddrreq((&sockaddr.Link{Index: uint16(ifp.Index), Name: ifp.Name, Addr: a}).Append(nil))
		q.Flags, q.Prefixlen = abi.IFLR_PREFIX, uint32(8*len(a))
		raw := q.Append(nil)
		if err := c.ioctl(abi.AF_LINK, abi.SIOCGLIFADDR, raw); err != nil {
			return nil, failed(err, "SIOCGLIFADDR")
		}
		if err := q.Decode(raw); err != nil {
			return nil, err
		}
		if q.Flags&abi.IFLR_ACTIVE == 0 {
			list = append(list, a)
		}
	}
	return list, nil
}

// showStatistics prints the counters and, with -z, has them begin anew.
func (c *config) showStatistics() error {
	req, what := uint32(abi.SIOCGIFDATA), "SIOCGIFDATA"
	if c.flags.has("z") {
		req, what = abi.SIOCZIFDATA, "SIOCZIFDATA"
	}
	q := make([]byte, abi.SizeofIfdatareq)
	if err := c.ioctl(abi.AF_UNSPEC, req, q); err != nil {
		return failed(err, "%s", what)
	}
	var r abi.Ifdatareq
	if err := r.Decode(q); err != nil {
		return err
	}
	d := &r.Data
	out := c.env.Stdout
	fmt.Fprintf(out, "\tinput: %s, %s", plural(d.Ipackets, "packet"), c.bytes(d.Ibytes))
	c.some(d.Imcasts, "multicast")
	c.some(d.Ierrors, "error")
	c.some(d.Iqdrops, "queue drop")
	if d.Noproto != 0 {
		fmt.Fprintf(out, ", %d unknown protocol", d.Noproto)
	}
	fmt.Fprintf(out, "\n\toutput: %s, %s", plural(d.Opackets, "packet"), c.bytes(d.Obytes))
	c.some(d.Omcasts, "multicast")
	c.some(d.Oerrors, "error")
	c.some(d.Collisions, "collision")
	fmt.Fprintln(out)
	return nil
}

// some prints a count that is not zero.
func (c *config) some(n uint64, unit string) {
	if n != 0 {
		fmt.Fprintf(c.env.Stdout, ", %s", plural(n, unit))
	}
}

func plural(n uint64, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// bytes is a count of bytes, with -h one that people read.
func (c *config) bytes(n uint64) string {
	if !c.flags.has("h") {
		return plural(n, "byte")
	}
	text, _ := util.Humanize{Decimal: true, NoSpace: true}.Format(int64(n), 5)
	if text == "1" {
		return text + " byte"
	}
	return text + " bytes"
}

// showFamily prints the addresses of a family.
func (c *config) showFamily(ifp *client.Interface, family int) error {
	if family == abi.AF_LINK {
		return c.showLink(ifp, false)
	}
	var list []client.InterfaceAddr
	for _, a := range ifp.Addrs {
		if familyOf(a.Prefix.Addr()) == family {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if _, err := c.sock(family); err != nil {
		return err
	}
	preferences := c.preferences(ifp, family, list)
	var first netip.Addr
	if family == abi.AF_INET {
		first = c.firstAddr()
	}
	for i := range list {
		if family == abi.AF_INET {
			c.showInet(ifp, &list[i], first)
		} else {
			c.showInet6(ifp, &list[i])
		}
		if preferences != nil {
			fmt.Fprintf(c.env.Stdout, " preference %d", preferences[i])
		}
		fmt.Fprintln(c.env.Stdout)
	}
	return nil
}

// preferences are those of the addresses; nil if none has any.
func (c *config) preferences(ifp *client.Interface, family int, list []client.InterfaceAddr) []int16 {
	prefs := make([]int16, len(list))
	some := false
	for i := range list {
		var r abi.IfAddrprefreq
		storage(&r.Addr, ifp.Sockaddr(list[i].Prefix.Addr()))
		raw := r.Append(nil)
		if c.ioctl(family, abi.SIOCGIFADDRPREF, raw) == nil && r.Decode(raw) == nil {
			prefs[i] = r.Preference
			some = some || r.Preference != 0
		}
	}
	if !some {
		return nil
	}
	return prefs
}

// firstAddr is the IPv4 address that is not an alias.
func (c *config) firstAddr() netip.Addr {
	ifr := make([]byte, abi.SizeofIfreq)
	if c.ioctl(abi.AF_INET, abi.SIOCGIFADDR, ifr) != nil {
		return netip.Addr{}
	}
	a, _, _, _ := sockaddr.ParseInet(ifr[abi.IFNAMSIZ:][:abi.SizeofSockaddrIn])
	return a
}

// inetFlags and inet6Flags are the states of addresses that are printed, in that order.
var (
	inetFlags = []bitName{
		{abi.IN_IFF_TENTATIVE, "tentative"}, {abi.IN_IFF_DUPLICATED, "duplicated"}, {abi.IN_IFF_DETACHED, "detached"},
	}
	inet6Flags = []bitName{
		{abi.IN6_IFF_ANYCAST, "anycast"}, {abi.IN6_IFF_TENTATIVE, "tentative"}, {abi.IN6_IFF_DUPLICATED, "duplicated"},
		{abi.IN6_IFF_DETACHED, "detached"}, {abi.IN6_IFF_DEPRECATED, "deprecated"}, {abi.IN6_IFF_AUTOCONF, "autoconf"},
		{abi.IN6_IFF_TEMPORARY, "temporary"},
	}
)

func (c *config) printFlags(v int, names []bitName) {
	for _, n := range names {
		if uint64(v)&n.bit != 0 {
			fmt.Fprintf(c.env.Stdout, " %s", n.name)
		}
	}
}

func (c *config) showInet(ifp *client.Interface, a *client.InterfaceAddr, first netip.Addr) {
	out, addr := c.env.Stdout, a.Prefix.Addr()
	alias := ""
	if addr != first {
		alias = "alias "
	}
	fmt.Fprintf(out, "\tinet %s%s", alias, c.addrText(addr, 0))
	if ifp.Flags&abi.IFF_POINTOPOINT != 0 {
		fmt.Fprintf(out, " -> %s", c.peerText(a, netip.IPv4Unspecified()))
	}
	mask := sockaddr.Mask(abi.AF_INET, a.Prefix.Bits())
	fmt.Fprintf(out, " netmask 0x%x", binary.BigEndian.Uint32(mask[4:]))
	if ifp.Flags&abi.IFF_BROADCAST != 0 {
		fmt.Fprintf(out, " broadcast %s", c.peerText(a, netip.IPv4Unspecified()))
	}
	if v, err := c.addrFlags(abi.AF_INET, ifp, addr); err == nil {
		c.printFlags(v, inetFlags)
	} else if err != abi.EADDRNOTAVAIL {
		c.env.Warn(err, "SIOCGIFAFLAG_IN")
	}
}

func (c *config) peerText(a *client.InterfaceAddr, none netip.Addr) string {
	peer := a.Peer
	if !peer.IsValid() {
		peer = none
	}
	return c.addrText(peer, 0)
}

// addrFlags asks for the state of an address: SIOCGIFAFLAG_IN and _IN6.
func (c *config) addrFlags(family int, ifp *client.Interface, a netip.Addr) (int, error) {
	req, size := uint32(abi.SIOCGIFAFLAG_IN), abi.SizeofIfreq
	if family == abi.AF_INET6 {
		req, size = abi.SIOCGIFAFLAG_IN6, abi.SizeofIn6Ifreq
	}
	ifr := make([]byte, size)
	copy(ifr[abi.IFNAMSIZ:], ifp.Sockaddr(a))
	c.name = ifp.Name
	err := c.ioctl(family, req, ifr)
	return getInt(ifr[abi.IFNAMSIZ:]), err
}

func (c *config) showInet6(ifp *client.Interface, a *client.InterfaceAddr) {
	out, addr := c.env.Stdout, a.Prefix.Addr()
	scope := uint32(0)
	if sockaddr.Scoped(addr) {
		scope = uint32(ifp.Index)
	}
	fmt.Fprintf(out, "\tinet6 %s", c.addrText(addr, scope))
	if ifp.Flags&abi.IFF_POINTOPOINT != 0 {
		fmt.Fprintf(out, " -> %s", c.peerText(a, netip.IPv6Unspecified()))
	}
	fmt.Fprintf(out, " prefixlen %d", a.Prefix.Bits())
	if v, err := c.addrFlags(abi.AF_INET6, ifp, addr); err == nil {
		c.printFlags(v, inet6Flags)
	} else if err != abi.EADDRNOTAVAIL {
		c.env.Warn(err, "SIOCGIFAFLAG_IN6")
	}
	if scope != 0 {
		fmt.Fprintf(out, " scopeid 0x%x", scope)
	}
	if c.flags.has("L") {
		c.showLifetime(ifp, addr)
	}
}

// showLifetime prints how long an address is still preferred and valid.
func (c *config) showLifetime(ifp *client.Interface, a netip.Addr) {
	ifr := make([]byte, abi.SizeofIn6Ifreq)
	copy(ifr[abi.IFNAMSIZ:], ifp.Sockaddr(a))
	if err := c.ioctl(abi.AF_INET6, abi.SIOCGIFALIFETIME_IN6, ifr); err != nil {
		if err != abi.EADDRNOTAVAIL {
			c.env.Warn(err, "SIOCGIFALIFETIME_IN6")
		}
		return
	}
	var l abi.In6Addrlifetime
	if l.Decode(ifr[abi.IFNAMSIZ:]) != nil || l.Preferred == 0 && l.Expire == 0 {
		return
	}
	now := time.Now().Unix()
	left := func(end int64) string {
		if end == 0 {
			return "infty"
		}
		return fmt.Sprint(max(end-now, 0))
	}
	fmt.Fprintf(c.env.Stdout, " pltime %s vltime %s", left(l.Preferred), left(l.Expire))
}

// waitTentative is -w: it waits until no address is tentative and, with -W, for so long until none is detached on an interface
// that is up.
func (c *config) waitTentative() error {
	start := time.Now()
	over := func(secs int) bool { return secs > 0 && time.Since(start) > time.Duration(secs)*time.Second }
	for {
		waits, err := c.anyWaits(c.flags.has("W") && !over(c.flags.waitCarrier))
		if err != nil || !waits {
			return err
		}
		if over(c.flags.wait) {
			return fmt.Errorf("timed out")
		}
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-time.After(waitStep):
		}
	}
}

// waitStep is how often -w looks.
const waitStep = 100 * time.Millisecond

// anyWaits says whether an address is tentative, or detached if that counts.
func (c *config) anyWaits(detached bool) (bool, error) {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return false, failed(err, "getifaddrs")
	}
	for i := range list {
		for _, a := range list[i].Addrs {
			family, bits := abi.AF_INET, abi.IN_IFF_TENTATIVE
			det := abi.IN_IFF_DETACHED
			if a.Prefix.Addr().Is6() {
				family, bits, det = abi.AF_INET6, abi.IN6_IFF_TENTATIVE, abi.IN6_IFF_DETACHED
			}
			if detached && list[i].Flags&abi.IFF_UP != 0 {
				bits |= det
			}
			v, err := c.addrFlags(family, &list[i], a.Prefix.Addr())
			if err == nil && v&bits != 0 {
				return true, nil
			}
		}
	}
	return false, nil
}
