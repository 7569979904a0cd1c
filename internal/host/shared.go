package host

import (
	"errors"
	"io/fs"
	"os"
	"runtime/debug"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ErrFileGone says that a shared file was cut short by somebody while it was in use.
var ErrFileGone = errors.New("a shared file was cut short")

// Shared is a host file in memory that any number of programs map and change at the same time.
type Shared struct {
	path string
	file *os.File
	mem  []byte
}

// OpenShared maps the first size bytes of the file at path, for reading and writing. A file that is not there is made,
// one that is shorter is extended. Nothing locks it: how its users agree is theirs to say.
//
// Errors: EINVAL for what is not a regular file, errors.ErrUnsupported where files cannot be mapped, what open(2) and mmap(2) say.
func OpenShared(path string, size int) (*Shared, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|openNonblock, createMode)
	if err != nil {
		return nil, err
	}
	mem, err := mapWhole(f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Shared{path: path, file: f, mem: mem}, nil
}

func mapWhole(f *os.File, size int) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "map", Path: f.Name(), Err: abi.EINVAL}
	}
	if info.Size() < int64(size) {
		if err := f.Truncate(int64(size)); err != nil {
			return nil, err
		}
	}
	return mapShared(f, size)
}

// Close ends the mapping. No method may be in use, and what Bytes and Word gave must not be used any more.
func (s *Shared) Close() error {
	err := unmapShared(s.mem)
	s.mem = nil
	return errors.Join(err, s.file.Close())
}

// Path is the path that it was opened by.
func (s *Shared) Path() string { return s.path }

// Bytes is the memory. What others do to it at the same time is seen or not; where that matters, use Word.
func (s *Shared) Bytes() []byte { return s.mem }

// Word is the word of 32 bits at an offset, which is a multiple of 4 within the memory.
func (s *Shared) Word(off int) *atomic.Uint32 { return wordAt(s.mem, off) }

// WriteAt writes to the file through its descriptor, which those who watch it (Watch) notice, as they do not notice changes of memory.
func (s *Shared) WriteAt(p []byte, off int64) (int, error) { return s.file.WriteAt(p, off) }

// LockByte locks one byte of the file against other openers, of this program and of others, until the file is closed or its program
// ends. The byte need not be there.
//
// Errors: ErrInUse when another has it, errors.ErrUnsupported.
func (s *Shared) LockByte(off int64) error { return lockByte(s.file, off) }

// ByteLocked says whether another opener has the byte locked. Errors: errors.ErrUnsupported.
func (s *Shared) ByteLocked(off int64) (bool, error) { return byteLocked(s.file, off) }

// Guard runs f, which works on the memory. When the file turns out to be shorter than what was mapped, f ends where it is (its deferred
// functions run) and the error is ErrFileGone: without a guard the whole program would end.
func (s *Shared) Guard(f func()) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			fault, ok := p.(interface{ Addr() uintptr })
			if !ok || !within(s.mem, fault.Addr()) {
				panic(p)
			}
			err = ErrFileGone
		}
	}()
	f()
	return nil
}
