package route

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

var le = binary.LittleEndian

// addrs are the sockaddrs of a message by RTAX_*; nil for those that it has not.
type addrs [abi.RTAX_MAX][]byte

// mask is the set of RTA_* bits.
func (a *addrs) mask() (m int32) {
	for i, sa := range a {
		if sa != nil {
			m |= 1 << i
		}
	}
	return m
}

func (a *addrs) append(b []byte) []byte {
	for _, sa := range a {
		if sa != nil {
			b = append(b, sa...)
			b = append(b, make([]byte, roundup(len(sa))-len(sa))...)
		}
	}
	return b
}

// roundup is how much room a sockaddr of so many bytes takes in a message: multiples of 8, and an empty one 8 too.
func roundup(n int) int { return max((n+7)&^7, 8) }

// header is one of the structures that messages begin with: their first four bytes are the same.
type header interface{ Append([]byte) []byte }

// finish puts a header and its sockaddrs together.
func finish(typ int, h header, a *addrs) []byte {
	b := a.append(h.Append(nil))
	le.PutUint16(b, uint16(len(b)))
	b[2] = abi.RTM_VERSION
	b[3] = byte(typ)
	return b
}

// routeAddrs are the sockaddrs that describe a route: RTA_DST, GATEWAY, NETMASK, TAG.
func routeAddrs(e *Entry) (a addrs) {
	a[abi.RTAX_DST] = e.dstSockaddr()
	a[abi.RTAX_GATEWAY] = e.gatewaySockaddr()
	a[abi.RTAX_NETMASK] = e.maskSockaddr()
	a[abi.RTAX_TAG] = e.Tag
	return a
}

// addInterface adds those of a route's interface: RTA_IFP, RTA_IFA, and the peer's of a point-to-point link as RTA_BRD.
func (a *addrs) addInterface(e *Entry) {
	if e.If == nil {
		return
	}
	a[abi.RTAX_IFP] = e.If.LinkLevel().Addr
	if e.Addr == nil {
		return
	}
	a[abi.RTAX_IFA] = e.Addr.Addr
	if e.If.Flags()&abi.IFF_POINTOPOINT != 0 {
		a[abi.RTAX_BRD] = e.Addr.Dst
	}
}

// Announce tells routing sockets of a route that the kernel has added, deleted or changed by itself: RTM_ADD, RTM_DELETE, RTM_CHANGE.
// Those that a program asks for need no announcement: its message goes to all.
func (t *Table) Announce(typ int, e *Entry, errno abi.Errno) {
	a := routeAddrs(e)
	a[abi.RTAX_TAG] = nil
	if e.If != nil {
		a[abi.RTAX_IFP] = e.If.LinkLevel().Addr
	}
	if e.Addr != nil {
		a[abi.RTAX_IFA] = e.Addr.Addr
	}
	t.announce(typ, e.Flags, errno, &a)
}

// announce sends a message of the kernel about a route, if anybody listens.
func (t *Table) announce(typ int, flags uint32, errno abi.Errno, a *addrs) {
	if len(t.listeners()) == 0 {
		return
	}
	h := abi.RtMsghdr{Flags: int32(flags | abi.RTF_DONE), Addrs: a.mask(), Errno: int32(errno)}
	t.broadcast(finish(typ, &h, a), family(a[abi.RTAX_DST]), nil)
}

// Miss tells routing sockets that there is no route to an address: RTM_MISS. It may be called without locks.
func (t *Table) Miss(dst netip.Addr, scope uint16) {
	t.stats.unreach.Add(1)
	a := addrs{abi.RTAX_DST: Sockaddr(dst, scope)}
	t.announce(abi.RTM_MISS, 0, 0, &a)
}

// Losing tells routing sockets that a route seems to fail: RTM_LOSING.
func (t *Table) Losing(e *Entry) {
	a := routeAddrs(e)
	a[abi.RTAX_TAG] = nil
	t.announce(abi.RTM_LOSING, e.Flags, 0, &a)
}

// Redirected tells routing sockets of an ICMP redirect from author: that packets to dst are to go by gateway. errno says why it was not
// followed; 0 that it was, flags then having RTF_DYNAMIC for a new route and RTF_MODIFIED for one that has another gateway now.
func (t *Table) Redirected(dst, gateway, author netip.Addr, scope uint16, flags uint32, errno abi.Errno) {
	switch {
	case errno != 0:
		t.stats.badredirect.Add(1)
	case flags&abi.RTF_MODIFIED != 0:
		t.stats.newgateway.Add(1)
	case flags&abi.RTF_DYNAMIC != 0:
		t.stats.dynamic.Add(1)
	}
	a := addrs{
		abi.RTAX_DST:     Sockaddr(dst, scope),
		abi.RTAX_GATEWAY: Sockaddr(gateway, scope),
		abi.RTAX_AUTHOR:  Sockaddr(author, scope),
	}
	t.announce(abi.RTM_REDIRECT, flags, errno, &a)
}

