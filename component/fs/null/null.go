// Package null is component rumpfs_null: the file system type null, which shows a directory in a second place
// (mount_null(8)). Here are its mount(2) arguments; the layer is package layerfs.
package null

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_null",
		Needs:   []string{"rumpvfs", "rumpvfs_layerfs"},
		Doc:     "a directory mounted in a second place",
		Modules: []kern.Module{{Name: "null", Class: abi.MODULE_CLASS_VFS, Requires: []string{"layerfs"}}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "null", Mount: mount, ArgsSize: abi.SizeofNullArgs, Refs: layerfs.Refs})
		},
	}
}

// mount makes the layer. Errors: EINVAL; those of finding the directory.
func mount(t *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
	below, err := layerfs.Args(t, m, abi.SizeofNullArgs)
	if err != nil {
		return nil, err
	}
	return layerfs.New(t, below, m.Strings[0], nil), nil
}
