package inet

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// ifaddr is an address of an interface, as struct in_ifaddr and in6_ifaddr. What is not atomic or under mu does not change: a change
// replaces the address.
type ifaddr struct {
	ifc  *iface
	a    *ifnet.Addr
	addr netip.Addr // without a zone
	bits int
	dst  netip.Addr // the broadcast address, or the peer of a point-to-point link; the zero Addr without

	flags atomic.Uint32 // IN6_IFF_*, of IPv4 addresses too: see flags4

	mu       sync.Mutex
	dad      *dad // under way
	lifetime lifetime
	removed  bool
}

// lifetime is how long an IPv6 address lasts, as struct in6_addrlifetime.
type lifetime struct {
	vltime, pltime uint32 // in seconds, ND6_INFINITE_LIFETIME
	expire, prefer time.Time
	timer          *time.Timer
}

// family is AF_INET or AF_INET6.
func (ia *ifaddr) family() int {
	if ia.addr.Is4() {
		return familyInet
	}
	return familyInet6
}

// prefix is the network that the address is in.
func (ia *ifaddr) prefix() netip.Prefix { return netip.PrefixFrom(ia.addr, ia.bits).Masked() }

// scope is the index of the interface that the address has a meaning on, 0 for a global one.
func (ia *ifaddr) scope() uint16 { return scopeOf(ia.addr, ia.ifc) }

// flags4 are the IN_IFF_* flags of an IPv4 address, which have other numbers.
func (ia *ifaddr) flags4() (f uint32) {
	for own, in4 := range map[uint32]uint32{
		abi.IN6_IFF_TENTATIVE: abi.IN_IFF_TENTATIVE, abi.IN6_IFF_DUPLICATED: abi.IN_IFF_DUPLICATED, abi.IN6_IFF_DETACHED: abi.IN_IFF_DETACHED,
	} {
		if ia.flags.Load()&own != 0 {
			f |= in4
		}
	}
	return f
}

// setFlags sets and clears flags, and says whether that changed any.
func (ia *ifaddr) setFlags(set, clear uint32) bool {
	for {
		old := ia.flags.Load()
		next := old&^clear | set
		if old == next {
			return false
		}
		if ia.flags.CompareAndSwap(old, next) {
			return true
		}
	}
}

// notReady are the flags of an address that may not be used yet, or not at all: IN6_IFF_NOTREADY.
const notReady = abi.IN6_IFF_TENTATIVE | abi.IN6_IFF_DUPLICATED

// ready says whether packets may come from the address.
func (ia *ifaddr) ready() bool { return ia.flags.Load()&notReady == 0 }

// attached says whether the address is ready and its interface is in use: whether it is one to choose.
func (ia *ifaddr) attached() bool { return ia.flags.Load()&(notReady|abi.IN6_IFF_DETACHED) == 0 }

// scopeOf is the index of the interface for an address that has a meaning there only, 0 for others.
func scopeOf(a netip.Addr, ifc *iface) uint16 {
	if ifc != nil && linkLocal6(a) {
		return ifc.ifp.Index
	}
	return 0
}

// addrKey is an address with its scope.
type addrKey struct {
	addr  netip.Addr
	scope uint16
}

// addresses are the kernel's addresses: a snapshot that is never changed.
type addresses struct {
	list      []*ifaddr
	byAddr    map[addrKey]*ifaddr
	broadcast map[netip.Addr]*ifaddr // by the broadcast address of a network
	zero      map[netip.Addr]*ifaddr // by the address of a network itself, its broadcast address in 4.2BSD
}

// localAddr is the kernel's address a, nil when it has none. scope is the index of the interface for a link-local one.
func (in *Inet) localAddr(a netip.Addr, scope uint16) *ifaddr {
	if !linkLocal6(a) {
		scope = 0
	}
	return in.addrs.Load().byAddr[addrKey{a, scope}]
}

// addrsOf lists an interface's addresses of a family, in the order in which they were added.
func (in *Inet) addrsOf(ifp *ifnet.Interface, family int) []*ifaddr {
	var list []*ifaddr
	for _, ia := range in.addrs.Load().list {
		if ia.ifc.ifp == ifp && ia.family() == family {
			list = append(list, ia)
		}
	}
	return list
}

// firstAddr is the primary address of an interface, one that can be used before others; nil without any.
func (in *Inet) firstAddr(ifp *ifnet.Interface, family int) *ifaddr {
	var first *ifaddr
	for _, ia := range in.addrs.Load().list {
		if ia.ifc.ifp != ifp || ia.family() != family {
			continue
		}
		if ia.attached() {
			return ia
		}
		if first == nil {
			first = ia
		}
	}
	return first
}

// setAddrs publishes a list of addresses. Config held.
func (in *Inet) setAddrs(list []*ifaddr) {
	s := &addresses{list: list, byAddr: make(map[addrKey]*ifaddr, len(list)), broadcast: map[netip.Addr]*ifaddr{}, zero: map[netip.Addr]*ifaddr{}}
	for _, ia := range list {
		k := addrKey{ia.addr, ia.scope()}
		if s.byAddr[k] == nil {
			s.byAddr[k] = ia
		}
		if ia.addr.Is4() && ia.ifc.ifp.Flags()&abi.IFF_BROADCAST != 0 {
			s.addBroadcasts(ia)
		}
	}
	in.addrs.Store(s)
}

// addBroadcasts enters the addresses that reach all of a network: the one with all host bits set, and what was set by SIOCSIFBRDADDR.
func (s *addresses) addBroadcasts(ia *ifaddr) {
	if ia.dst.IsValid() {
		s.broadcast[ia.dst] = ia
	}
	if ia.bits < 31 {
		s.broadcast[lastAddr(ia.prefix())] = ia
		s.zero[ia.prefix().Addr()] = ia
	}
}

// insertAddr adds an address. Config held.
func (in *Inet) insertAddr(ia *ifaddr) {
	in.setAddrs(append(slices.Clone(in.addrs.Load().list), ia))
}

// deleteAddr takes an address out. Config held.
func (in *Inet) deleteAddr(ia *ifaddr) {
	in.setAddrs(slices.DeleteFunc(slices.Clone(in.addrs.Load().list), func(o *ifaddr) bool { return o == ia }))
}

// lastAddr is the last address of an IPv4 network: its broadcast address.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// maskBytes are the bytes of a netmask.
func maskBytes(bits, n int) []byte {
	m := make([]byte, n)
	for i := range bits {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}

// maskBits is the length of a contiguous netmask. ok is false for one with holes.
func maskBits(mask []byte) (bits int, ok bool) {
	for bits < len(mask)*8 && mask[bits/8]&(0x80>>(bits%8)) != 0 {
		bits++
	}
	for i := bits; i < len(mask)*8; i++ {
		if mask[i/8]&(0x80>>(i%8)) != 0 {
			return bits, false
		}
	}
	return bits, true
}
