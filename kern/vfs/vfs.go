package vfs

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// VFS is the file system layer of one kernel: its file system types, its mounts, its name cache. Safe for
// concurrent use.
type VFS struct {
	k *kern.Kernel
	// root is what "/" means to processes that have not changed their root; held. A mount over "/" moves it.
	root    atomic.Pointer[Vnode]
	cache   nameCache
	lookups sync.Pool // of *lookup
	locks   lockTable
	specs   specTable
	hosts   hostTable
	cwds    cwdTable
	lastID  atomic.Uint64 // of vnodes

	magicLinks atomic.Int32 // vfs.generic.magiclinks

	typesMu sync.RWMutex
	types   []*Type

	// mountMu guards the list of mounts; mounting, updating and unmounting hold it throughout.
	mountMu  sync.Mutex
	mounts   []*Mount // in order of mounting, the root first
	listMu   sync.RWMutex
	snapshot []*Mount // mounts, for those who only look
}

// Of is a kernel's file system layer; nil in a kernel without component rumpvfs.
func Of(k *kern.Kernel) *VFS {
	v, _ := k.FactionState(kern.FactionVFS).(*VFS)
	return v
}

func newVFS(k *kern.Kernel) *VFS {
	v := &VFS{k: k, cwds: cwdTable{all: map[*cwdinfo]bool{}}}
	v.lookups.New = func() any { return new(lookup) }
	v.cache.init(k.Mem.Limit())
	return v
}

// Kernel is the kernel that the layer belongs to.
func (v *VFS) Kernel() *kern.Kernel { return v.k }

// Register adds a type of file system that can be mounted; for a component's Attach.
//
// Errors: EEXIST for a name that is there.
func (v *VFS) Register(t *Type) error {
	v.typesMu.Lock()
	defer v.typesMu.Unlock()
	if slices.ContainsFunc(v.types, func(o *Type) bool { return o.Name == t.Name }) {
		return abi.EEXIST
	}
	v.types = append(v.types, t)
	return nil
}

// Type finds a registered type by name; nil when there is none.
func (v *VFS) Type(name string) *Type {
	v.typesMu.RLock()
	defer v.typesMu.RUnlock()
	if i := slices.IndexFunc(v.types, func(t *Type) bool { return t.Name == name }); i >= 0 {
		return v.types[i]
	}
	return nil
}

// Types lists the names of the registered types in order of registration.
func (v *VFS) Types() []string {
	v.typesMu.RLock()
	defer v.typesMu.RUnlock()
	names := make([]string, len(v.types))
	for i, t := range v.types {
		names[i] = t.Name
	}
	return names
}

// Root is the root directory, held: the caller releases it.
func (v *VFS) Root() *Vnode {
	for {
		if vp := v.root.Load(); vp.tryHold() {
			return vp
		}
	}
}

// Mounts lists the mounts in order of mounting.
func (v *VFS) Mounts() []*Mount {
	v.listMu.RLock()
	defer v.listMu.RUnlock()
	return v.snapshot
}

// setMounts replaces the list of mounts; called with mountMu held.
func (v *VFS) setMounts(list []*Mount) {
	v.mounts = list
	v.listMu.Lock()
	defer v.listMu.Unlock()
	v.snapshot = slices.Clone(list)
}
