package memfs

import (
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// node is any of the kinds: dir, file, symlink, special.
type node interface {
	vfs.Node
	base() *inode
	// size is st_size.
	size() int64
	// contents are the bytes charged for what is in the node; freed drops that.
	contents() int64
	freed()
}

// inode is what all kinds of nodes have.
type inode struct {
	fs  *FS
	ino uint64
	fmt uint32 // abi.S_IF*
	// self is the node that this is in.
	self node

	mu                         sync.Mutex
	mode                       uint32 // permissions
	nlink                      uint32
	uid, gid                   uint32
	flags                      uint32
	atime, mtime, ctime, btime time.Time
	xattrs                     map[xattrKey][]byte
	gone                       bool // freed: nothing can be charged for it any more
}

var (
	_ vfs.Toucher    = (*inode)(nil)
	_ vfs.AttrSetter = (*inode)(nil)
	_ vfs.ExtAttrs   = (*inode)(nil)
)

// newNode makes a node of the kind that n says, with its first link (and a directory's "."). extra is what is charged
// beside the node and its target. Errors: ENOSPC, EOPNOTSUPP.
func (f *FS) newNode(n *vfs.NewNode, extra int64) (node, error) {
	var made node
	switch n.Mode & abi.S_IFMT {
	case abi.S_IFDIR:
		made = &dir{next: firstCookie}
	case abi.S_IFREG:
		made = &file{}
	case abi.S_IFLNK:
		made = &symlink{target: n.Target}
	case abi.S_IFIFO, abi.S_IFSOCK:
		made = &special{rdev: noDevice}
	case abi.S_IFCHR, abi.S_IFBLK:
		made = &special{rdev: n.Rdev}
	default:
		return nil, abi.EOPNOTSUPP
	}
	if err := f.space.takeNode(made.contents() + extra); err != nil {
		return nil, err
	}
	in, now := made.base(), f.k.Now()
	in.fs, in.self, in.fmt = f, made, n.Mode&abi.S_IFMT
	in.mode, in.uid, in.gid, in.nlink = n.Mode&abi.ALLPERMS, n.UID, n.GID, 1
	if in.fmt == abi.S_IFDIR {
		in.nlink = 2
	}
	in.atime, in.mtime, in.ctime, in.btime = now, now, now, now
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastIno++
	in.ino = f.lastIno
	f.nodes[in.ino] = made
	return made, nil
}

func (in *inode) base() *inode { return in }

// freed has nothing to drop where the kind does not say so.
func (in *inode) freed() {}

// dtype is the node's type in a directory entry, abi.DT_*.
func (in *inode) dtype() uint8 { return uint8(in.fmt >> 12) }

// Attr fills a. Errors: ESTALE for a node that has been freed, which a file handle may still have found.
func (in *inode) Attr(_ *kern.Thread, a *vfs.Attr) error {
	size := in.self.size()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.gone {
		return abi.ESTALE
	}
	*a = vfs.Attr{Mode: in.fmt | in.mode, Nlink: in.nlink, UID: in.uid, GID: in.gid, Ino: in.ino,
		Size: size, Bytes: roundUp(size, int64(in.fs.face.BlockSize)), Blksize: int32(in.fs.face.BlockSize),
		Rdev: noDevice, Flags: in.flags,
		Atime: in.atime, Mtime: in.mtime, Ctime: in.ctime, Btime: in.btime}
	return nil
}

// SetAttr changes attributes; what has no size ignores SetSize, as open(2) of a fifo with O_TRUNC needs.
func (in *inode) SetAttr(_ *kern.Thread, s *vfs.SetAttr) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.setLocked(s)
	return nil
}

// setLocked sets all but the size.
func (in *inode) setLocked(s *vfs.SetAttr) {
	for _, c := range [...]struct {
		bit  vfs.AttrMask
		to   *uint32
		from uint32
	}{
		{vfs.SetMode, &in.mode, s.Mode & abi.ALLPERMS},
		{vfs.SetUID, &in.uid, s.UID},
		{vfs.SetGID, &in.gid, s.GID},
		{vfs.SetFlags, &in.flags, s.Flags},
	} {
		if s.Valid&c.bit != 0 {
			*c.to = c.from
		}
	}
	for _, c := range [...]struct {
		bit  vfs.AttrMask
		to   *time.Time
		from time.Time
	}{
		{vfs.SetAtime, &in.atime, s.Atime},
		{vfs.SetMtime, &in.mtime, s.Mtime},
		{vfs.SetBtime, &in.btime, s.Btime},
	} {
		if s.Valid&c.bit != 0 {
			*c.to = c.from
		}
	}
}

// setFlags adds file flags.
func (in *inode) setFlags(flags uint32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.flags |= flags
}

// Touch sets times to now.
func (in *inode) Touch(which vfs.TimeMask, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if which&vfs.Atime != 0 {
		in.atime = now
	}
	if which&vfs.Mtime != 0 {
		in.mtime = now
	}
	if which&vfs.Ctime != 0 {
		in.ctime = now
	}
}

// link adds by to the number of links. Errors: EMLINK past the limit, ENOENT for a node whose last link is gone.
func (in *inode) link(by int) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if by > 0 && in.nlink >= abi.LINK_MAX {
		return abi.EMLINK
	}
	if by > 0 && in.nlink == 0 {
		return abi.ENOENT
	}
	in.nlink = uint32(int(in.nlink) + by)
	return nil
}

// Inactive frees the node if it has no links.
func (in *inode) Inactive(*kern.Thread) {
	in.mu.Lock()
	free := in.nlink == 0 && !in.gone
	if free {
		in.gone = true
	}
	cost := in.xattrCost()
	in.mu.Unlock()
	if free {
		in.free(cost)
	}
}

// free gives back what the node holds; extra is for its extended attributes.
func (in *inode) free(extra int64) {
	in.fs.mu.Lock()
	delete(in.fs.nodes, in.ino)
	in.fs.mu.Unlock()
	in.fs.space.giveNode(in.self.contents() + extra)
	in.self.freed()
}
