package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// create makes the file that a walk has ended at; it is returned held. n has all but the owner, which follows from the caller and
// the directory: a file gets its directory's group.
//
// Errors: EEXIST; ENOENT for slashes after the name of what will be no directory, or when the directory is gone; EACCES,
// EROFS, EPERM for an immutable directory; EOPNOTSUPP; ENOSPC.
func (lk *lookup) create(n *NewNode) (*Vnode, error) {
	if len(lk.name) == 0 || lk.isDot() || lk.isDotDot() {
		return nil, abi.EEXIST
	}
	vp, err := lk.createLocked(n)
	if err != nil {
		return nil, err
	}
	hint := uint32(abi.NOTE_WRITE)
	if vp.IsDir() {
		hint |= abi.NOTE_LINK
	}
	lk.dir.notify(hint)
	return vp, nil
}

func (lk *lookup) createLocked(n *NewNode) (*Vnode, error) {
	dir := lk.dir
	if err := dir.lock(); err != nil {
		return nil, abi.ENOENT
	}
	defer dir.mu.Unlock()
	if err := lk.mayAdd(dir, n.Mode&abi.S_IFMT == abi.S_IFDIR); err != nil {
		return nil, err
	}
	creator, ok := dir.node.(Creator)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	n.UID, n.GID = lk.cred.Euid, lk.attr.GID
	if n.Mode&abi.S_ISGID != 0 && !lk.cred.Root() && !lk.cred.InGroup(n.GID) {
		n.Mode &^= abi.S_ISGID
	}
	name := string(lk.name)
	node, err := creator.Create(lk.t, name, n)
	if err != nil {
		return nil, err
	}
	lk.v.cache.forget(dir, name) // a negative entry: it holds nothing
	dir.touch(Mtime | Ctime)
	vp, err := dir.mount.Vnode(lk.t, node)
	if err == errEnded {
		return lk.lookupLocked(dir, lk.name)
	}
	if err != nil {
		return nil, err
	}
	lk.v.cache.enter(lk.t, dir, name, vp)
	return vp, nil
}

// mayAdd checks that the last component can be made in dir, which is locked, and leaves dir's attributes in lk.attr.
func (lk *lookup) mayAdd(dir *Vnode, isDir bool) error {
	if err := lk.maySearch(dir); err != nil {
		return err
	}
	switch vp, err := lk.lookupLocked(dir, lk.name); {
	case err == nil:
		vp.Release(lk.t)
		return abi.EEXIST
	case err != abi.ENOENT:
		return err
	case dir.removed || lk.slash() && !isDir:
		return abi.ENOENT
	}
	if err := dir.node.Attr(lk.t, &lk.attr); err != nil {
		return err
	}
	return dir.checkAccess(lk.t, lk.cred, &lk.attr, mayWrite|mayExec)
}

// makeNode walks a path that must not be there and makes a file at its end.
func (v *VFS) makeNode(t *kern.Thread, at int, path []byte, n *NewNode) error {
	lk, err := v.begin(t, at, path)
	if err != nil {
		return err
	}
	defer lk.end()
	if err := lk.absent(); err != nil {
		return err
	}
	vp, err := lk.create(n)
	if err != nil {
		return err
	}
	vp.Release(t)
	return nil
}

// absent walks to the end of the path, where nothing must be. Errors: EEXIST.
func (lk *lookup) absent() error {
	lk.making = true
	vp, err := lk.resolve(nofollow)
	if err != nil {
		return err
	}
	if vp != nil {
		vp.Release(lk.t)
		return abi.EEXIST
	}
	return nil
}

// sysMake is makeNode for a path in the client's memory; the umask applies to the permissions of perm.
func sysMake(t *kern.Thread, at int, path uint64, typ, perm uint32, n NewNode) error {
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return err
	}
	n.Mode = typ | perm&^cwdOf(t.Proc).umask()
	return Of(t.K).makeNode(t, at, name, &n)
}

// The permissions that calls take from their mode argument.
const (
	accessPerms = 0777
	allPerms    = 07777
)

func mkdir(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysMake(t, abi.AT_FDCWD, a[0], abi.S_IFDIR, a.Uint(1)&accessPerms, NewNode{})
}

func mkdirat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysMake(t, a.Int(0), a[1], abi.S_IFDIR, a.Uint(2)&accessPerms, NewNode{})
}

func mkfifo(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysMake(t, abi.AT_FDCWD, a[0], abi.S_IFIFO, a.Uint(1)&allPerms, NewNode{})
}

func mkfifoat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysMake(t, a.Int(0), a[1], abi.S_IFIFO, a.Uint(2)&allPerms, NewNode{})
}

func mknod(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysMknod(t, abi.AT_FDCWD, a[0], a.Uint(1), a[2])
}

