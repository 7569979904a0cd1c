package vfs

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Type is a kind of file system that can be mounted: a component brings one.
type Type struct {
	// Name as mount(2) has it: "tmpfs".
	Name string
	// Mount makes a file system from mount(2)'s arguments. Everything of the client's has been copied in: Mount, and Update
	// after it, do not use t.Mem.
	Mount func(t *kern.Thread, m *MountArgs) (FS, error)
	// Remote says that the files are on another machine: MNT_LOCAL is not set then.
	Remote bool
	// ArgsSize is the size of the argument structure in bytes: what is copied in when the client gives no length.
	ArgsSize int
	// Refs reads from an argument structure what it has the addresses of, to be copied in too: strings (fspec), arrays. nil for
	// none. Errors: EINVAL for a structure that is too short, or an array that is too long.
	Refs func(data []byte) (Refs, error)
}

// Refs are the addresses in an argument structure.
type Refs struct {
	// Strings are the addresses of strings; 0 for none.
	Strings []uint64
	// Arrays are those of arrays.
	Arrays []ArrayRef
}

// ArrayRef is the address of an array and its size in bytes.
type ArrayRef struct {
	Addr uint64
	Size int
}

// MountArgs is what a Type's Mount gets.
type MountArgs struct {
	// Flags are mount(2)'s MNT_*. A Type's Mount may add MNT_RDONLY.
	Flags int
	// Data is the file system's own argument structure, as long as the client says; nil when it gave none.
	Data []byte
	// Strings are those that Type.Refs asks for, in its order; "" for an address of 0.
	Strings []string
	// Arrays are those that Type.Refs asks for, in its order.
	Arrays [][]byte
	// On is the covered directory; nil when the root is mounted.
	On *Vnode
	// Path is where it is mounted, from the real root.
	Path string
	// VFS is the kernel's file system layer, for layers and for opening devices.
	VFS *VFS
}

// FS is a mounted file system. Nodes of a FS are compared by identity: the same file is always the same Node,
// for as long as anybody refers to it. Nodes are pointers: they serve as keys of maps.
type FS interface {
	// Root is the root directory.
	Root() (Node, error)
	// Statfs fills the counts and sizes (Bsize, Frsize, Iosize, Blocks, Bfree, Bavail, Files, Ffree, Namemax) of a
	// statvfs; names, flags and counters are filled by package vfs.
	Statfs(t *kern.Thread, st *abi.Statvfs) error
	// Sync writes what is not yet on stable storage. It, and Statfs, may run beside any other call but Update and Unmount.
	Sync(t *kern.Thread, wait bool) error
	// Unmount frees the file system. No node is used any more: all have become inactive, with force those that were in
	// use too. With force it must not fail.
	Unmount(t *kern.Thread, force bool) error
	// Source is what is mounted, for f_mntfromname.
	Source() string
}

// Updater is a FS that has a say when it is mounted anew over itself with MNT_UPDATE: its arguments may change, and files
// may become read-only or writable again, as m.Flags say. Without it package vfs changes the flags alone, and arguments
// are EOPNOTSUPP.
type Updater interface {
	Update(t *kern.Thread, m *MountArgs) error
}

// ArgsGetter is a FS that answers MNT_GETARGS: its current mount arguments; EOPNOTSUPP otherwise. data is what the client
// sent, at least Type.ArgsSize bytes; the first ArgsSize of it go back.
type ArgsGetter interface {
	GetArgs(t *kern.Thread, data []byte) error
}

// HandleFinder is a FS whose nodes have file handles (getfh, fhopen): EOPNOTSUPP otherwise.
type HandleFinder interface {
	// Handle is a node's handle, at most 28 bytes of the file system's own.
	Handle(n Node) ([]byte, error)
	// Find is the node of a handle. Errors: ESTALE.
	Find(handle []byte) (Node, error)
}

// Uncached is a FS whose names may change otherwise than by calls through this package, or that takes several
// spellings for one name: the name cache leaves it alone and every step of a path asks the FS.
type Uncached interface {
	Uncached()
}

// Attr are the attributes of a node, as vattr(9).
type Attr struct {
	// Mode has type (S_IFMT) and permissions (S_ISUID and below).
	Mode     uint32
	Nlink    uint32
	UID, GID uint32
	// Ino is the file's number, unique within the file system.
	Ino uint64
	// Size and Bytes: length, and space held, in bytes.
	Size, Bytes int64
	Blksize     int32
	// Rdev is the device number of special files.
	Rdev                       uint64
	Flags                      uint32
	Gen                        uint32
	Atime, Mtime, Ctime, Btime time.Time
}

