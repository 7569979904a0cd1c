package vfs

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// lookup is the state of walking one path, as namei(9). It is taken from a pool by begin and given back by end, and
// walks without allocating anything as long as the name cache knows the names.
//
// A walk ends at the last component: dir is the directory that it is to be found in and name the component; what a call
// does there it does with dir locked, looking the name up once more.
type lookup struct {
	v    *VFS
	t    *kern.Thread
	cred *kern.Cred
	root *Vnode // the process's root directory, held
	dir  *Vnode // held
	// exact is the whole path, for host files mapped where no directory is; nil when it is relative.
	exact []byte
	rest  []byte // what is still to be walked, without leading slashes
	name  []byte // the component at hand; empty for "/"
	tail  []byte // what follows name, with its leading slashes
	links int    // symbolic links followed
	// making says that the last component is a name to be made: it is looked for in one directory only.
	making bool
	// expect is what the name must lead to, for layers, which have looked it up before; nil for anything.
	expect *Vnode

	buf  [2][abi.PATH_MAX]byte // rest after following a link, by turns
	attr Attr
	st   abi.Stat
}

// followMode says what to do with a symbolic link at the end of a path.
type followMode bool

const (
	nofollow followMode = false
	follow   followMode = true
)

// maxName is the length of the longest component that NetBSD's namei takes, KERNEL_NAME_MAX.
const maxName = 255

// begin starts the walk of a path: from the directory of descriptor at, if the path is relative and at is not AT_FDCWD.
//
// Errors: ENOENT for an empty path, EBADF, ENOTDIR.
func (v *VFS) begin(t *kern.Thread, at int, path []byte) (*lookup, error) {
	if len(path) == 0 {
		return nil, abi.ENOENT
	}
	if len(path) >= abi.PATH_MAX {
		return nil, abi.ENAMETOOLONG
	}
	var dir *Vnode
	if at != abi.AT_FDCWD && path[0] != '/' {
		var err error
		if dir, err = v.dirOfFD(t, at); err != nil {
			return nil, err
		}
	}
	t.KtraceNamei(path)
	cwd := cwdOf(t.Proc)
	lk := v.scratch(t)
	lk.cred, lk.links, lk.making = t.Cred(), 0, false
	path = lk.buf[0][:copy(lk.buf[0][:], path)] // the client cannot change it any more
	lk.root = cwd.root()
	switch {
	case dir != nil:
		lk.dir = dir
	case path[0] == '/':
		lk.exact = path
		lk.dir = lk.root.Hold()
	default:
		lk.dir = cwd.dir()
	}
	lk.rest = bytes.TrimLeft(path, "/")
	lk.name, lk.tail = nil, nil
	return lk, nil
}

// end gives the state back.
func (lk *lookup) end() {
	lk.dir.Release(lk.t)
	lk.root.Release(lk.t)
	lk.root, lk.dir = nil, nil
	lk.exact, lk.rest, lk.name, lk.tail = nil, nil, nil, nil
	lk.put()
}

// scratch is a lookup without a walk, for its buffers; given back by put.
func (v *VFS) scratch(t *kern.Thread) *lookup {
	lk := v.lookups.Get().(*lookup)
	lk.v, lk.t = v, t
	return lk
}

func (lk *lookup) put() {
	v := lk.v
	lk.v, lk.t, lk.cred = nil, nil, nil
	v.lookups.Put(lk)
}

// dirOfFD is the directory of a descriptor, held. Errors: EBADF, ENOTDIR, EINVAL for what is no vnode.
func (v *VFS) dirOfFD(t *kern.Thread, fd int) (*Vnode, error) {
	f, of, err := fileOf(t, fd)
	if err != nil {
		return nil, err
	}
	defer f.Release(t)
	if !of.vp.IsDir() {
		return nil, abi.ENOTDIR
	}
	return of.vp.Hold(), nil
}

// slash says whether slashes follow the last component: it has to be a directory then.
func (lk *lookup) slash() bool { return len(lk.tail) > 0 }

// isDot and isDotDot say whether the component at hand is special.
func (lk *lookup) isDot() bool    { return string(lk.name) == "." }
func (lk *lookup) isDotDot() bool { return string(lk.name) == ".." }

// parse splits the next component off rest and says whether it is the last. Errors: ENAMETOOLONG.
func (lk *lookup) parse() (last bool, err error) {
	i := bytes.IndexByte(lk.rest, '/')
	if i < 0 {
		i = len(lk.rest)
	}
	lk.name, lk.tail = lk.rest[:i], lk.rest[i:]
	if i > maxName {
		return false, abi.ENAMETOOLONG
	}
	lk.rest = bytes.TrimLeft(lk.tail, "/")
	return len(lk.rest) == 0, nil
}

