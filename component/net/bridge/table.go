package bridge

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// What a table is like until brconfig changes it: maxaddr, and timeout.
const (
	defaultCache   = 100
	defaultTimeout = 1200 * time.Second
)

// table is which addresses are behind which members. What was learnt ages; an entry that has expired is as none, and goes when
// room is needed.
type table struct {
	mu      sync.Mutex
	entries map[[6]byte]*entry
	limit   int
	timeout time.Duration // 0: nothing ages
}

// entry is one address.
type entry struct {
	mac    [6]byte
	member *member
	static bool
	expire time.Time // zero for never
}

func (e *entry) expired(now time.Time) bool { return !e.expire.IsZero() && now.After(e.expire) }

// learn notes that an address is behind a member, unless a static entry says where it is. Groups are nowhere, nor is 00:00:00:00:00:00.
func (b *bridge) learn(m *member, mac [6]byte) {
	if m.flags.Load()&abi.IFBIF_LEARNING == 0 || mac[0]&1 != 0 || mac == [6]byte{} {
		return
	}
	b.table.learn(m, mac, time.Now())
}

func (m *member) discovers() bool { return m.flags.Load()&abi.IFBIF_DISCOVER != 0 }

func (t *table) learn(m *member, mac [6]byte, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[mac]
	switch {
	case e == nil && !t.room(now):
		return
	case e == nil:
		e = t.insert(mac)
	case e.static:
		return
	}
	e.member = m
	e.expire = time.Time{}
	if t.timeout > 0 {
		e.expire = now.Add(t.timeout)
	}
}

// room says whether there is room for one more entry, after dropping those that have expired if need be. t.mu held.
func (t *table) room(now time.Time) bool {
	if len(t.entries) < t.limit {
		return true
	}
	for mac, e := range t.entries {
		if e.expired(now) {
			delete(t.entries, mac)
		}
	}
	return len(t.entries) < t.limit
}

// insert adds an entry. t.mu held.
func (t *table) insert(mac [6]byte) *entry {
	if t.entries == nil {
		t.entries = map[[6]byte]*entry{}
	}
	e := &entry{mac: mac}
	t.entries[mac] = e
	return e
}

// setStatic enters an address for good.
func (t *table) setStatic(m *member, mac [6]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[mac]
	if e == nil {
		e = t.insert(mac)
	}
	e.member, e.static, e.expire = m, true, time.Time{}
}

// setDynamic enters an address as if it had been learnt.
func (t *table) setDynamic(m *member, mac [6]byte, now time.Time) {
	t.mu.Lock()
	delete(t.entries, mac)
	t.mu.Unlock()
	t.learn(m, mac, now)
}

// remove says whether the address was there.
func (t *table) remove(mac [6]byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, there := t.entries[mac]
	delete(t.entries, mac)
	return there
}

// lookup is the member behind which an address is; nil when that is not known.
func (t *table) lookup(mac [6]byte, now time.Time) *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[mac]; e != nil && !e.expired(now) {
		return e.member
	}
	return nil
}

// forget drops the entries that are wanted no more.
func (t *table) forget(which func(*entry) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for mac, e := range t.entries {
		if which(e) {
			delete(t.entries, mac)
		}
	}
}

// all lists the entries by address.
func (t *table) all(now time.Time) []entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []entry
	for _, e := range t.entries {
		if !e.expired(now) {
			list = append(list, *e)
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return bytes.Compare(a.mac[:], b.mac[:]) })
	return list
}

// setLimit changes how many entries there may be; setTimeout how long what was learnt from now on stays.
func (t *table) setLimit(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit = n
	for mac, e := range t.entries {
		if len(t.entries) <= n {
			break
		}
		if !e.static {
			delete(t.entries, mac)
		}
	}
}

func (t *table) setTimeout(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timeout = d
}

func (t *table) parameters() (limit int, timeout time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.limit, t.timeout
}
