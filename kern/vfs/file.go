package vfs

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// openVnode is what all open vnodes have in common: files of type DTYPE_VNODE are a regFile, a deviceFile or a fifoFile.
type openVnode struct {
	vp *Vnode // held
	// leaf is the vnode below vp that was opened, held: vp itself unless that is a layer's. Locks and events are its.
	leaf    *Vnode
	flocked atomic.Bool
	era     uint32 // of the leaf's when it was opened
}

// opened is an open of vp as a file of face.
func (vp *Vnode) opened(face *Vnode) openVnode {
	return openVnode{vp: face, leaf: vp, era: vp.era.Load()}
}

// vnodeFile is every kern.Ops of a vnode.
type vnodeFile interface {
	kern.Ops
	kern.Stater
	kern.Truncater
	kern.Syncer
	kern.Ioctler
	kern.Locker
	kern.KnoteFilter
	kern.DescriptorCloser
	base() *openVnode
}

// regFile is an open regular file or directory.
type regFile struct{ openVnode }

var (
	_ vnodeFile   = (*regFile)(nil)
	_ kern.Reader = (*regFile)(nil)
	_ kern.Writer = (*regFile)(nil)
	_ kern.Seeker = (*regFile)(nil)
)

func (of *openVnode) base() *openVnode { return of }

// fileOf is the open vnode of a descriptor; the caller releases f. Errors: EBADF, for a revoked file too; EINVAL for what is no vnode.
func fileOf(t *kern.Thread, fd int) (f *kern.File, of *openVnode, err error) {
	if f, err = t.Desc.Get(fd); err != nil {
		return nil, nil, err
	}
	vf, ok := f.Ops.(vnodeFile)
	if !ok {
		f.Release(t)
		return nil, nil, abi.EINVAL
	}
	if err := vf.base().valid(); err != nil {
		f.Release(t)
		return nil, nil, err
	}
	return f, vf.base(), nil
}

// withFile calls do for the open vnode of a descriptor.
func withFile(t *kern.Thread, fd int, do func(f *kern.File, of *openVnode) error) error {
	f, of, err := fileOf(t, fd)
	if err != nil {
		return err
	}
	defer f.Release(t)
	return do(f, of)
}

// VnodeOf is the vnode of an open file; nil for what is none. It is held as long as the file is.
func VnodeOf(f *kern.File) *Vnode {
	if vf, ok := f.Ops.(vnodeFile); ok {
		return vf.base().vp
	}
	return nil
}

// Close gives back what the open took.
func (of *openVnode) Close(t *kern.Thread, f *kern.File) error {
	of.closing(t, f)
	of.release(t)
	return nil
}

// closing undoes what every open of a vnode does, but for the reference.
func (of *openVnode) closing(t *kern.Thread, f *kern.File) {
	if of.flocked.Load() {
		of.vp.mount.vfs.locks.release(of.leaf, f)
	}
	if f.Writable() {
		of.countWriter(-1)
	}
}

// release drops the references.
func (of *openVnode) release(t *kern.Thread) {
	if of.leaf != of.vp {
		of.leaf.Release(t)
	}
	of.vp.Release(t)
}

// countWriter counts an open for writing.
func (of *openVnode) countWriter(by int32) {
	of.vp.writers.Add(by)
	if of.leaf != of.vp {
		of.leaf.writers.Add(by)
	}
}

// CloseDescriptor drops the process's record locks on the file, as POSIX has it at any close.
func (of *openVnode) CloseDescriptor(t *kern.Thread, _ *kern.File) {
	of.vp.mount.vfs.locks.release(of.leaf, t.Proc)
}

// Read reads from a regular file. Errors: EIO for a revoked one.
func (of *regFile) Read(t *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	if of.valid() != nil {
		return 0, abi.EIO
	}
	if off != kern.Current {
		return of.vp.readAt(t, p, off)
	}
	f.OffMu.Lock()
	defer f.OffMu.Unlock()
	n, err := of.vp.readAt(t, p, f.Offset)
	f.Offset += int64(n)
	return n, err
}

