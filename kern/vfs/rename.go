package vfs

import (
	"bytes"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

func rename(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysRename(t, abi.AT_FDCWD, a[0], abi.AT_FDCWD, a[1], false)
}

func renameat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysRename(t, a.Int(0), a[1], a.Int(2), a[3], false)
}

func posixRename(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysRename(t, abi.AT_FDCWD, a[0], abi.AT_FDCWD, a[1], true)
}

// sysRename is rename(2). posix says what happens when both names lead to the same file: both stay; otherwise the old one goes.
//
// Errors: EXDEV; EINVAL for "." and "..", and for moving a directory into itself; EISDIR, ENOTDIR for mixing kinds;
// ENOTEMPTY; EBUSY for what something is mounted on.
func sysRename(t *kern.Thread, at1 int, path1 uint64, at2 int, path2 uint64, posix bool) error {
	from, err := t.Mem.CopyInStr(path1, abi.PATH_MAX)
	if err != nil {
		return err
	}
	to, err := t.Mem.CopyInStr(path2, abi.PATH_MAX)
	if err != nil {
		return err
	}
	v := Of(t.K)
	r := renaming{t: t, v: v, posix: posix}
	if r.from, err = v.begin(t, at1, from); err != nil {
		return err
	}
	defer r.from.end()
	isDir, err := r.resolveFrom()
	if err != nil {
		return err
	}
	if r.to, err = v.begin(t, at2, to); err != nil {
		return err
	}
	defer r.to.end()
	if err := r.resolveTo(isDir); err != nil {
		return err
	}
	if r.from.dir.mount != r.to.dir.mount {
		return r.across()
	}
	return r.run()
}

// renaming is the state of one rename. Everything is looked up once without locks, for the errors that paths give,
// and once more with both directories locked.
//
// How directories are locked without deadlock: one that moves from one directory to another changes what is above it, so such
// renames hold the mount's renameMu, take down what is above both directories, and lock the upper one first, as every
// other call locks a directory before what is in it. Two that are not above each other are locked by
// the vnodes' serial numbers; so are the two files, which are below.
type renaming struct {
	t     *kern.Thread
	v     *VFS
	posix bool
	// from and to have walked to the old and the new name.
	from, to *lookup
	// aboveFrom and aboveTo are what is above the two directories, themselves included, held. Empty when they are one.
	aboveFrom, aboveTo []*Vnode
	// fvp and tvp are the file and what it replaces, nil if nothing; held.
	fvp, tvp *Vnode
	// release collects what is to be released when the locks are gone.
	release []*Vnode
}

// resolveFrom walks to the old name and says whether it is a directory's.
func (r *renaming) resolveFrom() (isDir bool, err error) {
	vp, err := r.from.existing(nofollow)
	if err != nil {
		return false, err
	}
	defer vp.Release(r.t)
	switch {
	case len(r.from.name) == 0 || vp == vp.mount.root && !r.from.isDot() && !r.from.isDotDot():
		return false, abi.EBUSY
	case r.from.isDot() || r.from.isDotDot():
		return false, abi.EINVAL
	}
	return vp.IsDir(), nil
}

// resolveTo walks to the new name. Slashes may come after it if a directory is renamed.
func (r *renaming) resolveTo(isDir bool) error {
	r.to.making = true
	vp, err := r.to.resolve(nofollow)
	if err != nil {
		return err
	}
	crossing := false
	if vp != nil {
		crossing = vp == vp.mount.root
		vp.Release(r.t)
	}
	switch {
	case len(r.to.name) == 0:
		return abi.EBUSY
	case r.to.isDot():
		return abi.EISDIR
	case r.to.isDotDot():
		return abi.EINVAL
	case crossing:
		return abi.EBUSY
	case vp == nil && r.to.slash() && !isDir:
		return abi.ENOENT
	}
	return nil
}

// across is the error of a rename from one file system to another: EXDEV, but EROFS where either cannot be written to at all.
func (r *renaming) across() error {
	for _, lk := range []*lookup{r.from, r.to} {
		if err := lk.dir.access(r.t, lk.cred, mayWrite, &lk.attr); err == abi.EROFS {
			return err
		}
	}
	return abi.EXDEV
}

