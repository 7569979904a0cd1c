package client

import (
	"io"
	"io/fs"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxIO is how much one call moves: enough that the round trip does not matter, little enough
// that any server takes it.
const maxIO = 256 << 10

// File is an open file, directory or device of the kernel. Its methods may be called by many
// goroutines at once; the offset of Read, Write and Seek is one for all. Errors are a
// *fs.PathError with an abi.Errno, io.EOF as usual, or fs.ErrClosed.
type File struct {
	p    *Process
	name string
	fd   int
	dir  dirReader

	mu     sync.Mutex
	users  int // calls that use fd
	closed bool
}

var (
	_ fs.ReadDirFile     = (*File)(nil)
	_ io.ReadWriteSeeker = (*File)(nil)
	_ io.ReaderAt        = (*File)(nil)
	_ io.WriterAt        = (*File)(nil)
	_ io.ReaderFrom      = (*File)(nil)
	_ io.WriterTo        = (*File)(nil)
	_ io.StringWriter    = (*File)(nil)
)

// NewFile returns a file for a descriptor of the process, which is the file's from then on.
func (p *Process) NewFile(fd int, name string) *File {
	return &File{p: p, fd: fd, name: name}
}

// Name returns the name that the file was opened by.
func (f *File) Name() string { return f.name }

// Fd returns the descriptor. It stays the file's, and is another file's perhaps once this one is
// closed.
func (f *File) Fd() int { return f.fd }

// use keeps the descriptor open until done.
func (f *File) use(op string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return pathError(op, f.name, fs.ErrClosed)
	}
	f.users++
	return nil
}

// done ends a use. The last one closes the descriptor, if Close has been called.
func (f *File) done() {
	f.mu.Lock()
	f.users--
	last := f.closed && f.users == 0
	f.mu.Unlock()
	if last {
		f.p.sys.Close(f.fd) //nolint:errcheck // Close returned long ago
	}
}

// Close closes the file. Calls in progress go on; the descriptor closes with the last.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	busy := f.users > 0
	f.mu.Unlock()
	if busy {
		return nil
	}
	return pathError("close", f.name, f.p.sys.Close(f.fd))
}

// with makes a call on the descriptor.
func (f *File) with(op string, call func(s *Sys, fd int) error) error {
	if err := f.use(op); err != nil {
		return err
	}
	defer f.done()
	return pathError(op, f.name, call(&f.p.sys, f.fd))
}

// Read reads up to len(b) bytes. At the end of the file it returns 0, io.EOF.
func (f *File) Read(b []byte) (int, error) {
	if err := f.use("read"); err != nil {
		return 0, err
	}
	defer f.done()
	n, err := f.p.sys.Read(f.fd, b[:min(len(b), maxIO)])
	return n, f.ended("read", n, len(b), err)
}

// ended is the error of a read of n bytes.
func (f *File) ended(op string, n, asked int, err error) error {
	if n == 0 && asked > 0 && err == nil {
		return io.EOF
	}
	return pathError(op, f.name, err)
}

// ReadAt reads len(b) bytes at an offset, or returns an error, io.EOF at the end of the file.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("readat", f.name, abi.EINVAL)
	}
	if err := f.use("read"); err != nil {
		return 0, err
	}
	defer f.done()
	total := 0
	for total < len(b) {
		part := b[total:min(len(b), total+maxIO)]
		n, err := f.p.sys.Pread(f.fd, part, off+int64(total))
		total += n
		if err := f.ended("read", n, len(part), err); err != nil {
			return total, err
		}
	}
	return total, nil
}

// Write writes all of b, or returns an error and how much it wrote.
func (f *File) Write(b []byte) (int, error) {
	return f.writeAll(b, func(s *Sys, part []byte, _ int) (int, error) { return s.Write(f.fd, part) })
}

// WriteString is Write of a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes all of b at an offset, or returns an error and how much it wrote.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("writeat", f.name, abi.EINVAL)
	}
	return f.writeAll(b, func(s *Sys, part []byte, at int) (int, error) {
		return s.Pwrite(f.fd, part, off+int64(at))
	})
}

func (f *File) writeAll(b []byte, write func(s *Sys, part []byte, at int) (int, error)) (int, error) {
	if err := f.use("write"); err != nil {
		return 0, err
	}
	defer f.done()
	total := 0
	for {
		part := b[total:min(len(b), total+maxIO)]
		n, err := write(&f.p.sys, part, total)
		total += n
		if err == nil && n == 0 && len(part) > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil || total == len(b) {
			return total, pathError("write", f.name, err)
		}
	}
}

// ReadFrom writes what it reads from r, to r's end.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	return copyAll(writerOnly{f}, r)
}

// WriteTo reads to the end of the file and writes it to w.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return copyAll(w, readerOnly{f})
}

// writerOnly and readerOnly hide ReadFrom and WriteTo from io.CopyBuffer.
type (
	writerOnly struct{ io.Writer }
	readerOnly struct{ io.Reader }
)

func copyAll(w io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(w, r, make([]byte, maxIO))
}

// Seek moves the offset of the next Read or Write and returns it. Of a directory, it goes to the
// beginning or to an offset that it has returned.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if whence < io.SeekStart || whence > io.SeekEnd {
		return 0, pathError("seek", f.name, abi.EINVAL)
	}
	var pos int64
	err := f.with("seek", func(s *Sys, fd int) (err error) {
		f.dir.forget()
		pos, err = s.Lseek(fd, offset, whence)
		return err
	})
	return pos, err
}

// Stat returns the file's attributes.
func (f *File) Stat() (fs.FileInfo, error) {
	var st abi.Stat
	if err := f.with("stat", func(s *Sys, fd int) error { return s.Fstat(fd, &st) }); err != nil {
		return nil, err
	}
	return FileInfo(f.name, &st), nil
}

// Sync waits until the file is on its medium.
func (f *File) Sync() error { return f.with("sync", (*Sys).Fsync) }

// Truncate sets the file's size.
func (f *File) Truncate(size int64) error {
	return f.with("truncate", func(s *Sys, fd int) error { return s.Ftruncate(fd, size) })
}

// Chmod sets the file's permissions.
func (f *File) Chmod(mode fs.FileMode) error {
	return f.with("chmod", func(s *Sys, fd int) error { return s.Fchmod(fd, sysMode(mode)) })
}

// Chown sets the file's owner and group, -1 leaves one.
func (f *File) Chown(uid, gid int) error {
	return f.with("chown", func(s *Sys, fd int) error { return s.Fchown(fd, uid, gid) })
}

// Chdir makes the directory the process's working directory.
func (f *File) Chdir() error { return f.with("chdir", (*Sys).Fchdir) }