// readAt reads a part of a regular file. Errors: EISDIR, EINVAL for a negative offset.
func (vp *Vnode) readAt(t *kern.Thread, p []byte, off int64) (int, error) {
	if vp.stacked != nil {
		low, as, err := vp.under(t, false)
		if err != nil {
			return 0, err
		}
		defer low.Release(t)
		return low.readAt(as, p, off)
	}
	r, ok := vp.node.(Reader)
	switch {
	case vp.IsDir():
		return 0, abi.EISDIR
	case !ok:
		return 0, abi.EOPNOTSUPP
	case off < 0:
		return 0, abi.EINVAL
	case len(p) == 0:
		return 0, nil
	}
	if err := vp.rlock(); err != nil {
		return 0, err
	}
	defer vp.mu.RUnlock()
	n, err := r.ReadAt(t, p, off)
	if err == nil {
		vp.touchRead(t)
	}
	return n, err
}

// Write writes to a regular file: at its end with O_APPEND. Errors: EIO for a revoked one.
func (of *regFile) Write(t *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	if of.valid() != nil {
		return 0, abi.EIO
	}
	fl := f.Flags()
	if of.vp.mount.flags.Load()&abi.MNT_SYNCHRONOUS != 0 {
		fl |= abi.O_SYNC
	}
	if off != kern.Current {
		n, _, err := of.vp.writeAt(t, p, off, fl)
		return n, err
	}
	f.OffMu.Lock()
	defer f.OffMu.Unlock()
	n, end, err := of.vp.writeAt(t, p, f.Offset, fl)
	if n > 0 {
		f.Offset = end
	}
	return n, err
}

// writeAt writes a part of a regular file and says where what it has written ends. fl are FAPPEND and O_SYNC flags.
//
// Errors: EFBIG past the limit RLIMIT_FSIZE or the largest offset, EINVAL for a negative offset, EISDIR, ENOSPC.
func (vp *Vnode) writeAt(t *kern.Thread, p []byte, off int64, fl uint32) (n int, end int64, err error) {
	if vp.stacked != nil {
		low, as, err := vp.under(t, true)
		if err != nil {
			return 0, 0, err
		}
		defer low.Release(t)
		return low.writeAt(as, p, off, fl)
	}
	w, ok := vp.node.(Writer)
	switch {
	case vp.IsDir():
		return 0, 0, abi.EISDIR
	case !ok:
		return 0, 0, abi.EOPNOTSUPP
	case off < 0:
		return 0, 0, abi.EINVAL
	case len(p) == 0:
		return 0, off, nil
	}
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	if err := vp.lock(); err != nil {
		return 0, 0, err
	}
	defer vp.mu.Unlock()
	if vp.mount.readOnly() {
		return 0, 0, abi.EROFS // made so with MNT_FORCE
	}
	if err := vp.node.Attr(t, &lk.attr); err != nil {
		return 0, 0, err
	}
	if fl&abi.O_APPEND != 0 {
		off = lk.attr.Size
	}
	if err := checkFileSize(t, off, len(p)); err != nil {
		return 0, 0, err
	}
	n, err = w.WriteAt(t, p, off)
	if n > 0 {
		vp.written(t, &lk.attr, off+int64(n))
		if serr := vp.syncWrite(t, fl); err == nil {
			err = serr
		}
	}
	return n, off + int64(n), err
}

// checkFileSize checks that a write stays within the largest offset and the process's limit, which sends SIGXFSZ.
func checkFileSize(t *kern.Thread, off int64, n int) error {
	if off > math.MaxInt64-int64(n) {
		return abi.EFBIG
	}
	if uint64(off)+uint64(n) > t.Rlimit(abi.RLIMIT_FSIZE).Cur {
		t.Signal(abi.SIGXFSZ)
		return abi.EFBIG
	}
	return nil
}

// written does what follows from a write that ended at end; a has the attributes from before.
func (vp *Vnode) written(t *kern.Thread, a *Attr, end int64) {
	vp.clearSetID(t, a)
	vp.touch(Mtime | Ctime)
	hint := uint32(abi.NOTE_WRITE)
	if end > a.Size {
		hint |= abi.NOTE_EXTEND
	}
	vp.notify(hint)
}

// syncWrite puts a write on stable storage when the open asks for that.
func (vp *Vnode) syncWrite(t *kern.Thread, fl uint32) error {
	if fl&(abi.O_SYNC|abi.O_DSYNC) == 0 {
		return nil
	}
	if s, ok := vp.node.(Syncer); ok {
		return s.Fsync(t, fl&abi.O_SYNC == 0)
	}
	return nil
}

// Seek moves the offset. A directory's offsets are the cookies of its entries. Errors: EINVAL.
func (of *regFile) Seek(t *kern.Thread, f *kern.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence, func() (int64, error) { return of.vp.size(t) })
}

