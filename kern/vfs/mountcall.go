package vfs

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// maxMountData bounds the argument structure of mount(2) in bytes, VFS_MAX_MOUNT_DATA.
const maxMountData = 8192

// oldTypes are the numbers that file system types had before they had names; still understood.
var oldTypes = [...]string{1: "ffs", 2: "nfs", 3: "mfs", 4: "msdos", 5: "cd9660", 6: "fdesc", 7: "kernfs", 9: "afs"}

// mount is __mount50: type, path, flags, data, length of data.
//
// Errors: ENODEV for an unknown type; ENOTDIR; EBUSY; EPERM; EINVAL; the file system's.
func mount(t *kern.Thread, a *kern.Args) (int64, error) {
	v, flags := Of(t.K), a.Uint(2)
	name, err := t.Mem.CopyInStr(a[1], abi.PATH_MAX)
	if err != nil {
		return 0, err
	}
	path := string(name)
	vp, err := v.namei(t, abi.AT_FDCWD, name, follow)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	typ := vp.mount.typ
	if flags&(abi.MNT_GETARGS|abi.MNT_UPDATE) == 0 {
		if typ, err = v.copyInType(t, a[0]); err != nil {
			return 0, err
		}
	}
	data, err := copyInMountData(t, a[3], a[4], typ)
	if err != nil {
		return 0, err
	}
	args := &MountArgs{Flags: int(flags), Data: data, On: vp, Path: path, VFS: v}
	if flags&abi.MNT_GETARGS != 0 {
		return v.getMountArgs(t, args, a[3])
	}
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	if err := copyInRefs(t, args, typ); err != nil {
		return 0, err
	}
	if flags&abi.MNT_UPDATE != 0 {
		return 0, v.update(t, args)
	}
	_, err = v.Mount(t, typ, args)
	return 0, err
}

// copyInType reads a type's name, or takes the address for one of the old numbers. Errors: ENODEV.
func (v *VFS) copyInType(t *kern.Thread, addr uint64) (*Type, error) {
	var name string
	b, err := t.Mem.CopyInStr(addr, fstypeMax)
	switch {
	case err == nil:
		name = string(b)
	case addr < uint64(len(oldTypes)):
		name = oldTypes[addr]
	}
	if name == "ufs" {
		name = "ffs"
	}
	if typ := v.Type(name); typ != nil && name != "" {
		return typ, nil
	}
	return nil, abi.ENODEV
}

// fstypeMax is the size of f_fstypename.
const fstypeMax = 32

// copyInMountData reads the argument structure; without a length it has the type's.
func copyInMountData(t *kern.Thread, addr, n uint64, typ *Type) ([]byte, error) {
	if n == 0 {
		n = uint64(typ.ArgsSize)
	}
	if addr == 0 || n == 0 {
		return nil, nil
	}
	if n > maxMountData {
		return nil, abi.EINVAL
	}
	data := make([]byte, n)
	return data, t.Mem.CopyIn(addr, data)
}

// copyInRefs reads the strings and arrays that the argument structure has the addresses of.
func copyInRefs(t *kern.Thread, args *MountArgs, typ *Type) error {
	if typ.Refs == nil || args.Data == nil {
		return nil
	}
	refs, err := typ.Refs(args.Data)
	if err != nil {
		return err
	}
	for _, addr := range refs.Strings {
		if addr == 0 {
			args.Strings = append(args.Strings, "")
			continue
		}
		b, err := t.Mem.CopyInStr(addr, abi.PATH_MAX)
		if err != nil {
			return err
		}
		args.Strings = append(args.Strings, string(b))
	}
	for _, ref := range refs.Arrays {
		b := make([]byte, ref.Size)
		if err := t.Mem.CopyIn(ref.Addr, b); err != nil {
			return err
		}
		args.Arrays = append(args.Arrays, b)
	}
	return nil
}

// getMountArgs is MNT_GETARGS: it copies out the arguments that a file system is mounted with and returns their length.
func (v *VFS) getMountArgs(t *kern.Thread, args *MountArgs, addr uint64) (int64, error) {
	vp := args.On
	takesNone := vp.mount.typ.ArgsSize == 0
	if args.Flags != abi.MNT_GETARGS || len(args.Data) == 0 && !takesNone || vp != vp.mount.root {
		return 0, abi.EINVAL
	}
	g, ok := vp.mount.fs.(ArgsGetter)
	if !ok {
		return 0, abi.EOPNOTSUPP
	}
	n := vp.mount.typ.ArgsSize
	if len(args.Data) < n {
		return 0, abi.EINVAL
	}
	v.mountMu.Lock()
	err := g.GetArgs(t, args.Data)
	v.mountMu.Unlock()
	if err != nil || n == 0 {
		return 0, err
	}
	return int64(n), t.Mem.CopyOut(addr, args.Data[:n])
}

