package client

import "github.com/rumpctrl/rumpctrl/abi"

// Open opens a file and returns its descriptor: open(2). Flags are abi.O_*, mode
// is for a file that O_CREAT makes.
func (s *Sys) Open(path string, flags int, mode uint32) (int, error) {
	r := s.request(abi.SYS_open)
	r.path(path)
	r.int(flags)
	r.word(uint64(mode))
	return r.num()
}

// Openat is Open relative to the directory that fd refers to: openat(2).
func (s *Sys) Openat(fd int, path string, flags int, mode uint32) (int, error) {
	r := s.request(abi.SYS_openat)
	r.int(fd)
	r.path(path)
	r.int(flags)
	r.word(uint64(mode))
	return r.num()
}

// Close closes a descriptor: close(2).
func (s *Sys) Close(fd int) error { return s.onFD(abi.SYS_close, fd) }

// Read reads at most len(b) bytes: read(2). 0 bytes of a b that is not empty is
// the end of the file.
func (s *Sys) Read(fd int, b []byte) (int, error) {
	r := s.request(abi.SYS_read)
	r.int(fd)
	r.out(b)
	return r.size(len(b))
}

// Write writes b, or the beginning of it: write(2).
func (s *Sys) Write(fd int, b []byte) (int, error) {
	r := s.request(abi.SYS_write)
	r.int(fd)
	r.in(b)
	return r.size(len(b))
}

// Pread is Read at an offset, the descriptor's own stays: pread(2).
func (s *Sys) Pread(fd int, b []byte, off int64) (int, error) {
	r := s.request(abi.SYS_pread)
	r.int(fd)
	r.out(b)
	r.off(off)
	return r.size(len(b))
}

// Pwrite is Write at an offset, the descriptor's own stays: pwrite(2).
func (s *Sys) Pwrite(fd int, b []byte, off int64) (int, error) {
	r := s.request(abi.SYS_pwrite)
	r.int(fd)
	r.in(b)
	r.off(off)
	return r.size(len(b))
}

// iovecs lends bufs and returns the iovec array that says so, and how many bytes bufs
// have.
func (r *request) iovecs(bufs [][]byte, lend func([]byte) uint64) ([]byte, int) {
	iov := make([]byte, 0, len(bufs)*abi.SizeofIovec)
	total := 0
	for _, b := range bufs {
		v := abi.Iovec{Base: lend(b), Len: uint64(len(b))}
		iov = v.Append(iov)
		total += len(b)
	}
	return iov, total
}

// vector adds the address of an iovec array for bufs and its length, and returns
// how many bytes bufs have.
func (r *request) vector(bufs [][]byte, lend func([]byte) uint64) int {
	iov, total := r.iovecs(bufs, lend)
	r.c.Arg(r.c.In(iov))
	r.int(len(bufs))
	return total
}

// Readv reads into one buffer after the other: readv(2).
func (s *Sys) Readv(fd int, bufs [][]byte) (int, error) {
	r := s.request(abi.SYS_readv)
	r.int(fd)
	return r.size(r.vector(bufs, r.c.Out))
}

// Writev writes one buffer after the other: writev(2).
func (s *Sys) Writev(fd int, bufs [][]byte) (int, error) {
	r := s.request(abi.SYS_writev)
	r.int(fd)
	return r.size(r.vector(bufs, r.c.In))
}

// Preadv is Readv at an offset: preadv(2).
func (s *Sys) Preadv(fd int, bufs [][]byte, off int64) (int, error) {
	r := s.request(abi.SYS_preadv)
	r.int(fd)
	n := r.vector(bufs, r.c.Out)
	r.off(off)
	return r.size(n)
}

// Pwritev is Writev at an offset: pwritev(2).
func (s *Sys) Pwritev(fd int, bufs [][]byte, off int64) (int, error) {
	r := s.request(abi.SYS_pwritev)
	r.int(fd)
	n := r.vector(bufs, r.c.In)
	r.off(off)
	return r.size(n)
}

// Lseek moves the descriptor's offset and returns the new one: lseek(2).
func (s *Sys) Lseek(fd int, off int64, whence int) (int64, error) {
	r := s.request(abi.SYS_lseek)
	r.int(fd)
	r.off(off)
	r.int(whence)
	v, err := r.val()
	return int64(v), err
}

// Truncate sets the size of a file: truncate(2).
func (s *Sys) Truncate(path string, size int64) error {
	r := s.request(abi.SYS_truncate)
	r.path(path)
	r.off(size)
	return r.do()
}

// Ftruncate sets the size of an open file: ftruncate(2).
func (s *Sys) Ftruncate(fd int, size int64) error {
	r := s.request(abi.SYS_ftruncate)
	r.int(fd)
	r.off(size)
	return r.do()
}

// Fsync waits until the file is on its medium: fsync(2).
func (s *Sys) Fsync(fd int) error { return s.onFD(abi.SYS_fsync, fd) }

// Fdatasync is Fsync of the data alone: fdatasync(2).
func (s *Sys) Fdatasync(fd int) error { return s.onFD(abi.SYS_fdatasync, fd) }

// FsyncRange is Fsync of a part, by abi.FDATASYNC, FFILESYNC, FDISKSYNC: fsync_range(2).
func (s *Sys) FsyncRange(fd, how int, start, length int64) error {
	r := s.request(abi.SYS_fsync_range)
	r.int(fd)
	r.int(how)
	r.word(uint64(start))
	r.word(uint64(length))
	return r.do()
}

