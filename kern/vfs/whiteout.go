package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Whiteout makes a whiteout in a directory. Errors: EOPNOTSUPP where the file system has none; EEXIST, EACCES, EROFS, ENOSPC.
func (vp *Vnode) Whiteout(t *kern.Thread, name string) error {
	lk := vp.entry(t, name)
	defer lk.done()
	return lk.whiteout()
}

// Unwhiteout takes a whiteout away. Errors: ENOENT, EOPNOTSUPP, EACCES, EROFS.
func (vp *Vnode) Unwhiteout(t *kern.Thread, name string) error {
	lk := vp.entry(t, name)
	defer lk.done()
	return lk.unwhiteout()
}

// IsWhiteout says whether a directory has a whiteout of a name.
func (vp *Vnode) IsWhiteout(t *kern.Thread, name string) bool {
	w, ok := vp.node.(Whiteouter)
	if !ok || vp.rlock() != nil {
		return false
	}
	defer vp.mu.RUnlock()
	return w.IsWhiteout(t, name)
}

// HasWhiteouts says whether a directory's file system can have whiteouts, below any number of layers.
func (vp *Vnode) HasWhiteouts(t *kern.Thread) bool {
	low, _, err := vp.under(t, false)
	if err != nil {
		return false
	}
	defer low.Release(t)
	_, ok := low.node.(Whiteouter)
	return ok
}

// whiteout makes a whiteout of the name that the walk has ended at.
func (lk *lookup) whiteout() error {
	dir := lk.dir
	if err := dir.lock(); err != nil {
		return abi.ENOENT
	}
	defer dir.mu.Unlock()
	if err := lk.mayAdd(dir, true); err != nil {
		return err
	}
	w, ok := dir.node.(Whiteouter)
	if !ok {
		return abi.EOPNOTSUPP
	}
	if err := w.Whiteout(lk.t, string(lk.name)); err != nil {
		return err
	}
	dir.touch(Mtime | Ctime)
	return nil
}

// unwhiteout takes away the whiteout that the walk has ended at.
func (lk *lookup) unwhiteout() error {
	dir := lk.dir
	if err := dir.lock(); err != nil {
		return abi.ENOENT
	}
	defer dir.mu.Unlock()
	if err := lk.mayAdd(dir, true); err != nil {
		return err
	}
	w, ok := dir.node.(Whiteouter)
	if !ok {
		return abi.ENOENT
	}
	name := string(lk.name)
	if err := w.Unwhiteout(lk.t, name); err != nil {
		return err
	}
	lk.v.cache.forget(dir, name) // in a union there may be something now
	dir.touch(Mtime | Ctime)
	return nil
}

// sysWhiteout is mknod(2) of a whiteout.
func sysWhiteout(t *kern.Thread, at int, path uint64) error {
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return err
	}
	lk, err := Of(t.K).begin(t, at, name)
	if err != nil {
		return err
	}
	defer lk.end()
	if err := lk.absent(); err != nil {
		return err
	}
	return lk.whiteout()
}

// undelete is undelete(2). Errors: EEXIST for what is no whiteout, ENOENT, EACCES, EROFS.
func undelete(t *kern.Thread, a *kern.Args) (int64, error) {
	name, err := t.Mem.CopyInStr(a[0], abi.PATH_MAX)
	if err != nil {
		return 0, err
	}
	lk, err := Of(t.K).begin(t, abi.AT_FDCWD, name)
	if err != nil {
		return 0, err
	}
	defer lk.end()
	if err := lk.absent(); err != nil {
		return 0, err
	}
	return 0, lk.unwhiteout()
}
