package vfs

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/kern"
)

// nameCache remembers which names lead where, and which lead nowhere, as namecache(9). An entry holds the vnode that
// it leads to, so that the files in use lately keep theirs. Entries belong to their directory's nameTable; the
// cache bounds their number with a clock: an entry that was used since the hand passed last stays.
//
// No entry is ever wrong: one is made with the directory locked shared at least, and whoever changes a directory
// holds it exclusively and removes the name's entry before unlocking it.
type nameCache struct {
	limit int

	mu   sync.Mutex
	ring []*nameEntry // at most limit; nil where an entry has gone
	free []int        // the places of those
	hand int
}

// defaultNames is the most entries of the name cache when memory is not limited.
const defaultNames = 8192

// bytesPerName is about what an entry costs with the vnode that it holds.
const bytesPerName = 1024

func (c *nameCache) init(memLimit int64) {
	c.limit = defaultNames
	if memLimit > 0 {
		// A sixteenth of the memory at most, but never so few that a deep path misses all the time.
		c.limit = int(min(defaultNames, max(64, memLimit/16/bytesPerName)))
	}
}

// nameEntry is a remembered name; vp nil remembers that the name is not there.
type nameEntry struct {
	dir  *Vnode
	name string
	vp   *Vnode // held while the entry is alive
	used atomic.Bool
	dead atomic.Bool // out of its directory's table; set with the table locked
	slot int         // its place in the ring; guarded by the cache's mu
}

// nameTable has the remembered names of a directory.
type nameTable struct {
	mu sync.RWMutex
	m  map[string]*nameEntry
}

// get looks a name up; found says whether it is remembered at all. The vnode is held for the caller. It allocates nothing.
func (nt *nameTable) get(name []byte) (vp *Vnode, found bool) {
	nt.mu.RLock()
	defer nt.mu.RUnlock()
	e := nt.m[string(name)]
	if e == nil {
		return nil, false
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	if e.vp != nil {
		e.vp.refs.Add(1)
	}
	return e.vp, true
}

// remove takes e out of the table, if it is still in it.
func (nt *nameTable) remove(e *nameEntry) bool {
	nt.mu.Lock()
	defer nt.mu.Unlock()
	if nt.m[e.name] != e {
		return false
	}
	delete(nt.m, e.name)
	e.dead.Store(true)
	return true
}

// enter remembers that name in dir leads to vp (nil: nowhere). The caller has dir locked.
func (c *nameCache) enter(t *kern.Thread, dir *Vnode, name string, vp *Vnode) {
	if !dir.mount.cached.Load() {
		return
	}
	e := &nameEntry{dir: dir, name: name, vp: vp}
	nt := &dir.names
	nt.mu.Lock()
	if nt.m == nil {
		nt.m = map[string]*nameEntry{}
	}
	if nt.m[name] != nil {
		nt.mu.Unlock()
		return
	}
	nt.m[name] = e
	if vp != nil {
		vp.refs.Add(1)
	}
	nt.mu.Unlock()
	if vp != nil && vp.IsDir() {
		vp.nameOf.Store(e)
	}
	if victim := c.insert(e); victim != nil && victim.dir.names.remove(victim) && victim.vp != nil {
		victim.vp.Release(t)
	}
}

// insert puts e into the ring and returns the entry that has to go for it.
func (c *nameCache) insert(e *nameEntry) (victim *nameEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.dead.Load() {
		return nil
	}
	switch n := len(c.free); {
	case n > 0:
		e.slot = c.free[n-1]
		c.free = c.free[:n-1]
	case len(c.ring) < c.limit:
		e.slot = len(c.ring)
		c.ring = append(c.ring, nil)
	default:
		// No place is nil now. One round clears every used mark.
		for c.ring[c.hand].used.Swap(false) {
			c.hand = (c.hand + 1) % len(c.ring)
		}
		e.slot, victim = c.hand, c.ring[c.hand]
		c.hand = (c.hand + 1) % len(c.ring)
	}
	c.ring[e.slot] = e
	return victim
}

// drop takes a dead entry out of the ring.
func (c *nameCache) drop(e *nameEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.slot < len(c.ring) && c.ring[e.slot] == e {
		c.ring[e.slot] = nil
		c.free = append(c.free, e.slot)
	}
}

// forget drops what is remembered of a name; the caller has dir locked exclusively and changes it. The vnode
// that the name led to is returned for the caller to release after unlocking; nil if there is none.
func (c *nameCache) forget(dir *Vnode, name string) *Vnode {
	nt := &dir.names
	nt.mu.RLock()
	e := nt.m[name]
	nt.mu.RUnlock()
	if e == nil || !nt.remove(e) {
		return nil
	}
	c.drop(e)
	return e.vp
}

// purgeDir forgets all names in a directory.
func (c *nameCache) purgeDir(t *kern.Thread, dir *Vnode) {
	nt := &dir.names
	nt.mu.Lock()
	m := nt.m
	nt.m = nil
	for _, e := range m {
		e.dead.Store(true)
	}
	nt.mu.Unlock()
	for _, e := range m {
		c.drop(e)
		if e.vp != nil {
			e.vp.Release(t)
		}
	}
}

// purgeMount forgets all names in a file system, so that nothing but its users refers to its vnodes.
func (c *nameCache) purgeMount(t *kern.Thread, m *Mount) {
	m.mu.Lock()
	var dirs []*Vnode
	for _, vp := range m.vnodes {
		if vp.IsDir() && !vp.reclaiming {
			dirs = append(dirs, vp.Hold())
		}
	}
	m.mu.Unlock()
	for _, vp := range dirs {
		c.purgeDir(t, vp)
	}
	for _, vp := range dirs {
		vp.Release(t)
	}
}
