package memfs

import (
	"math"

	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// noDevice is st_rdev of what is not a device: NODEV.
const noDevice uint64 = math.MaxUint64

// symlink is a symbolic link.
type symlink struct {
	inode
	target string
}

var _ vfs.Linkname = (*symlink)(nil)

func (l *symlink) size() int64     { return int64(len(l.target)) }
func (l *symlink) contents() int64 { return nameCost(l.target) }

// Readlink is the link's target.
func (l *symlink) Readlink(*kern.Thread) (string, error) {
	return l.target, nil
}

// special is a fifo, a socket or a device: package vfs knows what they do.
type special struct {
	inode
	rdev uint64
}

func (s *special) size() int64   { return s.fs.face.SpecialSize }
func (*special) contents() int64 { return 0 }

// Attr fills a.
func (s *special) Attr(t *kern.Thread, a *vfs.Attr) error {
	err := s.inode.Attr(t, a)
	a.Rdev = s.rdev
	return err
}