// run does the rename, locking and unlocking.
func (r *renaming) run() error {
	fdir, tdir := r.from.dir, r.to.dir
	m := fdir.mount
	if fdir != tdir {
		m.renameMu.Lock()
		defer m.renameMu.Unlock()
	}
	defer r.end()
	if fdir != tdir {
		var err error
		if r.aboveFrom, err = m.above(r.t, fdir); err != nil {
			return err
		}
		if r.aboveTo, err = m.above(r.t, tdir); err != nil {
			return err
		}
	}
	unlock, err := r.lockDirs()
	if err != nil {
		return err
	}
	err = r.renameLocked()
	unlock()
	return err
}

// end releases what the rename held.
func (r *renaming) end() {
	for _, list := range [][]*Vnode{r.aboveFrom, r.aboveTo, r.release} {
		for _, vp := range list {
			vp.Release(r.t)
		}
	}
}

// maxAbove bounds the depth of a directory that is moved: only a broken file system has more.
const maxAbove = 1 << 16

// above is dir and all directories above it in its file system, held. The caller has renameMu.
//
// Errors: ENOENT when dir has been removed, EIO.
func (m *Mount) above(t *kern.Thread, dir *Vnode) ([]*Vnode, error) {
	list := []*Vnode{dir.Hold()}
	for at := dir; at != m.root; {
		up, err := at.parent(t)
		if err == nil && len(list) == maxAbove {
			up.Release(t)
			err = abi.EIO
		}
		if err != nil {
			for _, vp := range list {
				vp.Release(t)
			}
			return nil, err
		}
		list, at = append(list, up), up
	}
	return list, nil
}

// lockDirs locks both directories.
func (r *renaming) lockDirs() (unlock func(), err error) {
	first, second := r.from.dir, r.to.dir
	if first == second {
		if err := first.lock(); err != nil {
			return nil, abi.ENOENT
		}
		return first.mu.Unlock, nil
	}
	switch {
	case slices.Contains(r.aboveTo, first):
	case slices.Contains(r.aboveFrom, second), second.id < first.id:
		first, second = second, first
	}
	if err := first.lock(); err != nil {
		return nil, abi.ENOENT
	}
	if err := second.lock(); err != nil {
		first.mu.Unlock()
		return nil, abi.ENOENT
	}
	return func() {
		second.mu.Unlock()
		first.mu.Unlock()
	}, nil
}

// renameLocked does the rename with the directories locked.
func (r *renaming) renameLocked() error {
	if err := r.lookupBoth(); err != nil {
		return err
	}
	if r.fvp == r.tvp {
		sameName := r.from.dir == r.to.dir && bytes.Equal(r.from.name, r.to.name)
		if r.posix || sameName {
			return nil
		}
		return r.dropOldName()
	}
	if err := r.checkKinds(); err != nil {
		return err
	}
	renamer, ok := r.from.dir.node.(Renamer)
	if !ok {
		return abi.EOPNOTSUPP
	}
	unlock, err := lockFiles(r.fvp, r.tvp)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.mayRename(); err != nil {
		return err
	}
	var existing Node
	if r.tvp != nil {
		existing = r.tvp.node
	}
	err = renamer.Rename(r.t, string(r.from.name), r.fvp.node, r.to.dir.node, string(r.to.name), existing)
	if err != nil {
		return err
	}
	r.renamed()
	return nil
}

// lookupBoth finds the file and what it replaces.
func (r *renaming) lookupBoth() (err error) {
	for _, lk := range []*lookup{r.from, r.to} {
		if err := lk.maySearch(lk.dir); err != nil {
			return err
		}
	}
	if r.from.dir.removed || r.to.dir.removed {
		return abi.ENOENT
	}
	if r.from.dir.mount.readOnly() {
		return abi.EROFS
	}
	if r.fvp, err = r.from.lookupLocked(r.from.dir, r.from.name); err != nil {
		return err
	}
	r.release = append(r.release, r.fvp)
	if err := r.from.expected(r.fvp); err != nil {
		return err
	}
	if r.fvp.isHost() {
		return abi.ENOENT
	}
	r.tvp, err = r.to.lookupLocked(r.to.dir, r.to.name)
	if err == abi.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	r.release = append(r.release, r.tvp)
	if err := r.to.expected(r.tvp); err != nil {
		return err
	}
	if r.tvp.isHost() {
		return abi.EBUSY
	}
	return nil
}

