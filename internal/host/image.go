package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// createMode is the mode of an image that is made, before umask: rump_server(1).
const createMode = 0o644

// Images are the host files that one kernel maps. Each is opened once, however often it is mapped, and locked
// against other kernels, of this program and of others (flock(2), so it ends with the program).
// The zero value is ready.
type Images struct {
	mu     sync.Mutex
	images []*Image
}

// Image is a host file, or a host's disk, that is mapped.
type Image struct {
	path     string
	file     *os.File
	info     fs.FileInfo
	readOnly bool
	created  bool
	grown    bool // to be cut back to info.Size() by Undo
}

// Open opens the file at path, or finds it among those that are open. With create a file that is not there
// is made. A file that may not be written is opened for reading alone.
//
// Errors: ErrInUse; EINVAL for what is neither a regular file nor a device; what open(2) says.
func (s *Images) Open(path string, create bool) (*Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if info, err := os.Stat(path); err == nil {
		if err := mappable(path, info); err != nil {
			return nil, err
		}
		if i := s.find(info); i != nil {
			return i, nil
		}
	}
	i, err := openImage(path, create)
	if err != nil {
		return nil, err
	}
	s.images = append(s.images, i)
	return i, nil
}

func (s *Images) find(info fs.FileInfo) *Image {
	n := slices.IndexFunc(s.images, func(i *Image) bool { return os.SameFile(i.info, info) })
	if n < 0 {
		return nil
	}
	return s.images[n]
}

// mappable refuses directories, fifos and their like: opening them may never return.
func mappable(path string, info fs.FileInfo) error {
	if info.IsDir() {
		return &fs.PathError{Op: "open", Path: path, Err: abi.EISDIR}
	}
	if !info.Mode().IsRegular() && info.Mode()&fs.ModeDevice == 0 {
		return &fs.PathError{Op: "open", Path: path, Err: abi.EINVAL}
	}
	return nil
}

func openImage(path string, create bool) (*Image, error) {
	i := &Image{path: path}
	var err error
	if i.file, err = os.OpenFile(path, os.O_RDWR, 0); errors.Is(err, fs.ErrNotExist) && create {
		i.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, createMode)
		i.created = err == nil
	} else if Errno(err) == abi.EACCES || Errno(err) == abi.EROFS {
		i.readOnly = true
		i.file, err = os.OpenFile(path, os.O_RDONLY, 0)
	}
	if err != nil {
		return nil, err
	}
	if err = lockFile(i.file, !i.readOnly); err == nil {
		i.info, err = i.file.Stat()
	}
	if err != nil {
		i.undo()
		i.file.Close()
		return nil, err
	}
	return i, nil
}

// ErrInUse says that another kernel has a host file mapped. It is EBUSY.
var ErrInUse error = inUse{}

type inUse struct{}

func (inUse) Error() string { return "in use by another rump kernel" }

func (inUse) Unwrap() error { return abi.EBUSY }

// Path is the name by which the image was opened first.
func (i *Image) Path() string { return i.path }

// ReadOnly says that the host does not allow writing.
func (i *Image) ReadOnly() bool { return i.readOnly }

// Size is the size of the file, or of the disk, in bytes; 0 for a device of which it cannot be known.
func (i *Image) Size() (int64, error) {
	info, err := i.file.Stat()
	if err != nil || info.Mode().IsRegular() {
		return sizeOf(info), err
	}
	size, err := i.file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, nil
	}
	return size, nil
}

func sizeOf(info fs.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}

// Grow makes a regular file that is shorter than size that long. Devices stay as they are.
func (i *Image) Grow(size int64) error {
	info, err := i.file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() >= size {
		return err
	}
	if err := i.file.Truncate(size); err != nil {
		return err
	}
	i.grown = true
	return nil
}

// ReadAt reads anywhere in the file, as io.ReaderAt.
func (i *Image) ReadAt(p []byte, off int64) (int, error) { return i.file.ReadAt(p, off) }

// undo takes back that the file was made or grown.
func (i *Image) undo() error {
	if i.created {
		return os.Remove(i.path)
	}
	if i.grown {
		return i.file.Truncate(i.info.Size())
	}
	return nil
}

// Undo closes all and leaves the host's files as they were found: for a kernel that could not start. What was
// made is removed, what was grown is cut back.
func (s *Images) Undo() error { return s.end((*Image).undo) }

// Close closes all files and ends their locks.
func (s *Images) Close() error { return s.end(func(*Image) error { return nil }) }

func (s *Images) end(before func(*Image) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, i := range s.images {
		errs = append(errs, before(i), i.file.Close())
	}
	s.images = nil
	return errors.Join(errs...)
}

// Window maps size bytes of the image from offset. Errors: EINVAL when the image is shorter and cannot grow.
func (i *Image) Window(offset, size int64) (*Window, error) {
	end := offset + size
	if offset < 0 || size < 0 || end < offset {
		return nil, i.cannotMap("offset %d and size %d", offset, size)
	}
	have, err := i.Size()
	if err == nil && have < end {
		if err = i.Grow(end); err == nil {
			have, err = i.Size()
		}
	}
	if err != nil {
		return nil, err
	}
	if have < end && have != 0 {
		return nil, i.cannotMap("it has %d bytes, %d are mapped", have, end)
	}
	return &Window{image: i, offset: offset, size: size}, nil
}

// cannotMap is EINVAL with a reason.
func (i *Image) cannotMap(format string, args ...any) error {
	return &fs.PathError{Op: "map", Path: i.path, Err: fmt.Errorf("%w: %s", abi.EINVAL, fmt.Sprintf(format, args...))}
}