// SetAttr is a change of attributes: only those whose bit is in Valid.
type SetAttr struct {
	Valid        AttrMask
	Mode         uint32 // permissions alone
	UID, GID     uint32
	Size         int64
	Flags        uint32
	Atime, Mtime time.Time
	Btime        time.Time
	// Now says that the times are set to now, by whoever may write.
	Now bool
}

// AttrMask says which attributes a SetAttr changes.
type AttrMask uint

// The attributes that can be set.
const (
	SetMode AttrMask = 1 << iota
	SetUID
	SetGID
	SetSize
	SetFlags
	SetAtime
	SetMtime
	SetBtime
)

// Node is a file of a file system. Only what all kinds of files have is here; the rest are capabilities.
//
// Package vfs calls the methods of a directory that change it (Create to Rename) with that directory's vnode locked,
// and the vnode of the file that gains or loses a name (target, from, existing) too, so that link counts need no lock of the
// node's; WriteAt and SetAttr with the file's; readers (Attr among them) are called with the lock shared. A node needs
// locks of its own only for what spans nodes: the file system's counters, its allocation maps; and for what Toucher says.
// Permissions, read-only mounts and name lengths have been checked already, and a directory that has been removed
// is not asked for names any more.
type Node interface {
	// Attr fills a, which is not zeroed before. It is also called without any lock, when a vnode is made for the node.
	Attr(t *kern.Thread, a *Attr) error
	// Inactive is called when nobody refers to the node any more: if it has no links it is freed now.
	Inactive(t *kern.Thread)
}

// Toucher is a node that keeps times. Package vfs says when a call's meaning changes them (POSIX "marks for update"): after reading,
// writing, making, linking, removing, renaming and changing attributes, for the file and for its directories, as the mount's
// noatime and read-only flags allow. So file systems set times themselves only when a node is made.
//
// Touch may be called with the vnode locked shared, by several threads at once, and must not wait: what goes to
// a disk is marked to be written later.
type Toucher interface {
	Touch(which TimeMask, now time.Time)
}

// TimeMask says which times change.
type TimeMask uint

// The times of a node: last access, last change of the contents, last change of the attributes.
const (
	Atime TimeMask = 1 << iota
	Mtime
	Ctime
)

// AttrSetter is a node whose attributes can change; EOPNOTSUPP otherwise, EROFS on read-only mounts before.
// The change is checked against the caller's credentials already; setting Size truncates or extends with zeroes.
type AttrSetter interface {
	SetAttr(t *kern.Thread, s *SetAttr) error
}

// Reader is a regular file that can be read. It reads at most to the end of the file; 0 there.
type Reader interface {
	ReadAt(t *kern.Thread, p []byte, off int64) (int, error)
}

// Writer is a regular file that can be written. With ENOSPC it may have written a part.
type Writer interface {
	WriteAt(t *kern.Thread, p []byte, off int64) (int, error)
}

// Syncer is a node with something to sync; otherwise fsync has nothing to do and succeeds.
type Syncer interface {
	Fsync(t *kern.Thread, dataOnly bool) error
}

// Linkname is a symbolic link: EINVAL otherwise.
type Linkname interface {
	Readlink(t *kern.Thread) (string, error)
}

// Directory is a node with names in it; ENOTDIR otherwise.
type Directory interface {
	// Lookup finds a name, never "." or "..". Errors: ENOENT.
	Lookup(t *kern.Thread, name string) (Node, error)
	// Parent is the node of ".."; the root's is itself.
	Parent(t *kern.Thread) (Node, error)
	// ReadDir calls emit for the entries after the position of cookie (0 is the start), "." and ".." included,
	// until it says false: that entry was not taken. Every entry has a cookie of its own, larger than 0: the position after it, which stays valid
	// while the directory changes: entries that are there all the time are seen exactly once.
	ReadDir(t *kern.Thread, cookie int64, emit func(e Dirent) bool) error
}

// Dirent is an entry of a directory.
type Dirent struct {
	Ino    uint64
	Type   uint8 // abi.DT_*
	Name   string
	Cookie int64 // the position after this entry
}

