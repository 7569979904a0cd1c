// Package overlay is component rumpfs_overlay: the file system type overlay, a layer over the directory that it is mounted on
// (mount_overlay(8)). Here are its mount(2) arguments; the layer is package layerfs.
package overlay

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_overlay",
		Needs:   []string{"rumpvfs", "rumpvfs_layerfs"},
		Doc:     "a layer over the directory that it is mounted on",
		Modules: []kern.Module{{Name: "overlay", Class: abi.MODULE_CLASS_VFS, Requires: []string{"layerfs"}}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "overlay", Mount: mount, ArgsSize: abi.SizeofLayerArgs, Refs: layerfs.Refs})
		},
	}
}

// mount makes the layer. The path among the arguments is only a name, for f_mntfromname. Errors: EINVAL.
func mount(t *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
	if len(m.Data) < abi.SizeofLayerArgs || m.On == nil {
		return nil, abi.EINVAL
	}
	return layerfs.New(t, m.On.Hold(), m.Strings[0], nil), nil
}
