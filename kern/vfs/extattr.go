package vfs

import (
	"math"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// source finds the vnode that a call on extended attributes is about, held: its first argument is a path or a descriptor.
type source func(t *kern.Thread, arg uint64) (*Vnode, error)

func fromPath(mode followMode) source {
	return func(t *kern.Thread, arg uint64) (*Vnode, error) {
		return nameiIn(t, abi.AT_FDCWD, arg, mode)
	}
}

func fromFD(t *kern.Thread, arg uint64) (*Vnode, error) {
	f, of, err := fileOf(t, int(int32(arg)))
	if err != nil {
		return nil, err
	}
	defer f.Release(t)
	return of.vp.Hold(), nil
}

// maxAttrName is EXTATTR_MAXNAMELEN, without the NUL; maxAttrSize bounds a value.
const (
	maxAttrName = 255
	maxAttrSize = abi.XATTR_SIZE_MAX
)

// attrCall is one call on the extended attributes of a vnode.
type attrCall struct {
	t    *kern.Thread
	vp   *Vnode
	ns   int
	name string
	addr uint64 // the buffer
	size uint64 // its length
}

// extattr makes the handler of an extattr_* call: file, namespace, name, buffer, length.
func extattr(src source, serve func(c *attrCall) (int64, error)) kern.Handler {
	return func(t *kern.Thread, a *kern.Args) (int64, error) {
		c := &attrCall{t: t, ns: a.Int(1), addr: a[3], size: a[4]}
		return c.run(src, a[0], a[2], serve)
	}
}

// extattrList makes the handler of an extattr_list_* call: file, namespace, buffer, length.
func extattrList(src source) kern.Handler {
	return func(t *kern.Thread, a *kern.Args) (int64, error) {
		c := &attrCall{t: t, ns: a.Int(1), addr: a[2], size: a[3]}
		return c.run(src, a[0], 0, func(c *attrCall) (int64, error) {
			return c.list(func(out []byte, name string) []byte { return append(append(out, byte(len(name))), name...) }, false)
		})
	}
}

// xattr makes the handler of a *xattr call: file, name, buffer, length, flags. The namespace is in the name.
func xattr(src source, serve func(c *attrCall, flags int) (int64, error)) kern.Handler {
	return func(t *kern.Thread, a *kern.Args) (int64, error) {
		c := &attrCall{t: t, addr: a[2], size: a[3]}
		n, err := c.run(src, a[0], a[1], func(c *attrCall) (int64, error) {
			c.ns = namespaceOf(c.name)
			return serve(c, a.Int(4))
		})
		return n, xattrErrno(err)
	}
}

// xattrList makes the handler of a *listxattr call: file, buffer, length.
func xattrList(src source) kern.Handler {
	return func(t *kern.Thread, a *kern.Args) (int64, error) {
		c := &attrCall{t: t, ns: abi.EXTATTR_NAMESPACE_USER, addr: a[1], size: a[2]}
		n, err := c.run(src, a[0], 0, func(c *attrCall) (int64, error) {
			return c.list(func(out []byte, name string) []byte { return append(append(out, name...), 0) }, true)
		})
		return n, xattrErrno(err)
	}
}

// xattrErrno says that attributes are not supported as Linux's calls do.
func xattrErrno(err error) error {
	if err == abi.EOPNOTSUPP {
		return abi.ENOTSUP
	}
	return err
}

// namespaceOf is the namespace of an attribute's full name.
func namespaceOf(name string) int {
	for _, p := range []string{"system.", "security.", "trusted."} {
		if strings.HasPrefix(name, p) {
			return abi.EXTATTR_NAMESPACE_SYSTEM
		}
	}
	return abi.EXTATTR_NAMESPACE_USER
}

// run reads the name, unless its address is 0, finds the vnode and serves the call.
func (c *attrCall) run(src source, arg, name uint64, serve func(*attrCall) (int64, error)) (int64, error) {
	if name != 0 {
		b, err := c.t.Mem.CopyInStr(name, maxAttrName+1)
		if err != nil {
			return 0, err
		}
		c.name = string(b)
	}
	vp, err := src(c.t, arg)
	if err != nil {
		return 0, err
	}
	c.vp = vp
	defer func() { c.vp.Release(c.t) }()
	return serve(c)
}

// attrs is the node's attributes, if the caller may use them.
//
// Errors: EOPNOTSUPP; EINVAL for an unknown namespace; EPERM for the system's, which is the superuser's; EACCES.
func (c *attrCall) attrs(want accessMode) (ExtAttrs, error) {
	if err := c.under(want); err != nil {
		return nil, err
	}
	x, ok := c.vp.node.(ExtAttrs)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	cred := c.t.Cred()
	switch {
	case c.ns != abi.EXTATTR_NAMESPACE_USER && c.ns != abi.EXTATTR_NAMESPACE_SYSTEM:
		return nil, abi.EINVAL
	case c.ns == abi.EXTATTR_NAMESPACE_SYSTEM && !cred.Root():
		return nil, abi.EPERM
	}
	var a Attr
	if err := c.vp.access(c.t, cred, want, &a); err != nil {
		return nil, err
	}
	return x, nil
}

// under goes from a layer's vnode to the one that has the attributes, if the caller may do there what he wants.
func (c *attrCall) under(want accessMode) error {
	if c.vp.stacked == nil {
		return nil
	}
	var a Attr
	if err := c.vp.access(c.t, c.t.Cred(), want, &a); err != nil {
		return err
	}
	low, as, err := c.vp.under(c.t, want&mayWrite != 0)
	if err != nil {
		return err
	}
	c.vp.Release(c.t)
	c.vp, c.t = low, as
	return nil
}

// set gives an attribute a value. flags are XATTR_CREATE and XATTR_REPLACE, or 0.
//
// Errors: EEXIST, ENODATA, E2BIG.
func (c *attrCall) set(flags int) (int64, error) {
	x, err := c.attrs(mayWrite)
	if err != nil {
		return 0, err
	}
	if c.size > maxAttrSize {
		return 0, abi.E2BIG
	}
	value := make([]byte, c.size)
	if err := c.t.Mem.CopyIn(c.addr, value); err != nil {
		return 0, err
	}
	if err := c.vp.lock(); err != nil {
		return 0, err
	}
	defer c.vp.mu.Unlock()
	if flags != 0 {
		_, err := x.GetExtAttr(c.t, c.ns, c.name)
		switch {
		case err == nil && flags&abi.XATTR_CREATE != 0:
			return 0, abi.EEXIST
		case err == abi.ENODATA && flags&abi.XATTR_REPLACE == 0:
		case err != nil:
			return 0, err
		}
	}
	if err := x.SetExtAttr(c.t, c.ns, c.name, value); err != nil {
		return 0, err
	}
	c.changed()
	return int64(len(value)), nil
}

// changed does what follows from a change; the vnode is locked.
func (c *attrCall) changed() {
	c.vp.touch(Ctime)
	c.vp.notify(abi.NOTE_ATTRIB)
}

// get copies an attribute's value out; without a buffer it returns its length. exact refuses a buffer that is too small, with
// ERANGE; otherwise the value is cut.
func (c *attrCall) get(exact bool) (int64, error) {
	x, err := c.attrs(mayRead)
	if err != nil {
		return 0, err
	}
	if err := c.vp.rlock(); err != nil {
		return 0, err
	}
	value, err := x.GetExtAttr(c.t, c.ns, c.name)
	c.vp.mu.RUnlock()
	if err != nil {
		return 0, err
	}
	return c.copyOut(value, exact)
}

func (c *attrCall) copyOut(b []byte, exact bool) (int64, error) {
	if c.addr == 0 || exact && c.size == 0 {
		return int64(len(b)), nil
	}
	if c.size > math.MaxInt32 {
		return 0, abi.EINVAL
	}
	if uint64(len(b)) > c.size {
		if exact {
			return 0, abi.ERANGE
		}
		b = b[:c.size]
	}
	return int64(len(b)), c.t.Mem.CopyOut(c.addr, b)
}

// remove takes an attribute away.
func (c *attrCall) remove() (int64, error) {
	x, err := c.attrs(mayWrite)
	if err != nil {
		return 0, err
	}
	if err := c.vp.lock(); err != nil {
		return 0, err
	}
	defer c.vp.mu.Unlock()
	if err := x.DeleteExtAttr(c.t, c.ns, c.name); err != nil {
		return 0, err
	}
	c.changed()
	return 0, nil
}

// list copies the names out, each as put appends it.
func (c *attrCall) list(put func(out []byte, name string) []byte, exact bool) (int64, error) {
	x, err := c.attrs(mayRead)
	if err != nil {
		return 0, err
	}
	if err := c.vp.rlock(); err != nil {
		return 0, err
	}
	names, err := x.ListExtAttr(c.t, c.ns)
	c.vp.mu.RUnlock()
	if err != nil {
		return 0, err
	}
	var out []byte
	for _, name := range names {
		if len(name) <= maxAttrName {
			out = put(out, name)
		}
	}
	return c.copyOut(out, exact)
}

// extattrctl is extattrctl(2). No file system here keeps attributes in files. Errors: EOPNOTSUPP.
func extattrctl(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := fromPath(follow)(t, a[0])
	if err != nil {
		return 0, err
	}
	vp.Release(t)
	return 0, abi.EOPNOTSUPP
}

// extattrSyscalls are the rows of all of them: three ways to name a file, two families of calls.
func extattrSyscalls() []kern.Syscall {
	type family struct {
		src                                                        source
		extSet, extGet, extDelete, extList, set, get, remove, list int
	}
	file := family{fromPath(follow), abi.SYS_extattr_set_file, abi.SYS_extattr_get_file, abi.SYS_extattr_delete_file,
		abi.SYS_extattr_list_file, abi.SYS_setxattr, abi.SYS_getxattr, abi.SYS_removexattr, abi.SYS_listxattr}
	link := family{fromPath(nofollow), abi.SYS_extattr_set_link, abi.SYS_extattr_get_link, abi.SYS_extattr_delete_link,
		abi.SYS_extattr_list_link, abi.SYS_lsetxattr, abi.SYS_lgetxattr, abi.SYS_lremovexattr, abi.SYS_llistxattr}
	fd := family{fromFD, abi.SYS_extattr_set_fd, abi.SYS_extattr_get_fd, abi.SYS_extattr_delete_fd,
		abi.SYS_extattr_list_fd, abi.SYS_fsetxattr, abi.SYS_fgetxattr, abi.SYS_fremovexattr, abi.SYS_flistxattr}
	rows := []kern.Syscall{{Num: abi.SYS_extattrctl, Handler: extattrctl}}
	for _, f := range []family{file, link, fd} {
		rows = append(rows,
			kern.Syscall{Num: f.extSet, Handler: extattr(f.src, func(c *attrCall) (int64, error) { return c.set(0) })},
			kern.Syscall{Num: f.extGet, Handler: extattr(f.src, func(c *attrCall) (int64, error) { return c.get(false) })},
			kern.Syscall{Num: f.extDelete, Handler: extattr(f.src, (*attrCall).remove)},
			kern.Syscall{Num: f.extList, Handler: extattrList(f.src)},
			kern.Syscall{Num: f.set, Handler: xattr(f.src, setx)},
			kern.Syscall{Num: f.get, Handler: xattr(f.src, func(c *attrCall, _ int) (int64, error) { return c.get(true) })},
			kern.Syscall{Num: f.remove, Handler: xattr(f.src, func(c *attrCall, _ int) (int64, error) { return c.remove() })},
			kern.Syscall{Num: f.list, Handler: xattrList(f.src)},
		)
	}
	return rows
}

// setx is setxattr(2), which returns 0.
func setx(c *attrCall, flags int) (int64, error) {
	_, err := c.set(flags)
	return 0, err
}

// CopyExtAttrs copies the extended attributes of a file to another, for layers; by the kernel's right. A file system that has none keeps none.
func CopyExtAttrs(t *kern.Thread, from, to *Vnode) error {
	src, _, err := from.under(t, false)
	if err != nil {
		return err
	}
	defer src.Release(t)
	dst, _, err := to.under(t, true)
	if err != nil {
		return err
	}
	defer dst.Release(t)
	x, has := src.node.(ExtAttrs)
	y, takes := dst.node.(ExtAttrs)
	if !has || !takes {
		return nil
	}
	for _, ns := range []int{abi.EXTATTR_NAMESPACE_USER, abi.EXTATTR_NAMESPACE_SYSTEM} {
		if err := copyExtAttrs(t, ns, src, x, dst, y); err != nil {
			return err
		}
	}
	return nil
}

// copyExtAttrs copies those of a namespace.
func copyExtAttrs(t *kern.Thread, ns int, src *Vnode, from ExtAttrs, dst *Vnode, to ExtAttrs) error {
	names, err := from.ListExtAttr(t, ns)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := src.rlock(); err != nil {
			return err
		}
		value, err := from.GetExtAttr(t, ns, name)
		src.mu.RUnlock()
		if err != nil {
			return err
		}
		if err := dst.lock(); err != nil {
			return err
		}
		err = to.SetExtAttr(t, ns, name, value)
		dst.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}
