package vfs

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// specTable has the open special files of a kernel by device number: one device may have many names.
type specTable struct {
	mu   sync.Mutex
	open map[specKey]map[*deviceFile]bool
}

// specKey names a device: of two kinds each has numbers of its own.
type specKey struct {
	dev uint64
	blk bool
}

// deviceFile is an open special file: the driver's Ops behind the vnode's attributes. It also serves nodes that bring
// Ops of their own (Opener).
type deviceFile struct {
	openVnode
	ops     kern.Ops
	key     specKey
	file    *kern.File // guarded by the specTable's mu; nil until the open is through
	revoked atomic.Bool
}

var (
	_ vnodeFile   = (*deviceFile)(nil)
	_ kern.Reader = (*deviceFile)(nil)
	_ kern.Writer = (*deviceFile)(nil)
	_ kern.Seeker = (*deviceFile)(nil)
	_ kern.Poller = (*deviceFile)(nil)
)

// openSpecial opens a special file's device as a file of face.
//
// Errors: ENXIO without a driver, or on a file system mounted nodev; EBUSY for a block device that is open: its
// contents cannot be kept consistent otherwise; the driver's.
func (vp *Vnode) openSpecial(t *kern.Thread, face *Vnode, fflags uint32) (vnodeFile, error) {
	if vp.mount.Flags()&abi.MNT_NODEV != 0 {
		return nil, abi.ENXIO
	}
	df := &deviceFile{openVnode: vp.opened(face), key: specKey{vp.rdev, vp.typ == abi.S_IFBLK}}
	driver, err := vp.mount.vfs.k.Device(vp.rdev, df.key.blk)
	if err != nil {
		return nil, err
	}
	st := &vp.mount.vfs.specs
	if err := st.add(df); err != nil {
		return nil, err
	}
	if df.ops, err = driver.Open(t, vp.rdev, fflags); err != nil {
		st.remove(df)
		return nil, err
	}
	return df, nil
}

// add notes an open. Errors: EBUSY for a second one of a block device.
func (st *specTable) add(df *deviceFile) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if df.key.blk && len(st.open[df.key]) > 0 {
		return abi.EBUSY
	}
	if st.open == nil {
		st.open = map[specKey]map[*deviceFile]bool{}
	}
	if st.open[df.key] == nil {
		st.open[df.key] = map[*deviceFile]bool{}
	}
	st.open[df.key][df] = true
	return nil
}

// opened says that an open is through, and which file it is.
func (st *specTable) opened(df *deviceFile, f *kern.File) {
	st.mu.Lock()
	defer st.mu.Unlock()
	df.file = f
}

func (st *specTable) remove(df *deviceFile) {
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.open[df.key], df)
	if len(st.open[df.key]) == 0 {
		delete(st.open, df.key)
	}
}

// take removes and returns all opens of a device that are through.
func (st *specTable) take(key specKey) []*deviceFile {
	st.mu.Lock()
	defer st.mu.Unlock()
	var list []*deviceFile
	for df := range st.open[key] {
		if df.file != nil {
			list = append(list, df)
			delete(st.open[key], df)
		}
	}
	return list
}

// takeMount removes and returns all opens of special files of a mount.
func (st *specTable) takeMount(m *Mount) []*deviceFile {
	st.mu.Lock()
	defer st.mu.Unlock()
	var list []*deviceFile
	for _, opens := range st.open {
		for df := range opens {
			if (df.vp.mount == m || df.leaf.mount == m) && df.file != nil {
				list = append(list, df)
				delete(opens, df)
			}
		}
	}
	return list
}

// Close closes the device, unless revoke(2) has.
func (df *deviceFile) Close(t *kern.Thread, f *kern.File) error {
	var err error
	if !df.revoked.Swap(true) {
		df.vp.mount.vfs.specs.remove(df)
		err = df.ops.Close(t, f)
	}
	df.openVnode.Close(t, f)
	return err
}

