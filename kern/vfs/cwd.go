package vfs

import (
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// cwdinfo is a process's place in the tree: working directory, root directory, umask.
type cwdinfo struct {
	v *VFS

	mu    sync.RWMutex
	cdir  *Vnode // held
	rdir  *Vnode // held; nil for the real root
	cmask uint32
}

// defaultUmask is the umask of new processes.
const defaultUmask = 022

var _ kern.Cwdinfo = (*cwdinfo)(nil)

// cwdTable has the places of all processes.
type cwdTable struct {
	mu  sync.Mutex // taken before a cwdinfo's
	all map[*cwdinfo]bool
}

// newCwdinfo is a new process's: at the root.
func (v *VFS) newCwdinfo(*kern.Proc) kern.Cwdinfo {
	v.cwds.mu.Lock()
	defer v.cwds.mu.Unlock()
	c := &cwdinfo{v: v, cdir: v.Root(), cmask: defaultUmask}
	v.cwds.all[c] = true
	return c
}

// cwdOf is a process's place.
func cwdOf(p *kern.Proc) *cwdinfo { return p.Cwdi.(*cwdinfo) }

// Fork makes the child's copy.
func (c *cwdinfo) Fork() kern.Cwdinfo {
	c.v.cwds.mu.Lock()
	defer c.v.cwds.mu.Unlock()
	c.mu.RLock()
	defer c.mu.RUnlock()
	child := &cwdinfo{v: c.v, cdir: c.cdir.Hold(), cmask: c.cmask}
	if c.rdir != nil {
		child.rdir = c.rdir.Hold()
	}
	c.v.cwds.all[child] = true
	return child
}

// Free drops the references when the process is gone.
func (c *cwdinfo) Free() {
	c.v.cwds.mu.Lock()
	delete(c.v.cwds.all, c)
	c.v.cwds.mu.Unlock()
	c.mu.Lock()
	cdir, rdir := c.cdir, c.rdir
	c.cdir, c.rdir = nil, nil
	c.mu.Unlock()
	t := c.v.k.KernelThread()
	cdir.Release(t)
	if rdir != nil {
		rdir.Release(t)
	}
}

// move takes the processes whose working or root directory is old to now, a mount's root, and the real root too.
func (v *VFS) move(t *kern.Thread, old, now *Vnode) {
	v.cwds.mu.Lock()
	defer v.cwds.mu.Unlock()
	v.root.CompareAndSwap(old, now)
	for c := range v.cwds.all {
		c.replace(t, old, now)
	}
}

// root is the process's root directory, held.
func (c *cwdinfo) root() *Vnode {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.rdir != nil {
		return c.rdir.Hold()
	}
	return c.v.Root()
}

// dir is the process's working directory, held.
func (c *cwdinfo) dir() *Vnode {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.cdir.Hold()
}

// umask is the process's file mode creation mask.
func (c *cwdinfo) umask() uint32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.cmask
}

// chroots says whether the process has a root directory of its own.
func (c *cwdinfo) chroots() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.rdir != nil
}

// replace moves the process from directory old to now, if it is there.
func (c *cwdinfo) replace(t *kern.Thread, old, now *Vnode) {
	c.mu.Lock()
	var drop int
	if c.cdir == old {
		c.cdir, drop = now.Hold(), drop+1
	}
	if c.rdir == old {
		c.rdir, drop = now.Hold(), drop+1
	}
	c.mu.Unlock()
	for range drop {
		old.Release(t)
	}
}

// setDir makes vp the working directory, taking over the reference.
func (c *cwdinfo) setDir(t *kern.Thread, vp *Vnode) {
	c.mu.Lock()
	old := c.cdir
	c.cdir = vp
	c.mu.Unlock()
	old.Release(t)
}

// setRoot makes vp the root directory, taking over the reference, and the working directory too unless that is below.
func (c *cwdinfo) setRoot(t *kern.Thread, vp *Vnode) {
	cdir := c.dir()
	inside := c.v.isUnder(t, cdir, vp)
	cdir.Release(t)
	c.mu.Lock()
	oldRoot, oldDir := c.rdir, (*Vnode)(nil)
	c.rdir = vp
	if !inside {
		oldDir, c.cdir = c.cdir, vp.Hold()
	}
	c.mu.Unlock()
	if oldRoot != nil {
		oldRoot.Release(t)
	}
	if oldDir != nil {
		oldDir.Release(t)
	}
}

