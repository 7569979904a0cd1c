package route

import (
	"net/netip"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Neighbor is an entry of a table of link-level addresses: ARP's or neighbour discovery's.
type Neighbor struct {
	If       *ifnet.Interface
	Addr     netip.Addr // with the scope's interface in If, not as a zone
	LinkAddr []byte     // empty while it is being resolved
	Flags    uint32     // RTF_STATIC, RTF_LOCAL, RTF_ANNOUNCE (published), RTF_REJECT...
	State    int        // ND6_LLINFO_*
	Expire   time.Time  // zero for never
	Router   bool
}

// LLTable is a family's table of link-level addresses, which package inet brings. Its methods are called with Net.Config held.
type LLTable interface {
	// Neighbors lists the entries of all interfaces.
	Neighbors() []Neighbor
	// Neighbor finds one. Errors: ESRCH.
	Neighbor(ifp *ifnet.Interface, a netip.Addr) (Neighbor, error)
	// AddNeighbor adds a static entry or one with an expiry, or changes it.
	AddNeighbor(n Neighbor) error
	// DeleteNeighbor errors: ESRCH.
	DeleteNeighbor(ifp *ifnet.Interface, a netip.Addr) error
}

// sinOtherAt is the offset of sin_other in a struct sockaddr_inarp.
const sinOtherAt = 12

// dstSockaddr is the neighbour's address; of a published ARP entry a struct sockaddr_inarp that says so.
func (n *Neighbor) dstSockaddr() []byte {
	var scope uint16
	if sockaddr.Scoped(n.Addr) {
		scope = n.If.Index
	}
	sa := Sockaddr(n.Addr.WithZone(""), scope)
	if n.Addr.Is4() && n.Flags&abi.RTF_ANNOUNCE != 0 {
		le.PutUint16(sa[sinOtherAt:], abi.SIN_PROXY)
	}
	return sa
}

// linkSockaddr is the neighbour's link-level address; while it is not known, one without an address that has room for it.
func (n *Neighbor) linkSockaddr() []byte {
	if len(n.LinkAddr) > 0 {
		return ifnet.SockaddrDl(n.If.Index, n.If.Type, "", n.LinkAddr)
	}
	sa := ifnet.SockaddrDl(n.If.Index, n.If.Type, "", make([]byte, len(n.If.LinkAddr())))
	sa[sdlAlenAt] = 0
	return sa
}

// sdlAlenAt is the offset of sdl_alen in a struct sockaddr_dl.
const sdlAlenAt = 6

// neighborInterface is the interface of the table entry that an RTM_ADD with a link-level gateway is about. It is false when a route is meant: the
// gateway has no address, or there is no such interface.
func (t *Table) neighborInterface(r *request, gateway []byte) (*ifnet.Interface, bool) {
	index, name, lladdr, err := ifnet.LinkSockaddr(gateway)
	if err != nil || len(name)+len(lladdr) == 0 && gateway[7] == 0 {
		return nil, false
	}
	dst := r.addrs[abi.RTAX_DST]
	proxy := family(dst) == abi.AF_INET && len(dst) >= sinOtherAt+2 && le.Uint16(dst[sinOtherAt:])&abi.SIN_PROXY != 0
	if index == 0 || proxy {
		e, err := t.requested(r)
		if err != nil || e.If == nil {
			return nil, false
		}
		if index, _, _, err = ifnet.LinkSockaddr(e.gatewaySockaddr()); err != nil {
			return nil, false
		}
	}
	return t.Net.ByIndex(index), true
}

// addNeighbor is RTM_ADD of a link-level address: static, or for as long as rmx_expire says.
//
// Errors: EINVAL without such an interface or table, or for an address of the wrong length; EEXIST for one that is there for good.
func (t *Table) addNeighbor(r *request, ifp *ifnet.Interface, gateway []byte) error {
	addr, _, err := ParseSockaddr(r.addrs[abi.RTAX_DST])
	if err != nil || ifp == nil {
		return abi.EINVAL
	}
	_, _, lladdr, err := ifnet.LinkSockaddr(gateway)
	ll := t.lltable(family(r.addrs[abi.RTAX_DST]))
	if err != nil || ll == nil || len(lladdr) != len(ifp.LinkAddr()) {
		return abi.EINVAL
	}
	if have, err := ll.Neighbor(ifp, addr); err == nil && (have.Flags&abi.RTF_STATIC != 0 || have.Flags&abi.RTF_LOCAL != 0) {
		return abi.EEXIST
	}
	n := Neighbor{If: ifp, Addr: addr, LinkAddr: lladdr, Flags: r.flags() & abi.RTF_ANNOUNCE, State: abi.ND6_LLINFO_REACHABLE}
	if r.Rmx.Expire == 0 {
		n.Flags |= abi.RTF_STATIC
	} else {
		n.Expire = time.Unix(r.Rmx.Expire, 0)
	}
	return ll.AddNeighbor(n)
}

// deleteNeighbor is RTM_DELETE of a link-level address. Errors: EINVAL without such an interface or table, ENOENT.
func (t *Table) deleteNeighbor(r *request, gateway []byte) error {
	index, _, _, err := ifnet.LinkSockaddr(gateway)
	if err != nil {
		return abi.EINVAL
	}
	addr, _, err := ParseSockaddr(r.addrs[abi.RTAX_DST])
	ifp, ll := t.Net.ByIndex(index), t.lltable(family(r.addrs[abi.RTAX_DST]))
	if err != nil || ifp == nil || ll == nil {
		return abi.EINVAL
	}
	if ll.DeleteNeighbor(ifp, addr) != nil {
		return abi.ENOENT
	}
	return nil
}

// reportNeighbor answers an RTM_GET with the link-level address of what the request asks for, which is on the network of route e.
func (t *Table) reportNeighbor(r *request, e *Entry) []byte {
	n := Neighbor{If: e.If, Addr: r.dst}
	if ll := t.lltable(family(r.addrs[abi.RTAX_DST])); ll != nil {
		if have, err := ll.Neighbor(e.If, r.dst); err == nil {
			n = have
		}
	}
	c := e.copy()
	c.Flags |= abi.RTF_LLDATA | n.Flags&abi.RTF_STATIC
	return r.report(c, addrs{
		abi.RTAX_DST: r.addrs[abi.RTAX_DST], abi.RTAX_NETMASK: r.addrs[abi.RTAX_NETMASK], abi.RTAX_GATEWAY: n.linkSockaddr(),
	})
}
