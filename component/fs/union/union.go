// Package union is component rumpfs_union: the file system type union, two directories as one (mount_union(8)). Names are looked for in
// the upper layer, then in the lower one. Only the upper one is ever changed: a directory that is in the lower one alone gets a shadow there, a file
// is copied up when it is to be changed, and a whiteout takes the place of what is removed but stays below.
//
// Beyond the original, a copy has the owner, mode and times of the original file, and each name is listed once by the kernel.
// Mounts within the layers are not crossed: what is under them is shown.
//
// Locks: those of the union's vnodes come first, then place.copying of a directory, then those of vnodes in the layers, one at a
// time; FS.mu guards the table and is held for no other.
//
// Start reading with FS, then place (place.go), dir (dir.go, dirops.go) and copyUp (copyup.go).
package union

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_union",
		Needs:   []string{"rumpvfs"},
		Doc:     "one directory over another",
		Modules: []kern.Module{{Name: "union", Class: abi.MODULE_CLASS_VFS}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "union", Mount: mount, ArgsSize: abi.SizeofUnionArgs, Refs: refs})
		},
	}
}

// FS is a mounted union.
type FS struct {
	k      *kern.Kernel
	source string
	op     int32     // UNMNT_*
	root   *place    // held
	maker  kern.Cred // makes the shadows: who mounted the union
	mode   uint32    // permissions of shadows
	salt   uint64    // makes inode numbers of the lower layer differ from those of the upper one

	mu     sync.Mutex
	places map[key]*place
}

var (
	_ vfs.FS         = (*FS)(nil)
	_ vfs.Updater    = (*FS)(nil)
	_ vfs.ArgsGetter = (*FS)(nil)
	_ vfs.Uncached   = (*FS)(nil)
)

// refs are the addresses in a struct union_args.
func refs(data []byte) (vfs.Refs, error) {
	var a abi.UnionArgs
	if err := a.Decode(data); err != nil {
		return vfs.Refs{}, abi.EINVAL
	}
	return vfs.Refs{Strings: []uint64{a.Target}}, nil
}

// sources are what f_mntfromname has before the target's path.
var sources = [...]string{abi.UNMNT_ABOVE: "<above>:", abi.UNMNT_BELOW: "<below>:", abi.UNMNT_REPLACE: ""}

// mount makes a union of the directory that the arguments name and the one that is mounted on.
//
// Errors: EINVAL; EDEADLK when one directory is, or is below, the other: the union would be part of itself; EOPNOTSUPP when the upper
// one can have no whiteouts and the union is not read-only; those of finding the directory.
func mount(t *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
	var a abi.UnionArgs
	if a.Decode(m.Data) != nil || m.On == nil {
		return nil, abi.EINVAL
	}
	op := a.Mntflags & abi.UNMNT_OPMASK
	if op == 0 {
		return nil, abi.EINVAL
	}
	target, err := m.VFS.Namei(t, m.Strings[0])
	if err != nil {
		return nil, err
	}
	defer target.Release(t)
	f := &FS{k: t.K, source: sources[op] + m.Strings[0], op: op, maker: *t.Cred(), mode: 0o777 &^ vfs.Umask(t.Proc),
		places: map[key]*place{}}
	upper, lower := target, m.On
	switch {
	case !target.IsDir():
		return nil, abi.EINVAL
	case m.VFS.IsUnder(t, upper, lower) || m.VFS.IsUnder(t, lower, upper):
		return nil, abi.EDEADLK
	case op == abi.UNMNT_BELOW:
		upper, lower = lower, upper
	case op == abi.UNMNT_REPLACE:
		lower = nil
	}
	m.Flags |= int(upper.Mount().Flags() & abi.MNT_RDONLY)
	if m.Flags&abi.MNT_RDONLY == 0 && !upper.HasWhiteouts(t) {
		return nil, abi.EOPNOTSUPP
	}
	if lower != nil {
		f.salt = (lower.Mount().Dev() & 0xffff) << 32
		lower.Hold()
	}
	f.root = f.place(t, upper.Hold(), lower, nil, "")
	return f, nil
}

// Root is the directory that both layers begin with.
func (f *FS) Root() (vfs.Node, error) { return f.node(f.root), nil }

// Source is what is mounted.
func (f *FS) Source() string { return f.source }

// Uncached says that names change without the union: in its layers.
func (*FS) Uncached() {}

// Statfs adds what the lower layer holds to what the upper one has; free is what is free in the upper one.
func (f *FS) Statfs(t *kern.Thread, st *abi.Statvfs) error {
	var low abi.Statvfs
	if f.root.lower != nil {
		if err := f.root.lower.Mount().Statfs(t, &low); err != nil {
			return err
		}
	}
	if err := f.root.up().Mount().Statfs(t, st); err != nil {
		return err
	}
	if st.Frsize > 0 {
		st.Blocks += (low.Blocks - low.Bfree) * low.Frsize / st.Frsize
	}
	st.Files += low.Files - low.Ffree
	return nil
}

// Sync has nothing to do: the union holds nothing back.
func (*FS) Sync(*kern.Thread, bool) error { return nil }

// Unmount gives back the vnodes of the layers.
func (f *FS) Unmount(t *kern.Thread, _ bool) error {
	f.mu.Lock()
	left := f.places
	f.places = map[key]*place{}
	f.mu.Unlock()
	for _, p := range left {
		p.releaseVnodes(t)
	}
	return nil
}

// Update is refused, as in the original. Errors: EOPNOTSUPP.
func (*FS) Update(*kern.Thread, *vfs.MountArgs) error { return abi.EOPNOTSUPP }

// GetArgs says how the layers lie; the target's path is nobody's any more.
func (f *FS) GetArgs(_ *kern.Thread, data []byte) error {
	a := abi.UnionArgs{Mntflags: f.op}
	return a.Encode(data)
}