// Mount mounts a file system of a type on args.On, which the caller holds; args.On nil mounts the root file system.
//
// Errors: ENOTDIR, EBUSY, EINVAL; those of Type.Mount.
func (v *VFS) Mount(t *kern.Thread, typ *Type, args *MountArgs) (*Mount, error) {
	on := args.On
	switch {
	case on != nil && !on.IsDir():
		return nil, abi.ENOTDIR
	case args.Flags&abi.MNT_EXPORTED != 0:
		return nil, abi.EINVAL
	}
	if on != nil {
		if p, err := v.mountPath(t, on); err == nil {
			args.Path = p
		}
	}
	fs, err := typ.Mount(t, args)
	if err != nil {
		return nil, err
	}
	v.mountMu.Lock()
	defer v.mountMu.Unlock()
	m := newMount(v, typ)
	m.fs, m.owner = fs, t.Cred().Euid
	flags := uint32(args.Flags) & (abi.MNT_BASIC_FLAGS | abi.MNT_IGNORE) &^ abi.MNT_OP_FLAGS
	if !typ.Remote {
		flags |= abi.MNT_LOCAL
	}
	if on == nil {
		flags |= abi.MNT_ROOTFS
	}
	m.flags.Store(flags)
	_, uncached := fs.(Uncached)
	m.cached.Store(!uncached)
	m.fsid = v.newFsid(typ.Name)
	if err := v.attach(t, m, on, args.Path); err != nil {
		m.fs.Unmount(t, true)
		return nil, err
	}
	return m, nil
}

// attach puts a mount at its place; called with mountMu held.
func (v *VFS) attach(t *kern.Thread, m *Mount, on *Vnode, path string) error {
	root, err := m.fs.Root()
	if err != nil {
		return err
	}
	if m.root, err = m.Vnode(t, root); err != nil {
		return err
	}
	if on == nil {
		m.path = "/"
		v.root.Store(m.root)
		v.setMounts(append(v.mounts, m))
		return nil
	}
	m.path = path
	if err := on.lock(); err != nil {
		return err
	}
	switch {
	case on.removed:
		err = abi.ENOENT
	case on.covered.Load() != nil:
		err = abi.EBUSY
	default:
		m.covers.Store(on.Hold())
		on.covered.Store(m)
	}
	on.mu.Unlock()
	if err != nil {
		return err
	}
	v.setMounts(append(v.mounts, m))
	v.move(t, on, m.root)
	return nil
}

// mountPath is the path of a directory from the real root.
func (v *VFS) mountPath(t *kern.Thread, dir *Vnode) (string, error) {
	root := v.Root()
	defer root.Release(t)
	return v.pathOf(t, dir, root, nil)
}

// newFsid is an id that no mount has: a device number of the type's hash and a counter, then the hash (vfs_getnewfsid(9)). No
// mount has the device number either, for it is their files' st_dev; NetBSD has that wrong for rumpfs and tmpfs, whose hashes end alike.
func (v *VFS) newFsid(typ string) abi.Fsid {
	var hash int32
	for _, c := range []byte(typ) {
		hash = hash<<2 ^ int32(c)
	}
	id := abi.Fsid{Val: [2]int32{int32(kern.Makedev(int(hash&0xff), 1)), hash}}
	for slices.ContainsFunc(v.mounts, func(m *Mount) bool { return m.fsid.Val[0] == id.Val[0] }) {
		id.Val[0]++
	}
	return id
}

// update is MNT_UPDATE: it changes the flags of a mount and lets the file system change what it likes.
//
// Errors: EINVAL for another directory than the root of a mount, EOPNOTSUPP, EBUSY for making it read-only while files
// are open for writing.
func (v *VFS) update(t *kern.Thread, args *MountArgs) error {
	m := args.On.mount
	if args.On != m.root {
		return abi.EINVAL
	}
	u, ok := m.fs.(Updater)
	if !ok && args.Data != nil {
		return abi.EOPNOTSUPP
	}
	v.mountMu.Lock()
	defer v.mountMu.Unlock()
	if m.isGone() {
		return abi.ENOENT
	}
	m.busy.Lock()
	defer m.busy.Unlock()
	old := m.flags.Load()
	const settable = abi.MNT_BASIC_FLAGS &^ (abi.MNT_OP_FLAGS | abi.MNT_LOCAL | abi.MNT_ROOTFS)
	now := old&^settable | uint32(args.Flags)&settable
	toReadOnly := now&^old&abi.MNT_RDONLY != 0
	if toReadOnly {
		m.flags.Store(old | abi.MNT_RDONLY)
		if uint32(args.Flags)&abi.MNT_FORCE == 0 && m.hasWriters() {
			m.flags.Store(old)
			return abi.EBUSY
		}
		if err := m.fs.Sync(t, true); err != nil {
			m.flags.Store(old)
			return err
		}
	}
	if ok {
		if err := u.Update(t, args); err != nil {
			m.flags.Store(old)
			return err
		}
	}
	m.flags.Store(now)
	return nil
}