// NewNode says what Create makes.
type NewNode struct {
	// Mode has the type and the permissions, umask applied. The type is one of S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK.
	Mode     uint32
	UID, GID uint32
	// Target is a symbolic link's.
	Target string
	// Rdev is a special file's.
	Rdev uint64
}

// Creator is a directory in which files can be made; EOPNOTSUPP otherwise. The name is not there (vfs looked,
// with the directory locked). Errors: ENOSPC, EOPNOTSUPP for a type that the file system lacks, EMLINK.
type Creator interface {
	Create(t *kern.Thread, name string, n *NewNode) (Node, error)
}

// Linker is a directory in which hard links can be made. Errors: EMLINK, ENOSPC.
type Linker interface {
	Link(t *kern.Thread, name string, target Node) error
}

// Remover is a directory from which names can be removed. Remove is for all but directories, Rmdir for
// directories. Errors: ENOTEMPTY.
type Remover interface {
	Remove(t *kern.Thread, name string, target Node) error
	Rmdir(t *kern.Thread, name string, target Node) error
}

// Renamer is a directory from which names can be moved to dir (perhaps itself) of the same file system. Both
// directories are locked, and renames from one directory to another of the file system do not run at the same time, so that the
// tree above both is still. existing, when not nil, is what the new name refers to now, and is replaced: an empty directory
// by a directory, another file by a file; vfs has checked the kinds and that from is not above dir.
type Renamer interface {
	Rename(t *kern.Thread, name string, from Node, dir Node, newName string, existing Node) error
}

// Whiteouter is a directory that can have whiteouts: names that are not there, and hide what is there by the same name in a layer
// below (mount_union(8)). Lookup does not find them; ReadDir lists them as DT_WHT. Making a file by the name of one replaces it, and a
// directory that does is opaque (UF_OPAQUE): nothing of one below it is seen. A directory that has nothing else in it is
// empty. Errors: ENOSPC, EEXIST, ENOENT.
type Whiteouter interface {
	// Whiteout makes one; it succeeds where there is one.
	Whiteout(t *kern.Thread, name string) error
	// Unwhiteout takes one away.
	Unwhiteout(t *kern.Thread, name string) error
	// IsWhiteout says whether there is one of a name. It is called with the directory locked shared.
	IsWhiteout(t *kern.Thread, name string) bool
}

// Opener is a node that wants to know of opens, or gives its own Ops in place of the vnode's (nil: the vnode's), or, as its error,
// a file that is open already (*kern.Opened).
type Opener interface {
	Open(t *kern.Thread, fflags uint32) (kern.Ops, error)
}

// Typed is a node that says its type without Attr, for one whose attributes are those of another vnode: vnodes are made with
// their directory locked, and the other one may be just that.
type Typed interface {
	// Type is one of S_IFREG and so on, and the device number of a special file.
	Type() (typ uint32, rdev uint64)
}

// Unchecked is a node whose permissions package vfs does not check: the right to open it is not in its mode (fd(4)).
type Unchecked interface {
	Unchecked()
}

// Ioctler is a node that takes ioctls; ENOTTY otherwise.
type Ioctler interface {
	Ioctl(t *kern.Thread, cmd uint32, data []byte) error
}

// ExtAttrs is a node with extended attributes; EOPNOTSUPP otherwise. ns is EXTATTR_NAMESPACE_USER or _SYSTEM.
// Errors: ENODATA for a name that is not there.
type ExtAttrs interface {
	GetExtAttr(t *kern.Thread, ns int, name string) ([]byte, error)
	SetExtAttr(t *kern.Thread, ns int, name string, value []byte) error
	DeleteExtAttr(t *kern.Thread, ns int, name string) error
	ListExtAttr(t *kern.Thread, ns int) ([]string, error)
}

// Allocator is a file for which space can be reserved, posix_fallocate(2): EOPNOTSUPP otherwise. It grows to off+n if it
// is shorter. Errors: ENOSPC.
type Allocator interface {
	Allocate(t *kern.Thread, off, n int64) error
}

// Discarder is a file of which a part can be given back, fdiscard(2): EOPNOTSUPP otherwise. The part reads as zeroes then;
// the size stays.
type Discarder interface {
	Discard(t *kern.Thread, off, n int64) error
}

// Pathconfer is a node whose pathconf(2) answers differ from the usual. Errors: EINVAL for a name that it leaves to
// package vfs.
type Pathconfer interface {
	Pathconf(t *kern.Thread, name int) (int64, error)
}