// checkKinds checks that the tree stays a tree and kinds match.
func (r *renaming) checkKinds() error {
	switch {
	case r.tvp != nil && r.fvp.IsDir() && !r.tvp.IsDir():
		return abi.ENOTDIR
	case r.tvp != nil && !r.fvp.IsDir() && r.tvp.IsDir():
		return abi.EISDIR
	case (r.from.slash() || r.to.slash()) && !r.fvp.IsDir():
		return abi.ENOTDIR
	case slices.Contains(r.aboveTo, r.fvp):
		return abi.EINVAL
	case r.tvp != nil && slices.Contains(r.aboveFrom, r.tvp):
		return abi.ENOTEMPTY
	}
	return nil
}

// lockFiles locks the file and what it replaces.
func lockFiles(a, b *Vnode) (unlock func(), err error) {
	if b == nil {
		if err := a.lock(); err != nil {
			return nil, err
		}
		return a.mu.Unlock, nil
	}
	if b.id < a.id {
		a, b = b, a
	}
	if err := a.lock(); err != nil {
		return nil, err
	}
	if err := b.lock(); err != nil {
		a.mu.Unlock()
		return nil, err
	}
	return func() {
		b.mu.Unlock()
		a.mu.Unlock()
	}, nil
}

// mayRename checks the permissions: to take the old name away, to make the new one, to take away what it leads to, and to change
// the ".." of a directory that moves.
func (r *renaming) mayRename() error {
	if err := r.from.mayRemove(r.from.dir, r.fvp); err != nil {
		return err
	}
	if r.tvp != nil {
		if err := r.to.mayRemove(r.to.dir, r.tvp); err != nil {
			return err
		}
	} else {
		if err := r.to.dir.node.Attr(r.t, &r.to.attr); err != nil {
			return err
		}
		if err := r.to.dir.checkAccess(r.t, r.to.cred, &r.to.attr, mayWrite|mayExec); err != nil {
			return err
		}
	}
	if r.fvp.IsDir() && r.from.dir != r.to.dir && r.fvp.stacked == nil {
		if err := r.fvp.node.Attr(r.t, &r.from.attr); err != nil {
			return err
		}
		return r.fvp.checkAccess(r.t, r.from.cred, &r.from.attr, mayWrite)
	}
	return nil
}

// renamed does what follows from a rename.
func (r *renaming) renamed() {
	r.forget(r.from)
	r.forget(r.to)
	r.v.cache.enter(r.t, r.to.dir, string(r.to.name), r.fvp)
	r.fvp.touch(Ctime)
	r.from.dir.touch(Mtime | Ctime)
	if r.from.dir != r.to.dir {
		r.to.dir.touch(Mtime | Ctime)
	}
	hint := uint32(abi.NOTE_WRITE)
	if r.tvp != nil {
		r.tvp.removed = r.tvp.IsDir()
		r.tvp.touch(Ctime)
		r.tvp.notify(abi.NOTE_DELETE)
		if r.tvp.IsDir() {
			hint |= abi.NOTE_LINK
		}
	}
	if r.fvp.IsDir() && r.from.dir != r.to.dir {
		hint |= abi.NOTE_LINK
	}
	r.fvp.notify(abi.NOTE_RENAME)
	r.from.dir.notify(hint)
	if r.from.dir != r.to.dir {
		r.to.dir.notify(hint)
	}
}

// forget drops a name from the cache.
func (r *renaming) forget(lk *lookup) {
	if vp := r.v.cache.forget(lk.dir, string(lk.name)); vp != nil {
		r.release = append(r.release, vp)
	}
}

// dropOldName takes the old name away when the new one leads to the same file already.
func (r *renaming) dropOldName() error {
	vp, forgotten, err := r.from.removeLocked(false)
	for _, x := range []*Vnode{vp, forgotten} {
		if x != nil {
			r.release = append(r.release, x)
		}
	}
	if err == nil {
		vp.notify(abi.NOTE_DELETE)
		r.from.dir.notify(abi.NOTE_WRITE)
	}
	return err
}
