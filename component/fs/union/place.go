package union

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// place is where a file of the union is: in the upper layer, in the lower one, or, a directory, in both. It is there as long as its node
// is, and a directory's as long as places below it are.
type place struct {
	fs    *FS
	upper atomic.Pointer[vfs.Vnode] // held; set once, when it is not there at first
	lower *vfs.Vnode                // held; nil for none

	// Guarded by fs.mu: parent and name lead to the place; the root has none.
	key    key
	parent *place // held
	name   string
	refs   int     // the node, places below
	unode  unioned // nil when there is no node

	// copying is held shared while the names of a directory are looked up, and exclusively while a file is copied up into
	// it: a file that is half copied is not found.
	copying sync.RWMutex
	// copyMu is held while the file is copied up.
	copyMu sync.Mutex
}

// up is the vnode in the upper layer; nil for none.
func (p *place) up() *vfs.Vnode { return p.upper.Load() }

// top is the vnode that has the contents.
func (p *place) top() *vfs.Vnode {
	if vp := p.up(); vp != nil {
		return vp
	}
	return p.lower
}

// where is the directory that leads to the place, and its name there.
func (p *place) where() (parent *place, name string) {
	p.fs.mu.Lock()
	defer p.fs.mu.Unlock()
	return p.parent, p.name
}

// key finds a place in the table: by the vnode in the upper layer, or else a directory by the one in the lower layer. Another file there
// is one for each name that it has, for its names part when it is copied up.
type key struct {
	vp     *vfs.Vnode
	parent *place
	name   string
}

func keyOf(upper, lower *vfs.Vnode, parent *place, name string) key {
	switch {
	case upper != nil:
		return key{vp: upper}
	case lower.IsDir():
		return key{vp: lower}
	}
	return key{lower, parent, name}
}

// place is the place, with a reference, of a file that is in the upper layer, the lower one, or both; the references of the vnodes are taken
// over. parent, nil for the root, and name are what it was found by.
func (f *FS) place(t *kern.Thread, upper, lower *vfs.Vnode, parent *place, name string) *place {
	k := keyOf(upper, lower, parent, name)
	f.mu.Lock()
	if p := f.known(k, upper, lower); p != nil {
		p.refs++
		f.mu.Unlock()
		release(t, upper, lower) // the place has its own
		return p
	}
	p := &place{fs: f, lower: lower, key: k, parent: parent, name: name, refs: 1}
	p.upper.Store(upper)
	f.places[k] = p
	if parent != nil {
		parent.refs++
	}
	f.mu.Unlock()
	return p
}

// known is the place of a key, nil if there is none yet; called with fs.mu held. A directory that was in the lower layer alone may have
// its shadow now.
func (f *FS) known(k key, upper, lower *vfs.Vnode) *place {
	p := f.places[k]
	if p != nil || upper == nil || lower == nil {
		return p
	}
	if p = f.places[key{vp: lower}]; p != nil && p.up() == nil {
		p.rekey(upper.Hold())
		return p
	}
	return nil
}

// rekey says that the file is in the upper layer now too, taking over the vnode's reference; called with fs.mu held.
func (p *place) rekey(upper *vfs.Vnode) {
	if p.fs.places[p.key] == p {
		delete(p.fs.places, p.key)
	}
	p.upper.Store(upper)
	p.key = key{vp: upper}
	p.fs.places[p.key] = p
}

// release drops references of vnodes, some of which may be nil.
func release(t *kern.Thread, list ...*vfs.Vnode) {
	for _, vp := range list {
		if vp != nil {
			vp.Release(t)
		}
	}
}

// drop drops a reference of a place.
func (p *place) drop(t *kern.Thread) {
	f := p.fs
	for p != nil {
		f.mu.Lock()
		if p.refs--; p.refs > 0 {
			f.mu.Unlock()
			return
		}
		gone := p.forget()
		parent := p.parent
		f.mu.Unlock()
		if gone {
			p.releaseVnodes(t)
		}
		p = parent
	}
}

// forget takes a place out of the table; it says whether it was there. Called with fs.mu held.
func (p *place) forget() bool {
	if p.fs.places[p.key] != p {
		return false
	}
	delete(p.fs.places, p.key)
	return true
}

func (p *place) releaseVnodes(t *kern.Thread) { release(t, p.up(), p.lower) }

// raise is rekey for a file that has been copied up.
func (p *place) raise(upper *vfs.Vnode) {
	p.fs.mu.Lock()
	defer p.fs.mu.Unlock()
	p.rekey(upper)
}

// move says that the place is found by another name now.
func (p *place) move(t *kern.Thread, parent *place, name string) {
	f := p.fs
	f.mu.Lock()
	old := p.parent
	p.parent, p.name = parent, name
	parent.refs++
	f.mu.Unlock()
	old.drop(t)
}

// node is the node of a place, whose reference it takes over; the root's is its own.
func (f *FS) node(p *place) vfs.Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.unode != nil {
		if p != f.root {
			p.refs-- // the node has one
		}
		return p.unode
	}
	n := node{place: p}
	if p.top().IsDir() {
		p.unode = &dir{n}
	} else {
		p.unode = &n
	}
	if p == f.root {
		p.refs++
	}
	return p.unode
}