// Sync starts writing everything that is not on its medium: sync(2).
func (s *Sys) Sync() error { return s.plain(abi.SYS_sync) }

// PosixFadvise tells how a part of the file will be used: posix_fadvise(2).
func (s *Sys) PosixFadvise(fd int, off, length int64, advice int) error {
	r := s.request(abi.SYS___posix_fadvise50)
	r.int(fd)
	r.off(off)
	r.word(uint64(length))
	r.int(advice)
	return r.errno()
}

// PosixFallocate reserves room for a part of the file: posix_fallocate(2).
func (s *Sys) PosixFallocate(fd int, off, length int64) error {
	r := s.request(abi.SYS_posix_fallocate)
	r.int(fd)
	r.off(off)
	r.word(uint64(length))
	return r.errno()
}

// Fdiscard gives back the room of a part of the file, which reads as zeroes
// thereafter: fdiscard(2).
func (s *Sys) Fdiscard(fd int, off, length int64) error {
	r := s.request(abi.SYS_fdiscard)
	r.int(fd)
	r.off(off)
	r.word(uint64(length))
	return r.do()
}

// Dup returns another descriptor for the same open file: dup(2).
func (s *Sys) Dup(fd int) (int, error) {
	r := s.request(abi.SYS_dup)
	r.int(fd)
	return r.num()
}

// Dup2 makes descriptor to refer to the open file of from: dup2(2).
func (s *Sys) Dup2(from, to int) (int, error) {
	r := s.request(abi.SYS_dup2)
	r.int(from)
	r.int(to)
	return r.num()
}

// Dup3 is Dup2 with abi.O_CLOEXEC, O_NONBLOCK or O_NOSIGPIPE: dup3(2).
func (s *Sys) Dup3(from, to, flags int) (int, error) {
	r := s.request(abi.SYS_dup3)
	r.int(from)
	r.int(to)
	r.int(flags)
	return r.num()
}

// Pipe makes a pipe and returns its reading and its writing end: pipe(2).
func (s *Sys) Pipe() (rd, wr int, err error) {
	r := s.request(abi.SYS_pipe)
	a, b, err := r.pair()
	if err != nil {
		return -1, -1, err
	}
	return int(int32(a)), int(int32(b)), nil
}

// Pipe2 is Pipe with abi.O_CLOEXEC, O_NONBLOCK or O_NOSIGPIPE: pipe2(2).
func (s *Sys) Pipe2(flags int) (rd, wr int, err error) {
	var fds [8]byte
	r := s.request(abi.SYS_pipe2)
	r.dst(fds[:])
	r.int(flags)
	if err := r.do(); err != nil {
		return -1, -1, err
	}
	return getInt32(fds[:]), getInt32(fds[4:]), nil
}

// Flock locks or unlocks a whole file by abi.LOCK_*: flock(2).
func (s *Sys) Flock(fd, how int) error {
	r := s.request(abi.SYS_flock)
	r.int(fd)
	r.int(how)
	return r.do()
}

// Fcntl makes a request of fcntl(2) with a number for its argument.
func (s *Sys) Fcntl(fd, cmd, arg int) (int, error) {
	r := s.request(abi.SYS_fcntl)
	r.int(fd)
	r.int(cmd)
	r.word(uint64(arg))
	return r.num()
}

// FcntlFlock makes one of the lock requests F_GETLK, F_SETLK and F_SETLKW of
// fcntl(2). F_GETLK sets lk.
func (s *Sys) FcntlFlock(fd, cmd int, lk *abi.Flock) error {
	b := lk.Append(nil)
	r := s.request(abi.SYS_fcntl)
	r.int(fd)
	r.int(cmd)
	r.inout(b)
	if err := r.do(); err != nil {
		return err
	}
	if cmd == abi.F_GETLK {
		return lk.Decode(b)
	}
	return nil
}

// Ioctl makes a request of ioctl(2). data is read or written, or both, as the
// request's number says, and has the length that it says. Errors: EINVAL if data is
// shorter.
func (s *Sys) Ioctl(fd int, req uint32, data []byte) error {
	return s.IoctlFunc(fd, req, func(Lender) []byte { return data })
}

// IoctlInt makes a request of ioctl(2) that takes a number in place of an address.
func (s *Sys) IoctlInt(fd int, req uint32, arg int) error {
	r := s.request(abi.SYS_ioctl)
	r.int(fd)
	r.word(uint64(req))
	r.word(uint64(arg))
	return r.do()
}

// IoctlFunc is Ioctl for a request whose data holds addresses: build lends the
// memory they refer to and returns the data.
func (s *Sys) IoctlFunc(fd int, req uint32, build func(Lender) []byte) error {
	r := s.request(abi.SYS_ioctl)
	r.int(fd)
	r.word(uint64(req))
	data := build(r.c)
	if n := abi.IOCParmLen(req); !abi.IOCVoid(req) {
		if len(data) < n {
			r.fail(abi.EINVAL)
		} else {
			data = data[:n:n]
		}
	}
	switch {
	case abi.IOCIn(req) && abi.IOCOut(req):
		r.inout(data)
	case abi.IOCIn(req):
		r.src(data)
	default:
		r.dst(data)
	}
	return r.do()
}
