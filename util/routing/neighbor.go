package routing

import (
	"encoding/binary"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
)

// Neighbor is an entry of the kernel's tables of link-level addresses: ARP's or neighbour discovery's.
type Neighbor struct {
	*Message
	Addr  netip.Addr // without a zone
	Scope uint32     // the interface's index, of a link-local address
	Link  sockaddr.Link
}

// sinOtherAt is the offset of sin_other in a struct sockaddr_inarp.
const sinOtherAt = 12

// Neighbors lists a family's entries: sysctl net.route with NET_RT_FLAGS. Errors: those of Table.
func Neighbors(p *client.Process, family int) ([]Neighbor, error) {
	routes, err := Table(p, family, abi.NET_RT_FLAGS, 0)
	if err != nil {
		return nil, err
	}
	var list []Neighbor
	for _, m := range routes {
		if n, ok := neighbor(m); ok {
			list = append(list, n)
		}
	}
	return list, nil
}

// neighbor reads a message as an entry; ok is false for one that is about something else.
func neighbor(m *Message) (n Neighbor, ok bool) {
	n.Message = m
	if n.Addr, _, n.Scope, ok = sockaddr.ParseInet(m.Addrs[abi.RTAX_DST]); !ok {
		return n, false
	}
	n.Link, ok = sockaddr.ParseLink(m.Addrs[abi.RTAX_GATEWAY])
	return n, ok
}

// Proxy says whether an ARP entry is published alone: we answer for it, and do not use it ourselves.
func (n *Neighbor) Proxy() bool {
	dst := n.Addrs[abi.RTAX_DST]
	return n.Addr.Is4() && len(dst) >= sinOtherAt+2 && binary.LittleEndian.Uint16(dst[sinOtherAt:])&abi.SIN_PROXY != 0
}

// Published says whether an ARP entry has a netmask, which is how entries are marked that are both used and published. A netmask that is
// not that of a host is odd.
func (n *Neighbor) Published() (published, odd bool) {
	mask := n.Addrs[abi.RTAX_NETMASK]
	if mask == nil {
		return false, false
	}
	ones, ok := sockaddr.MaskBits(mask, abi.AF_INET)
	return ok && ones == 32, len(mask) != sinOtherAt-4
}

// Resolved says whether the message is about the address that was asked for and has a link-level entry for it, on a network of ours.
func (n *Neighbor) Resolved(a netip.Addr) bool {
	return n.Addr == a && n.Header.Flags&(abi.RTF_LLDATA|abi.RTF_GATEWAY) == abi.RTF_LLDATA
}

// Ethernet says whether the entry's interface has addresses of IEEE 802.
func (n *Neighbor) Ethernet() bool {
	switch n.Link.Type {
	case abi.IFT_ETHER, abi.IFT_FDDI, abi.IFT_ISO88023, abi.IFT_ISO88024, abi.IFT_ISO88025, abi.IFT_ARCNET:
		return true
	}
	return false
}

// Neighbor asks for the entry of an address, of which the interface at least is known when it is on a network of ours. ok is false when
// there is only a route to it. Errors: those of Ask.
func (s *Socket) Neighbor(dst []byte) (n Neighbor, ok bool, err error) {
	m := &Message{Header: abi.RtMsghdr{Type: abi.RTM_GET, Flags: abi.RTF_LLDATA}}
	m.Addrs[abi.RTAX_DST], m.Addrs[abi.RTAX_IFP] = dst, (&sockaddr.Link{}).Append(nil)
	r, err := s.Ask(m)
	if err != nil {
		return n, false, err
	}
	n, ok = neighbor(r)
	return n, ok, nil
}

// AddNeighbor adds an entry or changes one: with the flags RTF_ANNOUNCE to publish it; expire is in Unix time, 0 for never. proxy has it
// published alone, of ARP. Errors: those of Send.
func (s *Socket) AddNeighbor(dst []byte, link *sockaddr.Link, flags int32, expire int64, proxy bool) error {
	m := &Message{Header: abi.RtMsghdr{
		Type: abi.RTM_ADD, Flags: flags | abi.RTF_HOST | abi.RTF_STATIC | abi.RTF_LLDATA, Inits: abi.RTV_EXPIRE, Rmx: abi.RtMetrics{Expire: expire},
	}}
	if sockaddr.Family(dst) == abi.AF_INET && flags&abi.RTF_ANNOUNCE != 0 {
		if proxy {
			dst = append([]byte(nil), dst...)
			binary.LittleEndian.PutUint16(dst[sinOtherAt:], abi.SIN_PROXY)
		} else {
			m.Header.Flags &^= abi.RTF_HOST
			m.Addrs[abi.RTAX_NETMASK] = TrimMask(sockaddr.Mask(abi.AF_INET, 32))
		}
	}
	m.Addrs[abi.RTAX_DST], m.Addrs[abi.RTAX_GATEWAY] = dst, link.Append(nil)
	return s.Send(m)
}

// DeleteNeighbor deletes an entry. Errors: those of Send, ENOENT when there is none.
func (s *Socket) DeleteNeighbor(dst []byte, n *Neighbor) error {
	m := &Message{Header: abi.RtMsghdr{Type: abi.RTM_DELETE, Flags: n.Header.Flags | abi.RTF_LLDATA}}
	m.Addrs[abi.RTAX_DST], m.Addrs[abi.RTAX_GATEWAY] = dst, n.Addrs[abi.RTAX_GATEWAY]
	return s.Send(m)
}
