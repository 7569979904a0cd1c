package memfs

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// DefaultSize is the free space of a new file system that is given no limit, in a kernel that has none either.
const DefaultSize = 512 << 20

// nameMax is the longest name, f_namemax; package vfs sees to it.
const nameMax = 255

// Face is how a file system looks to stat(2) and statvfs(2); what it can do is the same behind every face.
type Face struct {
	// BlockSize is f_bsize, f_frsize, f_iosize and st_blksize. What is not a regular file occupies whole blocks.
	BlockSize int
	// DirSize is a directory's st_size, and DirentSize what each entry adds to it.
	DirSize, DirentSize int64
	// SpecialSize is the st_size of fifos, sockets and devices.
	SpecialSize int64
	// FirstIno is the inode number of the root.
	FirstIno uint64
}

// Config says what a new file system is like.
type Config struct {
	Face Face
	// Source is what is mounted, for f_mntfromname.
	Source string
	// MaxBytes and MaxNodes are its limits; 0 leaves it to the kernel's memory, DefaultSize where that has no limit.
	MaxBytes, MaxNodes int64
	// Mode, UID and GID are those of the root directory. Mode is permissions alone.
	Mode     uint32
	UID, GID uint32
}

// FS is a file system in memory.
type FS struct {
	k      *kern.Kernel
	face   Face
	source string
	space  space
	pages  pagePool
	root   *dir
	id     [handleIDLen]byte // tells its file handles from those of an earlier mount

	mu      sync.Mutex
	nodes   map[uint64]node // all that are not freed, by inode number
	lastIno uint64
}

var (
	_ vfs.FS           = (*FS)(nil)
	_ vfs.HandleFinder = (*FS)(nil)
)

// New makes a file system that has a root directory and nothing in it. Errors: ENOSPC.
func New(k *kern.Kernel, c Config) (*FS, error) {
	f := &FS{k: k, face: c.Face, source: c.Source, nodes: map[uint64]node{}}
	f.lastIno = c.Face.FirstIno - 1
	f.space.mem = &k.Mem
	f.space.limit, f.space.maxNodes = f.limits(c.MaxBytes, c.MaxNodes)
	rand.Read(f.id[:])
	root, err := f.newNode(&vfs.NewNode{Mode: abi.S_IFDIR | c.Mode, UID: c.UID, GID: c.GID}, 0)
	if err != nil {
		return nil, err
	}
	f.root = root.(*dir)
	f.root.parent = f.root
	return f, nil
}

// limits are the limits in force where those given may be 0. The root directory does not count against DefaultSize.
func (f *FS) limits(bytes, nodes int64) (maxBytes, maxNodes int64) {
	switch {
	case bytes > 0:
	case f.k.Mem.Limit() > 0:
		bytes = math.MaxInt64
	default:
		bytes = DefaultSize + pageSize
	}
	if nodes <= 0 {
		nodes = math.MaxInt32
	}
	return bytes, nodes
}

// Root is the root directory.
func (f *FS) Root() (vfs.Node, error) { return f.root, nil }

// Source is what is mounted.
func (f *FS) Source() string { return f.source }

// Statfs says what is held and what could still be held: less than the limit when the kernel's memory is short.
func (f *FS) Statfs(_ *kern.Thread, st *abi.Statvfs) error {
	u, unit := f.space.usage(), int64(f.face.BlockSize)
	st.Bsize, st.Frsize, st.Iosize = uint64(unit), uint64(unit), uint64(unit)
	st.Bfree = uint64(u.avail / unit)
	st.Bavail = st.Bfree
	st.Blocks = uint64((u.used + u.avail) / unit)
	st.Files = uint64(u.nodes + u.freeNodes)
	st.Ffree = uint64(u.freeNodes)
	st.Favail = st.Ffree
	st.Namemax = nameMax
	return nil
}

// Sync has nothing to do: there is no stable storage.
func (f *FS) Sync(*kern.Thread, bool) error { return nil }

// Unmount gives back all memory. Nodes that are still in use keep what they have but get nothing more.
func (f *FS) Unmount(*kern.Thread, bool) error {
	f.space.close()
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.nodes)
	return nil
}

// SetLimits changes the limits; 0 as in Config. Errors: EBUSY when more than that is held.
func (f *FS) SetLimits(maxBytes, maxNodes int64) error {
	return f.space.setLimits(f.limits(maxBytes, maxNodes))
}

// handleIDLen is the length of FS.id in a handle; the inode number follows it.
const handleIDLen = 8

// Handle is a node's file handle. Inode numbers are never used again, so that a handle needs no generation.
func (f *FS) Handle(n vfs.Node) ([]byte, error) {
	in, ok := n.(node)
	if !ok || in.base().fs != f {
		return nil, abi.EXDEV
	}
	return binary.LittleEndian.AppendUint64(f.id[:handleIDLen:handleIDLen], in.base().ino), nil
}

// Find is the node of a handle, linked or still open. Errors: EINVAL for what is not a handle, ESTALE.
func (f *FS) Find(handle []byte) (vfs.Node, error) {
	if len(handle) != handleIDLen+8 {
		return nil, abi.EINVAL
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodes[binary.LittleEndian.Uint64(handle[handleIDLen:])]
	if n == nil || [handleIDLen]byte(handle) != f.id {
		return nil, abi.ESTALE
	}
	return n, nil
}
