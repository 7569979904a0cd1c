package vfs

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Vnode is what this package keeps for a file of a mounted file system while anybody refers to it: one for each Node.
//
// References are counted: whoever keeps a Vnode holds it and releases it. The last release tells the
// node (Inactive). The lock mu is the vnode lock that node.go speaks of. Order of locks: a
// directory before what is in it; of two directories the ancestor first, else by id under the mount's
// rename lock (rename.go); a layer's vnode before those below it (stack.go); a File's OffMu before a vnode's lock. No vnode lock is held while a client is waited for.
type Vnode struct {
	mount *Mount
	id    uint64 // a serial number, for the order of locks
	node  Node
	dir   Directory // node, when it is a directory
	typ   uint32    // S_IF*: the file's type never changes
	rdev  uint64    // of special files
	// stacked is node, when it is a layer's.
	stacked Stacked

	refs    atomic.Int32
	covered atomic.Pointer[Mount] // what is mounted here

	// dead says that the file system is gone or the vnode revoked; set with mu held.
	dead atomic.Bool

	mu      sync.RWMutex
	removed bool // a directory without a name: nothing can be made in it

	names   nameTable
	nameOf  atomic.Pointer[nameEntry] // the cache entry that last led here
	sel     kern.Selinfo              // NOTE_* events, and changes of size for EVFILT_READ
	era     atomic.Uint32             // counts revocations of a file or directory
	writers atomic.Int32              // opens for writing

	lockf *lockList // advisory locks; guarded by the lockTable's mu

	fifoMu sync.Mutex
	fifo   *fifo // while it is open

	extraMu sync.RWMutex
	extra   map[string]*Vnode // host files mapped into this directory, held

	reclaiming bool // guarded by mount.mu: Inactive is running
}

// Mount is the mount that the vnode belongs to.
func (vp *Vnode) Mount() *Mount { return vp.mount }

// Node is the file system's node.
func (vp *Vnode) Node() Node { return vp.node }

// Type is the file's type, one of S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO and S_IFSOCK.
func (vp *Vnode) Type() uint32 { return vp.typ }

// Rdev is the device number of a special file.
func (vp *Vnode) Rdev() uint64 { return vp.rdev }

// IsDir says whether the vnode is a directory.
func (vp *Vnode) IsDir() bool { return vp.typ == abi.S_IFDIR }

// Hold takes a reference; the caller has one already.
func (vp *Vnode) Hold() *Vnode {
	vp.refs.Add(1)
	return vp
}

// tryHold takes a reference unless the last one is gone.
func (vp *Vnode) tryHold() bool {
	for {
		n := vp.refs.Load()
		if n == 0 {
			return false
		}
		if vp.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release drops a reference. The last one may cost I/O; it needs no vnode lock, but the caller should hold none
// that it need not.
func (vp *Vnode) Release(t *kern.Thread) {
	for {
		n := vp.refs.Load()
		if n == 1 {
			vp.mount.releaseLast(t, vp)
			return
		}
		if vp.refs.CompareAndSwap(n, n-1) {
			return
		}
	}
}

// lock locks the vnode for changes. Errors: EIO when it is dead.
func (vp *Vnode) lock() error {
	vp.mu.Lock()
	if vp.dead.Load() {
		vp.mu.Unlock()
		return abi.EIO
	}
	return nil
}

// rlock locks the vnode for reading. Errors: EIO when it is dead. It must not be taken twice by one thread.
func (vp *Vnode) rlock() error {
	vp.mu.RLock()
	if vp.dead.Load() {
		vp.mu.RUnlock()
		return abi.EIO
	}
	return nil
}

// Attr fills a with the file's attributes. Errors: EIO when the file system is gone.
func (vp *Vnode) Attr(t *kern.Thread, a *Attr) error {
	if err := vp.rlock(); err != nil {
		return err
	}
	defer vp.mu.RUnlock()
	return vp.node.Attr(t, a)
}

// touch marks times to be changed, as the mount's flags allow: no changes on a read-only mount, no access times with
// MNT_NOATIME. Called with the vnode locked, shared at least.
func (vp *Vnode) touch(which TimeMask) {
	tn, ok := vp.node.(Toucher)
	if !ok {
		return
	}
	flags := vp.mount.flags.Load()
	if flags&abi.MNT_RDONLY != 0 {
		return
	}
	if flags&abi.MNT_NOATIME != 0 {
		which &^= Atime
	}
	if which != 0 {
		tn.Touch(which, vp.mount.vfs.k.Now())
	}
}

// touchRead marks the access time after a read; with MNT_RELATIME only when it is older than the last change or a
// day old (mount(8)). Called with the vnode locked shared.
func (vp *Vnode) touchRead(t *kern.Thread) {
	if vp.mount.flags.Load()&abi.MNT_RELATIME != 0 {
		lk := vp.mount.vfs.scratch(t)
		defer lk.put()
		a := &lk.attr
		if vp.node.Attr(t, a) != nil {
			return
		}
		dayAgo := vp.mount.vfs.k.Now().Add(-24 * time.Hour)
		if a.Atime.After(a.Mtime) && a.Atime.After(a.Ctime) && a.Atime.After(dayAgo) {
			return
		}
	}
	vp.touch(Atime)
}

// notify tells kqueue of events on the vnode, NOTE_*.
// Those of a layer's are told of the vnode below, which sees every change.
func (vp *Vnode) notify(hint uint32) {
	if vp.stacked == nil {
		vp.sel.Notify(hint)
	}
}
