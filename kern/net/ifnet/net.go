package ifnet

import (
	"sync"

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
}

// EventKind says what happened to an interface.
type EventKind int

const (
	Attached        EventKind = iota // a new interface: RTM_IFANNOUNCE
	Detaching                        // it is about to go: its addresses and routes go first
	Detached                         // it has gone: RTM_IFANNOUNCE
	FlagsChanged                     // IFF_*, link state, MTU, metric: RTM_IFINFO
	LinkAddrChanged                  // its link-level address
	AddrAdded                        // an address: RTM_NEWADDR; Addr is set
	AddrDeleted                      // RTM_DELADDR
	AddrChanged                      // its flags: tentative, detached, duplicated
)

// Event is one change. Old is the flags before a FlagsChanged.
type Event struct {
	Kind EventKind
	If   *Interface
	Addr *Addr
	Old  uint32
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