// Read is the driver's. A revoked device is at end of file (revoke(2)).
//
// Errors: ENODEV for a device that is not read.
func (df *deviceFile) Read(t *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	if df.revoked.Load() {
		return 0, nil
	}
	var n int
	var err error
	if r, ok := df.ops.(kern.Reader); ok {
		n, err = r.Read(t, f, p, off)
	} else if d, ok := df.ops.(kern.BlockDevice); ok {
		n, err = df.transfer(d, f, p, off, readDisk)
	} else {
		return 0, abi.ENODEV
	}
	if n > 0 {
		df.touchSpecial(Atime)
	}
	return n, err
}

// Write is the driver's. Errors: EIO for a revoked device, ENODEV for one that is not written.
func (df *deviceFile) Write(t *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	if df.revoked.Load() {
		return 0, abi.EIO
	}
	var n int
	var err error
	if w, ok := df.ops.(kern.Writer); ok {
		n, err = w.Write(t, f, p, off)
	} else if d, ok := df.ops.(kern.BlockDevice); ok {
		n, err = df.transfer(d, f, p, off, writeDisk)
	} else {
		return 0, abi.ENODEV
	}
	if n > 0 && df.vp.mount.Flags()&abi.MNT_NODEVMTIME == 0 {
		df.touchSpecial(Mtime | Ctime)
	}
	return n, err
}

func (df *deviceFile) touchSpecial(which TimeMask) {
	if df.leaf.rlock() == nil {
		df.leaf.touch(which)
		df.leaf.mu.RUnlock()
	}
}

// transfer reads or writes a disk at the file's offset or another. A character device takes whole sectors.
//
// Errors: EINVAL for parts of sectors.
func (df *deviceFile) transfer(d kern.BlockDevice, f *kern.File, p []byte, off int64,
	do func(d kern.BlockDevice, p []byte, off int64) (int, error)) (int, error) {
	current := off == kern.Current
	if current {
		f.OffMu.Lock()
		defer f.OffMu.Unlock()
		off = f.Offset
	}
	if off < 0 {
		return 0, abi.EINVAL
	}
	if s := int64(d.SectorSize()); !df.key.blk && (int64(len(p))%s != 0 || off%s != 0) {
		return 0, abi.EINVAL
	}
	n, err := do(d, p, off)
	if current {
		f.Offset += int64(n)
	}
	return n, err
}

// readDisk reads up to the end of a disk; 0 there and after it.
func readDisk(d kern.BlockDevice, p []byte, off int64) (int, error) {
	if left := d.Size() - off; int64(len(p)) > left {
		p = p[:max(0, left)]
	}
	if len(p) == 0 {
		return 0, nil
	}
	return d.ReadAt(p, off)
}

// writeDisk writes up to the end of a disk. Errors: ENOSPC at the end and after it.
func writeDisk(d kern.BlockDevice, p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	left := d.Size() - off
	if left <= 0 {
		return 0, abi.ENOSPC
	}
	return d.WriteAt(p[:min(int64(len(p)), left)], off)
}

// Seek is the driver's, if it has one; otherwise any offset will do.
func (df *deviceFile) Seek(t *kern.Thread, f *kern.File, off int64, whence int) (int64, error) {
	if s, ok := df.ops.(kern.Seeker); ok && !df.revoked.Load() {
		return s.Seek(t, f, off, whence)
	}
	var size int64
	if d, ok := df.ops.(kern.BlockDevice); ok {
		size = d.Size()
	}
	return seek(f, off, whence, func() (int64, error) { return size, nil })
}

// Ioctl is the driver's. Errors: EBADF for a revoked device, ENOTTY.
func (df *deviceFile) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	if df.revoked.Load() {
		return abi.EBADF
	}
	if i, ok := df.ops.(kern.Ioctler); ok {
		return i.Ioctl(t, f, cmd, data)
	}
	return abi.ENOTTY
}

