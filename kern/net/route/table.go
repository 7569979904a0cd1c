package route

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// Table is a kernel's routing table: a tree of prefixes for each of IPv4 and IPv6, and the routing sockets that are told of changes.
//
// What changes it is called with the Config of its Net held; Lookup and Entries need no lock.
type Table struct {
	Net *ifnet.Net

	v4, v6  atomic.Pointer[trie]
	sockets atomic.Pointer[[]*rawSocket] // changed with mu held
	stats   stats

	mu        sync.Mutex
	observers []func(old, new *Entry)
	lltables  map[int]LLTable
}

type key struct{}

// Of is the kernel's routing table; nil without rumpnet_net.
func Of(k *kern.Kernel) *Table {
	l := socket.Of(k)
	if l == nil {
		return nil
	}
	t, _ := l.Part(key{}).(*Table)
	return t
}

// New is an empty table for the interfaces of n, which it observes: routing sockets hear of them, and a route goes with its
// interface.
func New(n *ifnet.Net) *Table {
	t := &Table{Net: n, lltables: map[int]LLTable{}}
	n.Observe(t.interfaceEvent)
	return t
}

// root is the tree of an address's family.
func (t *Table) root(a netip.Addr) *atomic.Pointer[trie] {
	if a.Is4() {
		return &t.v4
	}
	return &t.v6
}

// Lookup is the route to an address: the one with the longest prefix; nil without any. scope is the index of the interface that a link-local address is
// on, 0 for others. It takes no lock and allocates nothing.
func (t *Table) Lookup(dst netip.Addr, scope uint16) *Entry {
	return t.root(dst).Load().lookup(keyOf(dst, scope))
}

// Exact is the route to just this prefix; nil without one.
func (t *Table) Exact(dst netip.Prefix, scope uint16) *Entry {
	key, plen := prefixKey(dst, scope)
	return t.root(dst.Addr()).Load().exact(key, plen)
}

// prefixKey is the place of a prefix in its tree.
func prefixKey(p netip.Prefix, scope uint16) (trieKey, uint8) {
	p = p.Masked()
	if p.Addr().Is6() && p.Bits() < 32 {
		scope = 0
	}
	return keyOf(p.Addr(), scope), uint8(p.Bits())
}

// Add adds a route. Config held. Errors: EEXIST when there is one to the same prefix; EINVAL for an invalid prefix.
func (t *Table) Add(e *Entry) error {
	if !e.Dst.IsValid() {
		return abi.EINVAL
	}
	if t.Exact(e.Dst, e.Scope) != nil {
		return abi.EEXIST
	}
	t.store(nil, e)
	return nil
}

// Replace puts e in the place of the route to the same prefix, or adds it. Config held.
func (t *Table) Replace(e *Entry) {
	if e.Dst.IsValid() {
		t.store(t.Exact(e.Dst, e.Scope), e)
	}
}

// store enters e, and tells the observers.
func (t *Table) store(old, e *Entry) {
	root := t.root(e.Dst.Addr())
	key, plen := prefixKey(e.Dst, e.Scope)
	root.Store(root.Load().insert(key, plen, e))
	t.changed(old, e)
}

// Delete takes the route to a prefix away, and returns it. Config held. Errors: ESRCH.
func (t *Table) Delete(dst netip.Prefix, scope uint16) (*Entry, error) {
	if !dst.IsValid() {
		return nil, abi.ESRCH
	}
	old := t.Exact(dst, scope)
	if old == nil {
		return nil, abi.ESRCH
	}
	root := t.root(dst.Addr())
	key, plen := prefixKey(dst, scope)
	root.Store(root.Load().remove(key, plen))
	t.changed(old, nil)
	return old, nil
}

// Observe has f called after each change, Config held: old is nil for a new route, new for one that is gone.
func (t *Table) Observe(f func(old, new *Entry)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.observers = append(slices.Clone(t.observers), f)
}

func (t *Table) changed(old, new *Entry) {
	t.mu.Lock()
	observers := t.observers
	t.mu.Unlock()
	for _, f := range observers {
		f(old, new)
	}
}

// Entries lists the routes of AF_INET or AF_INET6, or both for AF_UNSPEC, as NetBSD's tree is walked: by address, and of the same address the longer
// prefix first.
func (t *Table) Entries(family int) []*Entry {
	var list []*Entry
	if family == abi.AF_UNSPEC || family == abi.AF_INET {
		list = append(list, t.v4.Load().entries()...)
	}
	if family == abi.AF_UNSPEC || family == abi.AF_INET6 {
		list = append(list, t.v6.Load().entries()...)
	}
	return list
}

func (n *trie) entries() []*Entry {
	var nodes []*trie
	n.walk(func(n *trie) { nodes = append(nodes, n) })
	slices.SortFunc(nodes, func(a, b *trie) int {
		switch {
		case a.key == b.key:
			return int(b.plen) - int(a.plen)
		case a.key.less(b.key):
			return -1
		}
		return 1
	})
	list := make([]*Entry, len(nodes))
	for i, n := range nodes {
		list[i] = n.entry
	}
	return list
}

// RegisterLLTable brings a family's table of link-level addresses.
func (t *Table) RegisterLLTable(family int, ll LLTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lltables[family] = ll
}

// lltable is a family's table; nil without one.
func (t *Table) lltable(family int) LLTable {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lltables[family]
}
