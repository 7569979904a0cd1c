package client

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// Interface is a network interface of the kernel.
type Interface struct {
	Index int
	Name  string
	// Flags are abi.IFF_*.
	Flags int
	// LinkAddr is the active link-level address, empty without one; LinkAddrs are all.
	LinkAddr  net.HardwareAddr
	LinkAddrs []net.HardwareAddr
	// Data are the statistics, the MTU and so on.
	Data abi.IfData
	// Addrs are the addresses in the kernel's order, the link-level one left out.
	Addrs []InterfaceAddr
}

// InterfaceAddr is an address of an interface, as struct ifaddrs, of the internet families.
type InterfaceAddr struct {
	// Prefix is the address with its netmask's length; a link-local one has no zone: it is the interface's.
	Prefix netip.Prefix
	// Peer is the broadcast address, or the other end of a point-to-point link; the zero Addr without.
	Peer netip.Addr
}

// Interfaces lists the kernel's network interfaces in the order of their indices: sysctl net.route, NET_RT_IFLIST.
// Errors: an *os.SyscallError, ENOENT in a kernel without interfaces; rtmsg.ErrMessage.
func (p *Process) Interfaces() ([]Interface, error) {
	b, err := p.tree.Get([]int32{abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_IFLIST, 0})
	if err != nil {
		return nil, syscallError("sysctl", err)
	}
	var list []Interface
	for m, err := range rtmsg.All(b) {
		if err == nil {
			list, err = addMessage(list, m)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// addMessage adds what a message says: an interface, or an address of the last one.
func addMessage(list []Interface, m []byte) ([]Interface, error) {
	switch rtmsg.Type(m) {
	case abi.RTM_IFINFO:
		var h abi.IfMsghdr
		if err := h.Decode(m); err != nil {
			return nil, rtmsg.ErrMessage
		}
		addrs, err := rtmsg.Parse(h.Addrs, m[abi.SizeofIfMsghdr:])
		if err != nil {
			return nil, err
		}
		link, ok := sockaddr.ParseLink(addrs[abi.RTAX_IFP])
		if !ok {
			return list, nil
		}
		return append(list, Interface{Index: int(h.Index), Name: link.Name, Flags: int(h.Flags), LinkAddr: link.Addr, Data: h.Data}), nil
	case abi.RTM_NEWADDR:
		var h abi.IfaMsghdr
		if err := h.Decode(m); err != nil {
			return nil, rtmsg.ErrMessage
		}
		addrs, err := rtmsg.Parse(h.Addrs, m[abi.SizeofIfaMsghdr:])
		if err != nil {
			return nil, err
		}
		if n := len(list); n > 0 && list[n-1].Index == int(h.Index) {
			list[n-1].add(&addrs)
		}
	}
	return list, nil
}

// add adds an address of a message.
func (ifp *Interface) add(addrs *rtmsg.Addrs) {
	if link, ok := sockaddr.ParseLink(addrs[abi.RTAX_IFA]); ok {
		ifp.LinkAddrs = append(ifp.LinkAddrs, link.Addr)
	} else if a, ok := interfaceAddr(addrs); ok {
		ifp.Addrs = append(ifp.Addrs, a)
	}
}

// Sockaddr is an address as a struct sockaddr of its family, a link-local one with the interface for its scope.
func (ifp *Interface) Sockaddr(a netip.Addr) []byte {
	var scope uint32
	if sockaddr.Scoped(a) {
		scope = uint32(ifp.Index)
	}
	return sockaddr.Inet(a, 0, scope)
}

func interfaceAddr(addrs *rtmsg.Addrs) (InterfaceAddr, bool) {
	sa := addrs[abi.RTAX_IFA]
	a, _, _, ok := sockaddr.ParseInet(sa)
	ones, contiguous := sockaddr.MaskBits(addrs[abi.RTAX_NETMASK], sockaddr.Family(sa))
	if !ok || !contiguous {
		return InterfaceAddr{}, false
	}
	peer, _, _, _ := sockaddr.ParseInet(addrs[abi.RTAX_BRD])
	return InterfaceAddr{Prefix: netip.PrefixFrom(a, ones), Peer: peer}, true
}

// InterfaceByName finds an interface. Errors: as Interfaces; ENXIO in an *os.SyscallError when there is none of the name.
func (p *Process) InterfaceByName(name string) (*Interface, error) {
	list, err := p.Interfaces()
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Name == name {
			return &list[i], nil
		}
	}
	return nil, syscallError("interface "+name, abi.ENXIO)
}

// zoneScope is the interface index that a zone names, by its number or by the interface's name.
func (p *Process) zoneScope(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	var n uint32
	if _, err := fmt.Sscanf(zone, "%d", &n); err == nil && fmt.Sprint(n) == zone {
		return n, nil
	}
	ifp, err := p.InterfaceByName(zone)
	if err != nil {
		return 0, err
	}
	return uint32(ifp.Index), nil
}

// scopeZone is the zone of an interface index: the interface's name or, where that cannot be found, the number.
func (p *Process) scopeZone(scope uint32) string {
	if scope == 0 {
		return ""
	}
	list, _ := p.Interfaces() //nolint:errcheck // the number serves without names
	for i := range list {
		if list[i].Index == int(scope) {
			return list[i].Name
		}
	}
	return fmt.Sprint(scope)
}