// AddrMessage tells routing sockets of an interface's address: RTM_NEWADDR, RTM_DELADDR, RTM_CHGADDR. The table itself does so at the
// events of package ifnet.
func (t *Table) AddrMessage(typ int, addr *ifnet.Addr) {
	t.broadcast(addrMessage(typ, addr, true), addr.Family, nil)
}

// addrMessage is a struct ifa_msghdr; ifp says whether with the interface's link-level address.
func addrMessage(typ int, addr *ifnet.Addr, ifp bool) []byte {
	a := addrs{abi.RTAX_IFA: addr.Addr, abi.RTAX_NETMASK: addr.Mask, abi.RTAX_BRD: addr.Dst}
	if ifp {
		a[abi.RTAX_IFP] = addr.If.LinkLevel().Addr
	}
	h := abi.IfaMsghdr{Addrs: a.mask(), Flags: int32(addr.Flags), Metric: int32(addr.Metric), Index: addr.If.Index}
	return finish(typ, &h, &a)
}

// InterfaceMessage tells routing sockets of an interface's flags and state: RTM_IFINFO.
func (t *Table) InterfaceMessage(ifp *ifnet.Interface) {
	t.broadcast(interfaceMessage(ifp, nil), 0, nil)
}

// interfaceMessage is a struct if_msghdr, with the link-level address where it is given.
func interfaceMessage(ifp *ifnet.Interface, lladdr []byte) []byte {
	a := addrs{abi.RTAX_IFP: lladdr}
	h := abi.IfMsghdr{Addrs: a.mask(), Flags: int32(int16(ifp.Flags())), Index: ifp.Index, Data: ifp.Data()}
	return finish(abi.RTM_IFINFO, &h, &a)
}

// AnnounceInterface tells routing sockets of a new interface (abi.IFAN_ARRIVAL) or one that has gone (IFAN_DEPARTURE): RTM_IFANNOUNCE.
func (t *Table) AnnounceInterface(ifp *ifnet.Interface, what uint16) {
	h := abi.IfAnnouncemsghdr{Index: ifp.Index, What: what}
	copy(h.Name[:len(h.Name)-1], ifp.Name)
	t.broadcast(finish(abi.RTM_IFANNOUNCE, &h, &addrs{}), 0, nil)
}

// interfaceEvent tells routing sockets what happens to interfaces, and takes the routes of one that goes away.
func (t *Table) interfaceEvent(e ifnet.Event) {
	switch e.Kind {
	case ifnet.Attached:
		t.AnnounceInterface(e.If, abi.IFAN_ARRIVAL)
	case ifnet.Detaching:
		t.purge(e.If)
	case ifnet.Detached:
		t.AnnounceInterface(e.If, abi.IFAN_DEPARTURE)
	case ifnet.FlagsChanged:
		t.InterfaceMessage(e.If)
	case ifnet.LinkAddrChanged:
		t.AddrMessage(abi.RTM_CHGADDR, e.Addr)
	case ifnet.AddrAdded:
		t.AddrMessage(abi.RTM_NEWADDR, e.Addr)
	case ifnet.AddrDeleted:
		t.AddrMessage(abi.RTM_DELADDR, e.Addr)
	case ifnet.AddrChanged:
		t.AddrMessage(abi.RTM_CHGADDR, e.Addr)
	}
}

// purge deletes the routes that lead through an interface or come from one of its addresses.
func (t *Table) purge(ifp *ifnet.Interface) {
	for _, e := range t.Entries(abi.AF_UNSPEC) {
		if e.If != ifp && (e.Addr == nil || e.Addr.If != ifp) {
			continue
		}
		if _, err := t.Delete(e.Dst, e.Scope); err == nil {
			t.Announce(abi.RTM_DELETE, e, 0)
		}
	}
}

// family is the address family of a sockaddr; AF_UNSPEC of none.
func family(sa []byte) int {
	if len(sa) < 2 {
		return abi.AF_UNSPEC
	}
	return int(sa[1])
}

// trimmed is a sockaddr as long as its length byte says.
func trimmed(sa []byte) []byte {
	if len(sa) == 0 {
		return nil
	}
	return bytes.Clone(sa[:min(len(sa), int(sa[0]))])
}
