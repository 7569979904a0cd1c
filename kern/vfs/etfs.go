package vfs

import (
	"io"
	"path"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// HostFile is a file of the host, or a part of one, that is mapped into the kernel's namespace (rump_server -d). Its methods
// may be called by several threads at once. One that is an io.Closer is closed when the kernel has halted.
type HostFile interface {
	io.ReaderAt
	io.WriterAt
	// Size is in bytes; it does not change.
	Size() int64
	// Sync returns when what was written is on the host's stable storage.
	Sync() error
	// ReadOnly says that the host does not allow writing.
	ReadOnly() bool
}

// HostType says as what a host file appears.
type HostType int

// A mapped host file is a block device, a character device that takes whole sectors, or a regular file.
const (
	HostBlk HostType = iota
	HostChr
	HostReg
)

// hostMajor is the major device number of mapped disks, RUMPBLK_DEVMAJOR: block and character devices alike.
const hostMajor = 197

// hostSector is the sector size of mapped disks in bytes.
const hostSector = abi.DEV_BSIZE

// hostMode has the permissions of mapped files, RUMPFS_DEFAULTMODE.
const hostMode = 0755

// hostTable has the mapped host files of a kernel.
type hostTable struct {
	mu    sync.RWMutex
	files map[string]*Vnode // by cleaned absolute path; held
	disks [2][]*hostDisk    // block and character devices, by minor number
}

// init attaches the driver of the mapped disks: block and character devices have minor numbers of their own.
func (h *hostTable) init(k *kern.Kernel) error {
	h.files = map[string]*Vnode{}
	if err := k.AttachDevice("rumpblk", -1, hostMajor, hostDriver{h, HostBlk}); err != nil {
		return err
	}
	return k.AttachDevice("rumpblk", hostMajor, -1, hostDriver{h, HostChr})
}

// close closes the files that can be closed; the kernel does not use them any more.
func (h *hostTable) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, vp := range h.files {
		if c, ok := vp.node.(*hostNode).file.(io.Closer); ok {
			c.Close()
		}
	}
}

// MapHost makes a host file visible at an absolute path. It cannot be removed, renamed or linked. Where its directory is
// there it is listed; otherwise it is found by exactly this path.
//
// Errors: EINVAL for a relative path, EEXIST for a name that is taken.
func (v *VFS) MapHost(key string, typ HostType, file HostFile) error {
	if !path.IsAbs(key) || path.Clean(key) == "/" {
		return abi.EINVAL
	}
	key = path.Clean(key)
	if vp, err := v.Lookup(key); err == nil {
		vp.Release(v.k.KernelThread())
		return abi.EEXIST
	}
	node, err := v.newHostNode(typ, file)
	if err != nil {
		return err
	}
	t := v.k.KernelThread()
	root := v.Root()
	defer root.Release(t)
	vp, err := root.mount.Vnode(t, node)
	if err != nil {
		return err
	}
	v.hosts.mu.Lock()
	v.hosts.files[key] = vp
	v.hosts.mu.Unlock()
	dir, err := v.Lookup(path.Dir(key))
	if err != nil {
		return nil
	}
	return v.listHost(t, dir, path.Base(key), vp)
}

// listHost enters a host file in a directory, which stays held.
func (v *VFS) listHost(t *kern.Thread, dir *Vnode, name string, vp *Vnode) error {
	if !dir.IsDir() {
		dir.Release(t)
		return nil
	}
	if err := dir.lock(); err != nil {
		dir.Release(t)
		return err
	}
	defer dir.mu.Unlock()
	v.cache.forget(dir, name)
	dir.extraMu.Lock()
	defer dir.extraMu.Unlock()
	if dir.extra == nil {
		dir.extra = map[string]*Vnode{}
	}
	dir.extra[name] = vp.Hold()
	return nil
}

// hostChild is the host file of a name in a directory, held; nil if there is none.
func (vp *Vnode) hostChild(name []byte) *Vnode {
	vp.extraMu.RLock()
	defer vp.extraMu.RUnlock()
	child := vp.extra[string(name)]
	if child != nil {
		child.Hold()
	}
	return child
}

// hasHosts says whether host files are mapped into a directory.
func (vp *Vnode) hasHosts() bool {
	vp.extraMu.RLock()
	defer vp.extraMu.RUnlock()
	return len(vp.extra) > 0
}

// isHost says whether the vnode is a mapped host file.
func (vp *Vnode) isHost() bool {
	_, ok := vp.node.(*hostNode)
	return ok
}

// hostFile is the host file mapped at exactly the path of the walk, held; nil if there is none.
func (lk *lookup) hostFile() *Vnode {
	if lk.exact == nil {
		return nil
	}
	h := &lk.v.hosts
	h.mu.RLock()
	defer h.mu.RUnlock()
	vp := h.files[string(lk.exact)]
	if vp == nil || lk.root != lk.v.root.Load() {
		return nil
	}
	return vp.Hold()
}

