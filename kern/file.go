package kern

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Ops is what a File does: a vnode, a pipe end, a socket, a kqueue, a device. What it can do beyond being
// closed it says by implementing the small interfaces below; what it does not implement fails with
// the errno that the interface names.
type Ops interface {
	// Close is called once, when the last descriptor is gone.
	Close(t *Thread, f *File) error
}

// Current, as an offset, means the file's own: it is used and advanced.
const Current int64 = -1

// Reader is implemented by what can be read; EINVAL otherwise. At off Current the file's offset is used and
// advanced. It may return fewer bytes than len(p); 0 is end of file. p's bytes past the count may be spoilt.
type Reader interface {
	Read(t *Thread, f *File, p []byte, off int64) (int, error)
}

// Writer is implemented by what can be written; EINVAL otherwise.
// Both a count and an error may be returned: the call then succeeds with the count, as write(2).
type Writer interface {
	Write(t *Thread, f *File, p []byte, off int64) (int, error)
}

// Seeker is implemented by what has an offset; ESPIPE otherwise, for lseek, pread and pwrite alike.
type Seeker interface {
	Seek(t *Thread, f *File, off int64, whence int) (int64, error)
}

// Stater is implemented by what fstat works on; EOPNOTSUPP otherwise.
type Stater interface {
	Stat(t *Thread, f *File, st *abi.Stat) error
}

// Ioctler is implemented by what takes ioctls; ENOTTY otherwise. data is the argument, abi.IOCParmLen(cmd)
// bytes, copied in before (IOC_IN) and out after (IOC_OUT). A command that is not known gives ENOTTY.
// A request without a parameter has its plain argument as 8 bytes. FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX, FIOSETOWN and
// FIOGETOWN never arrive here.
type Ioctler interface {
	Ioctl(t *Thread, f *File, cmd uint32, data []byte) error
}

// Poller is implemented by what has to be waited for; what does not is always ready.
type Poller interface {
	// Poll is which of the events POLLIN, POLLOUT, ... hold now, POLLHUP and POLLERR always included. It must not wait.
	Poll(f *File, events int) int
	// Selinfo is where a change of what Poll says is notified.
	Selinfo() *Selinfo
}

// Revoker is implemented by a device's Ops that have more to stop at revoke(2) than what Close ends: calls that wait, and opens
// that went another way than through the revoked file. It is called before Close, and not with any lock held.
type Revoker interface {
	Revoke(t *Thread)
}

// Opened is what a Device's, or a file system's, Open returns as its error when what it opens is a file that is open already: a
// descriptor that is duplicated (fd(4)), the terminal that a cloning device has made (ptm(4)). The caller takes over the reference.
type Opened struct{ File *File }

// Error is for those who can open nothing but the file itself.
func (*Opened) Error() string { return "another file is opened in its place" }

// Truncater is implemented by what ftruncate works on; EINVAL otherwise.
type Truncater interface {
	Truncate(t *Thread, f *File, size int64) error
}

// Syncer is implemented by what fsync works on; EINVAL otherwise.
type Syncer interface {
	Sync(t *Thread, f *File, dataOnly bool) error
}

// KnoteFilter is implemented by what kqueue watches otherwise than by Poll: vnodes for EVFILT_VNODE, counts of
// bytes for EVFILT_READ. It returns where events are notified and a function that says whether the
// event is there, given the hints notified since it was last asked, with kevent(2)'s data and fflags.
//
// Errors: EINVAL for a filter that the file does not have.
type KnoteFilter interface {
	Knote(f *File, filter uint32) (*Selinfo, KnoteEvent, error)
}

// KnoteEvent says whether an event is there: hint has the NOTE_* bits notified since the last call, sfflags those that the
// user asked for.
type KnoteEvent func(hint, sfflags uint32) (active bool, data int64, fflags uint32, flags uint16)

// FileType is a DTYPE_* of the ABI.
type FileType int

// File is an open file: what one or more descriptors refer to, with its offset and its status flags.
type File struct {
	Type FileType
	Ops  Ops

	flags atomic.Uint32 // FREAD, FWRITE and the O_* status flags in the kernel's (F) form
	refs  atomic.Int32

	// OffMu guards Offset for those Ops that have one.
	OffMu  sync.Mutex
	Offset int64

	async asyncIO
}

// NewFile makes an open file with one reference. flags are FREAD, FWRITE and status flags: FFlags of open's.
func NewFile(typ FileType, ops Ops, flags uint32) *File {
	f := &File{Type: typ, Ops: ops}
	f.flags.Store(flags)
	f.refs.Store(1)
	return f
}

// FFlags turns open(2)'s flags (O_RDWR|O_APPEND) into a file's (FREAD|FWRITE|FAPPEND).
func FFlags(oflags int) uint32 { return uint32(oflags) + 1 }

// OFlags turns a file's flags into open(2)'s.
func OFlags(fflags uint32) int { return int(fflags) - 1 }

// Flags are the file's flags now.
func (f *File) Flags() uint32 { return f.flags.Load() }

// SetFlags sets and clears bits of the file's flags.
func (f *File) SetFlags(set, clear uint32) {
	for {
		old := f.flags.Load()
		if f.flags.CompareAndSwap(old, old&^clear|set) {
			return
		}
	}
}

// Nonblock says whether O_NONBLOCK is set.
func (f *File) Nonblock() bool { return f.Flags()&abi.O_NONBLOCK != 0 }

// Readable and Writable say how the file was opened.
func (f *File) Readable() bool { return f.Flags()&abi.FREAD != 0 }

// Writable says whether the file was opened for writing.
func (f *File) Writable() bool { return f.Flags()&abi.FWRITE != 0 }

// Hold takes a reference: for a descriptor that is passed, a call that uses the file.
func (f *File) Hold() { f.refs.Add(1) }

// Release drops a reference; the last one closes the file.
func (f *File) Release(t *Thread) error {
	if f.refs.Add(-1) > 0 {
		return nil
	}
	f.async.mu.Lock()
	f.async.stop()
	f.async.mu.Unlock()
	return f.Ops.Close(t, f)
}