func mknodat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysMknod(t, a.Int(0), a[1], a.Uint(2), a[4])
}

// sysMknod is mknod(2): devices and regular files, for the superuser alone.
//
// Errors: EPERM, EOPNOTSUPP for a whiteout where the file system has none; after those of the path, EINVAL for another type or no
// device number.
func sysMknod(t *kern.Thread, at int, path uint64, mode uint32, dev uint64) error {
	if !t.Cred().Root() {
		return abi.EPERM
	}
	switch typ := mode & abi.S_IFMT; {
	case typ == abi.S_IFREG:
		dev = 0
	case typ == abi.S_IFWHT:
		return sysWhiteout(t, at, path)
	case typ != abi.S_IFCHR && typ != abi.S_IFBLK || dev == noDev:
		return refuseMake(t, at, path, abi.EINVAL)
	}
	return sysMake(t, at, path, mode&abi.S_IFMT, mode&allPerms, NewNode{Rdev: dev})
}

// refuseMake is the error of a file that cannot be made: the path's, EEXIST, or err.
func refuseMake(t *kern.Thread, at int, path uint64, err error) error {
	name, bad := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if bad != nil {
		return bad
	}
	lk, bad := Of(t.K).begin(t, at, name)
	if bad != nil {
		return bad
	}
	defer lk.end()
	if bad := lk.absent(); bad != nil {
		return bad
	}
	return err
}

func symlink(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysSymlink(t, a[0], abi.AT_FDCWD, a[1])
}

func symlinkat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysSymlink(t, a[0], a.Int(1), a[2])
}

func sysSymlink(t *kern.Thread, target uint64, at int, path uint64) error {
	b, err := t.Mem.CopyInStr(target, abi.PATH_MAX)
	if err != nil {
		return err
	}
	return sysMake(t, at, path, abi.S_IFLNK, accessPerms, NewNode{Target: string(b)})
}

func link(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysLink(t, abi.AT_FDCWD, a[0], abi.AT_FDCWD, a[1], follow)
}

func linkat(t *kern.Thread, a *kern.Args) (int64, error) {
	mode := nofollow
	if a.Int(4)&abi.AT_SYMLINK_FOLLOW != 0 {
		mode = follow
	}
	return 0, sysLink(t, a.Int(0), a[1], a.Int(2), a[3], mode)
}

// sysLink makes a hard link. Errors: EPERM for directories, immutable and append-only files, EXDEV, EEXIST, EMLINK.
func sysLink(t *kern.Thread, at1 int, path1 uint64, at2 int, path2 uint64, mode followMode) error {
	v := Of(t.K)
	from, err := t.Mem.CopyInStr(path1, abi.PATH_MAX)
	if err != nil {
		return err
	}
	to, err := t.Mem.CopyInStr(path2, abi.PATH_MAX)
	if err != nil {
		return err
	}
	vp, err := v.namei(t, at1, from, mode)
	if err != nil {
		return err
	}
	defer vp.Release(t)
	lk, err := v.begin(t, at2, to)
	if err != nil {
		return err
	}
	defer lk.end()
	if err := lk.absent(); err != nil {
		return err
	}
	return lk.link(vp)
}

// link gives vp the name that the walk has ended at.
func (lk *lookup) link(vp *Vnode) error {
	dir := lk.dir
	switch {
	case lk.slash():
		return abi.ENOENT
	case vp.IsDir():
		return abi.EPERM
	case dir.mount != vp.mount || vp.isHost():
		return abi.EXDEV
	}
	if err := lk.linkLocked(vp); err != nil {
		return err
	}
	vp.notify(abi.NOTE_LINK)
	dir.notify(abi.NOTE_WRITE)
	return nil
}

func (lk *lookup) linkLocked(vp *Vnode) error {
	dir := lk.dir
	if err := dir.lock(); err != nil {
		return abi.ENOENT
	}
	defer dir.mu.Unlock()
	if err := lk.mayAdd(dir, false); err != nil {
		return err
	}
	linker, ok := dir.node.(Linker)
	if !ok {
		return abi.EOPNOTSUPP
	}
	if err := vp.lock(); err != nil {
		return err
	}
	defer vp.mu.Unlock()
	if err := vp.node.Attr(lk.t, &lk.attr); err != nil {
		return err
	}
	if lk.attr.Nlink == 0 {
		return abi.ENOENT
	}
	if lk.attr.Flags&(immutableFlags|appendFlags) != 0 {
		return abi.EPERM
	}
	name := string(lk.name)
	if err := linker.Link(lk.t, name, vp.node); err != nil {
		return err
	}
	lk.v.cache.forget(dir, name)
	lk.v.cache.enter(lk.t, dir, name, vp)
	vp.touch(Ctime)
	dir.touch(Mtime | Ctime)
	return nil
}