// maxDepth bounds walks up the tree: getcwd(3) takes no longer path.
const maxDepth = 4 * abi.PATH_MAX / 2

// up calls f for dir and each directory above it until f says false or the real root is passed. The vnodes given to f are
// held for its time only.
func (v *VFS) up(t *kern.Thread, dir *Vnode, f func(*Vnode) bool) error {
	at := dir.Hold()
	defer func() { at.Release(t) }()
	for range maxDepth {
		if !f(at) {
			return nil
		}
		var above *Vnode
		if at == at.mount.root {
			if above = at.mount.coveredDir(); above == nil {
				return nil
			}
		} else {
			var err error
			if above, err = at.parent(t); err != nil {
				return err
			}
		}
		at.Release(t)
		at = above
	}
	return abi.ENOENT
}

// isUnder says whether dir is root or below it.
func (v *VFS) isUnder(t *kern.Thread, dir, root *Vnode) bool {
	found := false
	err := v.up(t, dir, func(vp *Vnode) bool {
		found = vp == root
		return !found
	})
	return err == nil && found
}

// pathOf is the absolute path of dir as seen from root, with the checks of getcwd(3) when cred is not nil: dir must be
// searchable, all directories above it searchable and readable.
//
// Errors: ENOENT for a removed directory or one not below root, EACCES.
func (v *VFS) pathOf(t *kern.Thread, dir, root *Vnode, cred *kern.Cred) (string, error) {
	w := pathWalk{t: t, root: root, cred: cred, want: mayExec}
	defer w.end()
	err := v.up(t, dir, w.visit)
	switch {
	case w.err != nil:
		return "", w.err
	case err != nil:
		return "", err
	case !w.reached:
		return "", abi.ENOENT
	}
	return joinUp(w.names), nil
}

// pathWalk collects the names of directories on the way up to root.
type pathWalk struct {
	t       *kern.Thread
	root    *Vnode
	cred    *kern.Cred // nil checks nothing
	want    accessMode
	below   *Vnode // the last one visited, held
	names   []string
	reached bool
	err     error
	attr    Attr
}

// visit takes one step up, to vp. It says false at the root and after an error.
func (w *pathWalk) visit(vp *Vnode) bool {
	crossing := w.below != nil && w.below == w.below.mount.root
	if w.below != nil && !crossing {
		name, err := vp.nameIn(w.t, w.below)
		if err != nil {
			w.err = err
			return false
		}
		w.names = append(w.names, name)
	}
	w.end()
	w.below = vp.Hold()
	if w.reached = vp == w.root; w.reached {
		return false
	}
	if w.cred != nil && !crossing {
		w.err = vp.access(w.t, w.cred, w.want, &w.attr)
		w.want = mayExec | mayRead
	}
	return w.err == nil
}

func (w *pathWalk) end() {
	if w.below != nil {
		w.below.Release(w.t)
		w.below = nil
	}
}

// joinUp makes an absolute path of names from the bottom up.
func joinUp(names []string) string {
	if len(names) == 0 {
		return "/"
	}
	n := 0
	for _, s := range names {
		n += len(s) + 1
	}
	path := make([]byte, 0, n)
	for _, s := range slices.Backward(names) {
		path = append(append(path, '/'), s...)
	}
	return string(path)
}

// nameIn is the name of directory child in vp, its parent. Errors: ENOENT.
func (vp *Vnode) nameIn(t *kern.Thread, child *Vnode) (string, error) {
	if e := child.nameOf.Load(); e != nil && e.dir == vp && !e.dead.Load() {
		return e.name, nil
	}
	var a Attr
	if err := child.Attr(t, &a); err != nil {
		return "", err
	}
	if err := vp.rlock(); err != nil {
		return "", err
	}
	defer vp.mu.RUnlock()
	name := ""
	err := vp.dir.ReadDir(t, 0, func(e Dirent) bool {
		if e.Ino == a.Ino && e.Name != "." && e.Name != ".." {
			name = e.Name
		}
		return name == ""
	})
	if err == nil && name == "" {
		err = abi.ENOENT
	}
	return name, err
}
