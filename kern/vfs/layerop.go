package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// The operations of this file are what layers (Stacked) do to the vnodes below. Each is the part of a system call that comes after
// the path: it takes the locks, checks the permissions of the thread's credentials, keeps the name cache, tells of events
// and marks times. A name is one component; mounts are not crossed.

// Namei is the file of a path as the calling process sees it, held, with symbolic links followed: for a Type's Mount.
//
// Errors: as namei(9): ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.
func (v *VFS) Namei(t *kern.Thread, path string) (*Vnode, error) {
	return v.namei(t, abi.AT_FDCWD, []byte(path), follow)
}

// entry is a lookup that has ended at a name in a directory; done gives it back.
func (vp *Vnode) entry(t *kern.Thread, name string) *lookup {
	lk := vp.mount.vfs.scratch(t)
	lk.cred, lk.dir = t.Cred(), vp.Hold()
	lk.name = append(lk.buf[0][:0], name...)
	lk.exact, lk.rest, lk.tail = nil, nil, nil
	return lk
}

func (lk *lookup) done() {
	lk.dir.Release(lk.t)
	lk.dir, lk.name = nil, nil
	lk.put()
}

// Access says whether somebody with credentials c may do what want has, bits of access(2).
//
// Errors: EACCES, EPERM, EROFS.
func (vp *Vnode) Access(t *kern.Thread, c *kern.Cred, want uint32) error {
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	return vp.access(t, c, accessMode(want), &lk.attr)
}

// CheckMode says whether somebody with credentials c may do what want has, bits of access(2), by the mode of a file alone.
//
// Errors: EACCES.
func CheckMode(c *kern.Cred, a *Attr, want uint32) error { return checkMode(c, a, accessMode(want)) }

// CheckDelete says whether somebody who may write to a directory may remove a file from it: d and f are the attributes of both.
//
// Errors: EPERM.
func CheckDelete(c *kern.Cred, d, f *Attr) error { return checkDelete(c, d, f) }

// Umask is a process's file mode creation mask.
func Umask(p *kern.Proc) uint32 { return cwdOf(p).umask() }

// IsUnder says whether a directory is another one or below it, mounts crossed.
func (v *VFS) IsUnder(t *kern.Thread, dir, root *Vnode) bool { return v.isUnder(t, dir, root) }

// Dev is st_dev of the mount's files.
func (m *Mount) Dev() uint64 { return m.dev() }

// Lookup is the file of a name in a directory, held. Errors: ENOENT, EACCES, ENOTDIR.
func (vp *Vnode) Lookup(t *kern.Thread, name string) (*Vnode, error) {
	lk := vp.entry(t, name)
	defer lk.done()
	return lk.child(vp)
}

// Parent is the directory of a directory, held; the root's is itself. Errors: ENOENT for one that has been removed.
func (vp *Vnode) Parent(t *kern.Thread) (*Vnode, error) { return vp.parent(t) }

// ReadDir is Directory.ReadDir, and a removed directory is empty. emit must take no vnode's lock.
func (vp *Vnode) ReadDir(t *kern.Thread, cookie int64, emit func(Dirent) bool) error {
	if err := vp.rlock(); err != nil {
		return err
	}
	defer vp.mu.RUnlock()
	_, err := vp.list(t, cookie, emit)
	return err
}

// Create makes a file and returns it held. Its owner is the thread's user, its group the directory's; those of n are not used.
//
// Errors: EEXIST, EACCES, EROFS, EPERM, EOPNOTSUPP, ENOSPC.
func (vp *Vnode) Create(t *kern.Thread, name string, n *NewNode) (*Vnode, error) {
	lk := vp.entry(t, name)
	defer lk.done()
	made := *n
	return lk.create(&made)
}

// Link gives a file of the same file system another name. Errors: those of link(2).
func (vp *Vnode) Link(t *kern.Thread, name string, target *Vnode) error {
	lk := vp.entry(t, name)
	defer lk.done()
	return lk.link(target)
}

// Remove removes a name, which must lead to target: a directory's with isDir, otherwise another file's.
//
// Errors: those of unlink(2) and rmdir(2); ENOENT when the name leads elsewhere.
func (vp *Vnode) Remove(t *kern.Thread, name string, target *Vnode, isDir bool) error {
	lk := vp.entry(t, name)
	defer lk.done()
	lk.expect = target
	defer func() { lk.expect = nil }()
	gone, err := lk.remove(isDir)
	if gone != nil {
		gone.Release(t)
	}
	return err
}

// Rename moves a name, which must lead to from, to a directory of the same file system; existing, when not nil, is what the new
// name must lead to.
//
// Errors: those of rename(2); ENOENT when a name leads elsewhere.
func (vp *Vnode) Rename(t *kern.Thread, name string, from, dir *Vnode, newName string, existing *Vnode) error {
	if vp.mount != dir.mount {
		return abi.EXDEV
	}
	r := renaming{t: t, v: vp.mount.vfs, posix: true, from: vp.entry(t, name), to: dir.entry(t, newName)}
	defer r.from.done()
	defer r.to.done()
	r.from.expect, r.to.expect = from, existing
	defer func() { r.from.expect, r.to.expect = nil, nil }()
	return r.run()
}

// expected says whether vp is what the name at hand must lead to, if that is said.
func (lk *lookup) expected(vp *Vnode) error {
	if lk.expect != nil && lk.expect != vp {
		return abi.ENOENT
	}
	return nil
}

// SetAttr changes attributes, if the thread's user may.
//
// Errors: those of chmod(2), chown(2), chflags(2), utimes(2) and truncate(2).
func (vp *Vnode) SetAttr(t *kern.Thread, s *SetAttr) error {
	if s.Valid&SetSize != 0 {
		return vp.truncate(t, s.Size, nil)
	}
	return vp.changeTimes(t, s.Now, func(_ *Attr, change *SetAttr) { *change = *s })
}

// ReadAt reads a part of a regular file; 0 at its end. Errors: EISDIR, EOPNOTSUPP.
func (vp *Vnode) ReadAt(t *kern.Thread, p []byte, off int64) (int, error) {
	return vp.readAt(t, p, off)
}

// WriteAt writes a part of a regular file. Errors: ENOSPC, EFBIG, EROFS.
func (vp *Vnode) WriteAt(t *kern.Thread, p []byte, off int64) (int, error) {
	n, _, err := vp.writeAt(t, p, off, 0)
	return n, err
}

// Statfs is what the mounted file system says of itself (FS.Statfs). Errors: ENOENT for one that is none any more.
func (m *Mount) Statfs(t *kern.Thread, st *abi.Statvfs) error {
	if !m.enter() {
		return abi.ENOENT
	}
	defer m.leave()
	return m.fs.Statfs(t, st)
}