// hasWriters says whether a file is open for writing.
func (m *Mount) hasWriters() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, vp := range m.vnodes {
		if vp.stored() && vp.writers.Load() > 0 {
			return true
		}
	}
	return false
}

// unmount is unmount(2). Errors: EINVAL for what is not the root of a mount, and for the root file system; EBUSY; EPERM.
func unmount(t *kern.Thread, a *kern.Args) (int64, error) {
	v := Of(t.K)
	name, err := t.Mem.CopyInStr(a[0], abi.PATH_MAX)
	if err != nil {
		return 0, err
	}
	vp, err := v.namei(t, abi.AT_FDCWD, name, nofollow)
	if err != nil {
		return 0, err
	}
	m := vp.mount
	isRoot := vp == m.root
	vp.Release(t)
	switch {
	case !t.Cred().Root():
		return 0, abi.EPERM
	case !isRoot || m.Flags()&abi.MNT_ROOTFS != 0:
		return 0, abi.EINVAL
	}
	return 0, v.Unmount(t, m, a.Uint(1)&abi.MNT_FORCE != 0)
}

// Unmount takes a file system out of the tree: when nobody uses it, or with force, when its files stop working.
//
// Errors: ENOENT when it is not mounted any more; EBUSY, with force too while others are mounted in it; the file system's.
func (v *VFS) Unmount(t *kern.Thread, m *Mount, force bool) error {
	v.mountMu.Lock()
	defer v.mountMu.Unlock()
	switch {
	case m.isGone():
		return abi.ENOENT
	case slices.ContainsFunc(v.mounts, func(o *Mount) bool { return o.coversIn(m) }):
		return abi.EBUSY
	}
	m.busy.Lock()
	defer m.busy.Unlock()
	cached := m.cached.Swap(false)
	v.cache.purgeMount(t, m)
	if force {
		v.kill(t, m)
	} else if err := m.quit(t); err != nil {
		m.cached.Store(cached)
		return err
	}
	v.detach(t, m)
	return nil
}

// quit unmounts what nobody uses. Errors: EBUSY.
func (m *Mount) quit(t *kern.Thread) error {
	if !m.readOnly() {
		if err := m.fs.Sync(t, true); err != nil {
			return err
		}
	}
	if !m.close() {
		return abi.EBUSY
	}
	m.root.node.Inactive(t)
	err := m.fs.Unmount(t, false)
	if err != nil {
		m.reopen()
	}
	return err
}

// close lets nobody use the mount any more, unless somebody does. It says whether it is closed.
func (m *Mount) close() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awaitReclaims()
	for _, vp := range m.vnodes {
		if vp != m.root && vp.refs.Load() > 0 {
			return false
		}
	}
	m.gone = m.root.refs.CompareAndSwap(1, 0)
	return m.gone
}

func (m *Mount) reopen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.root.refs.Add(1)
	m.gone = false
}

// kill unmounts what may be in use: every vnode dies, and with it what is open.
func (v *VFS) kill(t *kern.Thread, m *Mount) {
	if !m.readOnly() {
		if err := m.fs.Sync(t, true); err != nil {
			v.k.Logf("%s: forced unmount: %v\n", m.path, err)
		}
	}
	m.mu.Lock()
	m.gone = true
	m.awaitReclaims()
	vnodes := m.vnodes
	m.vnodes = nil
	m.mu.Unlock()
	for _, df := range v.specs.takeMount(m) {
		df.revoke(t)
	}
	for _, vp := range vnodes {
		vp.kill(t)
	}
	if err := m.fs.Unmount(t, true); err != nil {
		v.k.Logf("%s: forced unmount: %v\n", m.path, err)
	}
}

// kill ends the vnode: what is open stops working.
func (vp *Vnode) kill(t *kern.Thread) {
	low, _, err := vp.under(t, false)
	vp.mu.Lock()
	vp.dead.Store(true)
	vp.mu.Unlock()
	vp.mount.vfs.cache.purgeDir(t, vp)
	if err == nil {
		low.sel.Notify(0) // whoever watches it through this vnode sees that it is dead
		if low != vp {
			low.Release(t)
		}
	}
	vp.node.Inactive(t)
	vp.notify(abi.NOTE_REVOKE)
}

// detach uncovers the directory; called with mountMu held.
func (v *VFS) detach(t *kern.Thread, m *Mount) {
	v.setMounts(slices.DeleteFunc(slices.Clone(v.mounts), func(o *Mount) bool { return o == m }))
	on := m.covers.Swap(nil)
	if on == nil {
		return
	}
	on.mu.Lock()
	on.covered.Store(nil)
	on.mu.Unlock()
	v.root.CompareAndSwap(m.root, on)
	on.Release(t)
}

// unmountAll takes everything down at halt, the last mount first.
func (v *VFS) unmountAll() {
	t := v.k.KernelThread()
	for _, m := range slices.Backward(v.Mounts()) {
		if err := v.Unmount(t, m, true); err != nil {
			v.k.Logf("unmounting %s: %v\n", m.path, err)
		}
	}
}