// hostNode is a mapped host file as a node in front of the root file system.
type hostNode struct {
	ino  uint64
	rdev uint64
	file HostFile

	mu   sync.Mutex
	attr SetAttr // what can change
	ctim time.Time
}

// hostIno is the first inode number of mapped files: no file system in memory has so many.
const hostIno = 1 << 40

// newHostNode makes the node, and a disk for a device.
func (v *VFS) newHostNode(typ HostType, file HostFile) (*hostNode, error) {
	now := v.k.Now()
	n := &hostNode{file: file, ctim: now}
	n.attr = SetAttr{Mode: abi.S_IFREG | hostMode, Atime: now, Mtime: now, Btime: now}
	h := &v.hosts
	h.mu.Lock()
	defer h.mu.Unlock()
	n.ino = hostIno + uint64(len(h.files)) + 1
	if typ == HostReg {
		return n, nil
	}
	n.attr.Mode = abi.S_IFBLK | hostMode
	if typ == HostChr {
		n.attr.Mode = abi.S_IFCHR | hostMode
	}
	disks := &h.disks[typ]
	n.rdev = kern.Makedev(hostMajor, len(*disks))
	*disks = append(*disks, &hostDisk{file: file, unit: len(*disks)})
	return n, nil
}

func (n *hostNode) Attr(_ *kern.Thread, a *Attr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	*a = Attr{Mode: n.attr.Mode, Nlink: 1, UID: n.attr.UID, GID: n.attr.GID, Ino: n.ino, Blksize: hostSector, Rdev: n.rdev,
		Flags: n.attr.Flags, Atime: n.attr.Atime, Mtime: n.attr.Mtime, Ctime: n.ctim, Btime: n.attr.Btime,
		Size: n.file.Size()} // of devices too, as the C kernel's
	if n.attr.Mode&abi.S_IFMT == abi.S_IFREG {
		a.Bytes = a.Size
	}
	return nil
}

// SetAttr changes what is kept here. The size is the mapping's and stays: truncation does nothing, as in the original.
func (n *hostNode) SetAttr(_ *kern.Thread, s *SetAttr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.Valid&SetMode != 0 {
		n.attr.Mode = n.attr.Mode&abi.S_IFMT | s.Mode
	}
	if s.Valid&SetUID != 0 {
		n.attr.UID = s.UID
	}
	if s.Valid&SetGID != 0 {
		n.attr.GID = s.GID
	}
	if s.Valid&SetFlags != 0 {
		n.attr.Flags = s.Flags
	}
	if s.Valid&SetAtime != 0 {
		n.attr.Atime = s.Atime
	}
	if s.Valid&SetMtime != 0 {
		n.attr.Mtime = s.Mtime
	}
	if s.Valid&SetBtime != 0 {
		n.attr.Btime = s.Btime
	}
	return nil
}

func (n *hostNode) Touch(which TimeMask, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if which&Atime != 0 {
		n.attr.Atime = now
	}
	if which&Mtime != 0 {
		n.attr.Mtime = now
	}
	if which&Ctime != 0 {
		n.ctim = now
	}
}

func (n *hostNode) Inactive(*kern.Thread) {}

func (n *hostNode) ReadAt(_ *kern.Thread, p []byte, off int64) (int, error) {
	return readHost(n.file, p, off)
}

// WriteAt writes within the mapping. Errors: ENOSPC past its end, EROFS.
func (n *hostNode) WriteAt(_ *kern.Thread, p []byte, off int64) (int, error) {
	return writeHost(n.file, p, off)
}

func (n *hostNode) Fsync(*kern.Thread, bool) error { return n.file.Sync() }

var (
	_ AttrSetter = (*hostNode)(nil)
	_ Toucher    = (*hostNode)(nil)
	_ Reader     = (*hostNode)(nil)
	_ Writer     = (*hostNode)(nil)
	_ Syncer     = (*hostNode)(nil)
)

// readHost reads up to the end of the mapping.
func readHost(f HostFile, p []byte, off int64) (int, error) {
	if left := f.Size() - off; int64(len(p)) > left {
		p = p[:max(0, left)]
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.ReadAt(p, off)
	if err == io.EOF {
		err = nil
	}
	if err != nil {
		return n, abi.ToErrno(err)
	}
	return n, nil
}

// writeHost writes up to the end of the mapping.
func writeHost(f HostFile, p []byte, off int64) (int, error) {
	if f.ReadOnly() {
		return 0, abi.EROFS
	}
	left := f.Size() - off
	if left <= 0 {
		return 0, abi.ENOSPC
	}
	n, err := f.WriteAt(p[:min(int64(len(p)), left)], off)
	switch {
	case err != nil:
		return n, abi.ToErrno(err)
	case n < len(p):
		return n, abi.ENOSPC
	}
	return n, nil
}
