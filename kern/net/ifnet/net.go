package ifnet

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// Net is the interfaces of a kernel.
type Net struct {
	K     *kern.Kernel
	Layer *socket.Layer

	// Config is held by whoever changes the configuration of the network. It is the outermost of the network's locks, and it must not
	// be held while waiting for a client or a peer.
	Config sync.Mutex

	list      atomic.Pointer[interfaces]
	protocols atomic.Pointer[map[uint16]ProtocolFunc]

	mu        sync.Mutex
	observers []func(Event)
	cloners   []Cloner
	nextIndex uint16
}

// ProtocolFunc takes the packets of an ethertype that an interface received; it owns p. See Net.HandleProtocol.
type ProtocolFunc func(ifp *Interface, p *Packet)

// interfaces is a snapshot of the list: never changed.
type interfaces struct {
	list   []*Interface // by index
	byName map[string]*Interface
}

type key struct{}

// Of is the kernel's interfaces; nil without rumpnet_net.
func Of(k *kern.Kernel) *Net {
	l := socket.Of(k)
	if l == nil {
		return nil
	}
	n, _ := l.Part(key{}).(*Net)
	return n
}

// Attach makes a kernel's Net and enters it in the socket layer: what component rumpnet_net does first.
func Attach(k *kern.Kernel) (*Net, error) {
	n := New(k, socket.Of(k))
	n.Layer.SetPart(key{}, n)
	n.Layer.HandleIoctls('i', n.Ioctl)
	n.Layer.Register(abi.AF_LINK, linkDomain{})
	return n, n.createSysctls()
}

// New is a Net without interfaces that is not entered anywhere; k and l may be nil in tests of drivers.
func New(k *kern.Kernel, l *socket.Layer) *Net {
	n := &Net{K: k, Layer: l, nextIndex: 1}
	n.list.Store(&interfaces{})
	n.protocols.Store(&map[uint16]ProtocolFunc{})
	return n
}

// Attach brings an interface: gives it its index and its link-level address (lladdr, which may be empty), its MTU and its first
// flags, and announces it. Config held.
//
// Errors: EEXIST for a name that is taken, ENOSPC when all 65,535 indices are, EINVAL for a name that is empty or too long.
func (n *Net) Attach(ifp *Interface, lladdr []byte, mtu uint32, flags uint32) error {
	if ifp.Name == "" || len(ifp.Name) >= abi.IFNAMSIZ || len(lladdr) > maxLinkAddr {
		return abi.EINVAL
	}
	if n.ByName(ifp.Name) != nil {
		return abi.EEXIST
	}
	index, err := n.newIndex()
	if err != nil {
		return err
	}
	ifp.Net, ifp.Index = n, index
	ifp.mtu.Store(mtu)
	ifp.flags.Store(flags)
	link := ifp.newLinkAddr(lladdr)
	ifp.active.Store(link)
	ifp.addrs.Store(&[]*Addr{link})
	if ifp.Type == abi.IFT_ETHER && len(lladdr) > 0 && lladdr[0]&localBit == 0 {
		ifp.hwaddr = link
	}
	if err := ifp.addSysctls(); err != nil {
		return err
	}
	ifp.touch()
	n.setList(append(slices.Clone(n.Interfaces()), ifp))
	n.Notify(Event{Kind: Attached, If: ifp})
	return nil
}

// localBit is set in the first byte of an Ethernet address that no manufacturer has given.
const localBit = 2

// newIndex is an index that no interface has: the next number, beginning again at the lowest free one after 65,535.
func (n *Net) newIndex() (uint16, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for range 65535 {
		i := n.nextIndex
		if n.nextIndex++; n.nextIndex == 0 {
			n.nextIndex = 1
		}
		if n.ByIndex(i) == nil {
			return i, nil
		}
	}
	return 0, abi.ENOSPC
}

// setList publishes a new list. Config held.
func (n *Net) setList(list []*Interface) {
	slices.SortFunc(list, func(a, b *Interface) int { return cmp.Compare(a.Index, b.Index) })
	l := &interfaces{list: list, byName: make(map[string]*Interface, len(list))}
	for _, ifp := range list {
		l.byName[ifp.Name] = ifp
	}
	n.list.Store(l)
}

// Detach takes an interface away: it is set down, those who observe take their addresses and routes off it (Detaching), the addresses
// that are left go, and it is announced (Detached). Packets on their way through it may still arrive. Config held.
func (n *Net) Detach(ifp *Interface) {
	if n.ByIndex(ifp.Index) != ifp {
		return
	}
	// Setting an interface down does not fail.
	_ = ifp.SetFlags(0, abi.IFF_UP)
	n.Notify(Event{Kind: Detaching, If: ifp})
	addrs := ifp.Addrs()
	for _, a := range slices.Backward(addrs) {
		ifp.RemoveAddr(a)
	}
	ifp.SetPort(nil)
	ifp.removeSysctls()
	n.setList(slices.DeleteFunc(slices.Clone(n.Interfaces()), func(o *Interface) bool { return o == ifp }))
	n.Notify(Event{Kind: Detached, If: ifp})
	if d, ok := ifp.Driver.(Destroyer); ok {
		d.Destroy(ifp)
	}
}

// Interfaces lists the interfaces by index. The slice is shared: not to be changed.
func (n *Net) Interfaces() []*Interface { return n.list.Load().list }

// ByName finds an interface; nil when there is none.
func (n *Net) ByName(name string) *Interface { return n.list.Load().byName[name] }

// ByIndex finds an interface; nil when there is none.
func (n *Net) ByIndex(i uint16) *Interface {
	list := n.Interfaces()
	at, ok := slices.BinarySearchFunc(list, i, func(ifp *Interface, i uint16) int { return cmp.Compare(ifp.Index, i) })
	if !ok {
		return nil
	}
	return list[at]
}

// HandleProtocol has f take the packets of an ethertype: 0x0800 IPv4, 0x0806 ARP, 0x86dd IPv6. On an Ethernet the packet
// begins with the Ethernet header still; elsewhere it begins with the network header, and its Family (AF_INET, AF_INET6) says which
// protocol. f runs in the driver's goroutine and owns the packet.
func (n *Net) HandleProtocol(ethertype uint16, f func(ifp *Interface, p *Packet)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := map[uint16]ProtocolFunc{ethertype: f}
	for t, old := range *n.protocols.Load() {
		if t != ethertype {
			m[t] = old
		}
	}
	n.protocols.Store(&m)
}

// touch notes that the interface has changed: ifi_lastchange.
func (ifp *Interface) touch() {
	now := time.Now()
	if ifp.Net.K != nil {
		now = ifp.Net.K.Now()
	}
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	ifp.lastchange = now
}