// Poll is the driver's; what has none is always ready, and so is a revoked device, to be noticed.
func (df *deviceFile) Poll(f *kern.File, events int) int {
	if p, ok := df.ops.(kern.Poller); ok && !df.revoked.Load() {
		return p.Poll(f, events)
	}
	return events & (abi.POLLIN | abi.POLLOUT | abi.POLLRDNORM | abi.POLLWRNORM)
}

// Selinfo is where changes of Poll are told.
func (df *deviceFile) Selinfo() *kern.Selinfo {
	if p, ok := df.ops.(kern.Poller); ok {
		return p.Selinfo()
	}
	return &df.leaf.sel
}

// Knote is the driver's for reading and writing, or follows from Poll; EVFILT_VNODE is the vnode's.
func (df *deviceFile) Knote(f *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter == abi.EVFILT_VNODE {
		return df.openVnode.Knote(f, filter)
	}
	if k, ok := df.ops.(kern.KnoteFilter); ok {
		return k.Knote(f, filter)
	}
	events := abi.POLLIN
	switch filter {
	case abi.EVFILT_READ:
	case abi.EVFILT_WRITE:
		events = abi.POLLOUT
	default:
		return nil, nil, abi.EINVAL
	}
	event := func(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		got := df.Poll(f, events)
		if got&abi.POLLHUP != 0 {
			flags = abi.EV_EOF
		}
		return got != 0, 0, 0, flags
	}
	return df.Selinfo(), event, nil
}

// Sync puts a disk's contents on stable storage.
func (df *deviceFile) Sync(t *kern.Thread, f *kern.File, dataOnly bool) error {
	if df.revoked.Load() {
		return nil
	}
	switch s := df.ops.(type) {
	case kern.Syncer:
		return s.Sync(t, f, dataOnly)
	case kern.BlockDevice:
		return s.Sync()
	}
	return nil
}

// revoke closes the device behind one open.
func (df *deviceFile) revoke(t *kern.Thread) {
	if df.revoked.Swap(true) {
		return
	}
	if r, ok := df.ops.(kern.Revoker); ok {
		r.Revoke(t)
	}
	df.ops.Close(t, df.file)
	df.Selinfo().Notify(0)
	df.leaf.notify(abi.NOTE_REVOKE)
}

// Disk is a block device that a file system has opened for itself.
type Disk struct {
	kern.BlockDevice
	file *kern.File
	dev  uint64
}

// OpenDisk opens the block device special file of a path, seen by the calling process, for a Type's Mount. Nobody else can open it
// until it is closed.
//
// Errors: ENOTBLK for another file, ENXIO, EBUSY, EACCES, and those of path lookup.
func (v *VFS) OpenDisk(t *kern.Thread, path string, write bool) (*Disk, error) {
	vp, err := v.namei(t, abi.AT_FDCWD, []byte(path), follow)
	if err != nil {
		return nil, err
	}
	if vp.typ != abi.S_IFBLK {
		vp.Release(t)
		return nil, abi.ENOTBLK
	}
	fflags, want := uint32(abi.FREAD), mayRead
	if write {
		fflags, want = fflags|abi.FWRITE, want|mayWrite
	}
	var a Attr
	if err := vp.access(t, t.Cred(), want, &a); err != nil {
		vp.Release(t)
		return nil, err
	}
	dev := vp.rdev
	f, err := v.openFile(t, vp, fflags)
	var other *kern.Opened
	if errors.As(err, &other) {
		other.File.Release(t)
		return nil, abi.ENXIO
	}
	if err != nil {
		return nil, err
	}
	df, ok := f.Ops.(*deviceFile)
	var bd kern.BlockDevice
	if ok {
		bd, ok = df.ops.(kern.BlockDevice)
	}
	if !ok {
		f.Release(t)
		return nil, abi.ENXIO
	}
	return &Disk{bd, f, dev}, nil
}

// Dev is the disk's device number.
func (d *Disk) Dev() uint64 { return d.dev }

// Close lets others open the disk again.
func (d *Disk) Close(t *kern.Thread) error { return d.file.Release(t) }
