// Package umap is component rumpfs_umap: the file system type umap, which shows a directory in a second place with other users
// and groups (mount_umap(8)). Here are its mount(2) arguments and the maps; the layer is package layerfs.
package umap

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_umap",
		Needs:   []string{"rumpvfs", "rumpvfs_layerfs"},
		Doc:     "a directory with other owners",
		Modules: []kern.Module{{Name: "umap", Class: abi.MODULE_CLASS_VFS, Requires: []string{"layerfs"}}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "umap", Mount: mount, ArgsSize: abi.SizeofUmapArgs, Refs: refs})
		},
	}
}

// refs are the addresses in a struct umap_args. Errors: EINVAL for a map with more entries than there may be.
func refs(data []byte) (vfs.Refs, error) {
	var a abi.UmapArgs
	if err := a.Decode(data); err != nil || a.Nentries < 0 || a.Nentries > abi.MAPFILEENTRIES ||
		a.Gnentries < 0 || a.Gnentries > abi.GMAPFILEENTRIES {
		return vfs.Refs{}, abi.EINVAL
	}
	return vfs.Refs{Strings: []uint64{a.La.Target}, Arrays: []vfs.ArrayRef{
		{Addr: a.Mapdata, Size: int(a.Nentries) * entrySize},
		{Addr: a.Gmapdata, Size: int(a.Gnentries) * entrySize},
	}}, nil
}

// FS is a mounted umap.
type FS struct {
	*layerfs.FS
	owners *owners
}

var _ vfs.ArgsGetter = FS{}

// mount makes the layer. Errors: EINVAL; those of finding the directory.
func mount(t *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
	below, err := layerfs.Args(t, m, abi.SizeofUmapArgs)
	if err != nil {
		return nil, err
	}
	o := &owners{users: decode(m.Arrays[0], abi.NOBODY), groups: decode(m.Arrays[1], abi.NULLGROUP)}
	return FS{layerfs.New(t, below, m.Strings[0], o), o}, nil
}

// GetArgs fills in how many entries the maps have.
func (f FS) GetArgs(t *kern.Thread, data []byte) error {
	if err := f.FS.GetArgs(t, data); err != nil {
		return err
	}
	var a abi.UmapArgs
	if err := a.Decode(data); err != nil {
		return abi.EINVAL
	}
	a.Nentries, a.Gnentries = int32(len(f.owners.users.entries)), int32(len(f.owners.groups.entries))
	return a.Encode(data)
}
