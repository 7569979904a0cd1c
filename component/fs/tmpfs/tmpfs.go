// Package tmpfs is component rumpfs_tmpfs: the file system type tmpfs, in memory and of limited size. Here is what is tmpfs's own, its
// mount(2) arguments (mount_tmpfs(8)); the file system itself is package memfs.
package tmpfs

import (
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memfs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_tmpfs",
		Needs:   []string{"rumpvfs"},
		Doc:     "tmpfs, a file system in memory",
		Modules: []kern.Module{{Name: "tmpfs", Class: abi.MODULE_CLASS_VFS}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "tmpfs", Mount: mount, ArgsSize: abi.SizeofTmpfsArgs})
		},
	}
}

// face is how tmpfs looks: pages for blocks, directories of 48 bytes an entry.
func face() memfs.Face {
	return memfs.Face{BlockSize: pageSize, DirentSize: 48, FirstIno: 2}
}

const (
	pageSize = 4096
	// noID is a user or group that is not given: VNOVAL.
	noID = math.MaxUint32
	// minNodes is the fewest nodes that a mount is limited to; less means that the size decides.
	minNodes = 3
	// nodeRatio is the number of bytes of the size for which there may be a node.
	nodeRatio = 1024
)

// FS is a mounted tmpfs.
type FS struct {
	*memfs.FS
	k *kern.Kernel
	// What GetArgs answers, guarded by package vfs, which runs one mount(2) at a time: the limits in force, not those
	// that the kernel's memory sets.
	size, nodes uint64
}

var (
	_ vfs.Updater      = (*FS)(nil)
	_ vfs.ArgsGetter   = (*FS)(nil)
	_ vfs.HandleFinder = (*FS)(nil)
)

// mount makes a tmpfs. Errors: EINVAL for arguments of another version or without an owner, ENOSPC when the kernel's memory does
// not allow for one.
func mount(t *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
	a, err := decode(m.Data)
	if err != nil {
		return nil, err
	}
	f := &FS{k: t.K}
	f.setLimits(a)
	f.FS, err = memfs.New(t.K, memfs.Config{
		Face:     face(),
		Source:   "tmpfs",
		MaxBytes: f.maxBytes(),
		MaxNodes: int64(f.nodes),
		Mode:     a.RootMode & abi.ALLPERMS,
		UID:      a.RootUid,
		GID:      a.RootGid,
	})
	return f, err
}

// decode reads and checks the arguments. Errors: EINVAL.
func decode(data []byte) (a abi.TmpfsArgs, err error) {
	if a.Decode(data) != nil || a.Version != abi.TMPFS_ARGS_VERSION || a.RootUid == noID || a.RootGid == noID {
		return a, abi.EINVAL
	}
	return a, nil
}

// setLimits takes the limits of arguments; a size of less than a page is none.
func (f *FS) setLimits(a abi.TmpfsArgs) {
	f.size = math.MaxUint64
	if a.SizeMax >= pageSize {
		f.size = uint64(a.SizeMax)
	}
	f.nodes = minNodes + f.size/nodeRatio
	if a.NodesMax > minNodes {
		f.nodes = a.NodesMax
	}
	f.nodes = min(f.nodes, math.MaxInt32)
}

// maxBytes is the size as memfs has it: 0 for none.
func (f *FS) maxBytes() int64 {
	if f.size == math.MaxUint64 {
		return 0
	}
	return int64(f.size)
}

// Update changes the limits that the arguments give, and the root directory's owner and mode.
//
// Errors: EINVAL as when mounting; EBUSY when the file system holds more than the new limits allow.
func (f *FS) Update(t *kern.Thread, m *vfs.MountArgs) error {
	a, err := decode(m.Data)
	if err != nil {
		return err
	}
	size, nodes := f.size, f.nodes
	f.setLimits(a)
	if a.SizeMax < pageSize {
		f.size = size
	}
	if a.NodesMax <= minNodes {
		f.nodes = nodes
	}
	if err := f.SetLimits(f.maxBytes(), int64(f.nodes)); err != nil {
		f.size, f.nodes = size, nodes
		return err
	}
	root, err := f.Root()
	if err != nil {
		return err
	}
	return root.(vfs.AttrSetter).SetAttr(t, &vfs.SetAttr{Valid: vfs.SetMode | vfs.SetUID | vfs.SetGID,
		Mode: a.RootMode & abi.ALLPERMS, UID: a.RootUid, GID: a.RootGid})
}

// GetArgs fills in the arguments as they are now. Errors: EINVAL for data of another version.
func (f *FS) GetArgs(t *kern.Thread, data []byte) error {
	var asked abi.TmpfsArgs
	if asked.Decode(data) != nil || asked.Version != abi.TMPFS_ARGS_VERSION {
		return abi.EINVAL
	}
	root, err := f.Root()
	if err != nil {
		return err
	}
	var attr vfs.Attr
	if err := root.Attr(t, &attr); err != nil {
		return err
	}
	a := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, NodesMax: f.nodes, SizeMax: int64(f.size),
		RootUid: attr.UID, RootGid: attr.GID, RootMode: attr.Mode & abi.ALLPERMS}
	return a.Encode(data)
}
