package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// enterable is a directory that the caller may make its own, held, with what is mounted there. It takes over the reference.
//
// Errors: ENOTDIR, EACCES.
func enterable(t *kern.Thread, vp *Vnode) (*Vnode, error) {
	vp = vp.top(t)
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	err := error(abi.ENOTDIR)
	if vp.IsDir() {
		err = vp.access(t, t.Cred(), mayExec, &lk.attr)
	}
	if err != nil {
		vp.Release(t)
		return nil, err
	}
	return vp, nil
}

// dirOfPath is the directory of a path in the client's memory, held, for chdir and chroot.
func dirOfPath(t *kern.Thread, path uint64) (*Vnode, error) {
	vp, err := nameiIn(t, abi.AT_FDCWD, path, follow)
	if err != nil {
		return nil, err
	}
	return enterable(t, vp)
}

// dirOfDescriptor is the directory of a descriptor, held, for fchdir and fchroot.
func dirOfDescriptor(t *kern.Thread, fd int) (*Vnode, error) {
	f, of, err := fileOf(t, fd)
	if err != nil {
		return nil, err
	}
	defer f.Release(t)
	return enterable(t, of.vp.Hold())
}

func chdir(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := dirOfPath(t, a[0])
	if err != nil {
		return 0, err
	}
	cwdOf(t.Proc).setDir(t, vp)
	return 0, nil
}

// fchdir is fchdir(2). Errors: EPERM for a directory outside of the process's root.
func fchdir(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := dirOfDescriptor(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	c := cwdOf(t.Proc)
	if c.chroots() {
		root := c.root()
		inside := c.v.isUnder(t, vp, root)
		root.Release(t)
		if !inside {
			vp.Release(t)
			return 0, abi.EPERM
		}
	}
	c.setDir(t, vp)
	return 0, nil
}

// chroot is chroot(2). Errors: EPERM for another than the superuser.
func chroot(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysChroot(t, func() (*Vnode, error) { return dirOfPath(t, a[0]) })
}

func fchroot(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysChroot(t, func() (*Vnode, error) { return dirOfDescriptor(t, a.Int(0)) })
}

func sysChroot(t *kern.Thread, dir func() (*Vnode, error)) (int64, error) {
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	vp, err := dir()
	if err != nil {
		return 0, err
	}
	cwdOf(t.Proc).setRoot(t, vp)
	return 0, nil
}

// getcwd is __getcwd: buffer, length; it returns the length with the NUL.
//
// Errors: ERANGE for a buffer that is too small, ENOENT, EACCES.
func getcwd(t *kern.Thread, a *kern.Args) (int64, error) {
	if a[1] < 2 {
		return 0, abi.ERANGE
	}
	c := cwdOf(t.Proc)
	dir, root := c.dir(), c.root()
	defer dir.Release(t)
	defer root.Release(t)
	path, err := c.v.pathOf(t, dir, root, t.Cred())
	if err != nil {
		return 0, err
	}
	if uint64(len(path)) >= a[1] {
		return 0, abi.ERANGE
	}
	return int64(len(path) + 1), t.Mem.CopyOut(a[0], append([]byte(path), 0))
}

func umask(t *kern.Thread, a *kern.Args) (int64, error) {
	c := cwdOf(t.Proc)
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.cmask
	c.cmask = a.Uint(0) & allPerms
	return int64(old), nil
}
