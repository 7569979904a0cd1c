package host

import (
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Window is a part of an image, with offsets of its own. It never reaches outside. Its methods may be called by
// many goroutines at once.
type Window struct {
	image        *Image
	offset, size int64
}

// Size is the window's size in bytes. It does not change.
func (w *Window) Size() int64 { return w.size }

// Offset is where the window begins in the image, in bytes.
func (w *Window) Offset() int64 { return w.offset }

// Image is what the window is part of.
func (w *Window) Image() *Image { return w.image }

// ReadOnly says that the host does not allow writing.
func (w *Window) ReadOnly() bool { return w.image.readOnly }

// ReadAt reads as io.ReaderAt: less than p only at the end, with io.EOF. Other errors are abi.Errno.
func (w *Window) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, abi.EINVAL
	}
	if off >= w.size {
		return 0, io.EOF
	}
	rest := w.size - off
	want := p[:min(int64(len(p)), rest)]
	n, err := w.image.file.ReadAt(want, w.offset+off)
	if err == io.EOF {
		// Somebody cut the file short: what is gone reads as zeroes, as a hole does.
		clear(want[n:])
		n, err = len(want), nil
	}
	if err != nil {
		return n, Errno(err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes as io.WriterAt. Errors: ENOSPC for what lies past the end, after writing what does not; EROFS.
func (w *Window) WriteAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0:
		return 0, abi.EINVAL
	case w.image.readOnly:
		return 0, abi.EROFS
	case off >= w.size && len(p) > 0:
		return 0, abi.ENOSPC
	}
	fit := p[:min(int64(len(p)), max(w.size-off, 0))]
	n, err := w.image.file.WriteAt(fit, w.offset+off)
	if err != nil {
		return n, Errno(err)
	}
	if n < len(p) {
		return n, abi.ENOSPC
	}
	return n, nil
}

// Sync returns when what was written is on the host's stable storage.
func (w *Window) Sync() error {
	if w.image.readOnly {
		return nil
	}
	if err := w.image.file.Sync(); err != nil && Errno(err) != abi.EINVAL {
		return Errno(err)
	}
	return nil
}
