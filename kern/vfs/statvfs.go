package vfs

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// statvfs fills st with what is known of a mount, as the calling process sees it: below its root directory. A mount outside
// of that is "/" if the process asked for a file of it.
//
// Errors: EPERM for a mount that the process does not see, unless asked is set; ENOENT for one that is none any more.
func (m *Mount) statvfs(t *kern.Thread, st *abi.Statvfs, asked bool) error {
	if !m.enter() {
		return abi.ENOENT
	}
	defer m.leave()
	*st = abi.Statvfs{}
	if err := m.fs.Statfs(t, st); err != nil {
		return err
	}
	path := m.path
	if c := cwdOf(t.Proc); c.chroots() {
		var visible bool
		if path, visible = c.visible(t, path); !visible && !asked {
			return abi.EPERM
		}
	}
	st.Flag = uint64(m.flags.Load() & abi.MNT_VISFLAGMASK)
	st.Fsidx, st.Fsid = m.fsid, m.dev()
	st.Owner = m.owner
	if st.Namemax == 0 {
		st.Namemax = maxName
	}
	abi.PutCString(st.Fstypename[:], m.typ.Name)
	abi.PutCString(st.Mntonname[:], path)
	abi.PutCString(st.Mntfromname[:], m.fs.Source())
	return nil
}

// visible turns a path from the real root into one from the process's root; "/" if it is outside.
func (c *cwdinfo) visible(t *kern.Thread, path string) (string, bool) {
	root := c.root()
	defer root.Release(t)
	prefix, err := c.v.mountPath(t, root)
	if err != nil {
		return "/", false
	}
	if prefix == "/" {
		return path, true
	}
	rest, below := strings.CutPrefix(path, prefix)
	switch {
	case below && rest == "":
		return "/", true
	case below && rest[0] == '/':
		return rest, true
	}
	return "/", false
}

// statvfs1 is statvfs1(2): path, buffer, flags. Whatever the flags say, the numbers are today's.
func statvfs1(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := nameiIn(t, abi.AT_FDCWD, a[0], follow)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	return 0, vp.copyOutStatvfs(t, a[1])
}

func fstatvfs1(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, withFile(t, a.Int(0), func(_ *kern.File, of *openVnode) error { return of.vp.copyOutStatvfs(t, a[1]) })
}

// copyOutStatvfs sends a struct statvfs of the vnode's mount. Errors: EBADF when it is gone.
func (vp *Vnode) copyOutStatvfs(t *kern.Thread, addr uint64) error {
	if vp.dead.Load() {
		return abi.EBADF
	}
	var st abi.Statvfs
	if err := vp.mount.statvfs(t, &st, true); err != nil {
		return err
	}
	return t.CopyOutStruct(addr, &st, abi.SizeofStatvfs)
}

// getvfsstat is getvfsstat(2): buffer, its size, flags. It returns how many structures there are, at most as many as
// fit if there is a buffer.
func getvfsstat(t *kern.Thread, a *kern.Args) (int64, error) {
	v := Of(t.K)
	room := a[1] / abi.SizeofStatvfs
	if a[0] == 0 {
		room = 0
	}
	var out []byte
	var count uint64
	rooted := false
	for _, m := range v.Mounts() {
		var st abi.Statvfs
		if err := m.statvfs(t, &st, false); err != nil {
			continue
		}
		rooted = rooted || abi.CString(st.Mntonname[:]) == "/"
		if count < room {
			out = st.Append(out)
		}
		count++
	}
	if !rooted {
		// A process must see where its root is.
		var st abi.Statvfs
		root := cwdOf(t.Proc).root()
		err := root.mount.statvfs(t, &st, true)
		root.Release(t)
		if err != nil {
			return 0, err
		}
		if count < room {
			out = st.Append(out)
		}
		count++
	}
	if a[0] == 0 {
		return int64(count), nil
	}
	return int64(min(count, room)), t.Mem.CopyOut(a[0], out)
}
