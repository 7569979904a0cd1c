package ifnet

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

// Observe has f called at each change, after those who observe already, with Config held. There is no way to stop: observers are parts of the
// kernel and live as long as it.
func (n *Net) Observe(f func(Event)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.observers = append(n.observers, f)
}

// Notify tells the observers of a change, in the order in which they came. Config held.
func (n *Net) Notify(e Event) {
	n.mu.Lock()
	observers := n.observers
	n.mu.Unlock()
	for _, f := range observers {
		f(e)
	}
}
