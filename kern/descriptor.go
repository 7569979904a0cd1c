package kern

import (
	"encoding/binary"
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
)

// descriptorSyscalls are the calls on descriptors that all kinds of files have.
func descriptorSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS_read, sysRead},
		{abi.SYS_write, sysWrite},
		{abi.SYS_readv, sysReadv},
		{abi.SYS_writev, sysWritev},
		{abi.SYS_pread, sysPread},
		{abi.SYS_pwrite, sysPwrite},
		{abi.SYS_preadv, sysPreadv},
		{abi.SYS_pwritev, sysPwritev},
		{abi.SYS_close, sysClose},
		{abi.SYS_dup, sysDup},
		{abi.SYS_dup2, sysDup2},
		{abi.SYS_dup3, sysDup3},
		{abi.SYS_fcntl, sysFcntl},
		{abi.SYS_ioctl, sysIoctl},
		{abi.SYS___fstat50, sysFstat},
		{abi.SYS_lseek, sysLseek},
		{abi.SYS_ftruncate, sysFtruncate},
		{abi.SYS_fsync, sysFsync},
		{abi.SYS_fdatasync, sysFdatasync},
		{abi.SYS_fsync_range, sysFsyncRange},
	}
}

// le is the byte order of the kernel's machine.
var le = binary.LittleEndian

// copyOutUint32 writes an int of the client's. Errors: EFAULT.
func (t *Thread) copyOutUint32(addr uint64, v uint32) error {
	b := t.small(4)
	le.PutUint32(b, v)
	return t.Mem.CopyOut(addr, b)
}

// copyInUint64 reads a long of the client's. Errors: EFAULT.
func (t *Thread) copyInUint64(addr uint64) (uint64, error) {
	b := t.small(8)
	if err := t.Mem.CopyIn(addr, b); err != nil {
		return 0, err
	}
	return le.Uint64(b), nil
}

// copyOutUint64 writes a long of the client's. Errors: EFAULT.
func (t *Thread) copyOutUint64(addr, v uint64) error {
	b := t.small(8)
	le.PutUint64(b, v)
	return t.Mem.CopyOut(addr, b)
}

// getReadable and getWritable are the file of a descriptor, held, that is open for reading or writing.
//
// Errors: EBADF.
func (t *Thread) getReadable(fd int) (*File, error) { return t.getFor(fd, abi.FREAD) }

func (t *Thread) getWritable(fd int) (*File, error) { return t.getFor(fd, abi.FWRITE) }

func (t *Thread) getFor(fd int, mode uint32) (*File, error) {
	f, err := t.Desc.Get(fd)
	if err != nil {
		return nil, err
	}
	if f.Flags()&mode == 0 {
		f.Release(t)
		return nil, abi.EBADF
	}
	return f, nil
}