// seek moves a file's offset.
func seek(f *kern.File, off int64, whence int, size func() (int64, error)) (int64, error) {
	f.OffMu.Lock()
	defer f.OffMu.Unlock()
	var from int64
	switch whence {
	case abi.SEEK_SET:
	case abi.SEEK_CUR:
		from = f.Offset
	case abi.SEEK_END:
		var err error
		if from, err = size(); err != nil {
			return 0, err
		}
	default:
		return 0, abi.EINVAL
	}
	to := from + off
	if to < 0 || off > 0 && to < from {
		return 0, abi.EINVAL
	}
	f.Offset = to
	return to, nil
}

// size is the file's length in bytes.
func (vp *Vnode) size(t *kern.Thread) (int64, error) {
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	err := vp.Attr(t, &lk.attr)
	return lk.attr.Size, err
}

// Truncate sets the file's length. Errors: EINVAL when it is not open for writing or size is negative, EISDIR, EPERM for
// an append-only file.
func (of *regFile) Truncate(t *kern.Thread, f *kern.File, size int64) error {
	if size < 0 || !f.Writable() {
		return abi.EINVAL
	}
	if err := of.valid(); err != nil {
		return err
	}
	return of.vp.truncate(t, size, nil)
}

// Truncate of what has no length changes nothing.
func (of *openVnode) Truncate(_ *kern.Thread, f *kern.File, size int64) error {
	if size < 0 || !f.Writable() {
		return abi.EINVAL
	}
	return nil
}

// truncate sets the length of a file; cred, when not nil, must be allowed to write to it. Devices and fifos stay as they are.
func (vp *Vnode) truncate(t *kern.Thread, size int64, cred *kern.Cred) error {
	if vp.IsDir() {
		return abi.EISDIR
	}
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	if err := vp.lock(); err != nil {
		return err
	}
	defer vp.mu.Unlock()
	if err := vp.node.Attr(t, &lk.attr); err != nil {
		return err
	}
	if cred != nil {
		if err := vp.checkAccess(t, cred, &lk.attr, mayWrite); err != nil {
			return err
		}
	}
	if vp.typ != abi.S_IFREG {
		return nil
	}
	if size > lk.attr.Size {
		if err := checkFileSize(t, size, 0); err != nil {
			return err
		}
	}
	if err := vp.setAttr(t, &lk.attr, &SetAttr{Valid: SetSize, Size: size}, false); err != nil {
		return err
	}
	if vp.stacked == nil {
		vp.clearSetID(t, &lk.attr)
	}
	return nil
}

// Sync puts the file on stable storage.
func (of *openVnode) Sync(t *kern.Thread, _ *kern.File, dataOnly bool) error {
	if err := of.valid(); err != nil {
		return err
	}
	low, as, err := of.vp.under(t, false)
	if err != nil {
		return err
	}
	defer low.Release(t)
	s, ok := low.node.(Syncer)
	if !ok {
		return nil
	}
	if err := low.lock(); err != nil {
		return err
	}
	defer low.mu.Unlock()
	return s.Fsync(as, dataOnly)
}

// Stat is fstat(2). Errors: EBADF for a revoked file.
func (of *openVnode) Stat(t *kern.Thread, _ *kern.File, st *abi.Stat) error {
	if err := of.valid(); err != nil {
		return err
	}
	return of.vp.stat(t, st)
}

// Ioctl is the file system's.
func (of *openVnode) Ioctl(t *kern.Thread, _ *kern.File, cmd uint32, data []byte) error {
	low, as, err := of.vp.under(t, false)
	if err != nil {
		return err
	}
	defer low.Release(t)
	if n, ok := low.node.(Ioctler); ok {
		return n.Ioctl(as, cmd, data)
	}
	return abi.ENOTTY
}

// Ioctl knows how many bytes are left to read (FIONREAD).
func (of *regFile) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	if err := of.valid(); err != nil {
		return err
	}
	switch cmd {
	case abi.FIONREAD:
		size, err := of.vp.size(t)
		if err != nil {
			return err
		}
		f.OffMu.Lock()
		left := size - f.Offset
		f.OffMu.Unlock()
		binary.LittleEndian.PutUint32(data, uint32(max(0, min(left, math.MaxInt32))))
		return nil
	case abi.FIONWRITE, abi.FIONSPACE:
		binary.LittleEndian.PutUint32(data, 0)
		return nil
	}
	return of.openVnode.Ioctl(t, f, cmd, data)
}
