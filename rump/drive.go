package rump

import (
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/ondisk/disklabel"
)

// DriveType says what a Drive is in the kernel.
type DriveType int

// The types of drives.
const (
	Blk DriveType = iota // a block device
	Chr                  // a character device
	Reg                  // a regular file
)

// SizeHost is the size of a Drive that is as large as its host file.
const SizeHost int64 = -1

// Drive maps a host file, or a part of it, into the namespace of a kernel with rumpvfs, as option -d of
// rump_server(1) does. While a kernel has a file mapped no other kernel can map it (a file that may only be
// read can be mapped by many).
//
// The buffer cache stands before a block device: what the kernel writes is in the host file after a sync, an unmount
// or Halt. What it writes to the others is in the host file at once.
type Drive struct {
	// Key is the absolute path in the kernel.
	Key string
	// HostPath is the file. It is made when it is not there, unless Size is SizeHost or Disklabel is set; a
	// regular file that ends before the mapping does is extended.
	HostPath string
	Type     DriveType
	// Offset and Size are the part of the file that is mapped, in bytes. Size 0 of a Reg is the rest of the file.
	Offset, Size int64
	// Disklabel is the letter of a partition, 'a' and on, whose place is mapped instead. 0 is none.
	Disklabel byte
}

// DriveError says why a Drive could not be mapped.
type DriveError struct {
	Drive Drive
	// Stage is what failed, in rump_server's words.
	Stage string
	// Err is why. It wraps an abi.Errno or an error of the host.
	Err error
}

func (e *DriveError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Drive.HostPath, e.Stage, e.Err)
}

// Unwrap returns why.
func (e *DriveError) Unwrap() error { return e.Err }

// Errno is NetBSD's number for why.
func (e *DriveError) Errno() abi.Errno { return host.Errno(e.Err) }

func (d Drive) failed(stage string, err error) error {
	return &DriveError{Drive: d, Stage: stage, Err: err}
}

// creates says whether a host file that is not there is made: not when its content matters.
func (d Drive) creates() bool { return d.Size != SizeHost && d.Disklabel == 0 }

// open opens the host file and finds the part that is mapped.
func (d Drive) open(images *host.Images) (*host.Window, error) {
	image, err := images.Open(d.HostPath, d.creates())
	if err != nil {
		return nil, d.failed("etfs hostpath open", err)
	}
	offset, size, err := d.extent(image)
	if err != nil {
		return nil, err
	}
	w, err := image.Window(offset, size)
	if err != nil {
		return nil, d.failed("truncate", err)
	}
	return w, nil
}

// extent is the part of the image that is mapped.
func (d Drive) extent(image *host.Image) (offset, size int64, err error) {
	if d.Disklabel != 0 {
		return d.partition(image)
	}
	if d.Size != SizeHost && (d.Size != 0 || d.Type != Reg) {
		return d.Offset, d.Size, nil
	}
	size, err = image.Size()
	if err != nil {
		return 0, 0, d.failed("fstat etfs hostpath", err)
	}
	if size == 0 && d.Size == SizeHost {
		return 0, 0, d.failed("size=host, but cannot query non-zero size", abi.EINVAL)
	}
	return d.Offset, max(size-d.Offset, 0), nil
}

// partition is where the image's disk label says that the partition is.
func (d Drive) partition(image *host.Image) (offset, size int64, err error) {
	label, err := disklabel.Find(image)
	if err != nil {
		return 0, 0, d.failed("disklabel not found", because{abi.ENOENT, err})
	}
	offset, size, ok := label.Extent(int(d.Disklabel) - 'a')
	if !ok {
		return 0, 0, d.failed("partition not available", abi.ENOENT)
	}
	return offset, size, nil
}

// because is an error's number with a text that says more than the number's.
type because struct {
	errno abi.Errno
	why   error
}

func (b because) Error() string { return b.why.Error() }

func (b because) Unwrap() []error { return []error{b.errno, b.why} }
