package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

func unlink(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysRemove(t, abi.AT_FDCWD, a[0], false)
}

func rmdir(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysRemove(t, abi.AT_FDCWD, a[0], true)
}

func unlinkat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysRemove(t, a.Int(0), a[1], a.Int(2)&abi.AT_REMOVEDIR != 0)
}

// sysRemove takes a name away; wantDir says that it has to be a directory's, otherwise it must not.
//
// Errors: EPERM for a directory without wantDir, ENOTDIR for another file with it, ENOTEMPTY, EBUSY for what something is mounted
// on, EINVAL for ".".
func sysRemove(t *kern.Thread, at int, path uint64, wantDir bool) error {
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return err
	}
	lk, err := Of(t.K).begin(t, at, name)
	if err != nil {
		return err
	}
	defer lk.end()
	vp, err := lk.existing(nofollow)
	if err != nil {
		return err
	}
	defer vp.Release(t)
	switch {
	case len(lk.name) == 0 || vp == vp.mount.root:
		return abi.EBUSY
	case lk.isDot():
		return abi.EINVAL
	case lk.isDotDot() && wantDir:
		return abi.ENOTEMPTY
	case lk.isDotDot():
		return abi.EPERM
	}
	gone, err := lk.remove(wantDir)
	if gone != nil {
		gone.Release(t)
	}
	return err
}

// remove takes the name that the walk has ended at out of its directory. The vnode that it led to is returned held,
// with an error too.
func (lk *lookup) remove(wantDir bool) (*Vnode, error) {
	dir := lk.dir
	if err := dir.lock(); err != nil {
		return nil, abi.ENOENT
	}
	vp, forgotten, err := lk.removeLocked(wantDir)
	dir.mu.Unlock()
	if forgotten != nil {
		forgotten.Release(lk.t)
	}
	if err != nil {
		return vp, err
	}
	vp.notify(abi.NOTE_DELETE)
	hint := uint32(abi.NOTE_WRITE)
	if wantDir {
		hint |= abi.NOTE_LINK
	}
	dir.notify(hint)
	return vp, nil
}

// removeLocked is remove with the directory locked. forgotten is what the name cache held.
func (lk *lookup) removeLocked(wantDir bool) (vp, forgotten *Vnode, err error) {
	dir := lk.dir
	if err := lk.maySearch(dir); err != nil {
		return nil, nil, err
	}
	if dir.mount.readOnly() {
		return nil, nil, abi.EROFS
	}
	if vp, err = lk.lookupLocked(dir, lk.name); err != nil {
		return nil, nil, err
	}
	if err := lk.expected(vp); err != nil {
		return vp, nil, err
	}
	switch {
	case vp.isHost():
		return vp, nil, abi.ENOENT // as the original: such names cannot be taken away
	case vp.IsDir() && !wantDir:
		return vp, nil, abi.EPERM
	case !vp.IsDir() && wantDir:
		return vp, nil, abi.ENOTDIR
	}
	remover, ok := dir.node.(Remover)
	if !ok {
		return vp, nil, abi.EOPNOTSUPP
	}
	if err := vp.lock(); err != nil {
		return vp, nil, err
	}
	defer vp.mu.Unlock()
	if err := lk.mayRemove(dir, vp); err != nil {
		return vp, nil, err
	}
	name := string(lk.name)
	if wantDir {
		err = remover.Rmdir(lk.t, name, vp.node)
	} else {
		err = remover.Remove(lk.t, name, vp.node)
	}
	if err != nil {
		return vp, nil, err
	}
	vp.removed = wantDir
	vp.touch(Ctime)
	dir.touch(Mtime | Ctime)
	return vp, lk.v.cache.forget(dir, name), nil
}

// mayRemove checks that vp's name may be taken out of dir; both are locked.
//
// Errors: EBUSY, EACCES, EPERM.
func (lk *lookup) mayRemove(dir, vp *Vnode) error {
	if vp.covered.Load() != nil || vp.hasHosts() {
		return abi.EBUSY
	}
	if dir.stacked != nil {
		return nil // the directory below checks
	}
	if err := dir.node.Attr(lk.t, &lk.attr); err != nil {
		return err
	}
	if err := dir.checkAccess(lk.t, lk.cred, &lk.attr, mayWrite|mayExec); err != nil {
		return err
	}
	scratch := lk.v.scratch(lk.t)
	defer scratch.put()
	if err := vp.node.Attr(lk.t, &scratch.attr); err != nil {
		return err
	}
	return checkDelete(lk.cred, &lk.attr, &scratch.attr)
}