// resolve walks to the end of the path. The file is returned held; nil with no error when only the last component is not there
// (ENOENT is then for the caller to say). Symbolic links on the way are followed, one at the end in mode
// follow or when slashes come after it. It may be called again, to look once more at the last component.
//
// Errors: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EIO.
func (lk *lookup) resolve(mode followMode) (*Vnode, error) {
	for {
		last, err := lk.parse()
		if err != nil {
			return nil, err
		}
		vp, err := lk.step(last)
		if err == abi.ENOENT || err == abi.ENOTDIR {
			if vp := lk.hostFile(); vp != nil {
				return vp, nil
			}
		}
		if err == abi.ENOENT && last {
			lk.rewind()
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if vp.typ == abi.S_IFLNK && (mode == follow || lk.slash()) {
			err := lk.followLink(vp)
			vp.Release(lk.t)
			if err != nil {
				return nil, err
			}
			continue
		}
		if lk.slash() && !vp.IsDir() {
			vp.Release(lk.t)
			return nil, abi.ENOTDIR
		}
		if last {
			lk.rewind()
			return vp, nil
		}
		lk.dir.Release(lk.t)
		lk.dir = vp
	}
}

// rewind makes the last component the rest again.
func (lk *lookup) rewind() { lk.rest = lk.name[:len(lk.name)+len(lk.tail)] }

// step is the file that the component at hand leads to, held, in front of what is mounted there; last says that no other follows.
func (lk *lookup) step(last bool) (*Vnode, error) {
	var vp *Vnode
	var err error
	switch {
	case len(lk.name) == 0:
		return lk.dir.Hold(), nil
	case lk.isDot():
		if err := lk.mayLookup(lk.dir); err != nil {
			return nil, err
		}
		return lk.dir.Hold(), nil
	case lk.isDotDot():
		vp, err = lk.parent()
	default:
		vp, err = lk.child(lk.dir)
		if err == abi.ENOENT && lk.dir.isUnion() && !(last && lk.making) {
			vp, err = lk.unionChild()
		}
	}
	if err != nil {
		return nil, err
	}
	return vp.top(lk.t), nil
}

// top goes from a covered directory to the root of what is mounted there; it takes over the reference.
func (vp *Vnode) top(t *kern.Thread) *Vnode {
	for {
		m := vp.covered.Load()
		if m == nil {
			return vp
		}
		root := m.Root()
		if root == nil {
			return vp
		}
		vp.Release(t)
		vp = root
	}
}

// child looks the component at hand up in a directory.
func (lk *lookup) child(dir *Vnode) (*Vnode, error) {
	if err := dir.rlock(); err != nil {
		return nil, abi.ENOENT
	}
	defer dir.mu.RUnlock()
	if err := lk.maySearch(dir); err != nil {
		return nil, err
	}
	return lk.lookupLocked(dir, lk.name)
}

// lookupLocked looks a name other than "." and ".." up in a directory that is locked, shared at least. Errors: ENOENT.
func (lk *lookup) lookupLocked(dir *Vnode, name []byte) (*Vnode, error) {
	if dir.removed {
		return nil, abi.ENOENT
	}
	if vp, found := dir.names.get(name); found {
		if vp == nil {
			return nil, abi.ENOENT
		}
		return vp, nil
	}
	if vp := dir.hostChild(name); vp != nil {
		return vp, nil
	}
	s := string(name)
	vp, err := dir.mount.vnodeOf(lk.t, func() (Node, error) { return dir.dir.Lookup(lk.t, s) })
	if err == abi.ENOENT {
		lk.v.cache.enter(lk.t, dir, s, nil)
	}
	if err != nil {
		return nil, err
	}
	lk.v.cache.enter(lk.t, dir, s, vp)
	return vp, nil
}

// parent is the directory of dir; the root's, the process's root's too, is itself. From the root of a mount the way
// leads through the directory that it covers.
func (lk *lookup) parent() (*Vnode, error) {
	if err := lk.mayLookup(lk.dir); err != nil {
		return nil, err
	}
	if real := lk.v.root.Load(); lk.root != real && !lk.v.isUnder(lk.t, lk.dir, lk.root) {
		lk.v.k.Logf("chrooted pid %d detected outside of its chroot\n", lk.t.PID)
		return lk.root.Hold(), nil
	}
	at := lk.dir.Hold()
	for at != lk.root && at == at.mount.root {
		up := at.mount.coveredDir()
		if up == nil {
			return at, nil
		}
		at.Release(lk.t)
		at = up
	}
	if at == lk.root {
		return at, nil
	}
	defer at.Release(lk.t)
	return at.parent(lk.t)
}

// parent is the vnode of a directory's ".." within its file system, held. Errors: ENOENT for a removed directory.
func (vp *Vnode) parent(t *kern.Thread) (*Vnode, error) {
	return vp.mount.vnodeOf(t, func() (Node, error) {
		if err := vp.rlock(); err != nil {
			return nil, abi.ENOENT
		}
		defer vp.mu.RUnlock()
		if vp.removed {
			return nil, abi.ENOENT
		}
		return vp.dir.Parent(t)
	})
}

// mayLookup checks that dir is a directory and may be searched.
func (lk *lookup) mayLookup(dir *Vnode) error {
	if err := dir.rlock(); err != nil {
		return abi.ENOENT
	}
	defer dir.mu.RUnlock()
	return lk.maySearch(dir)
}

// maySearch checks that a vnode, locked, is a directory and may be searched. Errors: ENOTDIR, EACCES.
func (lk *lookup) maySearch(dir *Vnode) error {
	if dir.dir == nil {
		return abi.ENOTDIR
	}
	if dir.stacked != nil {
		return dir.stacked.Access(lk.t, lk.cred, uint32(mayExec))
	}
	if lk.cred.Root() {
		return nil
	}
	if err := dir.node.Attr(lk.t, &lk.attr); err != nil {
		return err
	}
	return checkMode(lk.cred, &lk.attr, mayExec)
}

// followLink puts a symbolic link's target before what is still to be walked. Errors: ELOOP, ENOENT for an empty
// target, ENAMETOOLONG.
func (lk *lookup) followLink(link *Vnode) error {
	if lk.links >= abi.MAXSYMLINKS {
		return abi.ELOOP
	}
	lk.links++
	if link.mount.flags.Load()&abi.MNT_SYMPERM != 0 {
		if err := link.access(lk.t, lk.cred, mayExec, &lk.attr); err != nil {
			return err
		}
	}
	target, err := link.readlink(lk.t)
	if err != nil {
		return err
	}
	if lk.v.magicLinks.Load() != 0 {
		target = lk.magic(target)
	}
	if target == "" {
		return abi.ENOENT
	}
	if len(target)+len(lk.tail) >= abi.PATH_MAX {
		return abi.ENAMETOOLONG
	}
	buf := lk.buf[lk.links&1][:]
	n := copy(buf, target)
	n += copy(buf[n:], lk.tail)
	path := buf[:n]
	lk.exact = nil
	if path[0] == '/' {
		lk.exact = path
		lk.dir.Release(lk.t)
		lk.dir = lk.root.Hold()
	}
	lk.rest = bytes.TrimLeft(path, "/")
	return nil
}

// readlink is a symbolic link's target. Errors: EINVAL for what is none.
func (vp *Vnode) readlink(t *kern.Thread) (string, error) {
	if vp.stacked != nil {
		low, as, err := vp.under(t, false)
		if err != nil {
			return "", err
		}
		defer low.Release(t)
		return low.readlink(as)
	}
	ln, ok := vp.node.(Linkname)
	if !ok {
		return "", abi.EINVAL
	}
	if err := vp.rlock(); err != nil {
		return "", err
	}
	defer vp.mu.RUnlock()
	target, err := ln.Readlink(t)
	if err == nil {
		vp.touch(Atime)
	}
	return target, err
}

// nameiIn is namei for the path at addr of the client's memory. Errors: EFAULT, and as namei.
func nameiIn(t *kern.Thread, at int, addr uint64, mode followMode) (*Vnode, error) {
	path, err := t.Mem.CopyInStr(addr, abi.PATH_MAX)
	if err != nil {
		return nil, err
	}
	return Of(t.K).namei(t, at, path, mode)
}

// namei is the file of a path, held.
//
// Errors: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EBADF.
func (v *VFS) namei(t *kern.Thread, at int, path []byte, mode followMode) (*Vnode, error) {
	lk, err := v.begin(t, at, path)
	if err != nil {
		return nil, err
	}
	defer lk.end()
	return lk.existing(mode)
}

// existing is resolve for what has to be there.
func (lk *lookup) existing(mode followMode) (*Vnode, error) {
	vp, err := lk.resolve(mode)
	if err == nil && vp == nil {
		err = abi.ENOENT
	}
	return vp, err
}

// Lookup is the file of a path, held, for the kernel's own use: from the real root, with symbolic links followed, by
// the superuser.
func (v *VFS) Lookup(path string) (*Vnode, error) {
	return v.namei(v.k.KernelThread(), abi.AT_FDCWD, []byte(path), follow)
}