func sysRead(t *Thread, a *Args) (int64, error) {
	f, err := t.getReadable(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if a[2] > math.MaxInt64 {
		return 0, abi.EINVAL
	}
	iov := [1]abi.Iovec{{Base: a[1], Len: a[2]}}
	return t.read(f, iov[:], Current)
}

func sysWrite(t *Thread, a *Args) (int64, error) {
	f, err := t.getWritable(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if a[2] > math.MaxInt64 {
		return 0, abi.EINVAL
	}
	iov := [1]abi.Iovec{{Base: a[1], Len: a[2]}}
	return t.write(f, iov[:], Current)
}

// seekable says whether a file can be read and written at off. Errors: ESPIPE; EINVAL for a negative offset.
func seekable(f *File, off int64) error {
	if _, ok := f.Ops.(Seeker); !ok {
		return abi.ESPIPE
	}
	if off < 0 {
		return abi.EINVAL
	}
	return nil
}

func sysPread(t *Thread, a *Args) (int64, error) {
	f, err := t.getReadable(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if err := seekable(f, a.Int64(4)); err != nil {
		return 0, err
	}
	if a[2] > math.MaxInt64 {
		return 0, abi.EINVAL
	}
	iov := [1]abi.Iovec{{Base: a[1], Len: a[2]}}
	return t.read(f, iov[:], a.Int64(4))
}

func sysPwrite(t *Thread, a *Args) (int64, error) {
	f, err := t.getWritable(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if err := seekable(f, a.Int64(4)); err != nil {
		return 0, err
	}
	if a[2] > math.MaxInt64 {
		return 0, abi.EINVAL
	}
	iov := [1]abi.Iovec{{Base: a[1], Len: a[2]}}
	return t.write(f, iov[:], a.Int64(4))
}

func sysReadv(t *Thread, a *Args) (int64, error) {
	return t.vector(a, abi.FREAD, Current, t.read)
}

func sysWritev(t *Thread, a *Args) (int64, error) {
	return t.vector(a, abi.FWRITE, Current, t.write)
}

func sysPreadv(t *Thread, a *Args) (int64, error) {
	return t.vector(a, abi.FREAD, a.Int64(4), t.read)
}

func sysPwritev(t *Thread, a *Args) (int64, error) {
	return t.vector(a, abi.FWRITE, a.Int64(4), t.write)
}

// vector is the common part of the calls with an array of buffers: fd, iov, count and, in those with an offset, pad
// and offset. off is Current in those without.
func (t *Thread) vector(a *Args, mode uint32, off int64, transfer func(*File, []abi.Iovec, int64) (int64, error)) (int64, error) {
	n := a.Int(2)
	if n == 0 {
		return 0, abi.EINVAL
	}
	f, err := t.getFor(a.Int(0), mode)
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if num := t.num; num == abi.SYS_preadv || num == abi.SYS_pwritev {
		if err := seekable(f, off); err != nil {
			return 0, err
		}
	}
	iov, err := t.CopyInIovecs(a[1], n)
	if err != nil {
		return 0, err
	}
	return transfer(f, iov, off)
}

func sysClose(t *Thread, a *Args) (int64, error) { return 0, t.Desc.Close(t, a.Int(0)) }

// dup gives a file another descriptor, at least from.
func (t *Thread) dup(fd, from int, cloexec bool) (int64, error) {
	f, err := t.Desc.Get(fd)
	if err != nil {
		return 0, err
	}
	n, err := t.Desc.Alloc(f, from, cloexec)
	if err != nil {
		f.Release(t)
		return 0, err
	}
	return int64(n), nil
}

func sysDup(t *Thread, a *Args) (int64, error) { return t.dup(a.Int(0), 0, false) }

func sysDup2(t *Thread, a *Args) (int64, error) { return t.dup2(a.Int(0), a.Int(1), 0) }

func sysDup3(t *Thread, a *Args) (int64, error) {
	flags := a.Int(2)
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK|abi.O_NOSIGPIPE) != 0 {
		return 0, abi.EINVAL
	}
	return t.dup2(a.Int(0), a.Int(1), flags)
}

// dup2 makes the descriptor to refer to from's file. Equal descriptors stay as they are.
func (t *Thread) dup2(from, to, flags int) (int64, error) {
	f, err := t.Desc.Get(from)
	if err != nil {
		return 0, err
	}
	if from == to && to < t.Desc.limit() {
		f.Release(t)
		return int64(to), nil
	}
	if err := t.Desc.Replace(t, to, f, flags&abi.O_CLOEXEC != 0); err != nil {
		f.Release(t)
		return 0, err
	}
	f.SetFlags(uint32(flags)&(abi.O_NONBLOCK|abi.O_NOSIGPIPE), 0)
	return int64(to), nil
}

func sysFstat(t *Thread, a *Args) (int64, error) {
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	s, ok := f.Ops.(Stater)
	if !ok {
		return 0, abi.EOPNOTSUPP
	}
	var st abi.Stat
	if err := s.Stat(t, f, &st); err != nil {
		return 0, err
	}
	return 0, t.CopyOutStruct(a[1], &st, abi.SizeofStat)
}

func sysLseek(t *Thread, a *Args) (int64, error) {
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	s, ok := f.Ops.(Seeker)
	if !ok {
		return 0, abi.ESPIPE
	}
	if w := a.Int(3); w != abi.SEEK_SET && w != abi.SEEK_CUR && w != abi.SEEK_END {
		return 0, abi.EINVAL
	}
	return s.Seek(t, f, a.Int64(2), a.Int(3))
}

func sysFtruncate(t *Thread, a *Args) (int64, error) {
	if a.Int64(2) < 0 {
		return 0, abi.EINVAL
	}
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	tr, ok := f.Ops.(Truncater)
	if !ok || !f.Writable() {
		return 0, abi.EINVAL
	}
	return 0, tr.Truncate(t, f, a.Int64(2))
}

func sysFsync(t *Thread, a *Args) (int64, error) { return 0, t.sync(a.Int(0), 0, false) }

func sysFdatasync(t *Thread, a *Args) (int64, error) { return 0, t.sync(a.Int(0), abi.FWRITE, true) }

// sync writes a file that is open in the given mode, if any, to stable storage. Errors: EBADF; EINVAL for what has none.
func (t *Thread) sync(fd int, mode uint32, dataOnly bool) error {
	f, err := t.Desc.Get(fd)
	if err != nil {
		return err
	}
	defer f.Release(t)
	s, ok := f.Ops.(Syncer)
	if !ok {
		return abi.EINVAL
	}
	if mode != 0 && f.Flags()&mode == 0 {
		return abi.EBADF
	}
	return s.Sync(t, f, dataOnly)
}

// sysFsyncRange checks the range and syncs the whole file, which fsync_range(2) allows.
func sysFsyncRange(t *Thread, a *Args) (int64, error) {
	flags, start, length := a.Int(1), a.Int64(2), a.Int64(3)
	how := flags & (abi.FDATASYNC | abi.FFILESYNC)
	if how != abi.FDATASYNC && how != abi.FFILESYNC || flags&^(abi.FDATASYNC|abi.FFILESYNC|abi.FDISKSYNC) != 0 {
		return 0, abi.EINVAL
	}
	if start < 0 || length < 0 || start > math.MaxInt64-length {
		return 0, abi.EINVAL
	}
	return 0, t.sync(a.Int(0), abi.FWRITE, how == abi.FDATASYNC)
}
